"""What every record of the law answers with."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LawRecord:
    """A record of the ledger's law, whatever its kind."""

    uid: str
    """The record."""
    state: str
    """Its state."""
    reason: str | None
    """Why the state changed."""
    event_time: datetime | None
    """When it was captured, signed by its author."""
    late: bool
    """True if it was posted later than its profile allows."""
    previous: str | None
    """The record that it supersedes."""
    superseded_by: str | None
    """The record in its place."""
    key: str | None
    """The key that signed."""
    block: int
    """Block of the record."""
    block_time: datetime
    """Time of that block."""
    changed_block: int
    """Block of its last change."""
    read_at_block: int
    """Last settled block when this was read."""
    erased_here: datetime | None = None
    """When the answering agency's vault erased what it had of it."""
    erased_reason: str | None = None
    """Why it was erased there."""
    ledger: str = ""
    """Name of the ledger that it stands on; empty where the node does not say."""
