"""Parts of acts that have members of their own, named as in the OpenAPI document.

Each is sent without the members that are ``None``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from atesta_client.requests.encoding import AgencyName, Hex, JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """A second officer who answers for an act that is posted past the ledger's limit."""

    reason: str
    """``outage``, ``paper`` (captured on paper or in the field) or ``omission``."""
    officer: JsonObject
    """The second officer; kept in the vault, the ledger gets a commitment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalReference:
    """A law and its article, as an official cites it."""

    law: str
    """The law."""
    article: str
    """Article and paragraph."""
    title: str | None = None
    """What it is about."""
    jurisdiction: str | None = None
    """Whose law it is."""
    url: str | None = None
    """Where it can be read."""
    note: str | None = None
    """What is not certain, such as ``to check``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeItem:
    """One scope of a legal basis; scopes of the same parties add up."""

    dataset: Hex
    """Which data."""
    purpose: Hex
    """What for."""
    provider: AgencyName | None = None
    """Who gives; ``None`` for any."""
    recipient: AgencyName | None = None
    """Who gets; ``None`` for any."""
    fields: Sequence[str] | None = None
    """Which fields; ``None`` for all that the dataset has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectItem:
    """A person: give exactly one of the two."""

    reference: str | None = None
    """This agency's own identifier of the person; it stays in the vault."""
    handle: Hex | None = None
    """The handle between the two agencies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentItems:
    """The consents that a request rests on; as many as the legal basis asks for."""

    general: Hex | None = None
    """General."""
    sensitive: Hex | None = None
    """For sensitive data, besides."""
    cross_border: Hex | None = None
    """For data that leave a jurisdiction, besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineItem:
    """A due time reckoned from a profile (docs/deadlines.md), fixed when the request is made."""

    profile: str
    """Name of the profile."""
    started: datetime | None = None
    """From when it counts; the event time if ``None``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MandateActs:
    """A mandate, and what it is used for."""

    uid: Hex
    """The mandate."""
    acts: Sequence[str]
    """Codes of the acts of its list that this is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MandateUse:
    """A mandate, what it is used for, and the amount."""

    uid: Hex
    """The mandate."""
    acts: Sequence[str]
    """Codes of the acts of its list that this is."""
    amount: int = 0
    """In the unit of the mandate's list; 0 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyReference:
    """An association or company, by its number in a register."""

    register_name: str
    """Which register."""
    number: str
    """The number in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MandateItem:
    """One mandate."""

    kind: str
    """``office`` of a body, ``power`` or ``guardianship``."""
    grantee: JsonObject
    """Who may act."""
    act_list: Hex
    """Hash of the public text that lists the acts (``act_list``)."""
    acts: Sequence[str]
    """Codes of the acts that it covers."""
    valid_from: datetime
    """From when."""
    uid: Hex | None = None
    """32 random bytes; made here when absent."""
    body: BodyReference | None = None
    """The body; needed for an office."""
    grantor: JsonObject | None = None
    """Who gives it; the body itself when absent."""
    limit: int = 0
    """Highest amount, in the list's unit; 0 for none."""
    valid_until: datetime | None = None
    """Until when; ``None`` for no end."""
    parent: Hex | None = None
    """The power that is handed on."""
    may_delegate: bool = False
    """Whether a power may be handed on."""
    record: JsonObject | None = None
    """The full record: deed, register entry, remarks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeItem:
    """One office of a new board."""

    grantee: JsonObject
    """Who is in office."""
    act_list: Hex
    """Hash of the public text that lists the acts."""
    acts: Sequence[str]
    """Codes of the acts that the office covers."""
    uid: Hex | None = None
    """32 random bytes; made here when absent."""
    limit: int = 0
    """Highest amount; 0 for none."""
    valid_from: datetime | None = None
    """From when; the board's first moment if absent."""
    valid_until: datetime | None = None
    """Until when; ``None`` for no end."""
    record: JsonObject | None = None
    """The full record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that the post gets; nobody has used it before."""

    address: Hex
    """Its address."""
    roles: Sequence[str]
    """What it may do for the agency."""
    valid_until: datetime | None = None
    """Until when; ``None`` for no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HappeningItem:
    """Something that happened to a case after its start."""

    kind: str
    """``paused``, ``resumed``, ``extended`` or ``closed``."""
    at: datetime
    """When."""
    reason: str | None = None
    """Of a pause or an extension."""
    by: str | None = None
    """Post that extended."""
    amount: int | None = None
    """Of an extension; all that is allowed if ``None``."""
