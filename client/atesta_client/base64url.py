"""Base64url without padding (RFC 7515), read strictly.

One text stands for one value: padding, line breaks, characters of the other alphabet and bits that
mean nothing are refused, so that nothing signed has a second spelling.
"""

import base64
import binascii

from atesta_client.pointers import JsonValue


def encode_base64url(data: bytes) -> str:
    """Write bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: JsonValue) -> bytes | None:
    """Return the bytes of a text in base64url; ``None`` for anything else."""
    if not isinstance(text, str) or len(text) % 4 == 1:
        return None
    try:
        data = base64.b64decode(
            text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True
        )
    except (ValueError, binascii.Error):
        return None
    return data if encode_base64url(data) == text else None
