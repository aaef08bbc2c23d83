"""Reading calendars, profiles and closures from TOML files, ours and the operator's.

Both folders have the same layout, and every file in them is read:

    calendars/*.toml    one version of one calendar each
    profiles/*.toml     any number of [[profile]]
    closures/*.toml     any number of [[closure]]

The operator's files add to those that are shipped. A calendar or profile that exists is changed by
giving the same name with a higher version, so that the older one stays readable.
`docs/deadlines.md` explains every key.
"""

import datetime as dt
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from api.deadlines.calendars import (
    DAY,
    Calendar,
    Closure,
    DayKind,
    OfficeHours,
    SpecialDay,
    YearSource,
)
from api.deadlines.deadlines import Deadlines
from api.deadlines.profiles import EndRule, Profile, ReceiptRule, RollRule, StartRule, Unit
from api.errors import InvalidField

LONGEST_RANGE_DAYS: Final = 31
"""Of a special day or a closure with `until`: a longer one is a slip of the pen."""

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
_Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
_Text = Annotated[str, Field(min_length=1, max_length=500)]
_Version = Annotated[int, Field(ge=1, le=1_000_000)]


def load_deadlines(directory: Path | None = None) -> Deadlines:
    """Read what is shipped, and what the operator added in `directory`.

    Raises `InvalidField` that names the file and the key. A missing folder is an empty one.
    """
    found = [_read_shipped()]
    if directory is not None:
        if not directory.is_dir():
            raise InvalidField("deadlines", "the folder of calendars and profiles is not there")
        found.append(_read_folder(directory))
    return Deadlines(
        [calendar for one in found for calendar in one.calendars],
        [profile for one in found for profile in one.profiles],
        [closure for one in found for closure in one.closures],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What the files of one folder define."""

    calendars: Sequence[Calendar]
    profiles: Sequence[Profile]
    closures: Sequence[Closure]


@cache
def _read_shipped() -> _Found:
    """Read our own files once: an API of several ledgers asks for them for each."""
    return _read_folder(resources.files("api.deadlines") / "data")


def _read_folder(root: Traversable) -> _Found:
    calendars, profiles, closures = [], [], []
    for name, document in _iterate_files(root / "calendars"):
        calendars.append(_build_calendar(name, _parse(_Calendar, name, document)))
    for name, document in _iterate_files(root / "profiles"):
        entries = _parse(_ProfileFile, name, document)
        profiles += [_build_profile(entry) for entry in entries.profile]
    for name, document in _iterate_files(root / "closures"):
        for entry in _parse(_ClosureFile, name, document).closure:
            closures += _build_closures(name, entry)
    return _Found(calendars=calendars, profiles=profiles, closures=closures)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Day(_Entry):
    date: dt.date
    until: dt.date | None = None
    kind: Annotated[DayKind, Field(strict=False)]
    name: _Text
    closes: dt.time | None = None


class _Source(_Entry):
    year: Annotated[int, Field(ge=1970, le=2100)]
    authority: _Text
    title: _Text
    to_check: _Text | None = None


class _Hours(_Entry):
    opens: dt.time
    closes: dt.time
    closes_on: dict[_Weekday, dt.time] = Field(default_factory=dict)
    to_check: _Text | None = None


class _Calendar(_Entry):
    name: _Name
    version: _Version
    known_from: AwareDatetime
    title: _Text
    jurisdiction: Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
    zone: _Text
    rest: list[_Weekday]
    first: dt.date
    last: dt.date
    hours: _Hours
    source: Annotated[list[_Source], Field(min_length=1)]
    day: list[_Day] = Field(default_factory=list)


class _Profile(_Entry):
    name: _Name
    version: _Version
    known_from: AwareDatetime
    title: _Text
    jurisdiction: Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
    calendar: _Name
    unit: Annotated[Unit, Field(strict=False)]
    amount: int
    start: Annotated[StartRule, Field(strict=False)]
    receipt: Annotated[ReceiptRule, Field(strict=False)]
    end: Annotated[EndRule, Field(strict=False)]
    roll: Annotated[RollRule, Field(strict=False)]
    closures_extend: bool
    extension: int
    pause_reasons: list[_Code]
    alert_percents: list[int]
    late_capture_hours: int
    legal_reference: _Text
    to_check: _Text | None = None


class _ProfileFile(_Entry):
    profile: list[_Profile]


class _Closure(_Entry):
    calendar: _Name
    date: dt.date
    until: dt.date | None = None
    begins: dt.time = dt.time.min
    ends: dt.time = dt.time.max
    reason: _Text
    known_at: AwareDatetime


class _ClosureFile(_Entry):
    closure: list[_Closure]


_EntryT = TypeVar("_EntryT", bound=_Entry)


def _iterate_files(folder: Traversable) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the document of each TOML file of a folder, by name."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir(), key=lambda one: one.name):
        if not path.name.endswith(".toml"):
            continue
        label = f"{folder.name}/{path.name}"
        try:
            yield label, tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InvalidField(label, "the file cannot be read") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidField(label, f"the file is not TOML: {error}") from error


def _parse(model: type[_EntryT], label: str, document: dict[str, Any]) -> _EntryT:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidField(f"{label}: {place}", first["msg"]) from error


def _build_calendar(label: str, entry: _Calendar) -> Calendar:
    if entry.last < entry.first:
        raise InvalidField(f"{label}: last", "is before first")
    try:
        zone = ZoneInfo(entry.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidField(f"{label}: zone", "is no time zone of this machine") from error
    years = {source.year for source in entry.source}
    for year in range(entry.first.year, entry.last.year + 1):
        if year not in years:
            raise InvalidField(f"{label}: source", f"names no source for {year}")
    rest = frozenset(_WEEKDAYS.index(name) for name in entry.rest)
    days: dict[dt.date, SpecialDay] = {}
    for position, special in enumerate(entry.day):
        place = f"{label}: day.{position}"
        for day in _list_days(place, special.date, special.until):
            if not entry.first <= day <= entry.last:
                raise InvalidField(f"{place}.date", "lies outside first and last")
            if day in days:
                raise InvalidField(f"{place}.date", f"{day} is there twice")
            days[day] = _build_day(place, special, day, entry.hours.opens)
    return Calendar(
        name=entry.name,
        version=entry.version,
        known_from_s=_compute_seconds(entry.known_from),
        title=entry.title,
        jurisdiction=entry.jurisdiction,
        zone=zone,
        rest=rest,
        hours=_build_hours(label, entry.hours),
        first=entry.first,
        last=entry.last,
        days=days,
        sources=tuple(YearSource(**source.model_dump()) for source in entry.source),
        to_check=entry.hours.to_check,
    )


def _build_day(place: str, special: _Day, day: dt.date, opens: dt.time) -> SpecialDay:
    is_short = special.kind is DayKind.SHORT
    if is_short != (special.closes is not None):
        raise InvalidField(f"{place}.closes", "belongs to a short day, and only to one")
    if special.closes is not None and special.closes <= opens:
        raise InvalidField(f"{place}.closes", "is not after opening")
    return SpecialDay(day=day, kind=special.kind, name=special.name, closes=special.closes)


def _build_hours(label: str, hours: _Hours) -> OfficeHours:
    closes = tuple(hours.closes_on.get(name, hours.closes) for name in _WEEKDAYS)
    if min(closes) <= hours.opens:
        raise InvalidField(f"{label}: hours.closes", "is not after opening")
    return OfficeHours(opens=hours.opens, closes=closes)


def _build_profile(entry: _Profile) -> Profile:
    values = entry.model_dump(exclude={"known_from", "pause_reasons", "late_capture_hours"})
    values["alert_percents"] = tuple(entry.alert_percents)
    return Profile(
        **values,
        known_from_s=_compute_seconds(entry.known_from),
        pause_reasons=frozenset(entry.pause_reasons),
        late_capture_s=entry.late_capture_hours * 3_600,
    )


def _build_closures(label: str, entry: _Closure) -> list[Closure]:
    place = f"{label}: closure {entry.date}"
    is_whole = (entry.begins, entry.ends) == (dt.time.min, dt.time.max)
    if entry.until is not None and not is_whole:
        raise InvalidField(f"{place}: until", "goes with whole days; enter parts of days singly")
    if entry.ends <= entry.begins:
        raise InvalidField(f"{place}: ends", "is not after begins")
    return [
        Closure(
            calendar=entry.calendar,
            day=day,
            begins=entry.begins,
            ends=entry.ends,
            reason=entry.reason,
            known_at_s=_compute_seconds(entry.known_at),
        )
        for day in _list_days(place, entry.date, entry.until)
    ]


def _list_days(place: str, first: dt.date, until: dt.date | None) -> list[dt.date]:
    last = first if until is None else until
    if not 0 <= (last - first).days < LONGEST_RANGE_DAYS:
        raise InvalidField(f"{place}.until", f"is at most {LONGEST_RANGE_DAYS - 1} days after date")
    return [first + DAY * number for number in range((last - first).days + 1)]


def _compute_seconds(moment: dt.datetime) -> int:
    return int(moment.astimezone(dt.UTC).timestamp())
