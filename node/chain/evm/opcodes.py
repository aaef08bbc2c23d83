"""What each opcode is as an expression: gas, operands and text for the compiler.

In an expression {0} stands for the topmost operand, {1} for the next. `c` is the computation, `mem`
its memory; the other names are functions of `runtime`. Gas here is the constant part.
"""

from collections.abc import Mapping
from typing import Final

from eth.vm import opcode_values as op

from node.chain.evm.runtime import WORD_MASK

_MASK: Final = hex(WORD_MASK)

BINARY: Final[Mapping[int, tuple[int, str]]] = {
    op.ADD: (3, "({0} + {1}) & " + _MASK),
    op.MUL: (5, "({0} * {1}) & " + _MASK),
    op.SUB: (3, "({0} - {1}) & " + _MASK),
    op.DIV: (5, "{0} // {1} if {1} else 0"),
    op.SDIV: (5, "divide_signed({0}, {1})"),
    op.MOD: (5, "{0} % {1} if {1} else 0"),
    op.SMOD: (5, "remain_signed({0}, {1})"),
    op.SIGNEXTEND: (5, "extend_sign({0}, {1})"),
    op.LT: (3, "1 if {0} < {1} else 0"),
    op.GT: (3, "1 if {0} > {1} else 0"),
    op.SLT: (3, "is_less_signed({0}, {1})"),
    op.SGT: (3, "is_less_signed({1}, {0})"),
    op.EQ: (3, "1 if {0} == {1} else 0"),
    op.AND: (3, "{0} & {1}"),
    op.OR: (3, "{0} | {1}"),
    op.XOR: (3, "{0} ^ {1}"),
    op.BYTE: (3, "get_byte({0}, {1})"),
    op.SHL: (3, "({1} << {0}) & " + _MASK + " if {0} < 256 else 0"),
    op.SHR: (3, "{1} >> {0} if {0} < 256 else 0"),
    op.SAR: (3, "shift_right_signed({0}, {1})"),
}
"""Gas and expression of pure functions of two operands, the upper one first."""

UNARY: Final[Mapping[int, tuple[int, str]]] = {
    op.ISZERO: (3, "0 if {0} else 1"),
    op.NOT: (3, "{0} ^ " + _MASK),
}

TERNARY: Final[Mapping[int, tuple[int, str]]] = {
    op.ADDMOD: (8, "({0} + {1}) % {2} if {2} else 0"),
    op.MULMOD: (8, "({0} * {1}) % {2} if {2} else 0"),
}

READS: Final[Mapping[int, tuple[int, str]]] = {
    op.ADDRESS: (2, "read_number(c.msg.storage_address, 'big')"),
    op.ORIGIN: (2, "read_number(c.transaction_context.origin, 'big')"),
    op.CALLER: (2, "read_number(c.msg.sender, 'big')"),
    op.CALLVALUE: (2, "c.msg.value"),
    op.CALLDATASIZE: (2, "len(c.msg.data)"),
    op.CODESIZE: (2, "len(c.msg.code)"),
    op.GASPRICE: (2, "c.transaction_context.gas_price"),
    op.RETURNDATASIZE: (2, "len(c.return_data)"),
    op.TIMESTAMP: (2, "c.state.timestamp"),
    op.NUMBER: (2, "c.state.block_number"),
    op.GASLIMIT: (2, "c.state.gas_limit"),
    op.BASEFEE: (2, "c.state.base_fee"),
    op.CHAINID: (2, "c.state.execution_context.chain_id"),
    op.SELFBALANCE: (5, "c.state.get_balance(c.msg.storage_address)"),
    op.MSIZE: (2, "len(mem)"),
}
"""Gas and expression of opcodes that push one number and take none."""

HELPERS: Final[Mapping[int, tuple[int, int, bool, str]]] = {
    op.CALLDATALOAD: (3, 1, True, "load_call_data(c.msg.data, {0})"),
    op.SHA3: (30, 2, True, "hash_memory(c, {0}, {1})"),
    op.EXP: (10, 2, True, "raise_to_power(c, {0}, {1})"),
    op.SLOAD: (0, 1, True, "load_slot(c, {0})"),
    op.CALLDATACOPY: (3, 3, False, "copy_to_memory(c, c.msg.data, {0}, {1}, {2})"),
    op.CODECOPY: (3, 3, False, "copy_to_memory(c, c.msg.code, {0}, {1}, {2})"),
    op.RETURNDATACOPY: (3, 3, False, "copy_return_data(c, {0}, {1}, {2})"),
    op.MCOPY: (3, 3, False, "copy_memory(c, {0}, {1}, {2})"),
}
"""Gas, operands, whether it pushes, and expression of opcodes that charge more themselves."""

EXACT: Final = frozenset({op.CREATE, op.CREATE2})
"""py-evm's opcodes that look at the gas that is left."""

PY_EVM: Final[Mapping[int, tuple[int, bool]]] = {
    op.BALANCE: (1, True),
    op.EXTCODESIZE: (1, True),
    op.EXTCODECOPY: (4, False),
    op.EXTCODEHASH: (1, True),
    op.BLOCKHASH: (1, True),
    op.COINBASE: (0, True),
    op.PREVRANDAO: (0, True),
    op.BLOBHASH: (1, True),
    op.BLOBBASEFEE: (0, True),
    op.TLOAD: (1, True),
    op.TSTORE: (2, False),
    op.LOG0: (2, False),
    op.LOG1: (3, False),
    op.LOG2: (4, False),
    op.LOG3: (5, False),
    op.LOG4: (6, False),
    op.CREATE: (3, True),
    op.CREATE2: (4, True),
}
"""Operands, and whether a number is pushed, of opcodes that py-evm runs on the real stack."""
