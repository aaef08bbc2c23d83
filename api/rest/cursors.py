"""Cursors: where a page ended, as a text that only this API reads.

A cursor is the position of the last item in the order of the list, in eight bytes.
"""

import base64
import binascii

from api.errors import InvalidField


def encode_cursor(position: int | None) -> str | None:
    """Write the position of a page's last item as an opaque text."""
    if position is None:
        return None
    return base64.urlsafe_b64encode(position.to_bytes(8, "big")).decode().rstrip("=")


def decode_cursor(text: str) -> int:
    """Read an opaque cursor; raises `InvalidField` for one that this API did not write."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidField("cursor", "this is no cursor of this API") from error
    position = int.from_bytes(data, "big")
    if len(data) != 8 or position >= 2**63:
        raise InvalidField("cursor", "this is no cursor of this API")
    return position
