"""All calendars, profiles and closures of one agency, and the questions asked of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from api.deadlines.audit import Audit
from api.deadlines.calendars import Calendar, Closure
from api.deadlines.clocks import Clock, Happening, Started
from api.deadlines.due import Due, compute_due
from api.deadlines.editions import EditionT, select_edition
from api.deadlines.errors import CalendarUnknown, ProfileUnknown
from api.deadlines.profiles import Profile
from api.deadlines.progress import Progress, compute_progress
from api.errors import InvalidField


class Deadlines:
    """Answers from data. Raises `InvalidField` if the data contradict each other."""

    def __init__(
        self,
        calendars: Iterable[Calendar],
        profiles: Iterable[Profile],
        closures: Iterable[Closure] = (),
    ) -> None:
        self._calendars = _group("calendar", calendars)
        self._profiles = _group("profile", profiles)
        self._closures = tuple(closures)
        for editions in self._profiles.values():
            for profile in editions:
                if profile.calendar not in self._calendars:
                    raise InvalidField(f"profile {profile.name}: calendar", "is not known")
        for closure in self._closures:
            if closure.calendar not in self._calendars:
                raise InvalidField(f"closure {closure.day}: calendar", "is not known")

    def list_profiles(self) -> tuple[Profile, ...]:
        """Return the newest version of every profile, by name."""
        return tuple(select_edition(self._profiles[name]) for name in sorted(self._profiles))

    def list_calendars(self) -> tuple[Calendar, ...]:
        """Return the newest version of every calendar with its closures, by name."""
        return tuple(self.get_calendar(name) for name in sorted(self._calendars))

    def get_profile(self, name: str, *, known_at_s: int | None = None) -> Profile:
        """Return a profile, as known at a time; raises `ProfileUnknown`."""
        if name not in self._profiles:
            raise ProfileUnknown
        return select_edition(self._profiles[name], known_at_s)

    def get_calendar(
        self, name: str, *, version: int | None = None, known_at_s: int | None = None
    ) -> Calendar:
        """Return a calendar with its closures, both as known at a time.

        With `version` it is that version, whenever it was known. Raises `CalendarUnknown`.
        """
        if name not in self._calendars:
            raise CalendarUnknown
        editions = self._calendars[name]
        if version is not None:
            editions = [one for one in editions if one.version == version]
            if not editions:
                raise CalendarUnknown("the calendar has no such version")
        found = select_edition(editions, known_at_s)
        return found.add_closures(
            tuple(
                closure
                for closure in self._closures
                if known_at_s is None or closure.known_at_s <= known_at_s
            )
        )

    def due(
        self,
        profile_name: str,
        started_s: int,
        happenings: Sequence[Happening] = (),
        *,
        known_at_s: int | None = None,
    ) -> Due:
        """Return when a case is due.

        `happenings` are those after the start, in order. With `known_at_s` only the versions and
        closures known by then are used. Raises `ProfileUnknown`, `HistoryRefused`, `CalendarEnds`.
        """
        profile = self.get_profile(profile_name, known_at_s=known_at_s)
        calendar = self.get_calendar(profile.calendar, known_at_s=known_at_s)
        return compute_due(profile, calendar, _make_clock(started_s, happenings))

    def progress(
        self, profile_name: str, started_s: int, happenings: Sequence[Happening], now_s: int
    ) -> Progress:
        """Return how far a case is at `now_s`; what happened later is left out."""
        clock = _make_clock(started_s, happenings).cut(now_s)
        profile = self.get_profile(profile_name)
        due = compute_due(profile, self.get_calendar(profile.calendar), clock)
        return compute_progress(due, clock, now_s)

    def audit(
        self,
        profile_name: str,
        started_s: int,
        happenings: Sequence[Happening] = (),
        *,
        fixed_at_s: int,
        recorded_s: int | None = None,
    ) -> Audit:
        """Return the due time as it was fixed at `fixed_at_s`, as it binds, and as of today.

        `recorded_s` is the due time on the ledger, to compare. Raises like `due`.
        """
        clock = _make_clock(started_s, happenings)
        then = self.get_profile(profile_name, known_at_s=fixed_at_s)
        newest = self.get_profile(profile_name)
        calendar_then = self.get_calendar(then.calendar, known_at_s=fixed_at_s)
        same_version = self.get_calendar(then.calendar, version=calendar_then.version)
        return Audit(
            fixed=compute_due(then, calendar_then, clock.cut(fixed_at_s)),
            binding=compute_due(then, same_version, clock),
            today=compute_due(newest, self.get_calendar(newest.calendar), clock),
            recorded_s=recorded_s,
        )


def _make_clock(started_s: int, happenings: Sequence[Happening]) -> Clock:
    return Clock(happenings=(Started(at_s=started_s), *happenings))


def _group(kind: str, editions: Iterable[EditionT]) -> dict[str, list[EditionT]]:
    groups: dict[str, list[EditionT]] = defaultdict(list)
    for edition in editions:
        group = groups[edition.name]
        if any(one.version == edition.version for one in group):
            raise InvalidField(
                f"{kind} {edition.name}: version",
                f"version {edition.version} is there twice; a change needs a higher one",
            )
        group.append(edition)
    return dict(groups)
