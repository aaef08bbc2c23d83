"""All tables of the outbox's database, whichever part of the API they belong to.

A table is known once its module is imported. Whoever copies the whole database must know all of
them, also in a process that serves nothing; so each module with tables in
`api.outbox.tables.METADATA` is named here.
"""

from typing import Final

from sqlalchemy import MetaData

from api.acts import prepared
from api.feeds import webhook_store
from api.outbox import tables
from api.rest import schema_texts
from api.texts import store
from api.verification import challenges

OUTBOX_METADATA: Final[MetaData] = tables.METADATA
"""All of them."""

_ELSEWHERE: Final = (
    prepared.PREPARED_ACTS,
    webhook_store.WEBHOOKS,
    schema_texts.SCHEMA_TEXTS,
    store.PUBLIC_TEXTS,
    challenges.CHALLENGES,
)

assert all(table.metadata is OUTBOX_METADATA for table in _ELSEWHERE), "of the outbox's database"
