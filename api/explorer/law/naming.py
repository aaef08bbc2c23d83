"""Which records of the ledger an answer names, and what people call them.

A page links a uid only if the index has a record of the kind that the member names; what a record
is called comes from the public texts of this node.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from api.explorer.law.kinds import ATTESTED_PATHS, KIND_BY_NAME, RecordKind, get_page_path
from api.explorer.law.showing import Named
from api.explorer.ledgers import find_root
from api.index import law_queries
from api.index.tables import ATTESTATIONS, BATCHES, SCHEMAS
from api.reading.facts import Surroundings
from api.reading.surroundings import gather_surroundings
from api.rest.services import RestServices
from api.rest.values import encode_hex

SHOWN_RELATED: Final = 5
"""Records shown of each way in which others name one; a list has the rest."""

_MOST_RELATED: Final = 500

_TITLES: Final[Mapping[str, tuple[str, ...]]] = {
    "dataset": ("terms", "fields_hash"),
    "notice": ("document_hash",),
    "purpose": ("document_hash",),
    "basis": ("terms", "law_hash"),
}
"""Where the creating event names the text that has a record's title."""

_TABLES: Final = {"attestation": ATTESTATIONS, "batch": BATCHES, "schema": SCHEMAS}


async def name_records(
    services: RestServices, wanted: Mapping[str, tuple[str, ...]]
) -> dict[str, Named]:
    """Return those of the uids that name a record of one of the kinds that they may be of."""
    kinds = {kind for kinds in wanted.values() for kind in kinds}

    def load(connection: Connection) -> dict[str, tuple[str, Row[Any] | None]]:
        found: dict[str, tuple[str, Row[Any] | None]] = {}
        for kind in sorted(kinds):
            uids = [bytes.fromhex(uid[2:]) for uid, of in wanted.items() if kind in of]
            for uid, row in _load_kind(connection, kind, uids).items():
                found[encode_hex(uid)] = (kind, row)
        return found

    found = await services.index.read(load)
    rows = [row for kind, row in found.values() if row is not None and kind in _TITLES]
    around = await gather_surroundings(services, rows)
    schemas = [row for kind, row in found.values() if row is not None and kind == "schema"]
    texts = await services.schema_texts.find_many(
        [(bytes(row.uid), bytes(row.document_hash)) for row in schemas]
    )
    titles = {encode_hex(bytes(row.uid)): _find_title(row, around) for row in rows} | {
        encode_hex(uid): text.title for uid, text in texts.items()
    }
    root = find_root(services)
    return {
        uid: Named(kind=kind, path=get_page_path(root, kind, uid), title=titles.get(uid))
        for uid, (kind, _) in found.items()
    }


async def find_record_path(services: RestServices, uid: str) -> str | None:
    """Return the path of the page of whatever record has a uid; None if none has it."""
    value = bytes.fromhex(uid[2:])

    def load(connection: Connection) -> str | None:
        row = law_queries.get_law_record(connection, value)
        if row is not None:
            return str(row.kind)
        return next((kind for kind in _TABLES if _load_kind(connection, kind, [value])), None)

    kind = await services.index.read(load)
    return None if kind is None else get_page_path(find_root(services), kind, uid)


async def list_related(
    services: RestServices, kind: RecordKind, uid: str
) -> list[tuple[str, str, list[str], str | None]]:
    """Return what names a record: role, kind, the newest uids, and the list that has them all.

    The list is None where the collection has no filter for the role.
    """
    target = bytes.fromhex(uid[2:])
    linking = await services.index.read(
        lambda c: law_queries.list_linking(c, target, limit=_MOST_RELATED)
    )
    groups: dict[tuple[str, str], list[str]] = {}
    for role, other, found in linking:
        if role != "previous":
            groups.setdefault((role, other), []).append(encode_hex(found))
    root = find_root(services)
    return [
        (role, other, uids[:SHOWN_RELATED], _find_list(root, role, other, uid, len(uids)))
        for (role, other), uids in groups.items()
        if other in KIND_BY_NAME and _names(role, kind)
    ]


def _names(role: str, kind: RecordKind) -> bool:
    """Tell whether a link of a role may be meant for this kind: kinds may share a uid."""
    kinds = {
        "parent": ("mandate",),
        "onward_of": ("exchange",),
        "subject": ("dataset", "basis"),
    }.get(role, (role,))
    return kind.name in kinds


def _find_list(root: str, role: str, kind: str, uid: str, count: int) -> str | None:
    if count <= SHOWN_RELATED:
        return None
    offered = KIND_BY_NAME[kind]
    names = [entry.name for entry in offered.collection.filters if entry.role == role]
    return f"{root}/{offered.path}?{names[0]}={uid}" if names else None


def _load_kind(
    connection: Connection, kind: str, uids: Sequence[bytes]
) -> dict[bytes, Row[Any] | None]:
    if kind in ATTESTED_PATHS:
        table = _TABLES[kind]
        rows = connection.execute(select(table).where(table.c.uid.in_(uids)))
        return {bytes(row.uid): row for row in rows}
    return dict(law_queries.get_law_records(connection, uids, kinds=(kind,)))


def _find_title(row: Row[Any], around: Surroundings) -> str | None:
    value: Any = json.loads(row.terms)
    for name in _TITLES[row.kind]:
        value = value[name]
    body = around.find_body(value) or {}
    if row.kind == "basis":
        parts = [str(body[name]) for name in ("law", "article") if body.get(name)]
        return ", ".join(parts) or None
    title = body.get("title")
    return None if title is None else str(title)
