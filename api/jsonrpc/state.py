"""Methods that read the state after a block, execute calls on it and prove it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_typing import Address

from api.errors import RPC_SERVER_ERROR, ExecutionReverted, InvalidField, LimitExceeded, UserFault
from api.jsonrpc.context import RpcContext
from api.jsonrpc.hexes import write_data, write_quantity, write_word
from api.jsonrpc.methods import rpc
from api.jsonrpc.params import Params, read_address, read_data, read_quantity, read_slot
from api.jsonrpc.shapes import write_proof
from api.ports import CallRequest, CallResult

REVERT_SELECTOR: Final = bytes.fromhex("08c379a0")
"""`Error(string)`: how contracts give a reason."""

PANIC_SELECTOR: Final = bytes.fromhex("4e487b71")
"""`Panic(uint256)`: how compilers report a failed check."""

_CALL_MEMBERS: Final = {
    "from", "to", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "value", "data",
    "input", "nonce", "accessList", "type", "chainId",
}  # fmt: skip
_ZERO: Final = Address(bytes(20))


class StateMethods:
    """State, calls, gas and proofs."""

    def __init__(self, context: RpcContext) -> None:
        self._context = context
        self._node = context.node
        self._turns = asyncio.Semaphore(context.limits.max_concurrent_calls)
        self._waiting = 0

    @rpc("eth_getBalance", "address, block = latest")
    async def balance(self, params: Params) -> str:
        """Return the account's balance in wei."""
        params.check_count(2)
        address = params.address(0)
        header = await self._context.get_header(params.block(1), "params[1]")
        return write_quantity((await self._node.get_account(address, header)).balance)

    @rpc("eth_getCode", "address, block = latest")
    async def code(self, params: Params) -> str:
        """Return the account's code."""
        params.check_count(2)
        address = params.address(0)
        header = await self._context.get_header(params.block(1), "params[1]")
        return write_data(await self._node.get_code(address, header))

    @rpc("eth_getStorageAt", "address, slot, block = latest")
    async def storage(self, params: Params) -> str:
        """Return one storage word, 32 bytes."""
        params.check_count(3)
        address, slot = params.address(0), params.slot(1)
        header = await self._context.get_header(params.block(2), "params[2]")
        return write_word(await self._node.get_storage(address, slot, header))

    @rpc("eth_getProof", "address, slots, block = latest")
    async def proof(self, params: Params) -> dict[str, Any]:
        """Return account and storage proofs against the block's state root (EIP-1186)."""
        params.check_count(3)
        address = params.address(0)
        keys = params.raw(1)
        if keys is None:
            keys = []
        if not isinstance(keys, list):
            raise InvalidField("params[1]", "expected a list of storage slots")
        if len(keys) > self._context.limits.max_proof_slots:
            raise LimitExceeded("too many storage slots for one proof", field="params[1]")
        slots = tuple(read_slot(key, f"params[1][{index}]") for index, key in enumerate(keys))
        header = await self._context.get_header(params.block(2), "params[2]")
        return write_proof(await self._node.prove(address, slots, header))

    @rpc("eth_call", "call, block = latest")
    async def call(self, params: Params) -> str:
        """Execute without a transaction. A revert is error code 3 with the payload in `data`."""
        params.check_count(2)
        request = self._read_call(params)
        header = await self._context.get_call_header(params.block(1), "params[1]")
        async with self._turn():
            result = await self._node.call(
                request, header, timeout_s=self._context.limits.call_timeout_s
            )
        _check_success(result)
        return write_data(result.output)

    @rpc("eth_estimateGas", "call, block = latest")
    async def estimate(self, params: Params) -> str:
        """Return a gas limit with which the transaction would succeed."""
        params.check_count(2)
        request = self._read_call(params)
        header = await self._context.get_call_header(params.block(1), "params[1]")
        async with self._turn():
            result = await self._node.estimate_gas(
                request, header, timeout_s=self._context.limits.call_timeout_s
            )
        _check_success(result)
        return write_quantity(result.gas_used)

    @rpc("eth_gasPrice", "")
    async def gas_price(self, params: Params) -> str:
        """Return the price per gas to offer: the base fee, zero on this chain."""
        params.check_count(0)
        return write_quantity((await self._node.get_head()).base_fee_per_gas or 0)

    @rpc("eth_maxPriorityFeePerGas", "")
    async def priority_fee(self, params: Params) -> str:
        """Return 0x0: nobody is paid for including."""
        params.check_count(0)
        return "0x0"

    @rpc("eth_feeHistory", "count, newest block, percentiles = []")
    async def fee_history(self, params: Params) -> dict[str, Any]:
        """Return base fees and how full the blocks were; rewards are zero."""
        params.check_count(3)
        count = self._read_count(params.raw(0))
        percentiles = params.raw(2) or []
        if not isinstance(percentiles, list) or len(percentiles) > 100:
            raise InvalidField("params[2]", "expected a list of at most 100 percentiles")
        newest = await self._context.get_header(params.block(1), "params[1]")
        oldest = max(0, newest.number - count + 1)
        headers = await self._node.get_headers(oldest, newest.number)
        fees = [write_quantity(header.base_fee_per_gas or 0) for header in headers]
        history: dict[str, Any] = {
            "oldestBlock": write_quantity(oldest),
            "baseFeePerGas": [*fees, fees[-1]],
            "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
        }
        if percentiles:
            history["reward"] = [["0x0"] * len(percentiles) for _ in headers]
        return history

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Hold one place among the calls that execute at the same time."""
        if self._waiting >= self._context.limits.max_waiting_calls:
            raise LimitExceeded(
                "this node executes as many calls as it may", next_step="try again in a second"
            )
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()

    def _read_call(self, params: Params) -> CallRequest:
        call = params.mapping(0)
        unknown = set(call) - _CALL_MEMBERS
        if unknown:
            raise InvalidField("params[0]", "the call has a member that is not known")
        gas = self._context.limits.call_gas
        if call.get("gas") is not None:
            gas = min(gas, read_quantity(call["gas"], "params[0].gas"))
        return CallRequest(
            sender=_optional_address(call, "from") or _ZERO,
            to=_optional_address(call, "to"),
            gas=gas,
            gas_price=_optional_quantity(call, "gasPrice"),
            value=_optional_quantity(call, "value"),
            data=_read_input(call),
        )

    def _read_count(self, value: Any) -> int:
        count = value if isinstance(value, int) else read_quantity(value, "params[0]")
        if not 1 <= count <= self._context.limits.max_fee_history:
            raise InvalidField(
                "params[0]", f"expected 1 to {self._context.limits.max_fee_history} blocks"
            )
        return count


def explain_revert(payload: bytes) -> str:
    """Return "execution reverted", with the contract's reason if its payload holds one."""
    try:
        if payload[:4] == REVERT_SELECTOR:
            (reason,) = decode(["string"], payload[4:])
            return f"execution reverted: {reason}"
        if payload[:4] == PANIC_SELECTOR:
            (number,) = decode(["uint256"], payload[4:])
            return f"execution reverted: panic {number:#x}"
    except (DecodingError, UnicodeDecodeError, OverflowError):
        pass
    return "execution reverted"


def _check_success(result: CallResult) -> None:
    if result.error is None:
        return
    if result.is_revert:
        raise ExecutionReverted(explain_revert(result.output), result.output)
    raise UserFault(result.error, code="execution_failed", status=422, rpc_code=RPC_SERVER_ERROR)


def _read_input(call: dict[str, Any]) -> bytes:
    data = call.get("data")
    given = call.get("input")
    if data is not None and given is not None and data != given:
        raise InvalidField("params[0].input", "data and input differ; give one of them")
    value = given if given is not None else data
    return b"" if value is None else read_data(value, "params[0].data")


def _optional_address(call: dict[str, Any], member: str) -> Address | None:
    value = call.get(member)
    return None if value is None else read_address(value, f"params[0].{member}")


def _optional_quantity(call: dict[str, Any], member: str) -> int:
    value = call.get(member)
    return 0 if value is None else read_quantity(value, f"params[0].{member}")
