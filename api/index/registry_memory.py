"""What the registry said lately, kept for as long as nothing in it changes.

A page of events names dozens of keys and a list of agencies asks the contracts for each of them,
which takes longer than all the rest of the answer. The registry changes seldom, and each change is
an event; so its answers are asked for once, and again when the index has seen an event that may
have changed them. An index that is behind knows nothing of this: then the contracts are asked every
time.

Keys are asked for by agency: most keys of a page are residents' own, each used once, and that none
of them is an agency's follows from the keys that are.

This is for views of many. Whoever must be right about one key asks `api.records`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

from sqlalchemy import CompoundSelect, Connection, Select, func, select, union_all

from api.databases import Work
from api.index.queries import get_block
from api.index.tables import EVENTS, LOGS_PER_BLOCK
from api.ledger import Ledger
from api.records import AgencyRecord, KeyRecord, Records

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
class _Keys:
    """All account keys that agencies have or had."""

    since: int
    """Position of the event that they follow."""
    of: Mapping[bytes, list[KeyRecord]]
    """By agency."""
    by_address: Mapping[bytes, KeyRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Acts:
    """When agencies acted last."""

    end: int
    """Position before which events were looked at."""
    last: Mapping[bytes, int]
    """Position of each agency's last event before it, `NEVER` for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A final block, and since when the registry is as it is there."""

    block: int
    registry: int | None
    """Position of the last event that may have changed the registry, -1 before the first; None
    where the index is behind, so that nobody knows."""


class RegistryMemory:
    """The registry's agencies and keys."""

    def __init__(
        self, *, ledger: Ledger, index: Reads, changes: Sequence[str], upgrades: Sequence[str]
    ) -> None:
        """Take the ledger, its index, and the kinds of events that may change the answers.

        Those are `changes` for the agency of the event, and `upgrades` for all.
        """
        self._ledger = ledger
        self._records = Records(ledger)
        self._index = index
        self._changes = changes
        self._upgrades = upgrades
        # Made once: to make it anew takes longer than to execute it.
        self._last_change = _select_last((*changes, *upgrades))
        self._keys: _Keys | None = None
        self._acts = _Acts(end=0, last={})
        self._ids: _Answers[list[bytes]] = _Answers()
        self._keys_of: _Answers[list[KeyRecord]] = _Answers()
        self._agencies: _Answers[AgencyRecord | None] = _Answers()

    async def get_moment(self) -> Moment:
        """Return the last final block, or the later one that the index has already."""
        head = await self._ledger.get_head()
        block, change = await self._index.read(self._find_change)
        if (block + 1) * LOGS_PER_BLOCK < self._acts.end:
            # Another process writes the index again from its beginning.
            self._acts = _Acts(end=0, last={})
        if block < head.number:
            return Moment(block=head.number, registry=None)
        return Moment(block=block, registry=change)

    async def get_ids(self, moment: Moment) -> list[bytes]:
        """Return the ids of all agencies in the registry's order."""
        ask = partial(self._records.get_agency_ids, moment.block)
        return await self._ids.get(b"", moment.registry, ask)

    async def get_key(self, address: bytes, moment: Moment) -> KeyRecord | None:
        """Return an account key; None if the registry does not list it."""
        if moment.registry is None:
            return await self._records.get_key(address, moment.block)
        return (await self._list_keys(moment, moment.registry)).by_address.get(address)

    async def get_keys(self, agency_id: bytes, moment: Moment) -> list[KeyRecord]:
        """Return all account keys that an agency has or had."""
        if moment.registry is None:
            return await self._records.get_keys(agency_id, moment.block)
        return (await self._list_keys(moment, moment.registry)).of.get(agency_id, [])

    async def get_agencies(self, ids: Sequence[bytes], moment: Moment) -> list[AgencyRecord | None]:
        """Return agencies with what their attestations sum up to, which each of these changes."""
        since: list[int | None] = [None] * len(ids)
        if moment.registry is not None:
            last = await self._index.read(lambda c: self._find_acts(c, ids, moment.block))
            if last is not None:
                since = [max(moment.registry, last[agency_id]) for agency_id in ids]
        return [
            await self._agencies.get(
                agency_id, position, partial(self._records.get_agency, agency_id, moment.block)
            )
            for agency_id, position in zip(ids, since, strict=True)
        ]

    def _find_change(self, connection: Connection) -> tuple[int, int]:
        found = max(connection.execute(self._last_change).scalars(), default=NEVER)
        return get_block(connection), found

    def _find_acts(
        self, connection: Connection, agencies: Sequence[bytes], block: int
    ) -> Mapping[bytes, int] | None:
        """Return the position of each agency's last event up to a block; `NEVER` for none.

        What was found before is not looked for again: only events since then are read. None where
        the index that answers, one of several copies, does not have the block.
        """
        if get_block(connection) < block:
            return None
        known, end = self._acts, (block + 1) * LOGS_PER_BLOCK
        if end < known.end or any(agency_id not in known.last for agency_id in agencies):
            return self._look_for_acts(connection, agencies, end)
        if end > known.end:
            later = (
                select(EVENTS.c.agency, func.max(EVENTS.c.position))
                .where(EVENTS.c.position >= known.end, EVENTS.c.position < end)
                .group_by(EVENTS.c.agency)
            )
            found = {bytes(agency): position for agency, position in connection.execute(later)}
            last = {agency: found.get(agency, before) for agency, before in known.last.items()}
            self._acts = known = _Acts(end=end, last=last)
        return known.last

    def _look_for_acts(
        self, connection: Connection, agencies: Sequence[bytes], end: int
    ) -> Mapping[bytes, int]:
        """Look for the last event of each agency before a position, and remember them."""
        within = EVENTS.c.position < end
        found = {
            agency: connection.execute(
                _last(select(EVENTS.c.position).where(EVENTS.c.agency == agency, within))
            ).scalar_one_or_none()
            for agency in agencies
        }
        last = {agency: NEVER if place is None else place for agency, place in found.items()}
        known = self._acts
        if end == known.end:
            self._acts = _Acts(end=end, last={**known.last, **last})
        elif end > known.end:
            self._acts = _Acts(end=end, last=last)
        return last

    async def _list_keys(self, moment: Moment, since: int) -> _Keys:
        """Return all keys as they are since an event, asking again for agencies that changed."""
        if self._keys is not None and self._keys.since == since:
            return self._keys
        block, upgraded, changed = await self._index.read(
            lambda c: (
                get_block(c),
                max(c.execute(_select_last(self._upgrades, until=since)).scalars(), default=NEVER),
                _find_last_by_agency(c, self._changes, until=since),
            )
        )
        # One of several copies of the index may be behind the one that told the moment.
        is_behind = block < moment.block
        of = {
            agency_id: await self._keys_of.get(
                agency_id,
                None if is_behind else max(upgraded, changed.get(agency_id, NEVER)),
                partial(self._records.get_keys, agency_id, moment.block),
            )
            for agency_id in await self.get_ids(moment)
        }
        by_address = {bytes(key.address): key for keys in of.values() for key in keys}
        keys = _Keys(since=since, of=of, by_address=by_address)
        if not is_behind:
            self._keys = keys
        return keys


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
            self._known[name] = (since, answer)
        return answer


def _select_last(kinds: Sequence[str], *, until: int | None = None) -> CompoundSelect[int]:
    """Ask for the positions of the last event of each of some kinds, not after `until`."""
    found = [select(EVENTS.c.position).where(EVENTS.c.kind == kind) for kind in kinds]
    if until is not None:
        found = [query.where(EVENTS.c.position <= until) for query in found]
    return union_all(*map(_last, found))


def _find_last_by_agency(
    connection: Connection, kinds: Sequence[str], *, until: int
) -> dict[bytes, int]:
    """Return the position of each agency's last event of some kinds, not after `until`."""
    query = (
        select(EVENTS.c.agency, func.max(EVENTS.c.position))
        .where(EVENTS.c.kind.in_(kinds), EVENTS.c.position <= until)
        .group_by(EVENTS.c.agency)
    )
    return {bytes(agency): position for agency, position in connection.execute(query)}


def _last(query: Select[Any]) -> Select[Any]:
    """Return the last of the events found, as a part of a union."""
    found = query.order_by(EVENTS.c.position.desc()).limit(1).subquery()
    return select(*found.c)
