"""How one legal time limit is counted. A profile is data; the law that it names is its authority.

A profile whose law leaves a doubt says so in `to_check`, and every due time reckoned with it
repeats the doubt. Nothing here knows a number of days.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from api.errors import InvalidField

LONGEST_AMOUNT: Final = 1_000
"""Of any unit; a bound on the count. Longer ones are given in months."""


class Unit(StrEnum):
    """What is counted."""

    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"
    HOURS = "hours"
    """Every hour, by day and night."""
    MONTHS = "months"
    """To the day of the same number, or the month's last."""


class StartRule(StrEnum):
    """What the count begins with."""

    NEXT_DAY = "next_day"
    """The day after the receipt."""
    SAME_DAY = "same_day"
    """The day of the receipt, if it counts."""
    INSTANT = "instant"
    """The moment itself; for hours."""


class ReceiptRule(StrEnum):
    """On which day something counts as received."""

    NEXT_OPEN_DAY = "next_open_day"
    """After closing, or on a day of rest: the next day on which the offices open."""
    AS_RECEIVED = "as_received"
    """Its local date."""


class EndRule(StrEnum):
    """When on the last day it is due."""

    END_OF_OFFICE = "end_of_office"
    """When the offices close."""
    END_OF_DAY = "end_of_day"
    """23:59:59 local time."""
    INSTANT = "instant"
    """To the second; for hours."""


class RollRule(StrEnum):
    """What happens if the last day is no working day."""

    NEXT_WORKING_DAY = "next_working_day"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One time limit. Raises `InvalidField` for rules that do not go together."""

    name: str
    version: int
    known_from_s: int
    """Since when this version counts, in seconds."""
    title: str
    jurisdiction: str
    calendar: str
    """Name of the calendar on which it is counted."""
    unit: Unit
    amount: int
    start: StartRule
    receipt: ReceiptRule
    end: EndRule
    roll: RollRule
    closures_extend: bool
    """Whether days on which offices had to close do not count."""
    extension: int
    """The longest extension in the same unit, allowed once; 0 for none."""
    pause_reasons: frozenset[str]
    """Why the clock may be paused; empty if never."""
    alert_percents: tuple[int, ...]
    """At which shares of the time somebody is told, rising."""
    late_capture_s: int
    """What is captured out of reach and posted later than this is late, in seconds."""
    legal_reference: str
    to_check: str | None = None
    """What is not certain in law."""

    def __post_init__(self) -> None:
        if not 1 <= self.amount <= LONGEST_AMOUNT:
            self._refuse("amount", f"from 1 to {LONGEST_AMOUNT}")
        if not 0 <= self.extension <= LONGEST_AMOUNT:
            self._refuse("extension", f"from 0 to {LONGEST_AMOUNT}")
        if self.late_capture_s <= 0:
            self._refuse("late_capture_hours", "more than 0")
        percents = self.alert_percents
        if list(percents) != sorted(set(percents)) or not all(1 <= one <= 100 for one in percents):
            self._refuse("alert_percents", "rising, each from 1 to 100")
        is_hours = self.unit is Unit.HOURS
        if is_hours != (self.start is StartRule.INSTANT):
            self._refuse("start", "instant with hours, and only with hours")
        if is_hours != (self.end is EndRule.INSTANT):
            self._refuse("end", "instant with hours, and only with hours")
        if is_hours and self.closures_extend:
            self._refuse("closures_extend", "false with hours, which run day and night")
        if is_hours and self.roll is not RollRule.NONE:
            self._refuse("roll", "none with hours")
        if self.unit is Unit.MONTHS and self.start is not StartRule.NEXT_DAY:
            self._refuse("start", "next_day with months")
        if self.unit is Unit.MONTHS and self.pause_reasons:
            self._refuse("pause_reasons", "none with months")
        if self.unit is Unit.WORKING_DAYS and self.roll is not RollRule.NEXT_WORKING_DAY:
            self._refuse("roll", "next_working_day with working days")

    def _refuse(self, part: str, rule: str) -> None:
        raise InvalidField(f"profile {self.name}: {part}", f"must be {rule}")


def is_late_capture(profile: Profile, event_s: int, posted_s: int) -> bool:
    """Return whether what happened at `event_s` was posted too late to go unmarked."""
    return posted_s - event_s > profile.late_capture_s
