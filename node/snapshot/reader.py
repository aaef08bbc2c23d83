"""Checking a snapshot against genesis, part by part, in the order of the file.

The order is that of trust: nothing is looked at before what names it has been believed. First the
chain of validator sets, then the header that the last of them sealed, then its body and the headers
before it, then the state below its root. What is believed is handed on at once, so a file of any
size is read in bounded memory; whoever takes the parts must not use them before the end is reached.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from consensus.errors import InvalidHeader, MalformedEncoding
from consensus.header import BlockHeader, compute_block_hash
from consensus.header_rules import validate_seals
from consensus.types import Address, Hash32
from node.chain.blockchain import Blockchain
from node.chain.errors import InvalidBlock
from node.chain.genesis import Genesis
from node.chain.set_changes import (
    SetChange,
    decode_set_change,
    read_set_number,
    validate_set_change,
)
from node.snapshot.chunks import ChunkKind, ChunkReader, Progress
from node.snapshot.errors import SnapshotRefused
from node.snapshot.exporter import HEADERS, require_snapshots
from node.snapshot.manifest import Manifest, decode_headers, decode_manifest, validate_body
from node.snapshot.parts import PartReader
from node.snapshot.state_walk import StatePart, walk_state
from node.storage.memory import MemoryStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What a reader believes before it opens a file."""

    genesis: Genesis
    pinned: frozenset[Hash32] = frozenset()
    """Block hashes of which each must be in the file."""
    known: Mapping[int, Hash32] = field(default_factory=dict)
    """Blocks by height that must not differ from the file's where it has their height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotHead:
    """Everything of a snapshot but its state, checked."""

    manifest: Manifest
    genesis_change: SetChange
    """The first set, as genesis has it."""
    changes: tuple[SetChange, ...]
    """Changes of the set after genesis, the block's own included."""
    headers: tuple[BlockHeader, ...]
    """Headers before the block, oldest first."""
    transaction_hashes: tuple[Hash32, ...]


@dataclass(slots=True, kw_only=True)
class SnapshotSummary:
    """What was found in a file."""

    manifest: Manifest
    validators: tuple[Address, ...] = ()
    """Entitled to seal the next block."""
    changes: int = 0
    """Changes of the validator set since genesis."""
    parts: int = 0
    size_bytes: int = 0
    seal: bytes = field(default=b"")
    """The file's last digest."""


TakeHead = Callable[[SnapshotHead], None]
TakeParts = Callable[[Iterator[StatePart]], None]


def read_snapshot(
    file: BinaryIO,
    trust: Trust,
    *,
    take_head: TakeHead = lambda _: None,
    take_parts: TakeParts | None = None,
    progress: Progress = lambda _: None,
) -> SnapshotSummary:
    """Check a whole snapshot; raises SnapshotRefused naming what is wrong.

    `take_head` and `take_parts` get what is checked; nothing of it may be used before this returns.
    """
    chunks = ChunkReader(file, progress)
    manifest = decode_manifest(chunks.expect(ChunkKind.MANIFEST))
    checker = _Checker(trust, manifest)
    head = checker.check(chunks)
    take_head(head)
    parts = PartReader(chunks)
    walk = walk_state(manifest.header.state_root, parts)
    if take_parts is None:
        for _ in walk:
            pass
    else:
        take_parts(walk)
    parts.finish()
    chunks.finish()
    return SnapshotSummary(
        manifest=manifest,
        validators=manifest.change.validators,
        changes=len(head.changes),
        parts=parts.count,
        size_bytes=chunks.size_bytes,
        seal=chunks.digest,
    )


def describe_snapshot(file: BinaryIO, progress: Progress = lambda _: None) -> SnapshotSummary:
    """Read what a file says of itself, with its checksums; nothing of it is believed."""
    chunks = ChunkReader(file, progress)
    manifest = decode_manifest(chunks.expect(ChunkKind.MANIFEST))
    kind = ChunkKind.MANIFEST
    parts = 0
    while kind is not ChunkKind.END:
        kind, payload = chunks.read()
        parts = int.from_bytes(payload, "big") if kind is ChunkKind.END else 0
    chunks.finish()
    return SnapshotSummary(
        manifest=manifest,
        validators=manifest.change.validators,
        changes=manifest.changes,
        parts=parts,
        size_bytes=chunks.size_bytes,
        seal=chunks.digest,
    )


class _Checker:
    """Follows the validators from genesis to the block of one file."""

    def __init__(self, trust: Trust, manifest: Manifest) -> None:
        self._trust = trust
        self._manifest = manifest
        self._hashes: dict[int, Hash32] = {}
        self._sets: list[tuple[int, tuple[Address, ...]]] = []
        self._number = 0

    def check(self, chunks: ChunkReader) -> SnapshotHead:
        manifest, genesis = self._manifest, self._trust.genesis
        if manifest.chain_id != genesis.chain_id:
            raise SnapshotRefused(
                "chain id", f"is {manifest.chain_id}, this network's is {genesis.chain_id}"
            )
        if manifest.genesis_hash != genesis.genesis_hash:
            raise SnapshotRefused(
                "genesis hash",
                f"is 0x{manifest.genesis_hash.hex()}, this network's is "
                f"0x{genesis.genesis_hash.hex()}",
            )
        first = self._open_genesis()
        changes = [
            self._follow(chunks.expect(ChunkKind.SET_CHANGE), index)
            for index in range(1, manifest.changes + 1)
        ]
        if self._check_block():
            changes.append(manifest.change)
        hashes = validate_body(manifest)
        headers = decode_headers(chunks.expect(ChunkKind.HEADERS))
        self._check_headers(headers)
        self._check_pins()
        return SnapshotHead(
            manifest=manifest,
            genesis_change=first,
            changes=tuple(changes),
            headers=headers,
            transaction_hashes=hashes,
        )

    def _open_genesis(self) -> SetChange:
        chain = Blockchain.open(MemoryStore(), self._trust.genesis)
        try:
            require_snapshots(chain)
            first = chain.set_history.get_changes(0)[0]
        finally:
            chain.close()
        self._number = read_set_number(first)
        self._sets = [(0, first.validators)]
        return first

    def _follow(self, payload: bytes, index: int) -> SetChange:
        where = f"set change {index}"
        try:
            change = decode_set_change(payload)
        except MalformedEncoding as error:
            raise SnapshotRefused(where, f"cannot be read: {error}") from error
        header = change.header
        if not self._sets[-1][0] < header.number < self._manifest.header.number:
            raise SnapshotRefused(where, f"block {header.number} is out of order")
        if not self._believe(change, where):
            raise SnapshotRefused(where, f"block {header.number} does not change the set")
        return change

    def _check_block(self) -> bool:
        """Believe the snapshot's block; returns whether it changed the validators itself."""
        header = self._manifest.header
        if header.number < 1:
            raise SnapshotRefused("block", "is genesis, which needs no snapshot")
        return self._believe(self._manifest.change, f"block {header.number}")

    def _believe(self, change: SetChange, where: str) -> bool:
        """Check a header that the last set must have sealed; returns whether the set is new."""
        header, (_, validators) = change.header, self._sets[-1]
        try:
            number = validate_set_change(change, validators)
        except InvalidBlock as error:
            raise SnapshotRefused(where, str(error)) from error
        if number < self._number or (number == self._number and change.validators != validators):
            raise SnapshotRefused(where, f"goes back to validator set {number}")
        self._hashes[header.number] = compute_block_hash(header)
        if number == self._number:
            return False
        self._number = number
        self._sets.append((int(header.number), change.validators))
        return True

    def _check_headers(self, headers: Sequence[BlockHeader]) -> None:
        number = int(self._manifest.header.number)
        first = max(1, number - HEADERS)
        if len(headers) != self._manifest.headers or len(headers) != number - first:
            raise SnapshotRefused("headers", f"are {len(headers)} where {number - first} belong")
        child = self._manifest.header
        for header in reversed(headers):
            where = f"header {child.number - 1}"
            block_hash = compute_block_hash(header)
            if header.number != child.number - 1 or block_hash != child.parent_hash:
                raise SnapshotRefused(where, "is not the parent of the block after it")
            if self._hashes.setdefault(int(header.number), block_hash) != block_hash:
                raise SnapshotRefused(where, "is another than that of the set change there")
            try:
                validate_seals(header, self._get_sealers(int(header.number)))
            except InvalidHeader as error:
                raise SnapshotRefused(where, str(error)) from error
            child = header
        if child.number == 1 and child.parent_hash != self._trust.genesis.genesis_hash:
            raise SnapshotRefused(f"header {child.number}", "does not follow genesis")

    def _get_sealers(self, height: int) -> tuple[Address, ...]:
        return next(found for since, found in reversed(self._sets) if since < height)

    def _check_pins(self) -> None:
        known = set(self._hashes.values())
        for pinned in self._trust.pinned - known:
            raise SnapshotRefused(
                "checkpoint",
                f"the file's history has no block 0x{pinned.hex()} among its {len(known)} headers",
                next_step="If the block is the network's, take a snapshot of it, or of a block at "
                f"most {HEADERS} after it",
            )
        for height, block_hash in self._trust.known.items():
            if self._hashes.get(height, block_hash) != block_hash:
                raise SnapshotRefused(
                    "checkpoint",
                    f"block {height} is 0x{self._hashes[height].hex()} in the file and "
                    f"0x{block_hash.hex()} in the invite",
                )
