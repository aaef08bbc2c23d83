"""A scratch state: a throwaway EVM world in which constructors and calls run without blocks.

genesis.json is made in one, and the tests of the contracts run in one. It is py-evm with Cancun
rules and no fees: `create` puts a contract at an address of our choice, `send` runs a call as a
transaction would and keeps its effects, `read` runs a call and drops them. Every slot ever written
is remembered, because a state trie knows only the hashes of slots.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth.constants import BLANK_ROOT_HASH, CREATE_CONTRACT_ADDRESS, ZERO_ADDRESS, ZERO_HASH32
from eth.db.atomic import AtomicDB
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.cancun.state import CancunState
from eth.vm.forks.cancun.transaction_context import CancunTransactionContext
from eth.vm.message import Message
from eth_typing import Address, BlockNumber

from contracts.codec import decode_revert
from contracts.errors import FoundingFailed

GAS_LIMIT: Final = 30_000_000
"""What one call may use: a whole block."""
SYSTEM_SENDER: Final = Address(bytes.fromhex("fffffffffffffffffffffffffffffffffffffffe"))
"""Who acts where nobody does, as in Ethereum's own system calls (EIP-4788)."""

# Intrinsic gas of a transaction (yellow paper, EIP-2028).
TRANSACTION_GAS: Final = 21_000
ZERO_BYTE_GAS: Final = 4
NONZERO_BYTE_GAS: Final = 16
MAX_REFUND_QUOTIENT: Final = 5

Log = tuple[Address, tuple[bytes, ...], bytes]
"""Address, topics of 32 bytes, and data of an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a call did."""

    output: bytes
    """Return data, or revert data."""
    succeeded: bool
    gas_used: int
    """As a transaction's receipt would say: intrinsic gas in, refunds out."""
    logs: tuple[Log, ...]
    """The events, in order."""

    @property
    def reason(self) -> str | None:
        """The reason of a revert, None if it has none or nothing was reverted."""
        return None if self.succeeded else decode_revert(self.output)


class ScratchState:
    """One throwaway world; block number and timestamp are set by hand."""

    def __init__(self, *, chain_id: int, timestamp: int, block_number: int = 0) -> None:
        self._chain_id = chain_id
        self.timestamp = timestamp
        self.block_number = block_number
        self._state: Any = _RecordingState(AtomicDB(), self._get_context(), BLANK_ROOT_HASH)

    def create(self, address: Address, creation_code: bytes) -> tuple[Log, ...]:
        """Run a constructor so that its contract comes to stand at `address`; returns its events.

        `creation_code` is creation bytecode with the ABI-encoded arguments appended. Raises
        FoundingFailed if the constructor reverts.
        """
        message = Message(
            gas=GAS_LIMIT,
            to=CREATE_CONTRACT_ADDRESS,
            sender=SYSTEM_SENDER,
            value=0,
            data=b"",
            code=creation_code,
            create_address=address,
        )
        self._begin_transaction()
        computation = self._state.computation_class.apply_create_message(
            self._state, message, self._get_transaction_context(SYSTEM_SENDER)
        )
        if computation.is_error:
            reason = decode_revert(computation.output) or repr(computation.error)
            raise FoundingFailed(f"constructor at 0x{address.hex()}: {reason}")
        self._state.lock_changes()
        return _read_logs(computation)

    def put(self, address: Address, *, code: bytes, nonce: int, storage: Mapping[int, int]) -> None:
        """Put an account into the state as a genesis file's `alloc` describes it."""
        self._state.set_code(address, code)
        self._state.set_nonce(address, nonce)
        for slot, value in storage.items():
            self._state.set_storage(address, slot, value)
        self._state.lock_changes()

    def send(
        self, to: Address, data: bytes, *, sender: Address = SYSTEM_SENDER, gas: int = GAS_LIMIT
    ) -> Outcome:
        """Call a contract with so much gas and keep what it changed, unless it reverts."""
        outcome = self._run(to, data, sender, gas)
        self._state.lock_changes()
        return outcome

    def read(
        self, to: Address, data: bytes, *, sender: Address = SYSTEM_SENDER, gas: int = GAS_LIMIT
    ) -> Outcome:
        """Call a contract with so much gas and drop what it changed."""
        snapshot = self._state.snapshot()
        outcome = self._run(to, data, sender, gas)
        self._state.revert(snapshot)
        return outcome

    def compute_root(self) -> bytes:
        """Compute the root over all accounts, code and storage, 32 bytes."""
        return bytes(self._state.make_state_root())

    def get_code(self, address: Address) -> bytes:
        """Return the code at an address, empty if there is none."""
        return bytes(self._state.get_code(address))

    def get_nonce(self, address: Address) -> int:
        """Return the nonce of an account."""
        return int(self._state.get_nonce(address))

    def get_slot(self, address: Address, slot: int) -> int:
        """Return one word of a contract's storage."""
        return int(self._state.get_storage(address, slot))

    def set_slot(self, address: Address, slot: int, value: int) -> None:
        """Overwrite one word of a contract's storage, to bring about what would take years."""
        self._state.set_storage(address, slot, value)
        self._state.lock_changes()

    def iterate_storage(self, address: Address) -> Iterator[tuple[int, int]]:
        """Yield slot and value of a contract's storage, ascending, zeros left out."""
        for slot in sorted(self._state.written.get(address, ())):
            value = self.get_slot(address, slot)
            if value:
                yield slot, value

    def _run(self, to: Address, data: bytes, sender: Address, gas: int) -> Outcome:
        intrinsic = TRANSACTION_GAS + sum(NONZERO_BYTE_GAS if b else ZERO_BYTE_GAS for b in data)
        message = Message(
            gas=gas - intrinsic,
            to=to,
            sender=sender,
            value=0,
            data=data,
            code=self._state.get_code(to),
        )
        self._begin_transaction()
        self._state.mark_address_warm(sender)
        self._state.mark_address_warm(to)
        computation = self._state.computation_class.apply_message(
            self._state, message, self._get_transaction_context(sender)
        )
        used = gas - computation.get_gas_remaining()
        used -= min(computation.get_gas_refund(), used // MAX_REFUND_QUOTIENT)
        return Outcome(
            output=bytes(computation.output),
            succeeded=not computation.is_error,
            gas_used=used,
            logs=_read_logs(computation),
        )

    def _begin_transaction(self) -> None:
        self._state.execution_context = self._get_context()
        self._state.clear_transient_storage()

    def _get_context(self) -> ExecutionContext:
        return ExecutionContext(
            coinbase=ZERO_ADDRESS,
            timestamp=self.timestamp,
            block_number=BlockNumber(self.block_number),
            difficulty=1,
            mix_hash=ZERO_HASH32,
            gas_limit=GAS_LIMIT,
            prev_hashes=(),
            chain_id=self._chain_id,
            base_fee_per_gas=0,
            excess_blob_gas=0,
        )

    @staticmethod
    def _get_transaction_context(sender: Address) -> CancunTransactionContext:
        return CancunTransactionContext(gas_price=0, origin=sender)


def _read_logs(computation: Any) -> tuple[Log, ...]:
    return tuple(
        (Address(address), tuple(topic.to_bytes(32, "big") for topic in topics), bytes(data))
        for address, topics, data in computation.get_log_entries()
    )


class _RecordingState(CancunState):
    """A state that remembers which slots were written."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.written: dict[Address, set[int]] = {}

    def set_storage(self, address: Address, slot: int, value: int) -> None:
        self.written.setdefault(address, set()).add(slot)
        super().set_storage(address, slot, value)
