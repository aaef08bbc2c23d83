"""What a stretch of events makes of the index, in memory until all of it is written together.

An event changes records that others have made, and one statement for each row costs more than the
rows do, over a network many times more. A draft therefore reads what its events concern with a few
questions, follows the events in memory, and writes the rows of each table at once. Where a record
was not read beforehand, it is asked for when it is needed: what `load` leaves out costs time, and
changes nothing.

A draft begins and ends between two blocks, so the events of one transaction are always together.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Table, and_, insert, literal, select

from api.database_rows import insert_many
from api.index.draft_rows import UidRows, delete_rows, update_rows
from api.index.law_events import OF_BASIS, OF_DATASET, OF_PURPOSE, PARTY
from api.index.law_tables import EVENT_PARTIES, LAW_LINKS, LAW_RECORDS
from api.index.tables import ATTESTATIONS, BATCHES, EVENTS, LEAVES, SCHEMAS
from contracts.codes import MandateKind

INHERITED: Final[Mapping[str, str]] = {
    "dataset": OF_DATASET,
    "purpose": OF_PURPOSE,
    "basis": OF_BASIS,
}
"""Roles of a period's links by those of its exchange."""

_ROLES: Final = (PARTY, *INHERITED)
"""Roles of the links that events ask for."""

_REPEATED: Final = ("state", "subkind")
"""What a link repeats of its record although it may change: lists are cut along it."""

_MOST_NAMES: Final = 500
"""Uids in one question."""

Row = dict[str, Any]
Link = tuple[str, bytes]
"""Role and target."""


@dataclass(slots=True, kw_only=True)
class _Record:
    """A record of the law as it is after the events so far; the draft changes it."""

    row: Row
    is_new: bool
    changes: Row = field(default_factory=dict)
    """What differs from the database, where the record stands there already."""


class Draft:
    """Rows to be written in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        """The transaction, for what is too rare to be gathered."""
        self.schemas = UidRows(SCHEMAS)
        self.attestations = UidRows(ATTESTATIONS)
        self.batches = UidRows(BATCHES)
        self._leaves: dict[tuple[bytes, int], Row] = {}
        self._records: dict[tuple[str, bytes], _Record] = {}
        self._asked: set[bytes] = set()
        self._links: dict[tuple[str, bytes], dict[Link, None]] = {}
        self._new_links: list[tuple[str, bytes, Link]] = []
        self._joined: list[tuple[str, bytes, bytes]] = []
        self._offices: dict[bytes, list[bytes]] = defaultdict(list)
        self._lines: list[tuple[Row, str | None]] = []
        self._late: set[tuple[bytes, bytes]] = set()

    def load(self, uids: Collection[bytes]) -> None:
        """Read the records with these uids, of whatever kind, and their links."""
        wanted = [uid for uid in uids if uid not in self._asked]
        for first in range(0, len(wanted), _MOST_NAMES):
            names = wanted[first : first + _MOST_NAMES]
            query = select(LAW_RECORDS).where(LAW_RECORDS.c.uid.in_(names))
            for row in self.connection.execute(query).mappings():
                self._adopt(row)
            links = select(LAW_LINKS.c.kind, LAW_LINKS.c.uid, LAW_LINKS.c.role, LAW_LINKS.c.target)
            links = links.where(LAW_LINKS.c.uid.in_(names), LAW_LINKS.c.role.in_(_ROLES))
            for kind, uid, role, target in self.connection.execute(links):
                self._links.setdefault((kind, bytes(uid)), {})[role, bytes(target)] = None
        self._asked.update(wanted)

    def find(self, kind: str, uid: bytes) -> Mapping[str, Any] | None:
        """Return a record as it is after the events so far; None if the index has none."""
        record = self._find(kind, uid)
        return None if record is None else record.row

    def create(self, row: Row, links: Sequence[Link]) -> None:
        """Make a record with what it names; a column that is left out is empty."""
        key = (row["kind"], row["uid"])
        self._records[key] = _Record(row=_EMPTY_RECORD | row, is_new=True)
        named = dict.fromkeys(links)
        self._links[key] = named
        self._new_links += [(*key, link) for link in named]
        if row["kind"] == "mandate" and row.get("subkind") == MandateKind.OFFICE:
            for role, target in named:
                if role == "body":
                    self._offices[target].append(row["uid"])

    def change(self, kind: str, uid: bytes, values: Mapping[str, Any]) -> None:
        """Change a record, if there is one: an index may begin after it was made."""
        record = self._find(kind, uid)
        if record is None:
            return
        for column, value in values.items():
            if record.row[column] != value:
                record.row[column] = value
                record.changes[column] = value

    def list_links(self, kind: str, uid: bytes) -> list[Link]:
        """Return what a record names as party, dataset, purpose or basis."""
        if (kind, uid) not in self._links:
            self.load([uid])
        return list(self._links.get((kind, uid), ()))

    def add_party(self, kind: str, uid: bytes, agency: bytes) -> None:
        """Let an agency join a record, unless it is a party already."""
        link = (PARTY, agency)
        if link in self.list_links(kind, uid) or self._find(kind, uid) is None:
            return
        self._links.setdefault((kind, uid), {})[link] = None
        self._new_links.append((kind, uid, link))
        self._joined.append((kind, uid, agency))

    def list_open_offices(self, body: bytes, board: int) -> list[bytes]:
        """Return the offices of boards before this one that nothing has ended, by uid."""
        query = (
            select(LAW_RECORDS)
            .join(
                LAW_LINKS,
                and_(LAW_LINKS.c.uid == LAW_RECORDS.c.uid, LAW_LINKS.c.kind == LAW_RECORDS.c.kind),
            )
            .where(
                LAW_LINKS.c.target == body,
                LAW_LINKS.c.role == "body",
                LAW_LINKS.c.kind == "mandate",
                LAW_RECORDS.c.subkind == MandateKind.OFFICE,
                LAW_RECORDS.c.ended_s.is_(None),
            )
        )
        known = [self._adopt(row) for row in self.connection.execute(query).mappings()]
        found = []
        for uid in [*known, *self._offices[body]]:
            row = self.find("mandate", uid)
            assert row is not None, "it was just read, or made"
            if row["ended_s"] is None and row["place"] is not None and row["place"] < board:
                found.append(uid)
        return found

    def put_leaf(self, batch: bytes, place: int, values: Row) -> None:
        """Note the state of a batch's member."""
        self._leaves[batch, place] = {"batch": batch, "place": place, **values}

    def add_line(self, row: Row, *, kind: str | None = None) -> None:
        """Add a line of history; `kind` is that of its record, where it is one of the law's."""
        self._lines.append((_EMPTY_LINE | row, kind))

    def list_lines(self) -> Iterator[Row]:
        """Return the lines so far, newest first; they may still be changed."""
        return (row for row, _kind in reversed(self._lines))

    def note_late(self, transaction_hash: bytes, uid: bytes) -> None:
        """Remember that a transaction marked a record late, which comes before it is made."""
        self._late.add((transaction_hash, uid))

    def is_late(self, transaction_hash: bytes, uid: bytes) -> bool:
        """Tell whether the same transaction marked a record late."""
        return (transaction_hash, uid) in self._late

    def write(self) -> None:
        """Write all of it."""
        for rows in (self.schemas, self.attestations, self.batches):
            rows.write(self.connection)
        self._write_records()
        self._write_links()
        delete_rows(self.connection, LEAVES, list(self._leaves.values()))
        insert_many(self.connection, LEAVES, list(self._leaves.values()))
        insert_many(self.connection, EVENTS, [row for row, _kind in self._lines])
        self._write_parties()

    def _find(self, kind: str, uid: bytes) -> _Record | None:
        key = (kind, uid)
        if key not in self._records and uid not in self._asked:
            self.load([uid])
        return self._records.get(key)

    def _adopt(self, row: RowMapping) -> bytes:
        """Take a record as the database has it, unless it is known; returns its uid."""
        uid = bytes(row["uid"])
        self._records.setdefault((row["kind"], uid), _Record(row=dict(row), is_new=False))
        return uid

    def _write_records(self) -> None:
        records = self._records.values()
        new = [record.row for record in records if record.is_new]
        insert_many(self.connection, LAW_RECORDS, new)
        changed = [
            ({"uid": record.row["uid"], "kind": record.row["kind"]}, record.changes)
            for record in records
            if record.changes and not record.is_new
        ]
        update_rows(self.connection, LAW_RECORDS, changed)
        repeated: list[tuple[Row, Row]] = [
            (key, {name: values[name] for name in _REPEATED if name in values})
            for key, values in changed
        ]
        update_rows(self.connection, LAW_LINKS, [change for change in repeated if change[1]])

    def _write_links(self) -> None:
        rows = []
        for kind, uid, (role, target) in self._new_links:
            record = self._records[kind, uid]
            # A list is cut by the place of the record, not by that of a party's joining.
            about = {name: record.row[name] for name in ("uid", "kind", "position", *_REPEATED)}
            rows.append({**about, "role": role, "target": target})
        insert_many(self.connection, LAW_LINKS, rows)

    def _write_parties(self) -> None:
        rows = [
            {"agency": target, "kind": line["kind"], "position": line["position"]}
            for line, kind in self._lines
            if kind is not None
            for role, target in self.list_links(kind, line["uid"])
            if role == PARTY and target != line["agency"]
        ]
        insert_many(self.connection, EVENT_PARTIES, rows)
        first = self._lines[0][0]["position"] if self._lines else 0
        for kind, uid, agency in self._joined:
            _add_earlier(self.connection, kind, uid, agency, before=first)


def _add_earlier(
    connection: Connection, kind: str, uid: bytes, agency: bytes, *, before: int
) -> None:
    """Let a new party find the events that its record has had before."""
    earlier = select(literal(agency, EVENT_PARTIES.c.agency.type), EVENTS.c.kind, EVENTS.c.position)
    earlier = earlier.where(
        EVENTS.c.uid == uid,
        EVENTS.c.kind.startswith(f"{kind}.", autoescape=True),
        EVENTS.c.agency != agency,
        EVENTS.c.position < before,
    )
    connection.execute(insert(EVENT_PARTIES).from_select(["agency", "kind", "position"], earlier))


def _list_empty(table: Table) -> Row:
    return dict.fromkeys(column.name for column in table.columns)


_EMPTY_RECORD: Final = _list_empty(LAW_RECORDS)
_EMPTY_LINE: Final = _list_empty(EVENTS)
