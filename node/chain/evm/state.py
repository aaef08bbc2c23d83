"""The state that opcodes work on: changes in memory over a reader, with an undo journal.

py-evm's own state keeps four layered databases and encodes an account for every change. Here an
account is a tuple in a dictionary and every change notes how to undo it, so a snapshot is the
length of the journal and a revert pops it. Nothing is encoded or hashed before the block is over.

Three memories with different lives: values live for the block, "original" values and warm accesses
(EIP-2200, EIP-2929) for one transaction, transient storage (EIP-1153) for one transaction as well.
"""

from collections.abc import Iterable
from typing import Any, Final

from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.cancun.state import CancunState
from eth_hash.auto import keccak
from eth_typing import BlockNumber

from consensus.types import Address, Hash32
from node.chain.accounts import EMPTY_CODE_HASH, NO_ACCOUNT, Account
from node.chain.deadline import Deadline
from node.chain.errors import ChainBug
from node.chain.evm.computation import LedgerComputation
from node.chain.evm.program import ProgramCache
from node.chain.execution import BlockEnvironment, StateReader
from node.chain.state_store import StateChanges

_MISSING: Final = object()
_HASHED_ANCESTORS: Final = 256


class LedgerState(CancunState):
    """`StateAPI` of one block. Not thread-safe; one per session."""

    computation_class = LedgerComputation

    # Plain attributes instead of py-evm's properties: opcodes read them in every call.
    coinbase: Address = Address(bytes(20))
    timestamp: int = 0
    block_number: BlockNumber = BlockNumber(0)
    mix_hash: Hash32 = Hash32(bytes(32))
    gas_limit: int = 0
    base_fee: int = 0

    def __init__(
        self, environment: BlockEnvironment, reader: StateReader, programs: ProgramCache
    ) -> None:
        """Start on the state that `reader` shows, in the block that `environment` describes."""
        self.programs = programs
        self._environment = environment
        self._reader = reader
        self.execution_context = ExecutionContext(
            coinbase=environment.coinbase,
            timestamp=environment.timestamp,
            block_number=BlockNumber(environment.number),
            difficulty=1,
            mix_hash=environment.mix_hash,
            gas_limit=environment.gas_limit,
            prev_hashes=(),
            chain_id=environment.chain_id,
            base_fee_per_gas=environment.base_fee,
            excess_blob_gas=environment.excess_blob_gas,
        )
        self.coinbase = environment.coinbase
        self.timestamp = environment.timestamp
        self.block_number = BlockNumber(environment.number)
        self.mix_hash = environment.mix_hash
        self.gas_limit = environment.gas_limit
        self.base_fee = environment.base_fee
        self.deadline = Deadline.never()

        self._journal: list[tuple[dict[Any, Any], Any, Any]] = []
        self._accounts: dict[Address, Account | None] = {}
        self._before: dict[Address, Account | None] = {}
        self._storage: dict[Address, dict[int, int]] = {}
        self._storage_before: dict[Address, dict[int, int]] = {}
        self._codes: dict[Hash32, bytes] = {}

        self._originals: dict[tuple[Address, int], int] = {}
        self._warm: dict[Any, bool] = {}
        self._touched: dict[Address, bool] = {}
        self._transient: dict[tuple[Address, int], bytes] = {}

    # -- the life of a transaction --

    def begin_transaction(self, deadline: Deadline) -> None:
        """Forget what lives for one transaction only, and take its time limit."""
        self.deadline = deadline
        self._journal.clear()
        self._originals.clear()
        self._warm.clear()
        self._touched.clear()
        self._transient.clear()

    def delete_empty_accounts(self) -> None:
        """Remove the accounts that the transaction touched and left empty (EIP-161)."""
        for address in self._touched:
            account = self._get_account(address)
            if account is not None and account.is_empty:
                self._put_account(address, None)

    def collect_changes(self) -> StateChanges:
        """Return all that differs from the state before the block."""
        changes = StateChanges()
        for address, account in self._accounts.items():
            before = self._before[address]
            if account != before:
                changes.accounts[address] = account
                if account is not None and account.code_hash in self._codes:
                    changes.codes[account.code_hash] = self._codes[account.code_hash]
        for address, before_slots in self._storage_before.items():
            if self._accounts.get(address, _MISSING) is None:
                continue
            slots = self._storage[address]
            changed = {
                slot: slots[slot] for slot, value in before_slots.items() if slots[slot] != value
            }
            if changed:
                changes.storage[address] = changed
        return changes

    # -- snapshots --

    def snapshot(self) -> int:  # type: ignore[override]
        """Return a mark to revert to."""
        return len(self._journal)

    def revert(self, snapshot: int) -> None:  # type: ignore[override]
        """Undo everything after the mark."""
        journal = self._journal
        while len(journal) > snapshot:
            mapping, key, value = journal.pop()
            if value is _MISSING:
                del mapping[key]
            else:
                mapping[key] = value

    def commit(self, snapshot: int) -> None:  # type: ignore[override]
        """Keep what came after the mark; the journal still knows how to undo it."""

    # -- accounts --

    def get_balance(self, address: Address) -> int:
        """Return the balance in wei."""
        account = self._get_account(address)
        return 0 if account is None else account.balance

    def set_balance(self, address: Address, balance: int) -> None:
        """Set the balance; an absent account given nothing stays absent."""
        account = self._get_account(address)
        self.touch_account(address)
        if account is None:
            if balance:
                self._put_account(address, Account(balance=balance))
        elif account.balance != balance:
            self._put_account(
                address, Account(account.nonce, balance, account.storage_root, account.code_hash)
            )

    def get_nonce(self, address: Address) -> int:
        """Return the nonce."""
        account = self._get_account(address)
        return 0 if account is None else account.nonce

    def set_nonce(self, address: Address, nonce: int) -> None:
        """Set the nonce."""
        account = self._get_account(address) or NO_ACCOUNT
        self._put_account(
            address, Account(nonce, account.balance, account.storage_root, account.code_hash)
        )

    def increment_nonce(self, address: Address) -> None:
        """Add one to the nonce."""
        self.set_nonce(address, self.get_nonce(address) + 1)

    def get_code(self, address: Address) -> bytes:
        """Return the code, empty for none."""
        account = self._get_account(address)
        if account is None or account.code_hash == EMPTY_CODE_HASH:
            return b""
        code = self._codes.get(account.code_hash)
        if code is None:
            code = self._codes[account.code_hash] = self._reader.get_code(account.code_hash)
        return code

    def set_code(self, address: Address, code: bytes) -> None:
        """Set the code."""
        account = self._get_account(address) or NO_ACCOUNT
        code_hash = Hash32(keccak(code))
        self._codes[code_hash] = code
        self._put_account(
            address, Account(account.nonce, account.balance, account.storage_root, code_hash)
        )

    def get_code_hash(self, address: Address) -> Hash32:
        """Return the hash of the code."""
        account = self._get_account(address)
        return EMPTY_CODE_HASH if account is None else account.code_hash

    def delete_code(self, address: Address) -> None:
        """Remove the code."""
        self.set_code(address, b"")

    def has_code_or_nonce(self, address: Address) -> bool:
        """Whether a contract cannot be created there."""
        account = self._get_account(address)
        return account is not None and (account.nonce != 0 or account.code_hash != EMPTY_CODE_HASH)

    def account_exists(self, address: Address) -> bool:
        """Whether the account is in the state."""
        return self._get_account(address) is not None

    def account_is_empty(self, address: Address) -> bool:
        """Whether the account is absent or as good as absent (EIP-161)."""
        account = self._get_account(address)
        return account is None or account.is_empty

    def touch_account(self, address: Address) -> None:
        """Note that the account is to go if it is empty after the transaction."""
        if address not in self._touched:
            self._journal.append((self._touched, address, _MISSING))
            self._touched[address] = True

    def delete_account(self, address: Address) -> None:
        """Remove an account created in this transaction (EIP-6780), storage and all."""
        self._put_account(address, None)
        for slot, value in self._storage_before.get(address, {}).items():
            self._storage[address][slot] = value

    # -- storage --

    def get_storage(self, address: Address, slot: int, from_journal: bool = True) -> int:
        """Return a slot; with from_journal=False, its value before the transaction."""
        if not from_journal:
            original = self._originals.get((address, slot))
            if original is not None:
                return original
        slots = self._storage.get(address)
        if slots is None:
            slots = self._storage[address] = {}
        value = slots.get(slot)
        if value is None:
            account = self._get_account(address)
            value = (
                0
                if account is None
                else self._reader.get_storage(account.storage_root, address, slot)
            )
            slots[slot] = value
        return value

    def set_storage(self, address: Address, slot: int, value: int) -> None:
        """Set a slot."""
        current = self.get_storage(address, slot)
        if current == value:
            return
        self._storage_before.setdefault(address, {}).setdefault(slot, current)
        key = (address, slot)
        if key not in self._originals:
            # A reverted write leaves the true original behind, which does no harm.
            self._originals[key] = current
        slots = self._storage[address]
        self._journal.append((slots, slot, current))
        slots[slot] = value

    def delete_storage(self, address: Address) -> None:
        """Do nothing: CREATE2 asks for it where no contract ever stood, so there is no storage."""

    # -- warm accesses (EIP-2929) --

    def is_storage_warm(self, address: Address, slot: int) -> bool:
        """Whether the transaction accessed the slot before."""
        return (address, slot) in self._warm

    def mark_storage_warm(self, address: Address, slot: int) -> None:
        """Note an access to a slot."""
        self._mark_warm((address, slot))

    def is_address_warm(self, address: Address) -> bool:
        """Whether the transaction accessed the account before, or it is a precompile."""
        return address in self._warm or address in LedgerComputation.precompile_addresses

    def mark_address_warm(self, address: Address) -> None:
        """Note an access to an account."""
        self._mark_warm(address)

    def mark_all_warm(self, addresses: Iterable[Address]) -> None:
        """Note accesses that a transaction starts with."""
        for address in addresses:
            self._mark_warm(address)

    # -- transient storage (EIP-1153) --

    def get_transient_storage(self, address: Address, slot: int) -> bytes:
        """Return a transient slot, as its bytes."""
        return self._transient.get((address, slot), b"")

    def set_transient_storage(self, address: Address, slot: int, value: bytes) -> None:
        """Set a transient slot."""
        key = (address, slot)
        self._journal.append((self._transient, key, self._transient.get(key, _MISSING)))
        self._transient[key] = value

    # -- the block --

    def get_ancestor_hash(self, block_number: int) -> Hash32:
        """Return the hash of one of the 256 blocks before, empty for any other."""
        if not 0 < self.block_number - block_number <= _HASHED_ANCESTORS:
            return Hash32(b"")
        return self._environment.get_block_hash(block_number) or Hash32(b"")

    @property
    def state_root(self) -> Hash32:
        """Roots are computed outside the engine."""
        raise ChainBug("the execution engine was asked for a state root")

    # -- internals --

    def _get_account(self, address: Address) -> Account | None:
        try:
            return self._accounts[address]
        except KeyError:
            account = self._reader.get_account(address)
            self._accounts[address] = account
            self._before[address] = account
            return account

    def _put_account(self, address: Address, account: Account | None) -> None:
        self._journal.append((self._accounts, address, self._get_account(address)))
        self._accounts[address] = account

    def _mark_warm(self, key: object) -> None:
        if key not in self._warm:
            self._journal.append((self._warm, key, _MISSING))
            self._warm[key] = True
