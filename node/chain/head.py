"""Where a chain in a store begins and ends: block 0 written once, the head found again.

The head pointer is written in one batch with everything that belongs to its block, so a store has
either no head at all, or one that is whole. Anything else was damaged from outside.
"""

from typing import Final

from consensus.block import Block
from consensus.header import BlockHeader, compute_block_hash
from node.chain.block_store import BlockStore
from node.chain.genesis import Genesis, prepare_genesis_state
from node.chain.state_store import StateStore
from node.storage.errors import StoreDamaged
from node.storage.kv import KeyValueStore, WriteBatch

WRITE_KIND: Final = "block"
"""The name of the durable write of a block, for crash points."""


def open_head(
    store: KeyValueStore, genesis: Genesis, blocks: BlockStore, states: StateStore
) -> BlockHeader:
    """Return the head's header; write block 0 first if the store is empty.

    Raises StoreMismatch for another network or layout, StoreDamaged if the head is not whole.
    """
    head = blocks.read_head()
    if head is None:
        _write_genesis(store, genesis, blocks, states)
        return genesis.header
    blocks.check_identity(genesis.genesis_hash)
    height, block_hash = head
    header = blocks.get_header(height)
    if header is None or compute_block_hash(header) != block_hash:
        raise StoreDamaged(f"the head pointer names block {height}, which is not there")
    if not states.has_state(header.state_root):
        raise StoreDamaged(f"the state after the head, block {height}, is not there")
    return header


def _write_genesis(
    store: KeyValueStore, genesis: Genesis, blocks: BlockStore, states: StateStore
) -> None:
    commit = prepare_genesis_state(genesis.alloc)
    batch = WriteBatch()
    blocks.stage_identity(genesis.genesis_hash, batch)
    states.stage(commit, batch, 0)
    block = Block(header=genesis.header, withdrawals=())
    blocks.stage(block, genesis.genesis_hash, (), (), batch)
    store.write(batch, kind=WRITE_KIND)
