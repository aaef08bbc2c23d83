"""Cursors: where a page ended, as a text that only this API reads.

A cursor is the position of the last item in the order of the list, in eight bytes. Whether a page
is the last one is found by asking for one item more than it shows (`Page.and_one`).
"""

import base64
import re
from collections.abc import Callable
from typing import Final, TypeVar

from api.errors import InvalidField
from api.index.queries import Page

Item = TypeVar("Item")

CURSOR_PATTERN: Final = "^[A-Za-f][A-Za-z0-9_-]{10}$"
"""Eight bytes in base64url, of which the first bit is 0."""


def cut_page(
    found: list[Item], page: Page, position: Callable[[Item], int]
) -> tuple[list[Item], str | None]:
    """Return the items of a page and the cursor of the next one, None on the last.

    `found` is what there is of `page.and_one`; `position` tells an item's place in the list.
    """
    items = found[: page.limit]
    return items, encode_cursor(position(items[-1])) if len(found) > page.limit else None


def encode_cursor(position: int | None) -> str | None:
    """Write the position of a page's last item as an opaque text."""
    if position is None:
        return None
    return base64.urlsafe_b64encode(position.to_bytes(8, "big")).decode().rstrip("=")


def decode_cursor(text: str) -> int:
    """Read an opaque cursor; raises `InvalidField` for one that this API did not write."""
    if not re.fullmatch(CURSOR_PATTERN, text):
        raise InvalidField("cursor", "this is no cursor of this API")
    return int.from_bytes(base64.urlsafe_b64decode(text + "="), "big")
