"""Texts that everybody may read: they are in other agencies' stores by right.

The texts of schemas also say which values of a document name somebody.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.databases import Database, open_database
from api.migrations.migrating import OUTBOX_MIGRATIONS
from api.outbox.tables import METADATA
from api.rest.schema_texts import SCHEMA_TEXTS
from api.texts.store import PUBLIC_TEXTS


def read_public_texts(address: str | Path) -> frozenset[str]:
    """Return every leaf of the public texts and schema texts that this node holds."""
    database = _open(address)
    try:
        bodies = database.read_now(lambda c: c.execute(select(PUBLIC_TEXTS.c.body)).scalars().all())
        schemas = database.read_now(
            lambda c: c.execute(select(SCHEMA_TEXTS.c.title, SCHEMA_TEXTS.c.predicates)).all()
        )
    finally:
        database.close()
    texts = [*bodies, *(row.predicates for row in schemas if row.predicates is not None)]
    leaves = {leaf for text in texts for leaf in _iterate_leaves(json.loads(text))}
    return frozenset(leaves | {row.title for row in schemas})


def read_reference_pointers(address: str | Path) -> dict[bytes, frozenset[str]]:
    """Return by schema the pointers whose values name one certificate."""
    database = _open(address)
    try:
        rows = database.read_now(
            lambda c: c.execute(select(SCHEMA_TEXTS.c.uid, SCHEMA_TEXTS.c.reference)).all()
        )
    finally:
        database.close()
    found: dict[bytes, frozenset[str]] = {}
    for row in rows:  # a uid can have several texts; only one of them is the ledger's
        uid = bytes(row.uid)
        found[uid] = found.get(uid, frozenset()) | frozenset(json.loads(row.reference))
    return found


def _open(address: str | Path) -> Database:
    return open_database(address, METADATA, migrations=OUTBOX_MIGRATIONS, name="outbox")


def _iterate_leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _iterate_leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _iterate_leaves(inner)
    elif isinstance(value, str):
        yield value
