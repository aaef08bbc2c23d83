"""Bounded memory of what has passed: sets that forget the oldest, and a cache of recent bytes."""

from collections import OrderedDict


class SeenSet:
    """The last `capacity` keys, each for at most `lifetime_s` (None: as long as there is room)."""

    __slots__ = ("_capacity", "_keys", "_lifetime_s")

    def __init__(self, capacity: int, *, lifetime_s: float | None = None) -> None:
        assert capacity > 0
        self._capacity = capacity
        self._lifetime_s = lifetime_s
        self._keys: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: bytes, now_s: float = 0.0) -> bool:
        """Remember a key. True if it was not known (any more)."""
        fresh = not self.knows(key, now_s)
        if fresh:
            self._keys.pop(key, None)
            self._keys[key] = now_s
            if len(self._keys) > self._capacity:
                self._keys.popitem(last=False)
        return fresh

    def knows(self, key: bytes, now_s: float = 0.0) -> bool:
        """Tell whether a key was added lately."""
        added_s = self._keys.get(key)
        if added_s is None:
            return False
        return self._lifetime_s is None or now_s - added_s <= self._lifetime_s


class ByteCache:
    """Recent values by key, together at most `max_bytes`; the oldest go first."""

    __slots__ = ("_max_bytes", "_size", "_values")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._values: OrderedDict[bytes, bytes] = OrderedDict()

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._size

    def put(self, key: bytes, value: bytes) -> None:
        """Keep a value; one that alone exceeds the bound is not kept."""
        if key in self._values or len(value) > self._max_bytes:
            return
        self._values[key] = value
        self._size += len(value)
        while self._size > self._max_bytes:
            _, oldest = self._values.popitem(last=False)
            self._size -= len(oldest)

    def get(self, key: bytes) -> bytes | None:
        """Return a value that is still held."""
        return self._values.get(key)
