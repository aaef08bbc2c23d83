"""The last few values asked for, kept so that they need not be read and decoded again."""

from collections import OrderedDict
from typing import Generic, TypeVar

from eth_typing import Hash32

T = TypeVar("T")


class Recent(Generic[T]):
    """Values by hash, at most `size` of them. All are final, so none ever goes stale."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Hash32, T] = OrderedDict()

    def get(self, key: Hash32) -> T | None:
        """Return a value and keep it among the last; None if it is not here."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: Hash32, value: T) -> None:
        """Keep a value; the one unused longest goes."""
        self._values[key] = value
        if len(self._values) > self._size:
            self._values.popitem(last=False)
