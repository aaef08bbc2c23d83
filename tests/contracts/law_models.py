"""What the long histories of the law know of consents and exchanges, in plain Python."""

from dataclasses import dataclass, field

from eth_typing import Address


@dataclass(slots=True)
class Consent:
    """What the model knows of a consent."""

    dataset: bytes
    quota: int
    until: int
    is_withdrawn: bool = False
    held: dict[bytes, str] = field(default_factory=dict)

    def covers(self, dataset: bytes, now: int) -> bool:
        return not self.is_withdrawn and now < self.until and dataset == self.dataset

    def has_room(self) -> bool:
        return not self.quota or len(self.held) < self.quota


@dataclass(slots=True)
class Exchange:
    """What the model knows of an exchange."""

    dataset: bytes
    basis: bytes
    consent: bytes
    mandate: bytes
    amount: int
    state: int
    voids: set[Address] = field(default_factory=set)
