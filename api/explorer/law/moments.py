"""Times as people of a jurisdiction read them, with UTC beside.

Which zone a jurisdiction has is data: its administration's calendar says it. `CN-GD` without a
calendar of its own has that of `CN`; a jurisdiction without any is written in UTC alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from api.deadlines.deadlines import Deadlines
from api.explorer.law.kinds import RecordKind
from api.explorer.law.showing import read_shape
from api.explorer.registry import Registry
from api.rest.references import read_reference
from contracts.labels import format_identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a time is read."""

    jurisdiction: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One moment, written."""

    machine: str
    """For the `datetime` attribute."""
    utc: str
    beside: str
    """UTC beside the local time: without the day where it is the same."""
    local: str | None
    """None where no zone is known."""
    jurisdiction: str | None


def write_moment(text: str | int, place: Place | None) -> Moment:
    """Write a time of REST (RFC 3339), or whole seconds since 1970."""
    moment = (
        datetime.fromtimestamp(text, UTC) if isinstance(text, int) else datetime.fromisoformat(text)
    )
    machine, utc = f"{moment:%Y-%m-%dT%H:%M:%SZ}", f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    nowhere = Moment(machine=machine, utc=utc, beside=utc, local=None, jurisdiction=None)
    if place is None:
        return nowhere
    try:
        there = moment.astimezone(place.zone)
    except OverflowError:  # the last hours of the year 9999
        return nowhere
    is_same_day = there.date() == moment.date()
    return Moment(
        machine=machine,
        utc=utc,
        beside=f"{moment:%H:%M:%S} UTC" if is_same_day else utc,
        local=f"{there:%Y-%m-%d %H:%M:%S}",
        jurisdiction=place.jurisdiction,
    )


class Places:
    """Finds the place of a record: the jurisdiction of the agency whose record it is."""

    def __init__(self, deadlines: Deadlines, registry: Registry) -> None:
        self._zones = {entry.jurisdiction: entry.zone for entry in deadlines.list_calendars()}
        self._registry = registry

    def find(self, party: str | None) -> Place | None:
        """Return the place of an agency, by label or hexadecimal id."""
        agency = None if party is None else self._registry.agencies.get(read_reference(party))
        return None if agency is None else self.find_jurisdiction(agency.jurisdiction)

    def find_jurisdiction(self, jurisdiction: bytes) -> Place | None:
        """Return the place of a jurisdiction."""
        label = format_identifier(jurisdiction)
        zone = self._zones.get(label) or self._zones.get(label.split("-")[0])
        return None if zone is None else Place(jurisdiction=label, zone=zone)

    def find_record(self, kind: RecordKind, record: Mapping[str, Any]) -> Place | None:
        """Return the place of a record: that of the first agency that it names."""
        shape = read_shape(kind.collection.model)
        for name in kind.own_members:
            if shape[name].form == "party" and isinstance(record[name], str):
                return self.find(record[name])
        return None
