"""On which day each token was last used.

An operator who cleans up asks which tokens nobody uses any more. The day answers that, and no more:
times of day would be a record of when people work. It is written once a token and day, to a file
beside the token file, under the token's id; several servers may share it.
"""

import fcntl
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import orjson
import structlog

log = structlog.get_logger(__name__)

SUFFIX: Final = ".used"
"""The file's name is that of the token file with this added."""


class TokenUsage:
    """The record of last uses beside one token file."""

    def __init__(
        self,
        token_file: Path,
        *,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._path = name_usage_file(token_file)
        self._today = today
        self._noted: dict[str, date] = {}
        self._is_unwritable = False

    def note(self, token_id: str) -> None:
        """Write down that a token is used today, unless that is known.

        A folder that cannot be written keeps nobody out; it is logged once.
        """
        today = self._today()
        if self._noted.get(token_id) == today:
            return
        self._noted[token_id] = today
        try:
            self._write(token_id, today)
        except OSError as error:
            if not self._is_unwritable:
                log.warning("token_usage_not_written", reason=error.strerror)
            self._is_unwritable = True

    def _write(self, token_id: str, today: date) -> None:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            used = _read(file.read())
            used[token_id] = today.isoformat()
            file.seek(0)
            file.write(orjson.dumps({"used": used}, option=orjson.OPT_INDENT_2))
            file.truncate()


def load_usage(token_file: Path) -> dict[str, date]:
    """Return the last day of use by token id; empty if nothing was ever noted."""
    try:
        content = name_usage_file(token_file).read_bytes()
    except OSError:
        return {}
    return {token_id: date.fromisoformat(day) for token_id, day in _read(content).items()}


def name_usage_file(token_file: Path) -> Path:
    """Return where the days of use of a token file stand."""
    return token_file.with_name(token_file.name + SUFFIX)


def _read(content: bytes) -> dict[str, str]:
    """Return the days of a file; a damaged one is begun anew, since it only informs."""
    try:
        used = orjson.loads(content)["used"]
        return {str(name): date.fromisoformat(day).isoformat() for name, day in used.items()}
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return {}
