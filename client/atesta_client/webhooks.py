"""Checking that a message to a webhook comes from the node: Standard Webhooks, version 1.

The node signs each message with the secret that it showed when the webhook was made: HMAC-SHA256
over ``id.timestamp.body``, in the header ``webhook-signature``, which may hold several signatures.
A receiver checks the signature over the bytes as they came, before reading them, and that the time
is near, so that a recorded message cannot be sent again later. ``webhook-id`` stays the same when a
message is repeated: whoever must not act twice remembers it.
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Final

from atesta_client.answers import LawEvent, read_answer
from atesta_client.errors import WebhookRefused

TOLERANCE_S: Final = 300
"""How far a message's time may be from the receiver's clock by default, in seconds."""

_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the specification's, by which secrets are recognised
_VERSION: Final = "v1"


def verify(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now_s: float | None = None,
    tolerance_s: int = TOLERANCE_S,
) -> LawEvent:
    """Check a message and return its event.

    ``headers`` are the request's, in any case; ``body`` its bytes as they came; ``now_s`` seconds
    since 1970, this machine's clock when absent. Raises :class:`WebhookRefused` when a header is
    missing, the time is too far away or no signature is right, and ``ValueError`` for a secret that
    is none.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp = _get(given, "webhook-id"), _get(given, "webhook-timestamp")
    now_s = time.time() if now_s is None else now_s
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise WebhookRefused("webhook-timestamp is no time")
    if abs(now_s - int(timestamp)) > tolerance_s:
        raise WebhookRefused(f"the message is more than {tolerance_s} seconds away")
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = hmac.digest(_read_secret(secret), signed, hashlib.sha256)
    if not any(
        hmac.compare_digest(expected, signature)
        for signature in _read_signatures(_get(given, "webhook-signature"))
    ):
        raise WebhookRefused("no signature of the message is right")
    try:
        return read_answer(LawEvent, json.loads(body))
    except ValueError as error:
        raise WebhookRefused("the message is not JSON") from error


def _get(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise WebhookRefused(f"the header {name} is missing")
    return value


def _read_secret(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise ValueError(f"a secret is {_SECRET_PREFIX} and base64")
    return key


def _read_signatures(header: str) -> list[bytes]:
    """Return the signatures of the version that is known; others are passed over."""
    signatures = []
    for entry in header.split(" "):
        version, _, text = entry.partition(",")
        if version == _VERSION:
            try:
                signatures.append(base64.b64decode(text, validate=True))
            except binascii.Error:
                continue
    return signatures
