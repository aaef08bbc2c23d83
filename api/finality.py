"""What the network behind this API calls final, and in which words the API may repeat it.

On a ledger of ours a block exists only with the seals of a quorum of validators, and whoever reads
it can count them: such a block is *final*. Another network has rules of its own, which nobody here
checks: its node says which block it will not take back, by one of the tags that Ethereum nodes
answer to (`finalized`, `safe` or `latest`). What rests on such a block is *as reported by that
network*, and every answer says so instead of "final".
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, get_args

Tag = Literal["finalized", "safe", "latest"]

TAGS: Final[tuple[str, ...]] = get_args(Tag)
"""The tags by which a node can be asked, the surest first."""


class FinalityKind(StrEnum):
    """Who vouches that a block stays."""

    QUORUM_SEALS = "quorum_seals"
    """A quorum of this ledger's validators sealed it."""
    AS_REPORTED = "as_reported"
    """The node of another network says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finality:
    """The rule of one network."""

    kind: FinalityKind
    tag: Tag
    """The block up to which the API reads."""

    @property
    def is_final(self) -> bool:
        """Whether "final" may be said of what is read."""
        return self.kind is FinalityKind.QUORUM_SEALS

    @property
    def statement(self) -> str:
        """Return what an answer says about itself, one sentence."""
        if self.is_final:
            return "final: a quorum of the ledger's validators sealed the block"
        return (
            f"as reported by that network: its node names the block {self.tag}; "
            "nobody here has checked why"
        )


QBFT: Final = Finality(kind=FinalityKind.QUORUM_SEALS, tag="latest")
"""A ledger of ours: each block that its node returns has a quorum of seals."""


def report(tag: Tag) -> Finality:
    """Return the rule of another network, read up to a tag of its node."""
    return Finality(kind=FinalityKind.AS_REPORTED, tag=tag)
