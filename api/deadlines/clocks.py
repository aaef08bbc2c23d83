"""What happened to one case: an immutable history that only grows.

    started → (paused → resumed)* with at most one extended, → closed

A clock checks the order of its happenings, which holds for every profile. What a profile allows,
and whether it was still in time, is judged where the due time is reckoned.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from api.deadlines.errors import HistoryRefused

MOST_HAPPENINGS: Final = 64
"""Of one case."""
LAST_TIME_S: Final = 4_102_444_799
"""The last second of 2099: later times are mistakes, such as milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The request arrived."""

    at_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """The clock was stopped, and whoever must act was told why."""

    at_s: int
    reason: str
    """One of the profile's pause reasons, such as `missing_documents`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """What was missing arrived."""

    at_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended:
    """The time limit was extended, which can be done once."""

    at_s: int
    reason: str
    by: str
    """The post that decided, not a person."""
    amount: int | None = None
    """In the profile's unit; None for all that it allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The answer was given, or the case fell away."""

    at_s: int


Happening: TypeAlias = Started | Paused | Resumed | Extended | Closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The history of one case. Raises `HistoryRefused` with the position of what cannot be."""

    happenings: tuple[Happening, ...]

    def __post_init__(self) -> None:
        _validate_order(self.happenings)

    @classmethod
    def start(cls, at_s: int) -> "Clock":
        """Return the clock of a request that arrived at `at_s` seconds."""
        return cls(happenings=(Started(at_s=at_s),))

    def add(self, happening: Happening) -> "Clock":
        """Return the clock with one more happening."""
        return Clock(happenings=(*self.happenings, happening))

    def cut(self, until_s: int) -> "Clock":
        """Return the history as it was at a time; the start always stays."""
        later = tuple(one for one in self.happenings[1:] if one.at_s <= until_s)
        return Clock(happenings=(self.happenings[0], *later))

    @property
    def started_s(self) -> int:
        """When it started, in seconds."""
        return self.happenings[0].at_s

    @property
    def closed_s(self) -> int | None:
        """When it was closed, in seconds; None while open."""
        last = self.happenings[-1]
        return last.at_s if isinstance(last, Closed) else None

    @property
    def stopped_s(self) -> int | None:
        """When its time stopped running, in seconds; None while it runs.

        A case that is closed while paused, because it fell away, stopped with the pause.
        """
        for happening in reversed(self.happenings):
            if isinstance(happening, Paused):
                return happening.at_s
            if isinstance(happening, Resumed):
                break
        return self.closed_s

    @property
    def paused_since_s(self) -> int | None:
        """Since when it stands still, in seconds; None if it runs or is closed."""
        return self.stopped_s if self.closed_s is None else None

    @property
    def extension(self) -> Extended | None:
        """The extension, if there was one."""
        return next((one for one in self.happenings if isinstance(one, Extended)), None)

    def iterate_pauses(self) -> Iterator[tuple[Paused, Resumed]]:
        """Yield the pauses that have ended, in order."""
        paused: Paused | None = None
        for happening in self.happenings:
            match happening:
                case Paused():
                    paused = happening
                case Resumed():
                    assert paused is not None, "the order was checked"
                    yield paused, happening
                case _:
                    pass


def _validate_order(happenings: tuple[Happening, ...]) -> None:
    if not happenings or not isinstance(happenings[0], Started):
        raise HistoryRefused(0, "a history begins with its start")
    if len(happenings) > MOST_HAPPENINGS:
        raise HistoryRefused(MOST_HAPPENINGS, f"a history has at most {MOST_HAPPENINGS} happenings")
    is_paused = is_extended = is_closed = False
    before_s = 0
    for position, happening in enumerate(happenings):
        if not before_s <= happening.at_s <= LAST_TIME_S:
            reason = "times rise from happening to happening, in seconds before the year 2100"
            raise HistoryRefused(position, reason, part="at")
        before_s = happening.at_s
        if is_closed:
            raise HistoryRefused(position, "nothing follows the closing")
        match happening:
            case Started() if position > 0:
                raise HistoryRefused(position, "a clock starts once")
            case Paused() if is_paused:
                raise HistoryRefused(position, "the clock stands still already")
            case Resumed() if not is_paused:
                raise HistoryRefused(position, "the clock is running")
            case Extended() if is_extended:
                raise HistoryRefused(position, "a time limit is extended at most once")
            case _:
                pass
        is_paused = isinstance(happening, Paused) or (
            is_paused and not isinstance(happening, Resumed)
        )
        is_extended = is_extended or isinstance(happening, Extended)
        is_closed = isinstance(happening, Closed)
