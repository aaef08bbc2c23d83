"""Following the chain: blocks in, rows and cursor out, one transaction at a time.

The index stands on a block (number and hash). A step reads the next stretch of final blocks and
their events, checks that each header names the one before as its parent, and writes rows and the
new cursor together. A crash leaves the last whole step. Of several processes that share an index
one follows (`api.leadership`); should two do so for a moment, the one that finds the cursor moved
writes nothing. Reads may go to a replica; what they say rests on the block that it has.

Blocks of this ledger are final when they exist, so a parent that does not fit means that this
index was filled from another chain, or that the node behind it was exchanged; another network may
also have taken back what it had reported. Then it stops, says so, and serves nothing new until an
operator rebuilds it. All processes that read it, also from a replica, say so (`api.index.trouble`).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Final

import structlog
from sqlalchemy import Connection, insert, select, update

from api.background import run_beside
from api.databases import Database, Result, Work
from api.errors import ApiError, UpstreamFault
from api.index.authors import is_residents
from api.index.events import REGISTRY_CHANGES, REGISTRY_UPGRADES, process_events
from api.index.layout import clear_layout, get_layout, prepare_layout
from api.index.placed_event import PlacedEvent, decode_event
from api.index.registry_memory import RegistryMemory
from api.index.tables import BLOCKS, CURSOR
from api.index.trouble import Trouble, get_trouble, put_trouble
from api.ledger import BlockSummary, Ledger

log = structlog.get_logger(__name__)

STRETCH: Final = 200
"""Blocks in one step."""

WAIT_S: Final = 0.05
"""Pause of those who wait for a block in the index."""

WATCH_S: Final = 0.5
"""Pause between two looks at what whoever follows the chain has noted."""


_CHECK_NODE: Final = "the operator checks which node the API reads, then rebuilds the index"

_CHECK_NETWORK: Final = (
    "the operator checks which network the API reads; if it took back blocks, the operator sets"
    " foreign.finality to safe or finalized, then rebuilds the index"
)


class IndexMismatch(UpstreamFault):
    """The index and the chain do not belong together."""

    def __init__(self, reason: str, *, next_step: str | None = _CHECK_NODE) -> None:
        super().__init__(reason, code="index_mismatch", next_step=next_step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The block that the index stands on; -1 before genesis."""

    number: int
    hash: bytes
    genesis_hash: bytes


Progress = Callable[[int, int], None]
"""Called with the blocks indexed so far and the blocks there are."""


class Index:
    """The index of one ledger."""

    def __init__(
        self, *, database: Database, ledger: Ledger, replica: Database | None = None
    ) -> None:
        """Take an open database; tables of another version are dropped and filled again.

        With a replica of it, all queries go there.
        """
        self._database = database
        self._reader = replica or database
        database.write_now(prepare_layout)
        self._ledger = ledger
        self._wake = asyncio.Event()
        self._mismatch: IndexMismatch | None = None
        self._replica_mismatch: IndexMismatch | None = None
        self._follows = False
        self._has_noted = False
        self.registry = self._begin_memory()
        """What the registry says, for views of many."""

    @property
    def database(self) -> Database:
        """Where the rows are, for queries."""
        return self._database

    @property
    def mismatch(self) -> IndexMismatch | None:
        """Why the index, or its replica, must not be believed; None while it may."""
        return self._mismatch or self._replica_mismatch

    async def read(self, work: Work[Result]) -> Result:
        """Run a query; raises `IndexMismatch` once the index has stopped on one.

        What an index of another chain would answer is worse than no answer.
        """
        mismatch = self.mismatch
        if mismatch is not None:
            raise IndexMismatch(mismatch.reason, next_step=mismatch.next_step)
        return await self._reader.read(work)

    def notify(self) -> None:
        """Tell the index that there is a new block, so that it need not wait to ask."""
        self._wake.set()

    async def get_block(self) -> int:
        """Return the last block that queries see; -1 while there is none."""
        cursor = await self._reader.read(_get_cursor)
        return -1 if cursor is None else cursor.number

    async def get_followed_block(self) -> int:
        """Return the last block that was written; a replica may see it later."""
        cursor = await self._database.read(_get_cursor)
        return -1 if cursor is None else cursor.number

    async def wait_for(self, number: int, timeout_s: float) -> bool:
        """Wait until queries see this block; False if they do not in time."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while await self.get_block() < number:
            if asyncio.get_running_loop().time() >= deadline:
                return False
            await asyncio.sleep(WAIT_S)
        return True

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Keep following the chain for as long as the context lasts."""
        self._follows, self._has_noted = True, False
        try:
            async with run_beside(self._loop(), "index"):
                yield
        finally:
            self._follows = False

    @contextlib.asynccontextmanager
    async def watch(self) -> AsyncIterator[None]:
        """Keep up with what whoever follows the chain has noted, for as long as the context lasts.

        Also keeps an eye on the replica, which must be one of this very index.
        """
        async with run_beside(self._watch(), "index watch"):
            yield

    async def advance(self) -> bool:
        """Take one step; returns whether there may be more. Raises `IndexMismatch`."""
        head = await self._ledger.get_head()
        cursor = await self._get_cursor()
        if head.number < cursor.number:
            raise self._stop("the index is ahead of the ledger node")
        if head.number == cursor.number:
            if head.hash != cursor.hash:
                raise self._stop("the ledger node has another block at the index's height")
            return False
        first = cursor.number + 1
        if first == 0:
            # In front of a node that started from a snapshot, the index begins where its blocks do.
            first = await self._ledger.find_first_block(head.number)
        last = min(head.number, first + STRETCH - 1)
        blocks = await self._ledger.get_blocks(first, last)
        number = _find_break(cursor, blocks)
        if number is not None:
            raise self._stop(f"block {number} does not follow the block before it")
        events = await self._read_events(blocks)
        await self._database.write(lambda c: _store(c, cursor, blocks, events))
        return last < head.number

    async def catch_up(self, progress: Progress | None = None) -> int:
        """Advance to the present head; returns its height."""
        while True:
            more = await self.advance()
            number = (await self._get_cursor()).number
            if progress is not None:
                progress(number + 1, (await self._ledger.get_head()).number + 1)
            if not more:
                return number

    async def rebuild(self, progress: Progress | None = None) -> int:
        """Forget everything and read the chain again from genesis; returns the height reached."""
        await self.clear()
        return await self.catch_up(progress)

    async def clear(self) -> None:
        """Forget everything; whoever follows the chain begins again."""
        await self._database.write(clear_layout)
        self._mismatch = None
        self.registry = self._begin_memory()

    def _begin_memory(self) -> RegistryMemory:
        return RegistryMemory(
            ledger=self._ledger, index=self, changes=REGISTRY_CHANGES, upgrades=REGISTRY_UPGRADES
        )

    async def _loop(self) -> None:
        while True:
            self._wake.clear()
            more = False
            try:
                more = await self._advance_and_note()
            except ApiError as error:
                log.warning("index waits", reason=error.reason, code=error.code)
            except Exception:
                log.exception("index step failed")
            if not more:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._ledger.network.poll_s)

    async def _advance_and_note(self) -> bool:
        """Take one step; leave a note for the other processes when the index stops or goes on."""
        more, found = False, None
        try:
            more = await self.advance()
        except IndexMismatch as error:
            found = error
        known = self._mismatch
        if self._has_noted and (found and found.reason) == (known and known.reason):
            self._mismatch = found
            return more
        if found is not None:
            log.error("index stopped", reason=found.reason)
        self._has_noted = False
        try:
            await self._leave_note(found)
            self._has_noted = True
        finally:
            # Only now, so that whoever ends because the index stopped leaves the note behind.
            self._mismatch = found
        return more

    async def _leave_note(self, found: IndexMismatch | None) -> None:
        trouble = None
        if found is not None:
            trouble = Trouble(reason=found.reason, next_step=found.next_step)
        if await self._database.read(get_trouble) != trouble:
            await self._database.write(lambda connection: put_trouble(connection, trouble))

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(ApiError):
                # What is out of reach is said by each read.
                await self._look()
            await asyncio.sleep(WATCH_S)

    async def _look(self) -> None:
        if not self._follows:
            trouble = await self._database.read(get_trouble)
            self._mismatch = None
            if trouble is not None:
                self._mismatch = IndexMismatch(trouble.reason, next_step=trouble.next_step)
        if self._reader is self._database:
            return
        mine, theirs = [
            await database.read(lambda c: (get_layout(c), _get_cursor(c)))
            for database in (self._database, self._reader)
        ]
        if mine[0] != theirs[0] or (
            mine[1] and theirs[1] and mine[1].genesis_hash != theirs[1].genesis_hash
        ):
            self._replica_mismatch = IndexMismatch(
                "the read replica is of another index",
                next_step="the operator sets api.index_read_url to a replica of api.index_url",
            )
        else:
            self._replica_mismatch = None

    async def _get_cursor(self) -> Cursor:
        genesis_hash = await self._ledger.get_identity()
        cursor = await self._database.read(_get_cursor)
        if cursor is None:
            return Cursor(number=-1, hash=bytes(32), genesis_hash=genesis_hash)
        if cursor.genesis_hash != genesis_hash:
            raise self._stop("the index was made from another ledger")
        return cursor

    def _stop(self, reason: str) -> IndexMismatch:
        is_final = self._ledger.network.finality.is_final
        return IndexMismatch(reason, next_step=_CHECK_NODE if is_final else _CHECK_NETWORK)

    async def _read_events(self, blocks: list[BlockSummary]) -> list[PlacedEvent]:
        times = {block.number: block.time_s for block in blocks}
        book = self._ledger.book
        logs = await self._ledger.get_logs(blocks[0].number, blocks[-1].number, book.addresses)
        if not self._ledger.network.finality.is_final:
            # The chain may have changed between the two questions; its last hash stands for all.
            again = await self._ledger.get_block(blocks[-1].number)
            if again is None or again.hash != blocks[-1].hash:
                raise UpstreamFault("the network changed while it was read", code="chain_moved")
        decoded = [decode_event(entry, times[entry.block_number], book) for entry in logs]
        events = [event for event in decoded if event is not None]
        signed = [event.transaction_hash for event in events if is_residents(event)]
        senders = await self._ledger.get_senders(signed)
        return [
            replace(event, submitter=senders.get(event.transaction_hash))
            if is_residents(event)
            else event
            for event in events
        ]


def _find_break(cursor: Cursor, blocks: list[BlockSummary]) -> int | None:
    """Return the first block that does not name the one before as its parent."""
    parent = cursor.hash if cursor.number >= 0 else blocks[0].parent_hash
    for block in blocks:
        if block.parent_hash != parent:
            return block.number
        parent = block.hash
    return None


def _store(
    connection: Connection, cursor: Cursor, blocks: list[BlockSummary], events: list[PlacedEvent]
) -> None:
    if cursor.number >= 0:
        moved = connection.execute(
            update(CURSOR)
            .where(CURSOR.c.id == 1, CURSOR.c.number == cursor.number)
            .values(number=blocks[-1].number, hash=blocks[-1].hash)
        )
        if moved.rowcount == 0:
            return
    else:
        if _get_cursor(connection) is not None:
            return
        connection.execute(
            insert(CURSOR).values(
                id=1,
                number=blocks[-1].number,
                hash=blocks[-1].hash,
                genesis_hash=cursor.genesis_hash,
            )
        )
    connection.execute(
        insert(BLOCKS),
        [
            {
                "number": block.number,
                "hash": block.hash,
                "parent_hash": block.parent_hash,
                "time_s": block.time_s,
            }
            for block in blocks
        ],
    )
    process_events(connection, events)


def _get_cursor(connection: Connection) -> Cursor | None:
    row = connection.execute(select(CURSOR)).one_or_none()
    if row is None:
        return None
    return Cursor(number=row.number, hash=bytes(row.hash), genesis_hash=bytes(row.genesis_hash))
