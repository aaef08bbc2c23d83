"""Events, alerts and webhooks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who signed an act, or handed it in."""

    who: str
    """``agency``, or ``resident`` for a person's own key."""
    agency: str | None
    """Which; ``None`` for a resident."""
    key: str
    """The key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LawEvent:
    """Something that happened to a record."""

    kind: str
    """What, such as ``consent.withdrawn``."""
    uid: str
    """The record concerned."""
    agency: str
    """Whose record it is, or which agency did it."""
    signed_by: Actor | None
    """Who signed; ``None`` for what follows from another event, or from a vote."""
    submitted_by: Actor | None
    """Who handed it in, the signer if nobody else; ``None`` where there is no signer."""
    related: str | None
    """Another record concerned."""
    place: int | None
    """Period, leaf, board or seat."""
    state: str | None
    """The record's state after it, in the words of its kind."""
    reason: str | None
    """Neutral reason code."""
    event_time: datetime | None
    """When it was captured."""
    key: str | None
    """The key that signed."""
    block: int
    """Block."""
    block_time: datetime
    """Time of the block."""
    transaction: str
    """Transaction."""
    details: dict[str, Any] | None
    """All that the event says, by the names of the contract's interface, numbers in words."""
    cursor: str
    """Continue after this event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """A due time that comes near or is over."""

    kind: str
    """``decision`` of a request, or ``withdrawal_answer``."""
    uid: str
    """The exchange or consent."""
    level: int
    """80 or 100, percent of the time."""
    over: bool
    """Whether the time is over."""
    waits_for: str
    """Who has to act."""
    waits: str
    """Who waits."""
    began: datetime
    """Since when."""
    due: datetime
    """Until when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookView:
    """A webhook and how it is doing."""

    id: str
    """Its name."""
    url: str
    """Where events go."""
    kinds: tuple[str, ...]
    """Which; none for all."""
    agency: str | None
    """Whose; ``None`` for all."""
    state: str
    """``active``, ``retrying``, or ``given_up`` after three days of failures."""
    delivered: int
    """Events taken."""
    failures: int
    """Failed tries in a row."""
    last_error: str | None
    """Why the last try failed."""
    next_try: datetime | None
    """When it is tried again."""
    created: datetime
    """When it was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMade:
    """A new webhook with its secret, which is shown this once."""

    id: str
    """Its name."""
    url: str
    """Where events go."""
    kinds: tuple[str, ...]
    """Which; none for all."""
    agency: str | None
    """Whose; ``None`` for all."""
    state: str
    """``active``, ``retrying``, or ``given_up`` after three days of failures."""
    delivered: int
    """Events taken."""
    failures: int
    """Failed tries in a row."""
    last_error: str | None
    """Why the last try failed."""
    next_try: datetime | None
    """When it is tried again."""
    created: datetime
    """When it was made."""
    secret: str
    """Key of the signatures (Standard Webhooks)."""
