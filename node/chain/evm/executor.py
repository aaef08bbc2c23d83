"""The way of a transaction: checks, fees, the message, refunds, the receipt.

Fees follow London's rules with whatever base fee the header carries (0 on this chain). A
transaction that fails still counts: its gas is spent and its nonce used, only its effects are
undone. One that may not be executed at all (wrong nonce, no funds, more gas than the block has
left) raises TransactionInvalid; a block that contains one is invalid.

Sources: Ethereum Yellow Paper 6; EIP-658, 1559, 2028, 2929, 2930, 3529, 3607, 3651, 3860, 4788.
"""

from collections.abc import Mapping
from typing import Any, Final

from eth.exceptions import ContractCreationCollision, OutOfGas, Revert
from eth.vm.forks.cancun.constants import (
    BEACON_ROOTS_ADDRESS,
    BEACON_ROOTS_CONTRACT_CODE,
    HISTORY_BUFFER_LENGTH,
)
from eth.vm.forks.cancun.transaction_context import CancunTransactionContext
from eth.vm.forks.shanghai.constants import MAX_INITCODE_SIZE
from eth_hash.auto import keccak

from consensus import rlp_codec
from consensus.types import Address, Hash32
from node.chain.deadline import Deadline
from node.chain.errors import BlockFull, DeadlineExceeded, NonceGap, TransactionInvalid
from node.chain.evm.computation import LEDGER_OPCODES, LedgerComputation
from node.chain.evm.messages import LedgerMessage
from node.chain.evm.program import COMPILE_AFTER, ProgramCache
from node.chain.evm.state import LedgerState
from node.chain.execution import BlockEnvironment, StateReader
from node.chain.receipts import (
    STATUS_FAILURE,
    STATUS_SUCCESS,
    Log,
    Receipt,
    compute_bloom,
)
from node.chain.results import CallRequest, CallResult
from node.chain.state_store import StateChanges
from node.chain.transactions import AccessList, Transaction, compute_intrinsic_gas

_NO_ADDRESS: Final = Address(b"")
"""py-evm's mark of a message that creates a contract."""

_MAX_REFUND_QUOTIENT: Final = 5
_ERROR_SELECTOR: Final = bytes.fromhex("08c379a0")
_PANIC_SELECTOR: Final = bytes.fromhex("4e487b71")
_PANICS: Final[Mapping[int, str]] = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division by zero",
    0x32: "index out of bounds",
}
_MAX_REASON_BYTES: Final = 1_024


class EvmEngine:
    """`ExecutionEngine` on py-evm. All that it keeps is compiled code."""

    def __init__(self, *, compile_after: int = COMPILE_AFTER) -> None:
        """Compile code that was passed `compile_after` times."""
        self._programs = ProgramCache(LEDGER_OPCODES, compile_after=compile_after)

    def begin(self, environment: BlockEnvironment, reader: StateReader) -> "EvmSession":
        """Start a block on the state that `reader` shows."""
        return EvmSession(environment, reader, self._programs)

    def call(
        self,
        request: CallRequest,
        environment: BlockEnvironment,
        reader: StateReader,
        *,
        gas: int,
        deadline: Deadline,
    ) -> CallResult:
        """Execute a message without a transaction; raises DeadlineExceeded."""
        is_create = request.to is None
        intrinsic = compute_intrinsic_gas(
            data=request.data, is_create=is_create, access_list=request.access_list
        )
        if gas < intrinsic:
            return CallResult(
                output=b"", gas_used=gas, error=f"out of gas: {intrinsic} are needed to start"
            )
        state = LedgerState(environment, reader, self._programs)
        state.begin_transaction(deadline)
        if state.get_balance(request.sender) < request.value:
            return CallResult(output=b"", gas_used=0, error="the sender cannot pay the value")
        state.increment_nonce(request.sender)
        computation = _run_message(
            state,
            sender=request.sender,
            to=request.to,
            value=request.value,
            data=request.data,
            gas=gas - intrinsic,
            gas_price=request.gas_price,
            access_list=request.access_list,
        )
        used = gas - computation.get_gas_remaining()
        used -= min(computation.get_gas_refund(), used // _MAX_REFUND_QUOTIENT)
        if computation.is_success:
            return CallResult(output=bytes(computation.output), gas_used=used, error=None)
        is_revert = isinstance(computation.error, Revert)
        output = bytes(computation.output)
        return CallResult(
            output=output,
            gas_used=used,
            error=_explain(computation.error, output),
            is_revert=is_revert,
        )


class EvmSession:
    """`ExecutionSession` on py-evm."""

    def __init__(
        self, environment: BlockEnvironment, reader: StateReader, programs: ProgramCache
    ) -> None:
        """Start a block; its own writes (EIP-4788) come before any transaction."""
        self._environment = environment
        self._state = LedgerState(environment, reader, programs)
        self._gas_used = 0
        self._record_beacon_root()

    @property
    def gas_used(self) -> int:
        """Gas of the transactions applied so far."""
        return self._gas_used

    def apply(self, transaction: Transaction, *, deadline: Deadline) -> Receipt:
        """Execute the next transaction.

        Raises TransactionInvalid or DeadlineExceeded, having changed nothing.
        """
        state = self._state
        price = self._validate(transaction)
        state.begin_transaction(deadline)
        try:
            return self._execute(transaction, price)
        except DeadlineExceeded:
            state.revert(0)
            raise

    def finish(self) -> StateChanges:
        """Pay the block reward and return all changes."""
        reward = self._environment.block_reward
        if reward:
            coinbase = self._environment.coinbase
            self._state.set_balance(coinbase, self._state.get_balance(coinbase) + reward)
        return self._state.collect_changes()

    def _execute(self, transaction: Transaction, price: int) -> Receipt:
        state = self._state
        sender = transaction.sender
        state.set_balance(sender, state.get_balance(sender) - transaction.gas * price)
        state.increment_nonce(sender)
        computation = _run_message(
            state,
            sender=sender,
            to=transaction.to,
            value=transaction.value,
            data=transaction.data,
            gas=transaction.gas - transaction.intrinsic_gas,
            gas_price=price,
            access_list=transaction.access_list,
        )
        remaining = computation.get_gas_remaining()
        used = transaction.gas - remaining
        used -= min(computation.get_gas_refund(), used // _MAX_REFUND_QUOTIENT)

        state.set_balance(sender, state.get_balance(sender) + (transaction.gas - used) * price)
        coinbase = self._environment.coinbase
        tip = (price - self._environment.base_fee) * used
        state.set_balance(coinbase, state.get_balance(coinbase) + tip)
        for address in computation.get_accounts_for_deletion():
            state.delete_account(address)
        state.delete_empty_accounts()

        self._gas_used += used
        logs = tuple(
            Log(
                address=Address(address),
                topics=tuple(Hash32(topic.to_bytes(32, "big")) for topic in topics),
                data=bytes(data),
            )
            for address, topics, data in computation.get_log_entries()
        )
        created = computation.msg.storage_address if transaction.to is None else None
        return Receipt(
            type=transaction.type,
            status=STATUS_SUCCESS if computation.is_success else STATUS_FAILURE,
            cumulative_gas_used=self._gas_used,
            gas_used=used,
            logs=logs,
            logs_bloom=compute_bloom(logs),
            contract_address=created,
        )

    def _validate(self, transaction: Transaction) -> int:
        """Check what decides whether a transaction may run now; return its gas price."""
        environment = self._environment
        state = self._state
        if transaction.chain_id != environment.chain_id:
            raise TransactionInvalid(
                "chainId", f"is {transaction.chain_id}; this chain is {environment.chain_id}"
            )
        if transaction.gas > environment.gas_limit - self._gas_used:
            raise BlockFull("gas", "is more than the block has left")
        if transaction.gas < transaction.intrinsic_gas:
            raise TransactionInvalid(
                "gas", f"must be at least {transaction.intrinsic_gas} for this transaction"
            )
        if transaction.to is None and len(transaction.data) > MAX_INITCODE_SIZE:
            raise TransactionInvalid(
                "data", f"init code has more than {MAX_INITCODE_SIZE} bytes (EIP-3860)"
            )
        nonce = state.get_nonce(transaction.sender)
        if transaction.nonce > nonce:
            raise NonceGap("nonce", f"is {transaction.nonce} where {nonce} is next")
        if transaction.nonce < nonce:
            raise TransactionInvalid("nonce", f"is {transaction.nonce} where {nonce} is next")
        if transaction.max_fee_per_gas < environment.base_fee:
            raise TransactionInvalid("maxFeePerGas", "is below the base fee of the block")
        cost = transaction.gas * transaction.max_fee_per_gas + transaction.value
        if state.get_balance(transaction.sender) < cost:
            raise TransactionInvalid("value", f"the sender does not own the {cost} wei it may need")
        if state.get_code(transaction.sender):
            raise TransactionInvalid("sender", "has code and cannot send (EIP-3607)")
        return min(
            transaction.max_fee_per_gas,
            environment.base_fee + transaction.max_priority_fee_per_gas,
        )

    def _record_beacon_root(self) -> None:
        state = self._state
        if state.get_code(BEACON_ROOTS_ADDRESS) != BEACON_ROOTS_CONTRACT_CODE:
            return
        timestamp = self._environment.timestamp
        slot = timestamp % HISTORY_BUFFER_LENGTH
        root = int.from_bytes(self._environment.parent_beacon_block_root, "big")
        state.set_storage(BEACON_ROOTS_ADDRESS, slot, timestamp)
        state.set_storage(BEACON_ROOTS_ADDRESS, slot + HISTORY_BUFFER_LENGTH, root)


def _run_message(
    state: LedgerState,
    *,
    sender: Address,
    to: Address | None,
    value: int,
    data: bytes,
    gas: int,
    gas_price: int,
    access_list: AccessList,
) -> Any:
    """Run the outermost message; the sender's nonce was already raised."""
    if to is None:
        target = _compute_contract_address(sender, state.get_nonce(sender) - 1)
        message = LedgerMessage(
            gas=gas,
            to=_NO_ADDRESS,
            sender=sender,
            value=value,
            data=b"",
            code=data,
            create_address=target,
        )
    else:
        target = to
        message = LedgerMessage(
            gas=gas, to=to, sender=sender, value=value, data=data, code=state.get_code(to)
        )
    state.mark_all_warm((sender, target, state.coinbase))
    for address, slots in access_list:
        state.mark_address_warm(address)
        for slot in slots:
            state.mark_storage_warm(address, slot)
    context = CancunTransactionContext(gas_price=gas_price, origin=sender)
    if to is not None:
        return LedgerComputation.apply_message(state, message, context)
    if state.has_code_or_nonce(target):
        computation = LedgerComputation(state, message, context)
        computation.error = ContractCreationCollision(f"an account exists at 0x{target.hex()}")
        return computation
    return LedgerComputation.apply_create_message(state, message, context)


def _compute_contract_address(sender: Address, nonce: int) -> Address:
    return Address(keccak(rlp_codec.encode([sender, rlp_codec.encode_scalar(nonce)]))[12:])


def _explain(error: Exception, output: bytes) -> str:
    if not isinstance(error, Revert):
        if isinstance(error, OutOfGas):
            return "out of gas"
        return f"{type(error).__name__}: {error}"
    reason = _decode_reason(output)
    return f"execution reverted: {reason}" if reason else "execution reverted"


def _decode_reason(output: bytes) -> str | None:
    """Read the text of Error(string) or the code of Panic(uint256), as compilers emit them."""
    if output[:4] == _PANIC_SELECTOR and len(output) == 36:
        code = int.from_bytes(output[4:], "big")
        return f"panic 0x{code:02x} ({_PANICS.get(code, 'see the compiler')})"
    if output[:4] == _ERROR_SELECTOR and len(output) >= 68:
        length = min(int.from_bytes(output[36:68], "big"), _MAX_REASON_BYTES)
        return output[68 : 68 + length].decode(errors="replace")
    return None
