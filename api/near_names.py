"""The known name that a mistyped one was probably meant to be.

Only known names are ever told, so nothing that somebody sent comes back in an answer.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_MOST_LETTERS: Final = 100
"""What is longer than any name is none; comparing costs time with the product of the lengths."""

_LIKENESS: Final = 0.7
"""Share of letters in common, in order; below it a proposal would be a guess."""


def find_near(name: object, known: Iterable[str]) -> str | None:
    """Return the known name nearest to a mistyped one; None if none is near, or it is known."""
    names = list(known)
    if not isinstance(name, str) or not 0 < len(name) <= _MOST_LETTERS or name in names:
        return None
    # Spelling with hyphens, underscores or capitals is no other name.
    plain = {_fold(one): one for one in reversed(names)}
    found = get_close_matches(_fold(name), list(plain), n=1, cutoff=_LIKENESS)
    return plain[found[0]] if found else None


def ask_whether(name: object, known: Iterable[str]) -> str:
    """Return `; did you mean …?` for the end of a sentence; nothing where no known name is near."""
    near = find_near(name, known)
    return "" if near is None else f"; did you mean {near}?"


def _fold(name: str) -> str:
    return name.casefold().replace("-", "_").replace(" ", "_")
