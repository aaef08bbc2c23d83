"""The state after one final block, for reading and proving."""

from collections.abc import Sequence

from consensus.types import Address, Hash32
from node.chain.accounts import NO_ACCOUNT, Account
from node.chain.results import AccountProof, StorageProof
from node.chain.state_store import StateStore
from node.chain.trie_nodes import EMPTY_ROOT


class StateView:
    """One state, by its root. Safe in any thread; every method may raise StateMissing."""

    __slots__ = ("_root", "_state_store")

    def __init__(self, state_store: StateStore, root: Hash32) -> None:
        """Show the state `root`."""
        self._state_store = state_store
        self._root = root

    @property
    def root(self) -> Hash32:
        """The state root, as the block's header has it."""
        return self._root

    def get_account(self, address: Address) -> Account | None:
        """Return the account, or None if it does not exist."""
        return self._state_store.get_account(self._root, address)

    def get_code(self, address: Address) -> bytes:
        """Return the code of an account, empty for none."""
        account = self.get_account(address)
        return b"" if account is None else self._state_store.get_code(account.code_hash)

    def get_storage(self, address: Address, slot: int) -> int:
        """Return the value of a slot, 0 if never written."""
        account = self.get_account(address)
        if account is None:
            return 0
        return self._state_store.get_storage(account.storage_root, address, slot)

    def prove(self, address: Address, slots: Sequence[int] = ()) -> AccountProof:
        """Prove the account and the slots, or their absence, against the state root (EIP-1186)."""
        account = self.get_account(address)
        storage_root = EMPTY_ROOT if account is None else account.storage_root
        return AccountProof(
            address=address,
            account=account or NO_ACCOUNT,
            proof=self._state_store.prove_account(self._root, address),
            storage=tuple(
                StorageProof(
                    slot=slot,
                    value=self._state_store.get_storage(storage_root, address, slot),
                    proof=self._state_store.prove_slot(storage_root, address, slot),
                )
                for slot in slots
            ),
        )


class RootReader:
    """`StateReader` of an execution engine over one state."""

    __slots__ = ("_root", "_state_store", "get_code", "get_storage")

    def __init__(self, state_store: StateStore, root: Hash32) -> None:
        """Read the state `root`."""
        self._state_store = state_store
        self._root = root
        self.get_storage = state_store.get_storage
        self.get_code = state_store.get_code

    def get_account(self, address: Address) -> Account | None:
        """Return an account, or None."""
        return self._state_store.get_account(self._root, address)
