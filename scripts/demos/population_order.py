"""Linking records of one person by when they stand on the chain.

An agency that works through its list of people in the same order every month tells by the order who
is who, although no byte of two records is the same. Two attacks look for that, on every pair of
steps whose records nothing public joins: one takes it that the person who is n-th in one step is
n-th in the other; one that the person whose event time is nearest to the same part of the other
step is the same.

Who guesses without knowing anything is right about one person on average, however many there are,
about ten or more once in nine million tries (Poisson). More than that is no chance.
"""

import bisect
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

MOST_BY_CHANCE: Final = 10
"""Fewer persons than this are guessed right by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedStep:
    """What the chain tells of one step that everybody took."""

    kind: str
    """Which record the step is about."""
    number: int
    """Which step of that record; 0 is the first."""
    people: tuple[int, ...]
    """The persons in the order of their transactions on the chain."""
    times_s: tuple[int, ...]
    """Their event times, in the same order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderGuess:
    """How many persons an attack told right between two steps."""

    first: str
    second: str
    by_rank: float
    by_time: float
    """Where several are equally near, each counts for its part."""

    @property
    def most(self) -> float:
        """The better of the two attacks."""
        return max(self.by_rank, self.by_time)


def guess_by_order(
    steps: Sequence[OrderedStep], joined: Sequence[tuple[str, str]]
) -> list[OrderGuess]:
    """Attack every pair of steps of two records; `joined` kinds of records lead to each other."""
    return [
        OrderGuess(
            first=f"{first.kind} {first.number + 1}",
            second=f"{second.kind} {second.number + 1}",
            by_rank=count_same_rank(first, second),
            by_time=count_nearest_time(first, second),
        )
        for first, second in combinations(steps, 2)
        if first.kind != second.kind
        and (first.kind, second.kind) not in joined
        and (second.kind, first.kind) not in joined
    ]


def count_same_rank(first: OrderedStep, second: OrderedStep) -> float:
    """Return how many persons have the same place in both steps."""
    return float(sum(one == other for one, other in zip(first.people, second.people, strict=True)))


def count_nearest_time(first: OrderedStep, second: OrderedStep) -> float:
    """Return how many persons of one step are told by the nearest event time in the other."""
    at: dict[float, set[int]] = defaultdict(set)
    for person, part in _iterate_parts(second):
        at[part].add(person)
    parts = sorted(at)
    right = 0.0
    for person, part in _iterate_parts(first):
        place = bisect.bisect_left(parts, part)
        beside = parts[max(0, place - 1) : place + 1]
        nearest = min(abs(one - part) for one in beside)
        candidates = set().union(*(at[one] for one in beside if abs(one - part) == nearest))
        if person in candidates:
            right += 1 / len(candidates)
    return right


def _iterate_parts(step: OrderedStep) -> Iterator[tuple[int, float]]:
    """Yield each person with the part of the step that was over at the event time, 0 to 1."""
    start_s = min(step.times_s)
    lasted_s = max(step.times_s) - start_s or 1
    for person, time_s in zip(step.people, step.times_s, strict=True):
        yield person, (time_s - start_s) / lasted_s
