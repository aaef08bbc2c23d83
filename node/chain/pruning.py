"""How much of the past a node keeps: every state for ever (archive), or those of the last blocks.

Blocks, receipts and headers are always kept; they are small and answer most questions about the
past. States are what grows: each block replaces some trie nodes, and a journal names those that it
left behind. An *archive* node keeps them all and proves anything at any block. A *pruned* node
(`chain.retain_blocks`) deletes what a block left behind once every state that used it is older than
it has to keep. That happens in the same write that makes the next block final, so after a crash the
states from the floor on are whole, whatever happened.

The *floor* is the oldest block whose state is retained. It only rises. A node that begins to prune
works off its past a few journals at each block, so that no block waits for it.
"""

from typing import Final

from consensus.header import BlockHeader
from node.chain.errors import StateMissing
from node.chain.state_store import StateStore
from node.storage import keys
from node.storage.kv import KeyValueStore, WriteBatch

ARCHIVE: Final = 0
"""`retain_blocks` of a node that keeps every state."""

_JOURNALS_PER_BLOCK: Final = 8


class Retention:
    """Knows which states are whole, and lets the others go. Written by the importing thread."""

    def __init__(
        self, store: KeyValueStore, states: StateStore, *, retain_blocks: int = ARCHIVE
    ) -> None:
        """Keep the states of the last `retain_blocks` blocks; 0 keeps all."""
        self._states = states
        self._retain_blocks = retain_blocks
        stored = store.get(keys.FLOOR_KEY)
        self._floor = 0 if stored is None else keys.decode_height(stored)

    @property
    def floor(self) -> int:
        """Height of the oldest block whose state is retained."""
        return self._floor

    def require(self, header: BlockHeader) -> None:
        """Raise StateMissing if the state after a block is older than what is retained."""
        if header.number < self._floor:
            raise StateMissing(
                f"the state after block {header.number} is not retained: this node keeps states "
                f"from block {self._floor} on",
                next_step="Ask an archive node, one with chain.retain_blocks = 0",
            )

    def stage(self, head: int, batch: WriteBatch) -> int:
        """Add to the write of block `head` what it allows to delete; returns the new floor.

        The states of the new block must be in the batch already.
        """
        if self._retain_blocks == ARCHIVE:
            return self._floor
        goal = head - self._retain_blocks + 1
        floor = self._floor
        while floor < min(goal, self._floor + _JOURNALS_PER_BLOCK):
            floor += 1
            self._states.stage_pruning(floor, batch)
        if floor != self._floor:
            batch.put(keys.FLOOR_KEY, keys.encode_height(floor))
        return floor

    def adopt(self, floor: int) -> None:
        """Take the new floor, once its batch is written."""
        self._floor = floor
