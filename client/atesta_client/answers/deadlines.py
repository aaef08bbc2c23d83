"""Time limits, calendars, and when something is due."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileView:
    """One legal time limit, as data."""

    name: str
    """Its name."""
    version: int
    """Its version."""
    title: str
    """What it is for."""
    jurisdiction: str
    """Whose law."""
    calendar: str
    """On which calendar it is counted."""
    unit: str
    """What is counted: days, hours or months."""
    amount: int
    """How many."""
    extension: int
    """Longest extension, allowed once; 0 for none."""
    pause_reasons: tuple[str, ...]
    """Why the clock may be paused."""
    to_check: tuple[str, ...]
    """What is not certain in the law; empty where it was read in the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarView:
    """One calendar of working days."""

    name: str
    """Its name."""
    version: int
    """Its version."""
    years: tuple[int, ...]
    """The years that it covers."""
    closures: int
    """Closures entered here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueAnswer:
    """When a case is due, and how that came about."""

    due: datetime
    """The last second in time."""
    day: str
    """Its local date."""
    counted: int
    """Units counted."""
    unit: str
    """Days, hours or months."""
    profile_version: int
    """Version of the profile."""
    calendar: str
    """The calendar."""
    calendar_version: int
    """Its version."""
    paused: bool
    """The clock stands still; this is the earliest due time."""
    extended: bool
    """Whether it was extended."""
    alerts: dict[str, Any]
    """When alerts are told, by percent."""
    explanation: tuple[str, ...]
    """A sentence for each step."""
    to_check: tuple[str, ...]
    """What is not certain."""
