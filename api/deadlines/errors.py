"""What deadlines refuse, each with the field at fault: profile, calendar, date or happening."""

from datetime import date

from api.errors import NotFound, UserFault


class ProfileUnknown(NotFound):
    """No profile has this name."""

    def __init__(self) -> None:
        super().__init__("no profile has this name", field="profile", code="profile_unknown")


class CalendarUnknown(NotFound):
    """No calendar has this name, or none of this name has the version."""

    def __init__(self, reason: str = "no calendar has this name") -> None:
        super().__init__(reason, field="calendar", code="calendar_unknown")


class CalendarEnds(UserFault):
    """The count reaches a day of which the calendar says nothing.

    Most calendars are published a year ahead. Guessing the next one would give a false due time.
    """

    status = 422

    def __init__(self, calendar: str, version: int, day: date, first: date, last: date) -> None:
        super().__init__(
            f"calendar {calendar} version {version} ends: it covers {first} to {last}, and the "
            f"count needs {day}",
            code="calendar_ends",
            field="calendar",
            next_step="have the operator add the next version of the calendar",
            extra={"calendar": calendar, "version": version, "date": day.isoformat()},
        )


class HistoryRefused(UserFault):
    """A happening cannot follow the ones before it, or the profile does not allow it."""

    status = 422

    def __init__(self, position: int, reason: str, *, part: str | None = None) -> None:
        """Name happening `position` (from 0), and within it the member `part`."""
        field = f"happenings[{position}]" + (f".{part}" if part else "")
        super().__init__(reason, code="history_refused", field=field)
        self.position = position
