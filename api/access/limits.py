"""How often a caller may ask: one token bucket for each caller and class of operation.

A bucket holds at most its quota's amount and fills evenly, the whole amount once in the quota's
window; each request takes one out, and an empty bucket refuses until there is one again. A quota
of 300/min thus allows 300 requests at once, and then five a second.

Reads, writes and exports have buckets of their own, so that a report that runs away does not keep
a counter from writing. Buckets are kept in memory and bounded in number: the one that was used
longest ago makes room, which can only let somebody ask sooner. Each process counts for itself.

Answers carry the header fields `RateLimit` and `RateLimit-Policy` of the IETF draft
draft-ietf-httpapi-ratelimit-headers, so that a program can slow down before it is refused.
"""

import math
import re
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from api.errors import InvalidField
from api.ports import Metric

MAX_BUCKETS: Final = 20_000
"""Buckets kept at once."""

_ROUNDING: Final = 1e-9
_QUOTA: Final = re.compile(r"([1-9][0-9]{0,8})/(s|min|h)")
_WINDOWS_S: Final = {"s": 1, "min": 60, "h": 3600}


class Operation(StrEnum):
    """What kind of work a request is."""

    READS = "reads"
    """It changes nothing."""
    WRITES = "writes"
    """It stores or sends something."""
    EXPORTS = "exports"
    """One answer holds as much as many reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many requests in which time."""

    amount: int
    """Requests at once, and in each window; at least 1."""
    window_s: int
    """Seconds in which an empty bucket fills."""

    def __str__(self) -> str:
        unit = next((unit for unit, size in _WINDOWS_S.items() if size == self.window_s), None)
        return f"{self.amount}/{unit or f'{self.window_s}s'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Quotas by class; None leaves it to the server's own."""

    reads: Quota | None = None
    writes: Quota | None = None
    exports: Quota | None = None

    def find(self, operation: Operation) -> Quota | None:
        """Return the quota of a class, None if there is none here."""
        quota: Quota | None = getattr(self, operation.value)
        return quota

    def over(self, others: "Limits") -> "Limits":
        """Return these limits, completed by `others`."""
        own = {name.value: quota for name in Operation if (quota := self.find(name)) is not None}
        return replace(others, **own)


NO_LIMITS: Final = Limits()
"""For callers whose limits are the server's."""

DEFAULT_LIMITS: Final = Limits(
    reads=Quota(amount=300_000, window_s=60),
    writes=Quota(amount=300_000, window_s=60),
    exports=Quota(amount=600, window_s=60),
)
"""For callers without limits of their own: more than one process answers, so that only a program
that has gone wrong meets them. An operator who shares a server sets less."""

STRANGERS: Final = Quota(amount=6_000, window_s=60)
"""For requests without a caller, by address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a bucket says to one request."""

    operation: str
    """Name of the policy: a class of operation, or `strangers`."""
    quota: Quota
    remaining: int
    """Requests left at this moment."""
    full_in_s: int
    """Seconds until the bucket is full again."""
    wait_s: int
    """0 if the request is let through; otherwise seconds until the next one is."""

    def build_headers(self) -> dict[str, str]:
        """Return the header fields that tell it to programs."""
        quota = self.quota
        headers = {
            "RateLimit-Policy": f'"{self.operation}";q={quota.amount};w={quota.window_s}',
            "RateLimit": f'"{self.operation}";r={self.remaining};t={self.full_in_s}',
        }
        if self.wait_s:
            headers["Retry-After"] = str(self.wait_s)
        return headers


class RateLimiter:
    """The buckets of one process."""

    def __init__(self, clock: Callable[[], float], *, max_buckets: int = MAX_BUCKETS) -> None:
        """Count by `clock`, in seconds that never go back."""
        self._clock = clock
        self._max_buckets = max_buckets
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self._refused: Counter[str] = Counter()

    def take(self, who: str, operation: str, quota: Quota) -> Allowance:
        """Take one request out of a bucket, if there is one in it."""
        now_s = self._clock()
        rate = quota.amount / quota.window_s
        level, since_s = self._buckets.pop((who, operation), (float(quota.amount), now_s))
        level = min(float(quota.amount), level + max(0.0, now_s - since_s) * rate)
        # A request that has flowed in but for a rounding error is there.
        is_let_through = level >= 1 - _ROUNDING
        if is_let_through:
            level = max(0.0, level - 1)
        else:
            self._refused[operation] += 1
        self._buckets[who, operation] = (level, now_s)
        while len(self._buckets) > self._max_buckets:
            self._buckets.popitem(last=False)
        return Allowance(
            operation=operation,
            quota=quota,
            remaining=int(level),
            full_in_s=math.ceil((quota.amount - level) / rate),
            wait_s=0 if is_let_through else max(1, math.ceil((1 - level) / rate)),
        )

    def samples(self) -> tuple[Metric, ...]:
        """Return what was refused so far, and how many buckets there are."""
        refused = tuple(
            Metric(
                name="rate_limited_requests_total",
                kind="counter",
                help="Requests refused because their caller asked too often.",
                value=self._refused[operation],
                labels=(("operation", operation),),
            )
            for operation in (*(name.value for name in Operation), "strangers")
        )
        buckets = Metric(
            name="rate_limit_buckets",
            kind="gauge",
            help="Callers and classes of operation whose requests are being counted.",
            value=len(self._buckets),
        )
        return (*refused, buckets)


def parse_quota(text: object, field: str) -> Quota:
    """Read a quota such as `200/s`, `6000/min` or `20/h`; raises `InvalidField`."""
    match = _QUOTA.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise InvalidField(field, "a limit is written like 200/s, 6000/min or 20/h")
    return Quota(amount=int(match[1]), window_s=_WINDOWS_S[match[2]])


def parse_limits(table: object, field: str) -> Limits:
    """Read quotas by class; raises `InvalidField` that names the one at fault."""
    if not isinstance(table, dict):
        raise InvalidField(field, "limits are given by class: reads, writes, exports")
    known = {name.value for name in Operation}
    for name in table:
        if name not in known:
            raise InvalidField(f"{field}.{name}", f"is none of: {', '.join(sorted(known))}")
    return Limits(**{name: parse_quota(text, f"{field}.{name}") for name, text in table.items()})


def write_limits(limits: Limits) -> dict[str, str]:
    """Return limits as they are written in a file."""
    return {name.value: str(quota) for name in Operation if (quota := limits.find(name))}
