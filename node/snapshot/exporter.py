"""Writing a snapshot from a node's own store.

What is written is what this node itself believes; whoever imports the file checks all of it. The
file takes its name only when it is whole and on the disk.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eth_hash.auto import keccak

from consensus.header import BlockHeader, compute_block_hash
from consensus.types import Address, Hash32
from node.chain.blockchain import Blockchain
from node.chain.errors import ChainBug
from node.chain.set_changes import SetChange, encode_set_change, prove_set_change
from node.chain.state_view import StateView
from node.errors import UserFault
from node.snapshot.chunks import ChunkKind, ChunkWriter
from node.snapshot.errors import SnapshotUnavailable
from node.snapshot.manifest import Manifest, encode_headers, encode_manifest
from node.snapshot.parts import PartWriter
from node.snapshot.state_walk import walk_state
from node.storage import keys
from node.storage.kv import KeyValueReader

HEADERS: Final = 256
"""Headers before the block that come along: so far back reaches BLOCKHASH."""

_PROGRESS_PARTS: Final = 1_000

Progress = Callable[[int, int], None]
"""Told how many parts of the state and how many bytes are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedSnapshot:
    """What was written."""

    number: int
    block_hash: Hash32
    parts: int
    """Trie nodes, codes and addresses."""
    size_bytes: int
    seal: bytes
    """The file's last digest, which names it."""


def require_snapshots(chain: Blockchain) -> None:
    """Raise SnapshotUnavailable for a network whose validators its state does not name."""
    if not chain.set_history.is_kept:
        raise SnapshotUnavailable(
            "this network's validators do not come from the ledger's registry, so no state proves "
            "them, and a snapshot could not be checked",
            next_step="Start a new node with an empty data folder; it follows every header",
        )


def export_snapshot(
    store: KeyValueReader,
    chain: Blockchain,
    path: Path,
    *,
    height: int | None = None,
    progress: Progress = lambda _parts, _bytes: None,
) -> ExportedSnapshot:
    """Write the state after block `height` (by default the head) to a new file.

    `store` is the chain's, or a frozen view of it that was taken when the block was final already.

    Raises SnapshotUnavailable, StateMissing for a state that is not retained, UserFault if the file
    exists or there is no such block.
    """
    require_snapshots(chain)
    header = chain.head if height is None else chain.get_header(height)
    if header is None or header.number == 0:
        raise UserFault(
            f"is not a final block from 1 to {chain.head.number} that this node has",
            field="--height",
        )
    if path.exists():
        raise UserFault("already exists and is not overwritten", field=str(path))
    state = chain.state_at(header)
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            chunks = ChunkWriter(file)
            parts = PartWriter(chunks)
            _write_history(chain, header, state, chunks)
            source = _StoreSource(store, chain, header)
            for part in walk_state(header.state_root, source):
                parts.write(part.data)
                if parts.count % _PROGRESS_PARTS == 0:
                    progress(parts.count, chunks.size_bytes)
            parts.finish()
            chunks.finish()
        os.rename(partial, path)  # noqa: PTH104 - atomic, and never onto another device
    except OSError as error:
        raise SnapshotUnavailable(
            f"cannot be written: {error.strerror or error}", field=str(path)
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    progress(parts.count, chunks.size_bytes)
    return ExportedSnapshot(
        number=int(header.number),
        block_hash=compute_block_hash(header),
        parts=parts.count,
        size_bytes=chunks.size_bytes,
        seal=chunks.digest,
    )


def _write_history(
    chain: Blockchain, header: BlockHeader, state: StateView, chunks: ChunkWriter
) -> None:
    changes = _get_changes(chain, header)
    headers = []
    for height in range(max(1, header.number - HEADERS), header.number):
        before = chain.get_header(height)
        if before is None:
            raise SnapshotUnavailable(
                f"the header of block {height} is not here: this node started from a snapshot "
                "after it",
                next_step=f"Take a block from {height + HEADERS} on",
            )
        headers.append(before)
    block, receipts = chain.get_block(int(header.number)), chain.get_receipts(int(header.number))
    if block is None or receipts is None:
        raise SnapshotUnavailable(f"the transactions of block {header.number} are not here")
    manifest = Manifest(
        chain_id=chain.genesis.chain_id,
        genesis_hash=chain.genesis.genesis_hash,
        change=prove_set_change(header, chain.get_validators(header), state),
        transactions=block.transactions,
        receipts=receipts,
        changes=len(changes),
        headers=len(headers),
    )
    chunks.write(ChunkKind.MANIFEST, encode_manifest(manifest))
    for change in changes:
        chunks.write(ChunkKind.SET_CHANGE, encode_set_change(change))
    chunks.write(ChunkKind.HEADERS, encode_headers(headers))


def _get_changes(chain: Blockchain, header: BlockHeader) -> tuple[SetChange, ...]:
    """Return the changes between genesis and the block, both left out."""
    known = chain.set_history.get_changes(int(header.number) - 1)
    return tuple(change for change in known if change.header.number > 0)


class _StoreSource:
    """A `StateSource` over a store, which is trusted."""

    def __init__(self, store: KeyValueReader, chain: Blockchain, header: BlockHeader) -> None:
        self._store = store
        self._chain = chain
        self._number = header.number
        self._addresses = {keccak(owner).hex(): owner for owner in _find_storage_owners(store)}

    def get_node(self, owner: Address | None, node_hash: bytes) -> bytes:
        value = self._store.get(keys.node_prefix(owner) + node_hash)
        if value is None:
            raise ChainBug(f"the state after block {self._number} is not whole in the database")
        return value[keys.HEIGHT_BYTES :]

    def get_address(self, key: str) -> Address:
        return self._addresses[key]

    def get_code(self, code_hash: Hash32) -> bytes:
        code = self._store.get(keys.code_key(code_hash))
        if code is None:
            raise ChainBug(f"contract code {code_hash.hex()} is not in the database")
        return code


def _find_storage_owners(store: KeyValueReader) -> list[Address]:
    """Return every address that has nodes of a storage trie, jumping from one to the next."""
    owners: list[Address] = []
    start = b""
    while True:
        found = next(store.iterate(keys.STORAGE_NODES, start=start), None)
        if found is None:
            return owners
        owner = Address(found[0][1:21])
        owners.append(owner)
        start = owner + b"\xff" * 33
