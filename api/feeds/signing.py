"""Signatures of webhooks, by the Standard Webhooks specification (version 1, symmetric).

The signature is HMAC-SHA256 over `id.timestamp.body` with the bytes behind `whsec_`. Receivers find
libraries for it in many languages; `atesta_client.webhooks` is one.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the specification's, by which secrets are recognised
_SECRET_SIZE: Final = 32


def make_secret() -> str:
    """Return a new secret to share with a receiver: `whsec_` and 32 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_SIZE)).decode()


def sign(secret: str, *, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the value of the header `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
