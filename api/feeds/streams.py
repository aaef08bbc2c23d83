"""How many readers are streamed to at once, so that one more does not slow all the others."""

import contextlib
from collections.abc import Iterator
from typing import Final

MAX_STREAMS: Final = 64
"""Most streams at once of one server."""


class OpenStreams:
    """Counts the streams of one server."""

    def __init__(self, limit: int = MAX_STREAMS) -> None:
        self._limit = limit
        self._open = 0

    @property
    def is_full(self) -> bool:
        """Whether no further stream may begin."""
        return self._open >= self._limit

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """Count a stream for as long as the block lasts."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
