"""What compiled code calls: the opcodes that are more than one line of arithmetic.

Numbers are Python integers from 0 to 2^256 - 1. Functions that take `c` (the computation) charge
their own dynamic gas; the constant part is charged by the compiled code. Gas rules are Cancun's:
Yellow Paper appendix G and H, EIP-1052, 2200, 2929, 3529, 5656.
"""

from typing import Any, Final

from eth.constants import STACK_DEPTH_LIMIT
from eth.exceptions import OutOfBoundsRead, OutOfGas, Revert, WriteProtection
from eth.vm import opcode_values as op
from eth_hash.auto import keccak

from consensus.types import Address
from node.chain.evm.messages import LedgerMessage

WORD_MASK: Final = 2**256 - 1
_SIGN_BIT: Final = 2**255
_MODULUS: Final = 2**256

_COLD_SLOT_GAS: Final = 2_100
_WARM_GAS: Final = 100
_SSTORE_SENTRY_GAS: Final = 2_300
_SSTORE_SET_GAS: Final = 20_000
_SSTORE_RESET_GAS: Final = 2_900
_SSTORE_CLEAR_REFUND: Final = 4_800
_KECCAK_WORD_GAS: Final = 6
_COPY_WORD_GAS: Final = 3
_COLD_ACCOUNT_GAS: Final = 2_600
_CALL_VALUE_GAS: Final = 9_000
_CALL_STIPEND: Final = 2_300
_NEW_ACCOUNT_GAS: Final = 25_000
_EXP_BYTE_GAS: Final = 50
_MEMORY_GAS: Final = 3
_MEMORY_QUADRATIC: Final = 512

read_number: Final = int.from_bytes


def charge(c: Any, amount: int) -> None:
    """Take gas; raises OutOfGas."""
    meter = c._gas_meter  # noqa: SLF001 - the meter has no public name in py-evm
    remaining = meter.gas_remaining - amount
    if remaining < 0:
        raise OutOfGas(f"{amount} gas are needed")
    meter.gas_remaining = remaining


def expand_memory(c: Any, end: int) -> None:
    """Make memory reach to `end` bytes at least, and charge for it."""
    memory = c._memory._bytes  # noqa: SLF001 - the bytes have no public name in py-evm
    old_words = len(memory) // 32
    new_words = (end + 31) // 32
    if new_words <= old_words:
        return
    charge(
        c,
        _MEMORY_GAS * (new_words - old_words)
        + new_words * new_words // _MEMORY_QUADRATIC
        - old_words * old_words // _MEMORY_QUADRATIC,
    )
    memory.extend(bytes(32 * (new_words - old_words)))


def hash_memory(c: Any, start: int, size: int) -> int:
    """KECCAK256."""
    charge(c, _KECCAK_WORD_GAS * ((size + 31) // 32))
    return read_number(keccak(read_memory(c, start, size)), "big")


def read_memory(c: Any, start: int, size: int) -> bytes:
    """Return bytes of memory, expanding it first; nothing is expanded for no bytes."""
    if not size:
        return b""
    end = start + size
    memory = c._memory._bytes  # noqa: SLF001
    if len(memory) < end:
        expand_memory(c, end)
    return bytes(memory[start:end])


def copy_to_memory(c: Any, source: bytes, target: int, start: int, size: int) -> None:
    """CALLDATACOPY and CODECOPY: what lies beyond the source reads as zeros."""
    charge(c, _COPY_WORD_GAS * ((size + 31) // 32))
    if not size:
        return
    expand_memory(c, target + size)
    data = source[start : start + size]
    c._memory._bytes[target : target + size] = data.ljust(size, b"\x00")  # noqa: SLF001


def copy_return_data(c: Any, target: int, start: int, size: int) -> None:
    """RETURNDATACOPY: reading beyond the end is an error."""
    data = c.return_data
    if start + size > len(data):
        raise OutOfBoundsRead(f"{start + size} of {len(data)} bytes of return data")
    copy_to_memory(c, data, target, start, size)


def copy_memory(c: Any, target: int, start: int, size: int) -> None:
    """MCOPY."""
    charge(c, _COPY_WORD_GAS * ((size + 31) // 32))
    if not size:
        return
    expand_memory(c, max(target, start) + size)
    memory = c._memory._bytes  # noqa: SLF001
    memory[target : target + size] = memory[start : start + size]


def load_call_data(data: bytes, start: int) -> int:
    """CALLDATALOAD."""
    return read_number(data[start : start + 32].ljust(32, b"\x00"), "big")


def load_slot(c: Any, slot: int) -> int:
    """SLOAD."""
    state = c.state
    address = c.msg.storage_address
    if state.is_storage_warm(address, slot):
        charge(c, _WARM_GAS)
    else:
        state.mark_storage_warm(address, slot)
        charge(c, _COLD_SLOT_GAS)
    value: int = state.get_storage(address, slot)
    return value


def store_slot(c: Any, slot: int, value: int) -> None:
    """SSTORE, with the net metering of EIP-2200 under EIP-2929 and EIP-3529."""
    if c.msg.is_static:
        raise WriteProtection("Cannot modify state while inside of a STATICCALL context")
    if c._gas_meter.gas_remaining <= _SSTORE_SENTRY_GAS:  # noqa: SLF001
        raise OutOfGas("SSTORE needs more than 2300 gas")
    state = c.state
    address = c.msg.storage_address
    current = state.get_storage(address, slot)
    original = state.get_storage(address, slot, from_journal=False)
    gas = _WARM_GAS
    refund = 0
    if current != value:
        if original == current:
            gas = _SSTORE_RESET_GAS if original else _SSTORE_SET_GAS
            if original and not value:
                refund = _SSTORE_CLEAR_REFUND
        else:
            if original and not current:
                refund -= _SSTORE_CLEAR_REFUND
            elif original and not value:
                refund += _SSTORE_CLEAR_REFUND
            if original == value:
                refund += (_SSTORE_RESET_GAS if original else _SSTORE_SET_GAS) - _WARM_GAS
    if not state.is_storage_warm(address, slot):
        state.mark_storage_warm(address, slot)
        gas += _COLD_SLOT_GAS
    charge(c, gas)
    if refund:
        c.refund_gas(refund)
    state.set_storage(address, slot, value)


def run_call(  # noqa: PLR0917 - compiled code passes the operands of the opcode
    c: Any,
    opcode: int,
    gas: int,
    target: int,
    value: int,
    in_start: int,
    in_size: int,
    out_start: int,
    out_size: int,
) -> int:
    """CALL, CALLCODE, DELEGATECALL and STATICCALL; the last two are given the value 0.

    Order and amounts of the charges: EIP-150 (all but one part in 64), EIP-161, EIP-2929.
    """
    message = c.msg
    if opcode == op.CALL and value and message.is_static:
        raise WriteProtection("Cannot modify state while inside of a STATICCALL context")
    data = read_memory(c, in_start, in_size)
    if out_size:
        expand_memory(c, out_start + out_size)
    state = c.state
    address = Address(target.to_bytes(32, "big")[12:])
    if state.is_address_warm(address):
        charge(c, _WARM_GAS)
    else:
        state.mark_address_warm(address)
        charge(c, _COLD_ACCOUNT_GAS)
    code = state.get_code(address)
    extra = 0
    if value:
        extra = _CALL_VALUE_GAS
        if opcode == op.CALL and state.account_is_empty(address):
            extra += _NEW_ACCOUNT_GAS
    meter = c._gas_meter  # noqa: SLF001
    available = meter.gas_remaining - extra
    if available < 0:
        raise OutOfGas(f"{extra} gas are needed")
    gas = min(gas, available - available // 64)
    meter.gas_remaining = available - gas
    if value:
        gas += _CALL_STIPEND
    own = message.storage_address
    if message.depth >= STACK_DEPTH_LIMIT or (value and state.get_balance(own) < value):
        c.return_data = b""
        meter.gas_remaining += gas
        return 0
    is_delegate = opcode == op.DELEGATECALL
    is_borrowing = is_delegate or opcode == op.CALLCODE
    child = type(c).apply_message(
        state,
        LedgerMessage(
            gas=gas,
            to=own if is_borrowing else address,
            sender=message.sender if is_delegate else own,
            value=message.value if is_delegate else value,
            data=data,
            code=code,
            depth=message.depth + 1,
            code_address=address,
            should_transfer_value=not is_delegate and opcode != op.STATICCALL,
            is_static=message.is_static or opcode == op.STATICCALL,
        ),
        c.transaction_context,
        c,
    )
    c.add_child_computation(child)
    if not child.should_erase_return_data:
        output = child.output[:out_size]
        c._memory._bytes[out_start : out_start + len(output)] = output  # noqa: SLF001
    if not child.should_burn_gas:
        meter.gas_remaining += child.get_gas_remaining()
    return 0 if child.is_error else 1


def leave(c: Any, start: int, size: int) -> None:
    """RETURN."""
    c.output = read_memory(c, start, size)


def revert(c: Any, start: int, size: int) -> None:
    """REVERT."""
    c.output = read_memory(c, start, size)
    raise Revert(c.output)


def divide_signed(a: int, b: int) -> int:
    """SDIV: rounds towards zero; by zero gives zero."""
    if not b:
        return 0
    a, b = _to_signed(a), _to_signed(b)
    quotient = abs(a) // abs(b)
    return (quotient if (a < 0) == (b < 0) else -quotient) & WORD_MASK


def remain_signed(a: int, b: int) -> int:
    """SMOD: takes the sign of the dividend; by zero gives zero."""
    if not b:
        return 0
    a, b = _to_signed(a), _to_signed(b)
    remainder = abs(a) % abs(b)
    return (-remainder if a < 0 else remainder) & WORD_MASK


def is_less_signed(a: int, b: int) -> int:
    """SLT; SGT with its operands swapped."""
    return 1 if _to_signed(a) < _to_signed(b) else 0


def raise_to_power(c: Any, base: int, exponent: int) -> int:
    """EXP."""
    charge(c, _EXP_BYTE_GAS * ((exponent.bit_length() + 7) // 8))
    return pow(base, exponent, _MODULUS)


def extend_sign(size: int, value: int) -> int:
    """SIGNEXTEND: `size` counts bytes from zero."""
    if size > 30:
        return value
    sign = 1 << (8 * size + 7)
    value &= 2 * sign - 1
    return value | (WORD_MASK - (2 * sign - 1)) if value & sign else value


def get_byte(index: int, value: int) -> int:
    """BYTE, counted from the high end."""
    return (value >> (8 * (31 - index))) & 0xFF if index < 32 else 0


def shift_right_signed(count: int, value: int) -> int:
    """SAR."""
    return (_to_signed(value) >> min(count, 256)) & WORD_MASK


def _to_signed(value: int) -> int:
    return value - _MODULUS if value >= _SIGN_BIT else value
