"""The verdict: what was acknowledged against what every node holds in the end.

Pure rules over what was read, so that they can be tested with planted faults. `reading` reads.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.soak.chronicle import Chronicle
from tests.soak.findings import Finding, Kind
from tests.soak.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBlock:
    """A block as a node holds it in the end."""

    block_hash: str
    parent_hash: str
    outcomes: tuple[tuple[str, bool], ...]
    """Its transactions in order: the hash, and whether it succeeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeReading:
    """All that one node holds."""

    node: int
    blocks: tuple[ReadBlock, ...]
    """From block 0 on."""
    indexed: tuple[tuple[str, int], ...]
    """The index's list of attestations: uid and block."""
    operations: Mapping[str, str]
    """What its REST interface says of the operations that it acknowledged: id to state."""
    evidence: tuple[str, ...]
    """What it holds as proof of misbehaviour, one line an act."""

    @property
    def height(self) -> int:
        return len(self.blocks) - 1


def judge(
    records: Sequence[Record],
    readings: Sequence[NodeReading],
    chronicle: Chronicle,
    *,
    height: int,
    open_count: int,
) -> list[Finding]:
    """Return what is lost, what is forked, and who is behind.

    Every node should have been read up to block `height`. What a node that ends earlier does not
    have yet is not lost. `open_count` records were tried and never acknowledged, so as many may be
    there all the same.
    """
    return [
        *_find_laggards(readings, height),
        *_find_forks(readings, chronicle),
        *_find_losses(records, readings, height),
        *_find_surplus(records, readings, open_count),
    ]


def _find_laggards(readings: Sequence[NodeReading], height: int) -> Iterable[Finding]:
    for reading in readings:
        if reading.height < height:
            text = f"node {reading.node} stands at block {reading.height} of {height} in the end"
            yield Finding(kind=Kind.STUCK, text=text)


def _find_forks(readings: Sequence[NodeReading], chronicle: Chronicle) -> Iterable[Finding]:
    for height in range(max((reading.height for reading in readings), default=-1) + 1):
        tellers: dict[str, list[str]] = {}
        for reading in readings:
            if height < len(reading.blocks):
                block_hash = reading.blocks[height].block_hash
                tellers.setdefault(block_hash, []).append(f"node {reading.node}")
        if height in chronicle.hashes:
            seen, node = chronicle.hashes[height]
            tellers.setdefault(seen, []).append(f"node {node} earlier")
        if len(tellers) > 1:
            sides = "; ".join(f"{name}: {', '.join(who)}" for name, who in tellers.items())
            yield Finding(kind=Kind.FORKED, text=f"block {height} is {sides}")
    for reading in readings:
        for height, (parent, block) in enumerate(
            zip(reading.blocks, reading.blocks[1:], strict=False), start=1
        ):
            if block.parent_hash != parent.block_hash:
                text = f"node {reading.node}: block {height} is not on block {height - 1}"
                yield Finding(kind=Kind.FORKED, text=text)
        for act in reading.evidence:
            yield Finding(kind=Kind.FORKED, text=f"node {reading.node} holds evidence: {act}")


def _find_losses(
    records: Sequence[Record], readings: Sequence[NodeReading], height: int
) -> Iterable[Finding]:
    troubles: dict[str, list[str]] = {}
    for reading in readings:
        places = _find_places(reading)
        indexed: dict[str, list[int]] = {}
        for uid, block in reading.indexed:
            indexed.setdefault(uid, []).append(block)
        for record in records:
            if record.transaction not in places and reading.height < height:
                continue
            trouble = _examine(record, reading, places, indexed)
            if trouble is not None:
                troubles.setdefault(record.key, []).append(f"node {reading.node}: {trouble}")
    by_key = {record.key: record for record in records}
    for key, found in troubles.items():
        record = by_key[key]
        yield Finding(
            kind=Kind.LOST,
            text=f"{key}, acknowledged by node {record.node} in {record.transaction}: "
            + "; ".join(found),
        )


def _examine(
    record: Record,
    reading: NodeReading,
    places: Mapping[str, Sequence[tuple[int, bool]]],
    indexed: Mapping[str, Sequence[int]],
) -> str | None:
    """Return what is wrong with a record at a node, None if all is well."""
    found = places.get(record.transaction, ())
    if len(found) != 1:
        return f"in {len(found)} blocks instead of one"
    height, has_succeeded = found[0]
    if not has_succeeded:
        return f"failed in block {height}"
    listed = indexed.get(record.uid, ())
    if list(listed) != [height]:
        return f"final in block {height}, in the index in {list(listed)}"
    if record.operation is not None and record.node == reading.node:
        state = reading.operations.get(record.operation, "unknown")
        if state != "final":
            return f"final in block {height}, but its operation is {state}"
    return None


def _find_surplus(
    records: Sequence[Record], readings: Sequence[NodeReading], open_count: int
) -> Iterable[Finding]:
    """Find records that nobody was told of: one promise that was kept twice."""
    known = {record.uid for record in records}
    for reading in readings:
        unknown = [uid for uid, _ in reading.indexed if uid not in known]
        if len(unknown) > open_count:
            text = (
                f"node {reading.node} has {len(unknown)} records that nobody was promised, such as "
                f"{unknown[0]}, with {open_count} tries open"
            )
            yield Finding(kind=Kind.LOST, text=text)


def _find_places(reading: NodeReading) -> dict[str, list[tuple[int, bool]]]:
    places: dict[str, list[tuple[int, bool]]] = {}
    for height, block in enumerate(reading.blocks):
        for transaction, has_succeeded in block.outcomes:
            places.setdefault(transaction, []).append((height, has_succeeded))
    return places
