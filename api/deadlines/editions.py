"""Versions of calendars and profiles: which one was known at a given time.

A version is never edited. A correction is a further file with a higher version, and `known_from_s`
says since when it counts. So an auditor finds what applied when a due time was fixed, without any
record of it besides the time.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Edition(Protocol):
    """One version of something."""

    @property
    def name(self) -> str:
        """The name that its versions share."""
        ...

    @property
    def version(self) -> int:
        """A number from 1 on."""
        ...

    @property
    def known_from_s(self) -> int:
        """Since when it counts, in seconds."""
        ...


EditionT = TypeVar("EditionT", bound=Edition)


def select_edition(editions: Sequence[EditionT], known_at_s: int | None = None) -> EditionT:
    """Return the highest version known at a time, or the highest of all without one.

    Before any was known the lowest answers: a record may be older than this system's data.
    """
    ordered = sorted(editions, key=lambda edition: edition.version)
    assert ordered, "only what has a version is asked for one"
    known = [one for one in ordered if known_at_s is None or one.known_from_s <= known_at_s]
    return (known or ordered[:1])[-1]
