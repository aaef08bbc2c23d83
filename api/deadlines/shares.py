"""What share of a time limit has run.

Days weigh the same, however long the offices are open: of ten working days 80 % have run when the
offices close on the eighth. Hours and months weigh by their length.
"""

from fractions import Fraction

from api.deadlines.profiles import Unit

Span = tuple[int, int]
"""A stretch in which the time runs: from and until, in seconds."""


def compute_share(spans: tuple[Span, ...], unit: Unit, moment_s: int) -> Fraction:
    """Return the share that has run by `moment_s`, from 0 to 1."""
    parts = [
        Fraction(max(0, min(until_s, moment_s) - from_s), max(1, until_s - from_s)) * weight
        for (from_s, until_s), weight in zip(spans, _weigh(spans, unit), strict=True)
    ]
    return sum(parts, Fraction(0))


def find_moment(spans: tuple[Span, ...], unit: Unit, percent: int) -> int:
    """Return when `percent` of the time has run, in seconds, rounded up."""
    left = Fraction(percent, 100)
    for (from_s, until_s), weight in zip(spans, _weigh(spans, unit), strict=True):
        if left <= weight:
            part = (until_s - from_s) * left / weight if weight else Fraction(0)
            return from_s - (-part.numerator // part.denominator)
        left -= weight
    raise AssertionError("a share of the spans lies within them")


def _weigh(spans: tuple[Span, ...], unit: Unit) -> list[Fraction]:
    if unit in {Unit.WORKING_DAYS, Unit.CALENDAR_DAYS}:
        return [Fraction(1, len(spans))] * len(spans)
    total_s = max(1, sum(until_s - from_s for from_s, until_s in spans))
    return [Fraction(until_s - from_s, total_s) for from_s, until_s in spans]
