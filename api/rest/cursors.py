"""Cursors: where a page ended, as a text that only this API reads.

A cursor is the position of the last item in the order of the list, in eight bytes.
"""

import base64
import re
from typing import Final

from api.errors import InvalidField

CURSOR_PATTERN: Final = "^[A-Za-f][A-Za-z0-9_-]{10}$"
"""Eight bytes in base64url, of which the first bit is 0."""


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
