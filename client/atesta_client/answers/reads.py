"""The record of reads."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One opening of something in the agency's vault."""

    number: int
    """Its number; later ones are higher."""
    time: datetime
    """When."""
    caller: str
    """Label of who opened it."""
    method: str
    """How that is known."""
    operation: str
    """In the course of what."""
    purpose: str
    """What for."""
    uid: str
    """The record that it belongs to."""
    what: str
    """What was opened: ``credential``, or the role of a material."""
    request_id: str
    """Name of the request in the node's log."""
