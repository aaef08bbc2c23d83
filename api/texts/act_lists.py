"""Lists of acts: what the scope of a mandate counts in.

A mandate names the hash of such a list; bit `i` of its scope stands for the act at place `i`. The
register of associations of one side may know "sign contracts" and "open accounts", an accountant's
power "file the yearly return": the list is data, agreed on among those who use it.
"""

from collections.abc import Iterable
from typing import Any, Final

from api.texts.text import PublicText

MAX_ACTS: Final = 256
"""A scope is one word of the ledger."""


class ActUnknown(Exception):
    """A list has no act with this code; `place` is its place in the codes given."""

    def __init__(self, place: int) -> None:
        super().__init__(f"the list has no such act: number {place} of the codes")
        self.place = place


def list_codes(text: PublicText) -> tuple[str, ...]:
    """Return the codes of the acts in their order."""
    listed: list[dict[str, Any]] = text.body["acts"]
    return tuple(entry["code"] for entry in listed)


def build_scope(text: PublicText, codes: Iterable[str]) -> int:
    """Return the word of a set of acts; raises `ActUnknown`."""
    places = {code: place for place, code in enumerate(list_codes(text))}
    scope = 0
    for number, code in enumerate(codes):
        if code not in places:
            raise ActUnknown(number)
        scope |= 1 << places[code]
    return scope


def list_scope(text: PublicText, scope: int) -> list[str]:
    """Return the codes of a scope, in the list's order."""
    return [code for place, code in enumerate(list_codes(text)) if scope >> place & 1]
