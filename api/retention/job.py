"""When the API prunes by itself, and where it writes its reports."""

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.errors import InvalidField

_DAY_S: Final = 86_400
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionJob:
    """Pruning once a day."""

    at_s: int
    """Seconds after midnight, UTC."""
    folder: Path
    """Folder of the reports, one file a day."""

    def find_day(self, now_s: int) -> str:
        """Return the day, such as `2026-11-22`, whose pruning is the last that should be done."""
        return f"{dt.datetime.fromtimestamp(now_s - self.at_s, dt.UTC):%Y-%m-%d}"

    def place(self, day: str) -> Path:
        """Return the file of a day's report."""
        return self.folder / f"retention-{day}.json"


def parse_time_of_day(text: str, *, field: str) -> int:
    """Return `03:30` in seconds after midnight; raises `InvalidField`."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise InvalidField(field, "is a time of day in UTC, such as 03:30")
    return (int(found[1]) * 60 + int(found[2])) * 60 % _DAY_S
