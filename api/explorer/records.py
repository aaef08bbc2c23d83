"""Agencies, schemas, attestations and batches: lists from the index, single states from the chain.

What a page says about one record's state is asked of the contract itself at the last final block,
so that the explorer is right even while the index is catching up; the index adds the history.
"""

from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from api.errors import NotFound
from api.explorer.chain import ChainReader
from api.explorer.facts import (
    AgencyFacts,
    AttestationFacts,
    AttestationLine,
    BatchFacts,
    Counts,
    HistoryLine,
    SchemaFacts,
)
from api.explorer.fields import name_reason, name_state
from api.explorer.registry import Agency, Registry, ask
from api.index import queries
from api.index.index import Index
from api.index.law_tables import LAW_RECORDS
from api.index.queries import Page, RecordFilter
from api.index.tables import ATTESTATIONS, BATCHES, SCHEMAS
from api.ledger import Ledger
from api.records import Records
from contracts.addresses import ATTESTATIONS_NAME
from contracts.labels import format_identifier

HISTORY_LIMIT: Final = 200
"""Events of one record that a page shows."""


class RecordReader:
    """The ledger's records in facts."""

    def __init__(self, chain: ChainReader, index: Index) -> None:
        self._chain = chain
        self._index = index
        self._records = Records(Ledger(chain.raw, chain.network))

    async def get_index_block(self) -> int:
        """Return the last block in the index; -1 while it is empty."""
        return await self._index.get_block()

    async def count(self) -> Counts:
        """Return how many records there are."""

        def read(connection: Connection) -> list[int]:
            tables = (SCHEMAS, ATTESTATIONS, BATCHES, LAW_RECORDS)
            return [
                int(connection.execute(select(func.count()).select_from(table)).scalar_one())
                for table in tables
            ]

        schemas, attestations, batches, records = await self._index.read(read)
        registry = await self._chain.get_registry()
        return Counts(
            agencies=len(registry.agencies),
            schemas=schemas,
            attestations=attestations,
            batches=batches,
            records=records,
        )

    async def list_agencies(self) -> tuple[AgencyFacts, ...]:
        """Return all agencies in the registry's order."""
        registry = await self._chain.get_registry()
        return await self._complete(registry, list(registry.agencies.values()))

    async def get_agency(self, agency_id: bytes) -> AgencyFacts:
        """Return an agency; raises `NotFound`."""
        registry = await self._chain.get_registry()
        agency = registry.agencies.get(agency_id)
        if agency is None:
            raise NotFound("the registry has no such agency", code="unknown_agency")
        (facts,) = await self._complete(registry, [agency])
        return facts

    async def list_attestations(
        self, wanted: RecordFilter, *, after: int | None, limit: int
    ) -> tuple[tuple[AttestationLine, ...], int | None]:
        """Return attestations newest first, and where the next page begins (None at the end)."""
        page = Page(limit=limit, after=after)
        rows = await self._index.read(
            lambda connection: queries.list_attestations(connection, page, wanted)
        )
        return tuple(map(_read_line, rows)), _get_next(rows, limit)

    async def list_batches(
        self, wanted: RecordFilter, *, after: int | None, limit: int
    ) -> tuple[tuple[AttestationLine, ...], int | None]:
        """Return batches newest first, and where the next page begins (None at the end)."""
        page = Page(limit=limit, after=after)
        rows = await self._index.read(
            lambda connection: queries.list_batches(connection, page, wanted)
        )
        return tuple(map(_read_line, rows)), _get_next(rows, limit)

    async def list_schemas(
        self, *, after: int | None, limit: int
    ) -> tuple[tuple[SchemaFacts, ...], int | None]:
        """Return schemas oldest first, and where the next page begins (None at the end)."""

        def read(connection: Connection) -> tuple[queries.Rows, dict[bytes, list[bytes]]]:
            rows = queries.list_schemas(connection, Page(limit=limit, after=after), owner=None)
            return rows, queries.get_accredited(connection, [bytes(row.uid) for row in rows])

        rows, accredited = await self._index.read(read)
        schemas = tuple(_read_schema(row, accredited[bytes(row.uid)], ()) for row in rows)
        return schemas, _get_next(rows, limit)

    async def get_attestation(self, uid: bytes) -> AttestationFacts:
        """Return an attestation as the contract has it now; raises `NotFound`."""
        head = await self._chain.get_head()
        record = await self._records.get_attestation(uid, head)
        if record is None:
            raise NotFound("no attestation has this uid", code="unknown_attestation")
        row, history = await self._read_row(queries.get_attestation, uid)
        created = await self._get_block_time(record.block)
        registry = await self._chain.get_registry()
        return AttestationFacts(
            line=AttestationLine(
                uid=_write(uid),
                issuer=_write(record.issuer),
                issuer_label=format_identifier(record.issuer),
                schema_uid=_write(record.schema_uid),
                state=record.state.name.lower(),
                block=record.block,
                time_s=created,
            ),
            jurisdiction=_get_jurisdiction(registry, record.issuer),
            commitment=_write(record.commitment),
            algorithm=record.algorithm.name.lower(),
            reason=record.reason.name.lower(),
            valid_until_s=record.valid_until_s,
            event_time_s=record.event_time_s,
            previous=_write_optional(record.previous),
            successor=_write_optional(record.successor),
            key="" if row is None else _write(row.key),
            history=history,
            read_at_block=head,
            finality=await self._chain.find_finality(hex(record.block), registry),
        )

    async def get_batch(self, uid: bytes) -> BatchFacts:
        """Return a batch as the contract has it now; raises `NotFound`."""
        head = await self._chain.get_head()
        record = await self._records.get_batch(uid, head)
        if record is None:
            raise NotFound("no batch has this uid", code="unknown_batch")
        row, history = await self._read_row(queries.get_batch, uid)
        changed = await self._index.read(lambda connection: queries.count_leaves(connection, [uid]))
        return BatchFacts(
            line=AttestationLine(
                uid=_write(uid),
                issuer=_write(record.issuer),
                issuer_label=format_identifier(record.issuer),
                schema_uid=_write(record.schema_uid),
                state=record.state.name.lower(),
                block=record.block,
                time_s=await self._get_block_time(record.block),
            ),
            jurisdiction=_get_jurisdiction(await self._chain.get_registry(), record.issuer),
            root=_write(record.root),
            size=record.count,
            algorithm=record.algorithm.name.lower(),
            reason=record.reason.name.lower(),
            event_time_s=record.event_time_s,
            key="" if row is None else _write(row.key),
            changed_members=changed[uid],
            history=history,
            read_at_block=head,
        )

    async def get_schema(self, uid: bytes) -> SchemaFacts:
        """Return a schema; raises `NotFound`."""

        def read(connection: Connection) -> tuple[Row[Any] | None, list[bytes]]:
            accredited = queries.get_accredited(connection, [uid])
            return queries.get_schema(connection, uid), accredited[uid]

        row, accredited = await self._index.read(read)
        if row is None:
            raise NotFound("no schema has this uid", code="unknown_schema")
        return _read_schema(row, accredited, await self._list_history(uid))

    async def _complete(
        self, registry: Registry, agencies: list[Agency]
    ) -> tuple[AgencyFacts, ...]:
        """Add what changes with every record: each agency's count and head."""
        questions = [
            (ATTESTATIONS_NAME, function, (agency.id,))
            for agency in agencies
            for function in ("count", "head")
        ]
        answers = await ask(self._chain.raw, registry.block, questions, self._chain.book)
        return tuple(
            AgencyFacts(
                id=_write(agency.id),
                label=agency.label,
                jurisdiction=format_identifier(agency.jurisdiction),
                active=agency.active,
                roles=agency.roles,
                profile_hash=_write(agency.profile_hash),
                attestation_count=count,
                attestation_head=_write(head),
                validators=agency.validators,
                keys=agency.keys,
            )
            for agency, count, head in zip(agencies, answers[::2], answers[1::2], strict=True)
        )

    async def _read_row(
        self, get: Any, uid: bytes
    ) -> tuple[Row[Any] | None, tuple[HistoryLine, ...]]:
        row = await self._index.read(lambda connection: get(connection, uid))
        return row, await self._list_history(uid)

    async def _list_history(self, uid: bytes) -> tuple[HistoryLine, ...]:
        rows = await self._index.read(
            lambda connection: queries.list_history(
                connection, Page(limit=HISTORY_LIMIT), uid=uid, with_related=True
            )
        )
        return tuple(map(_read_history, rows))

    async def _get_block_time(self, number: int) -> int:
        block = await self._chain.raw.call("eth_getBlockByNumber", hex(number), False)
        return int(block["timestamp"], 16)


def _read_line(row: Row[Any]) -> AttestationLine:
    return AttestationLine(
        uid=_write(row.uid),
        issuer=_write(row.issuer),
        issuer_label=format_identifier(bytes(row.issuer)),
        schema_uid=_write(row.schema_uid),
        state=name_state(row.state),
        block=row.block,
        time_s=row.time_s,
    )


def _read_schema(
    row: Row[Any], accredited: list[bytes], history: tuple[HistoryLine, ...]
) -> SchemaFacts:
    return SchemaFacts(
        uid=_write(row.uid),
        owner=_write(row.owner),
        owner_label=format_identifier(bytes(row.owner)),
        pointers_hash=_write(row.pointers_hash),
        document_hash=_write(row.document_hash),
        leaf_count=row.leaf_count,
        state=name_state(row.state),
        block=row.block,
        time_s=row.time_s,
        accredited=tuple((_write(agency), format_identifier(agency)) for agency in accredited),
        history=history,
    )


def _read_history(row: Row[Any]) -> HistoryLine:
    return HistoryLine(
        kind=row.kind,
        state=None if not row.state else name_state(row.state),
        reason=None if not row.reason else name_reason(row.reason),
        event_time_s=row.event_time_s,
        block=row.block,
        block_hash=_write(row.block_hash),
        time_s=row.time_s,
        transaction_hash=_write(row.transaction_hash),
        key=_write_optional(row.key),
        related=_write_optional(row.related),
        place=row.place,
    )


def _get_jurisdiction(registry: Registry, agency_id: bytes) -> str:
    agency = registry.agencies.get(agency_id)
    return "" if agency is None else format_identifier(agency.jurisdiction)


def _get_next(rows: queries.Rows, limit: int) -> int | None:
    return int(rows[-1].position) if len(rows) == limit else None


def _write(value: bytes) -> str:
    return "0x" + bytes(value).hex()


def _write_optional(value: bytes | None) -> str | None:
    return None if value is None else _write(value)
