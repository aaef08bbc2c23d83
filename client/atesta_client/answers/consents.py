"""Consents, key bindings, residents' messages and handles."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from atesta_client.answers.law_record import LawRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """How a consent was given."""

    given_by: str
    """``resident``: signed by a key made for it; ``agency``: recorded by an agency."""
    holder: str | None
    """The resident's key, used for this consent only."""
    agency: str | None
    """Who bound the key, or recorded the consent."""
    channel: str | None
    """Where it was recorded."""
    assurance: str | None
    """How sure of whom."""
    clerk: str | None
    """Commitment to the clerk."""
    form: str | None
    """Commitment to the form."""
    by_beneficiary: bool
    """True if its recipient recorded it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What one recipient did after a withdrawal."""

    recipient: str
    """Who answers."""
    due: datetime
    """Until when."""
    outcome: str | None
    """What was done; ``None`` while open."""
    late: bool
    """Answered after it was due."""
    overdue: bool
    """Not answered although due."""
    basis: str | None
    """Basis of a retention."""
    until: datetime | None
    """End of a retention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """A withdrawal and its consequences."""

    declared: datetime
    """It binds from here."""
    agency: str | None
    """Who took it; ``None`` if the resident signed it."""
    releases_to_remedy: int
    """Releases between its declaration and its block."""
    answers: tuple[Answered, ...]
    """One for each recipient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a consent stands at the last settled block."""

    confirmation: str
    """``not_demanded``, ``demanded`` or ``confirmed``."""
    reserved: int
    """Uses promised to approved exchanges."""
    used: int
    """Uses made."""
    withdrawal: Withdrawn | None
    """Its withdrawal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent(LawRecord):
    """A consent."""

    provider: str
    """Who may give the data."""
    recipient: str
    """Who may receive them."""
    dataset: str
    """The dataset."""
    fields: tuple[str, ...] | None
    """Pointers; ``None`` where this node lacks the dataset's text."""
    field_mask: str
    """The same as the ledger's word."""
    purpose: str
    """The purpose."""
    kind: str
    """What it is for."""
    notice: str
    """The notice shown."""
    notice_version: int | None
    """Its version."""
    valid_from: datetime | None
    """First moment."""
    valid_until: datetime | None
    """End; ``None`` for none."""
    quota: int | None
    """Number of uses; ``None`` for any."""
    response_s: int
    """Seconds to answer a withdrawal."""
    subject: str
    """Subject commitment."""
    record: str
    """Commitment to the full ISO/IEC TS 27560 record."""
    mandate: str | None
    """The mandate of who gave it."""
    origin: Origin
    """How it was given."""
    standing: Standing | None
    """How it stands now; ``None`` in lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyBinding(LawRecord):
    """A resident's fresh key, bound to its holder by an agency."""

    holder: str
    """The key's address."""
    agency: str
    """Who bound it."""
    commitment: str
    """To the person."""
    valid_until: datetime | None
    """End."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentMessage:
    """A message that waits for a resident's signature."""

    uid: str
    """The consent."""
    holder: str
    """The key that signs."""
    moment: datetime
    """The event time, or the time of declaration, that is signed."""
    nonce: int
    """Used once by this key."""
    deadline: datetime
    """Until when it may be handed in."""
    digest: str
    """What is signed."""
    typed_data: dict[str, Any]
    """The message for ``eth_signTypedData_v4``; numbers are decimal texts."""
    envelope: dict[str, Any] | None = None
    """For provider and recipient of a consent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEnvelope:
    """What was kept."""

    uid: str
    """The consent."""
    handle: str
    """Whose it is."""
    reference: str | None
    """This agency's own identifier of that person; ``None`` if not matched yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSubject:
    """A person as this agency and one other know it."""

    handle: str
    """The same in both vaults."""
    counterparty: str
    """The other agency."""
    reference: str
    """This agency's own identifier of the person."""
