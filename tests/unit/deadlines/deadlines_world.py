"""Local times, and the data of the golden dates."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from api.deadlines.deadlines import Deadlines
from api.deadlines.loading import load_deadlines

HERE = Path(__file__).parent
ZONE = ZoneInfo("Asia/Macau")


def make_deadlines() -> Deadlines:
    """What is shipped, with the closures and second calendar versions of the golden dates."""
    return load_deadlines(HERE / "golden")


def at(text: str) -> int:
    """Seconds of a local time such as `2026-03-02 10:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp())


def write(at_s: int) -> str:
    """A moment as the golden table writes it."""
    return datetime.fromtimestamp(at_s, ZONE).strftime("%Y-%m-%d %H:%M:%S")
