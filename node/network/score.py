"""How much a peer is still trusted to behave: penalty points, rates, time-outs.

Every peer was admitted by the agencies' vote, so misbehaviour is rare and usually a fault of its
software or machine. It is still bounded: each offence costs points, points fade with time, and at
`DROP_AT` the connection ends and the peer must wait, twice as long at each repetition. An honest
peer on a bad line collects a few points for late answers and never comes near the limit. What a
peer merely passes on (a transaction that became invalid on the way, a message that another has
signed) costs nothing, and neither does anything that only our own clock calls wrong. Time-outs are
kept in memory: a node that is restarted begins without a grudge.
"""

import enum
from dataclasses import dataclass

DROP_AT = 100.0
"""Points at which a peer is dropped."""

FADE_PER_S = 0.5
"""Points forgiven per second."""


class Offence(enum.Enum):
    """What costs points, and how many."""

    MALFORMED = 100.0
    """Bytes that are no frame, an oversize frame, an undecodable message: never an accident."""
    BAD_BLOCK = 120.0
    """A block that breaks a rule."""
    REJECTED = 10.0
    """A consensus message that it signed itself and that breaks a rule, by anybody's clock."""
    FLOOD = 0.1
    """One frame above the permitted rate."""
    LATE = 12.0
    """A request for blocks not answered in time."""
    USELESS = 25.0
    """Blocks that it announced and does not give."""
    UNASKED = 2.0
    """Blocks that nobody asked for, or no longer; or more requests than may wait."""


class TokenBucket:
    """A rate limit: `rate` a second on average, `burst` at once."""

    __slots__ = ("_burst", "_last_s", "_rate", "_tokens")

    def __init__(self, *, rate: float, burst: float, now_s: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._last_s = now_s

    def take(self, amount: float, now_s: float) -> bool:
        """Spend tokens; False if there are not enough (then nothing is spent)."""
        self._tokens = min(self._burst, self._tokens + (now_s - self._last_s) * self._rate)
        self._last_s = now_s
        if self._tokens < amount:
            return False
        self._tokens -= amount
        return True


class PeerScore:
    """The penalty points of one connection."""

    __slots__ = ("_points", "_updated_s")

    def __init__(self, now_s: float) -> None:
        self._points = 0.0
        self._updated_s = now_s

    def charge(self, offence: Offence, now_s: float) -> bool:
        """Add an offence's points. True: the peer must be dropped."""
        self._points = self.get_points(now_s) + offence.value
        self._updated_s = now_s
        return self._points >= DROP_AT

    def get_points(self, now_s: float) -> float:
        """Return the points that are left after fading."""
        return max(0.0, self._points - (now_s - self._updated_s) * FADE_PER_S)


@dataclass(slots=True)
class _Ban:
    until_s: float
    length_s: float


class BanList:
    """Who must wait before being admitted again, by pin; bounded by the number of pins."""

    __slots__ = ("_bans", "_first_s", "_max_s")

    def __init__(self, first_s: float, *, max_s: float = 3600.0) -> None:
        self._first_s = first_s
        self._max_s = max_s
        self._bans: dict[bytes, _Ban] = {}

    def ban(self, pin: bytes, now_s: float) -> float:
        """Time a peer out; return for how long (seconds)."""
        last = self._bans.get(pin)
        if last is None or now_s - last.until_s > 10 * last.length_s:
            length_s = self._first_s  # long ago is forgiven
        else:
            length_s = min(self._max_s, 2 * last.length_s)
        self._bans[pin] = _Ban(until_s=now_s + length_s, length_s=length_s)
        return length_s

    def is_banned(self, pin: bytes, now_s: float) -> bool:
        """Tell whether a peer is still timed out."""
        ban = self._bans.get(pin)
        return ban is not None and now_s < ban.until_s

    def forget(self, trusted: frozenset[bytes]) -> None:
        """Drop the records of pins that are not trusted any more."""
        for pin in [pin for pin in self._bans if pin not in trusted]:
            del self._bans[pin]
