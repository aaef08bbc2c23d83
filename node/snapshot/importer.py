"""Making a node's store from a snapshot.

The store grows in a folder of its own and takes the place of the chain's folder only when the file
has been checked to its end and everything is on the disk. So there is no moment at which a node
could open a store that was not wholly checked; an import that breaks off leaves nothing behind that
matters and is simply begun again.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from consensus.block import Block
from consensus.header import compute_block_hash
from node.chain.block_store import BlockStore
from node.chain.blockchain import Blockchain
from node.chain.genesis import Genesis
from node.chain.set_changes import encode_set_change
from node.errors import UserFault
from node.folders import sync_folder
from node.snapshot.chunks import Progress
from node.snapshot.errors import SnapshotUnavailable
from node.snapshot.reader import SnapshotHead, SnapshotSummary, Trust, read_snapshot
from node.snapshot.state_walk import StatePart
from node.storage import keys
from node.storage.kv import KeyValueStore, WriteBatch
from node.storage.level import LevelStore

WRITE_KIND: Final = "snapshot"
_BATCH_BYTES: Final = 4 * 1024 * 1024
_SUFFIX: Final = ".importing"


def import_snapshot(
    path: Path, folder: Path, trust: Trust, *, progress: Progress = lambda _: None
) -> SnapshotSummary:
    """Check a snapshot file and make the chain's store `folder` from it.

    Raises SnapshotRefused naming what is wrong with the file; UserFault if there is a store
    already; SnapshotUnavailable or StoreError if the disk fails. Whatever it raises, `folder` is as
    it was.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UserFault(
            "holds a chain already, which an import does not replace",
            field=str(folder),
            next_step="Stop the node and move the folder away",
        )
    growing = folder.with_name(folder.name + _SUFFIX)
    try:
        with path.open("rb") as file:
            shutil.rmtree(growing, ignore_errors=True)  # of an import that broke off
            growing.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                summary = _make_store(file, growing, trust, progress)
                if folder.exists():
                    folder.rmdir()
                growing.rename(folder)
                sync_folder(folder.parent)
            finally:
                shutil.rmtree(growing, ignore_errors=True)
    except OSError as error:
        raise SnapshotUnavailable(
            f"cannot be imported: {error.strerror or error}", field=str(path)
        ) from error
    return summary


def fill_store(
    file: BinaryIO, store: KeyValueStore, trust: Trust, *, progress: Progress = lambda _: None
) -> SnapshotSummary:
    """Check a snapshot and write it into an empty store; the head pointer comes last.

    Raises SnapshotRefused; the store has no head then and must be thrown away.
    """
    heads: list[SnapshotHead] = []

    def take_parts(parts: Iterator[StatePart]) -> None:
        stamp = keys.encode_height(heads[0].manifest.header.number)
        batch, size = WriteBatch(), 0
        for part in parts:
            if part.key is None:
                continue
            batch.put(part.key, stamp + part.data if part.is_node else part.data)
            size += len(part.data)
            if size >= _BATCH_BYTES:
                store.write(batch, kind=WRITE_KIND)
                batch, size = WriteBatch(), 0
        store.write(batch, kind=WRITE_KIND)

    summary = read_snapshot(
        file, trust, take_head=heads.append, take_parts=take_parts, progress=progress
    )
    batch = WriteBatch()
    _stage_history(heads[0], trust.genesis, BlockStore(store), batch)
    store.write(batch, kind=WRITE_KIND)
    return summary


def _make_store(file: BinaryIO, folder: Path, trust: Trust, progress: Progress) -> SnapshotSummary:
    store = LevelStore(folder)
    try:
        summary = fill_store(file, store, trust, progress=progress)
        Blockchain.open(store, trust.genesis).close()  # the last check: it opens as any other
        return summary
    finally:
        store.close()


def _stage_history(
    head: SnapshotHead, genesis: Genesis, blocks: BlockStore, batch: WriteBatch
) -> None:
    manifest = head.manifest
    blocks.stage_identity(genesis.genesis_hash, batch)
    first = Block(header=genesis.header, withdrawals=())
    blocks.stage(first, genesis.genesis_hash, (), (), batch)
    for header in head.headers:
        blocks.stage_header(header, compute_block_hash(header), batch)
    for change in (head.genesis_change, *head.changes):
        batch.put(keys.set_change_key(change.header.number), encode_set_change(change))
    batch.put(keys.FLOOR_KEY, keys.encode_height(manifest.header.number))
    # The head pointer that this stages replaces that of genesis.
    blocks.stage(
        manifest.block, manifest.block_hash, manifest.receipts, head.transaction_hashes, batch
    )
