"""What the registry said lately, kept for as long as nothing in it changes.

A page of events names dozens of keys and a list of agencies asks the contracts for each of them,
which takes longer than all the rest of the answer. The registry changes seldom, and each change is
an event; so its answers are asked for once, and again when the index has seen an event that may
have changed them. An index that is behind knows nothing of this: then the contracts are asked every
time.

This is for views of many. Whoever must be right about one key asks `api.records`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Select, select, union_all

from api.databases import Work
from api.index.tables import CURSOR, EVENTS, LOGS_PER_BLOCK
from api.ledger import Ledger
from api.records import AgencyRecord, KeyRecord, Records

MAX_REMEMBERED: Final = 20_000
"""Most answers of a kind; residents' keys, of which the registry knows nothing, have no end."""

NEVER: Final = -1
"""Before every position."""

Answer = TypeVar("Answer")
Result = TypeVar("Result")


class Reads(Protocol):
    """Port to the index."""

    async def read(self, work: Work[Result]) -> Result:
        """Run a query."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A final block, and since when the registry is as it is there."""

    block: int
    registry: int | None
    """Position of the last event that may have changed the registry, -1 before the first; None
    where the index is behind, so that nobody knows."""


class RegistryMemory:
    """The registry's agencies and keys."""

    def __init__(self, *, ledger: Ledger, index: Reads, changes: Sequence[str]) -> None:
        """Take the ledger, its index, and the kinds of events that may change the answers."""
        self._ledger = ledger
        self._records = Records(ledger)
        self._index = index
        self._changes = changes
        self._ids: _Answers[list[bytes]] = _Answers()
        self._keys: _Answers[KeyRecord | None] = _Answers()
        self._keys_of: _Answers[list[KeyRecord]] = _Answers()
        self._agencies: _Answers[AgencyRecord | None] = _Answers()

    async def get_moment(self) -> Moment:
        """Return the last final block, or the later one that the index has already."""
        head = await self._ledger.get_head()
        block, change = await self._index.read(self._find_change)
        if block < head.number:
            return Moment(block=head.number, registry=None)
        return Moment(block=block, registry=change)

    async def get_ids(self, moment: Moment) -> list[bytes]:
        """Return the ids of all agencies in the registry's order."""
        ask = partial(self._records.get_agency_ids, moment.block)
        return await self._ids.get(b"", moment.registry, ask)

    async def get_key(self, address: bytes, moment: Moment) -> KeyRecord | None:
        """Return an account key; None if the registry does not list it."""
        ask = partial(self._records.get_key, address, moment.block)
        return await self._keys.get(address, moment.registry, ask)

    async def get_keys(self, agency_id: bytes, moment: Moment) -> list[KeyRecord]:
        """Return all account keys that an agency has or had."""
        ask = partial(self._records.get_keys, agency_id, moment.block)
        return await self._keys_of.get(agency_id, moment.registry, ask)

    async def get_agencies(self, ids: Sequence[bytes], moment: Moment) -> list[AgencyRecord | None]:
        """Return agencies with what their attestations sum up to, which each of these changes."""
        since: list[int | None] = [None] * len(ids)
        if moment.registry is not None:
            events = await self._index.read(
                partial(_find_last_events, agencies=ids, block=moment.block)
            )
            since = [max(moment.registry, events.get(agency_id, NEVER)) for agency_id in ids]
        return [
            await self._agencies.get(
                agency_id, position, partial(self._records.get_agency, agency_id, moment.block)
            )
            for agency_id, position in zip(ids, since, strict=True)
        ]

    def _find_change(self, connection: Connection) -> tuple[int, int]:
        block = connection.execute(select(CURSOR.c.number)).scalar_one_or_none()
        last = [
            _last(select(EVENTS.c.position).where(EVENTS.c.kind == kind)) for kind in self._changes
        ]
        found = connection.execute(union_all(*last)).scalars()
        return NEVER if block is None else int(block), max(found, default=NEVER)


class _Answers(Generic[Answer]):
    """Answers of one kind, each with the position of the event that it follows."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, Answer]] = {}

    async def get(
        self, name: bytes, since: int | None, ask: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """Return what was answered since that event, or ask; always ask if it is not known."""
        known = self._known.get(name)
        if known is not None and known[0] == since:
            return known[1]
        answer = await ask()
        if since is not None:
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            self._known[name] = (since, answer)
        return answer


def _find_last_events(
    connection: Connection, *, agencies: Sequence[bytes], block: int
) -> dict[bytes, int]:
    """Return the positions of the agencies' last events up to a block."""
    if not agencies:
        return {}
    within = EVENTS.c.position < (block + 1) * LOGS_PER_BLOCK
    last = [
        _last(select(EVENTS.c.agency, EVENTS.c.position).where(EVENTS.c.agency == agency, within))
        for agency in agencies
    ]
    rows = connection.execute(union_all(*last))
    return {bytes(row.agency): row.position for row in rows}


def _last(query: Select[Any]) -> Select[Any]:
    """Return the last of the events found, as a part of a union."""
    found = query.order_by(EVENTS.c.position.desc()).limit(1).subquery()
    return select(*found.c)
