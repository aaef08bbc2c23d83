"""Every change of the validator set since genesis, kept with its proof.

A proof is made from the state after the block that changed the set. A pruned node would soon have
no such state, and a node that started from a snapshot never had one; both must still be able to
show a new node who validated when. So each change is written down with its proof while the state is
at hand: together with the block after it, or on opening, if an earlier program left none.

Only networks whose validators come from the ledger's registry have this history: elsewhere nothing
in the state is known to name the set.
"""

from collections.abc import Callable

from consensus.header import BlockHeader
from consensus.types import Address, Hash32
from contracts.addresses import REGISTRY, SET_NUMBER_SLOT
from node.chain.block_store import BlockStore
from node.chain.genesis import Genesis
from node.chain.set_changes import (
    SetChange,
    decode_set_change,
    encode_set_change,
    prove_set_change,
    read_set_number,
)
from node.chain.state_store import StateStore
from node.chain.state_view import StateView
from node.chain.trie_nodes import EMPTY_ROOT
from node.storage import keys
from node.storage.kv import KeyValueStore, WriteBatch

GetValidators = Callable[[BlockHeader], tuple[Address, ...]]
"""Reads who validates after a block, from the state after it."""

_WRITE_KIND = "set_changes"


class SetHistory:
    """The changes in the store. Reads from any thread; the importing thread adds."""

    def __init__(
        self,
        store: KeyValueStore,
        genesis: Genesis,
        blocks: BlockStore,
        states: StateStore,
        get_validators: GetValidators,
    ) -> None:
        """Use `open` before the first import."""
        self._store = store
        self._genesis = genesis
        self._blocks = blocks
        self._states = states
        self._get_validators = get_validators
        self._storage_root: Hash32 | None = None
        self._number = 0
        self.is_kept = genesis.qbft.validator_contract == REGISTRY
        """Whether this network has such a history."""

    def open(self, head: BlockHeader, floor: int) -> None:
        """Write down the changes up to the head that are not, genesis first.

        `floor` is the oldest block whose state is retained. Set numbers only rise, so each change
        is found by halving the blocks between.
        """
        if not self.is_kept:
            return
        batch = WriteBatch()
        last = self._find_last()
        if last is None:
            self._put(self._genesis.header, batch)
            low, seen = 0, self._read_number(self._genesis.header)
        else:
            low, seen = int(last.header.number), read_set_number(last)
        while seen < self._read_number(head):
            low, high = max(low, floor - 1), int(head.number)
            while high - low > 1:
                middle = (low + high) // 2
                if self._read_number(self._get_header(middle)) > seen:
                    high = middle
                else:
                    low = middle
            changed = self._get_header(high)
            self._put(changed, batch)
            low, seen = high, self._read_number(changed)
        if batch.entries:
            self._store.write(batch, kind=_WRITE_KIND)
        self._number = seen

    def stage(self, parent: BlockHeader, batch: WriteBatch) -> None:
        """Write down with a block what its parent, the head until now, changed."""
        if not self.is_kept:
            return
        root = self._read_storage_root(parent)
        if root == self._storage_root:
            return
        number = self._read_number(parent)
        if number > self._number:
            self._put(parent, batch)
        self._storage_root, self._number = root, number

    def get_changes(self, height: int) -> tuple[SetChange, ...]:
        """Return the changes by blocks up to `height`, oldest first; genesis is the first.

        What the head itself changed is known once the chain goes on, or is opened again.
        """
        return tuple(
            decode_set_change(value)
            for key, value in self._store.iterate(keys.SET_CHANGES)
            if keys.decode_height(key[1:]) <= height
        )

    def find_validators(self, height: int) -> tuple[Address, ...] | None:
        """Return the validators after an old block, without its state; None if that is unknown."""
        changes = self.get_changes(height)
        return changes[-1].validators if changes else None

    def _find_last(self) -> SetChange | None:
        found = next(self._store.iterate(keys.SET_CHANGES, reverse=True), None)
        return None if found is None else decode_set_change(found[1])

    def _put(self, header: BlockHeader, batch: WriteBatch) -> None:
        state = StateView(self._states, header.state_root)
        change = prove_set_change(header, self._get_validators(header), state)
        batch.put(keys.set_change_key(header.number), encode_set_change(change))

    def _get_header(self, height: int) -> BlockHeader:
        header = self._blocks.get_header(height)
        assert header is not None, "every final block from the floor on has its header"
        return header

    def _read_storage_root(self, header: BlockHeader) -> Hash32:
        account = self._states.get_account(header.state_root, REGISTRY)
        return EMPTY_ROOT if account is None else account.storage_root

    def _read_number(self, header: BlockHeader) -> int:
        root = self._read_storage_root(header)
        return self._states.get_storage(root, REGISTRY, SET_NUMBER_SLOT)
