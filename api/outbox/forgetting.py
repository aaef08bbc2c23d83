"""Forgetting what requests said of records that were erased.

An operation is bound to the body of its request by a keyed fingerprint. Whoever has the vault's
keys, and guesses key and body of the request, could test the guess against it, so it goes when the
record goes. An equal request is told afterwards that its idempotency key was used for another one.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, update

from api.outbox.tables import OPERATIONS

FORGOTTEN: Final = bytes(32)
"""A fingerprint that no body has."""

TOMBSTONE: Final = "credential.erase"
"""The kind of what the vault promises by itself; no body is behind it, and it is looked for."""

_CHUNK: Final = 500


def forget_bodies(connection: Connection, uids: Sequence[bytes]) -> int:
    """Take the fingerprints from all operations on these records; returns how many had one."""
    count = 0
    for start in range(0, len(uids), _CHUNK):
        query = update(OPERATIONS).where(
            OPERATIONS.c.uid.in_(uids[start : start + _CHUNK]),
            OPERATIONS.c.kind != TOMBSTONE,
            OPERATIONS.c.body_fingerprint != FORGOTTEN,
        )
        count += connection.execute(query.values(body_fingerprint=FORGOTTEN)).rowcount
    return count
