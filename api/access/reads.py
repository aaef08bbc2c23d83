"""The record of reads: who opened what of the vault, when, and what for.

A request that opens personal data does so as a *reading*: under its caller's name and for a
purpose. While it works, everything that the vault decrypts for it is gathered; before anything of
the answer leaves this process, all of it is on disk in the table `reads`, in one transaction. If it
cannot be written, nothing is handed out.

    async with book.read_as(reading) as witness:
        ...                        # vault and materials, opened before `witness`
    # from here on the reads are durable

Each thing is written once for each request, however often the work looked at it. What is written
names records by their uids, which are random, and callers by their labels: no content, and of
persons nothing but who of the agency looked.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    func,
    insert,
    literal,
    select,
    tuple_,
)

from api.access.read_table import READS
from api.databases import Database
from api.errors import ApiBug
from api.ports import Metric
from api.vault.witness import Opened

LOOKED: Final = "reads"
"""What is written where somebody looked into this very record."""

LABEL_PATTERN: Final = r"^[^\u0000-\u001f\u007f]{1,200}$"
"""What a caller's label may be."""

MAX_UIDS: Final = 1_000
"""Most records that one search names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Under whose name, where and what for something is opened."""

    caller: str
    """The caller's label."""
    method: str
    """By what the caller is known; `import` for lines of an import."""
    operation: str
    """The operation of REST."""
    purpose: str
    """A word of `purposes`, or the uid of a purpose."""
    request_id: str
    """Names the request in the log; for an import its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One line of the record."""

    sequence: int
    read_s: int
    caller: str
    method: str
    operation: str
    purpose: str
    uid: bytes
    what: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFilter:
    """Which lines are wanted; None for all."""

    uids: Sequence[bytes] | None = None
    """Of one of these records."""
    caller: str | None = None
    purpose: str | None = None
    operation: str | None = None
    what: str | None = None
    from_s: int | None = None
    """Not before."""
    until_s: int | None = None
    """Before."""


class ReadBook:
    """The record of reads of one agency."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        """Write into the vault's database; `now` is in seconds since 1970."""
        self._database = database
        self._now = now
        self._written = 0

    @contextlib.asynccontextmanager
    async def read_as(self, reading: Reading) -> AsyncIterator["Gathering"]:
        """Gather what is opened in the block; on leaving it all of it is durable.

        Also what a block opened that then failed is written. Raises `UpstreamFault` if it cannot
        be; whatever was to be answered must then not be.
        """
        gathering = Gathering(reading.purpose)
        try:
            yield gathering
        finally:
            await self.write(reading, gathering.close())

    async def write(self, reading: Reading, opened: Iterable[Opened]) -> None:
        """Write down what was opened; durable on return."""
        rows = [
            {
                "read_s": int(self._now()),
                "caller": reading.caller,
                "method": reading.method,
                "operation": reading.operation,
                "purpose": reading.purpose,
                "uid": one.uid,
                "what": one.what,
                "request_id": reading.request_id,
            }
            for one in opened
        ]
        if not rows:
            return

        def add(connection: Connection) -> None:
            connection.execute(insert(READS), rows)

        await self._database.write(add)
        self._written += len(rows)

    async def get_page(
        self, wanted: ReadFilter, *, limit: int, before: int | None = None
    ) -> list[Read]:
        """Return lines, newest first; `before` is the number of the last one seen.

        The order is that of their times, so that a time bounds what is looked through; of one
        second, that of their numbers.
        """
        query = _narrow(select(READS), wanted).limit(limit)
        query = query.order_by(READS.c.read_s.desc(), READS.c.sequence.desc())

        def load(connection: Connection) -> list[Read]:
            end = _find_end(connection, wanted.until_s, before)
            narrowed = query if end is None else query.where(end)
            return [_read(row) for row in connection.execute(narrowed)]

        return await self._database.read(load)

    def samples(self) -> tuple[Metric, ...]:
        """Return how many lines this process has written."""
        return (
            Metric(
                name="recorded_reads_total",
                kind="counter",
                help="Openings of personal data in the vault that were written down.",
                value=self._written,
            ),
        )


class Gathering:
    """The `Witness` of one reading: what was opened, each thing once, in order."""

    def __init__(self, purpose: str) -> None:
        """Gather what is opened for a purpose, as `Reading` has it."""
        self._purpose = purpose
        self._opened: dict[Opened, None] = {}
        self._is_closed = False

    def note(self, opened: Sequence[Opened]) -> None:
        """Take notice of what was opened; refuses it once the reading is over."""
        if self._is_closed and opened:
            raise ApiBug("the vault was opened after its reading was written down")
        self._opened.update(dict.fromkeys(opened))

    def is_for(self, purpose: str) -> bool:
        """Tell whether the reading is for this purpose."""
        return self._purpose == purpose

    def close(self) -> tuple[Opened, ...]:
        """End the reading and return what was opened."""
        self._is_closed = True
        return tuple(self._opened)


def _find_end(
    connection: Connection, until_s: int | None, before: int | None
) -> ColumnElement[bool] | None:
    """Return the condition of lines before a time and, in the list, after a line.

    It is one bound, the tighter one: of two, an engine may go by the wider.
    """
    end = None if until_s is None else READS.c.read_s < until_s
    if before is None:
        return end
    read_s = connection.execute(
        select(READS.c.read_s).where(READS.c.sequence == before)
    ).scalar_one_or_none()
    if read_s is None:
        # It is over its time and was pruned, and so is whatever is older.
        older = READS.c.sequence < before
        return older if end is None else and_(end, older)
    if until_s is not None and until_s <= read_s:
        return end
    return tuple_(READS.c.read_s, READS.c.sequence) < tuple_(literal(read_s), literal(before))


def _narrow(query: Select[Any], wanted: ReadFilter) -> Select[Any]:
    if wanted.uids is not None:
        query = query.where(READS.c.uid.in_(list(wanted.uids[:MAX_UIDS])))
    for column, value in (
        (READS.c.caller, wanted.caller),
        (READS.c.purpose, wanted.purpose),
        (READS.c.operation, wanted.operation),
        (READS.c.what, wanted.what),
    ):
        if value is not None:
            # A record has few lines; no index of another filter shall be preferred to finding them.
            is_free = wanted.uids is None
            query = query.where((column if is_free else func.coalesce(column, "")) == value)
    if wanted.from_s is not None:
        query = query.where(READS.c.read_s >= wanted.from_s)
    return query


def _read(row: Row[Any]) -> Read:
    return Read(
        sequence=row.sequence,
        read_s=row.read_s,
        caller=row.caller,
        method=row.method,
        operation=row.operation,
        purpose=row.purpose,
        uid=bytes(row.uid),
        what=row.what,
        request_id=row.request_id,
    )
