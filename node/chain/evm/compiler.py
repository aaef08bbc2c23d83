"""Compiles straight runs of EVM code to Python functions.

py-evm calls three Python functions for every opcode, and two thirds of all opcodes only move
things on the stack. A *trace* is the run of opcodes from one entry point along the likely way: past
conditional jumps that are not taken and through jumps whose target is known, until a jump with an
unknown target, a halt, or a limit. It becomes one Python function. What the stack holds is followed
at compile time: pushes, duplicates, swaps and pops cost nothing at run time, constants stay
constants (so the return address of an internal call is a known target), and only what is left at
the end is put on the real stack.

Gas stays exact wherever it can be seen. A trace is cut into *segments*; the constant gas and the
stack bounds of a segment are checked at its start. Within a segment nothing can look at the gas
that is left, and every way to fail burns all of it, so failing early or late is the same. SSTORE,
GAS, calls and creations do look, and start a new segment, as a conditional jump does.

Opcodes that are not spelled out here are py-evm's own functions on the real stack. Tests run random
programs through py-evm and through this compiler and compare everything.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from eth.exceptions import (
    FullStack,
    InsufficientStack,
    InvalidJumpDestination,
    OutOfGas,
)
from eth.vm import opcode_values as op
from eth.vm.logic.invalid import InvalidOpcode

from node.chain.evm import opcodes, runtime

Trace = Callable[[Any, list[int], Any, bytearray], int]
"""(computation, stack, gas meter, memory) -> next program counter, or HALT."""

HALT: Final = -1
MAX_OPCODES: Final = 125
"""Opcodes of one trace at most; the clock is looked at between traces."""

STACK_LIMIT: Final = 1_024
_GLOBALS: Final[Mapping[str, Any]] = {
    **{name: getattr(runtime, name) for name in vars(runtime) if not name.startswith("_")},
    "FullStack": FullStack,
    "InsufficientStack": InsufficientStack,
    "InvalidJumpDestination": InvalidJumpDestination,
    "OutOfGas": OutOfGas,
}


def compile_trace(
    code: bytes,
    start: int,
    jump_targets: Collection[int],
    operations: Mapping[int, Callable[..., Any]],
) -> Trace:
    """Return the function of the trace that starts at `start`.

    `jump_targets` are the valid JUMPDEST positions, `operations` py-evm's opcodes.
    """
    source = _TraceWriter(code, jump_targets, operations).write(start)
    names: dict[str, Any] = {
        **_GLOBALS,
        "jump_targets": jump_targets,
        "operations": operations,
        "invalid": InvalidOpcode,
    }
    # The text consists of our own templates, decimal numbers and hexadecimal constants.
    exec(compile(source, f"<evm trace {start}>", "exec"), names)  # noqa: S102
    trace: Trace = names["trace"]
    return trace


class _TraceWriter:
    """Writes the text of one trace."""

    def __init__(
        self,
        code: bytes,
        jump_targets: Collection[int],
        operations: Mapping[int, Callable[..., Any]],
    ) -> None:
        self._code = code
        self._jump_targets = jump_targets
        self._operations = operations
        self._lines: list[str] = []
        self._names = 0
        self._virtual: list[str] = []
        """Operands on top of the real stack: names of locals, or constants."""
        self._least_real = 0
        """How many entries the real stack is known to have at least."""
        self._most_real = STACK_LIMIT
        """How many it is known to have at most."""
        self._segment_line = 0
        self._segment_gas = 0
        self._segment_start = 0
        self._depth = 0
        self._lowest = 0
        self._highest = 0

    def write(self, start: int) -> str:
        """Return the source of `def trace(...)`."""
        pc = start
        visited = {start}
        self._open_segment()
        for _ in range(MAX_OPCODES):
            opcode = self._code[pc] if pc < len(self._code) else op.STOP
            following = self._write_opcode(opcode, pc)
            if following is None:
                break
            if following != pc + 1 and opcode == op.JUMP:
                if following in visited:
                    self._leave(str(following))
                    break
                visited.add(following)
            pc = following
        else:
            self._leave(str(pc))
        self._close_segment()
        body = "\n".join(f"    {line}" for line in self._lines if line)
        return f"def trace(c, s, meter, mem):\n{body}\n"

    def _write_opcode(self, opcode: int, pc: int) -> int | None:
        """Write one opcode; return where the trace goes on, or None at its end."""
        if op.PUSH1 <= opcode <= op.PUSH32:
            count = opcode - op.PUSH1 + 1
            # Code that ends within the operand reads as if zeros followed.
            operand = self._code[pc + 1 : pc + 1 + count].ljust(count, b"\x00")
            self._account(3, 0, 1)
            self._virtual.append(hex(int.from_bytes(operand, "big")))
            return pc + 1 + count
        if op.DUP1 <= opcode <= op.DUP16:
            self._duplicate(opcode - op.DUP1 + 1)
        elif op.SWAP1 <= opcode <= op.SWAP16:
            self._swap(opcode - op.SWAP1 + 1)
        elif opcode in opcodes.BINARY:
            self._compute(*opcodes.BINARY[opcode], 2)
        elif opcode in opcodes.UNARY:
            self._compute(*opcodes.UNARY[opcode], 1)
        elif opcode in opcodes.TERNARY:
            self._compute(*opcodes.TERNARY[opcode], 3)
        elif opcode in opcodes.READS:
            gas, expression = opcodes.READS[opcode]
            self._account(gas, 0, 1)
            self._assign(expression)
        elif opcode in opcodes.HELPERS:
            self._call(*opcodes.HELPERS[opcode])
        elif opcode in opcodes.PY_EVM:
            self._run_py_evm(opcode)
        else:
            return self._write_special(opcode, pc)
        return pc + 1

    def _write_special(self, opcode: int, pc: int) -> int | None:
        match opcode:
            case op.PUSH0:
                self._account(2, 0, 1)
                self._virtual.append("0x0")
            case op.POP:
                self._account(2, 1, 0)
                self._pop()
            case op.JUMPDEST:
                self._account(1, 0, 0)
            case op.PC:
                self._account(2, 0, 1)
                self._virtual.append(hex(pc))
            case op.MLOAD:
                self._account(3, 1, 1)
                self._assign(f"read_number(mem[{self._reach_memory(32)}], 'big')")
            case op.MSTORE:
                self._account(3, 2, 0)
                place = self._reach_memory(32)
                self._lines.append(f"mem[{place}] = {_to_bytes_text(self._pop())}")
            case op.MSTORE8:
                self._account(3, 2, 0)
                place = self._reach_memory(1)
                self._lines.append(f"mem[{place}] = bytes((({self._pop()}) & 255,))")
            case op.SSTORE:
                self._open_segment()
                self._account(0, 2, 0)
                slot, value = self._pop(), self._pop()
                self._lines.append(f"store_slot(c, {slot}, {value})")
                self._open_segment()
            case op.CALL | op.CALLCODE | op.DELEGATECALL | op.STATICCALL:
                self._run_call(opcode)
            case op.GAS:
                self._open_segment()
                self._account(2, 0, 1)
                self._assign("meter.gas_remaining")
                self._open_segment()
            case op.JUMP:
                return self._jump()
            case op.JUMPI:
                self._jump_if()
            case _:
                self._halt(opcode)
                return None
        return pc + 1

    def _jump(self) -> int | None:
        self._account(8, 1, 0)
        target = self._pop()
        if not _is_constant(target):
            self._lines.append(f"if {target} not in jump_targets: raise InvalidJumpDestination")
            self._leave(target)
            return None
        if int(target, 16) not in self._jump_targets:
            self._lines.append("raise InvalidJumpDestination")
            return None
        return int(target, 16)

    def _jump_if(self) -> None:
        self._account(10, 2, 0)
        target, condition = self._pop(), self._pop()
        self._lines.append(f"if {condition}:")
        if not _is_constant(target):
            self._lines.append(f"    if {target} not in jump_targets: raise InvalidJumpDestination")
        elif int(target, 16) not in self._jump_targets:
            self._lines.append("    raise InvalidJumpDestination")
        if self._virtual:
            self._lines.append(f"    {self._spill_text()}")
        self._lines.append(f"    return {target}")
        self._open_segment()

    def _halt(self, opcode: int) -> None:
        match opcode:
            case op.STOP:
                self._account(0, 0, 0)
                self._lines.append(f"return {HALT}")
            case op.RETURN:
                self._account(0, 2, 0)
                self._lines.append(f"leave(c, {self._pop()}, {self._pop()})")
                self._lines.append(f"return {HALT}")
            case op.REVERT:
                self._account(0, 2, 0)
                self._lines.append(f"revert(c, {self._pop()}, {self._pop()})")
            case _:
                # SELFDESTRUCT raises Halt itself; anything unknown raises an error.
                self._spill()
                is_known = opcode in self._operations
                run = f"operations[{opcode}]" if is_known else f"invalid({opcode})"
                self._open_segment()
                self._lines.append(f"{run}(computation=c)")
                self._lines.append(f"return {HALT}")

    # -- operands --

    def _pop(self) -> str:
        if self._virtual:
            return self._virtual.pop()
        self._least_real -= 1
        self._most_real -= 1
        return self._name("s.pop()")

    def _assign(self, expression: str) -> None:
        self._virtual.append(self._name(expression))

    def _name(self, expression: str) -> str:
        self._names += 1
        name = f"t{self._names}"
        self._lines.append(f"{name} = {expression}")
        return name

    def _compute(self, gas: int, expression: str, count: int) -> None:
        self._account(gas, count, 1)
        operands = [self._pop() for _ in range(count)]
        text = expression.format(*operands)
        if all(_is_constant(operand) for operand in operands):
            # Our own template over constants: its value is a constant as well.
            self._virtual.append(hex(eval(text, dict(_GLOBALS))))  # noqa: S307
        else:
            self._assign(text)

    def _call(self, gas: int, count: int, is_pushing: bool, expression: str) -> None:
        self._account(gas, count, int(is_pushing))
        text = expression.format(*[self._pop() for _ in range(count)])
        if is_pushing:
            self._assign(text)
        else:
            self._lines.append(text)

    def _run_py_evm(self, opcode: int) -> None:
        count, is_pushing = opcodes.PY_EVM[opcode]
        if opcode in opcodes.EXACT:
            self._open_segment()
        self._account(0, count, int(is_pushing))
        self._spill()
        self._lines.append(f"operations[{opcode}](computation=c)")
        self._least_real += int(is_pushing) - count
        self._most_real += int(is_pushing) - count
        if is_pushing:
            name = self._pop()
            self._lines.append(f"if type({name}) is not int: {name} = read_number({name}, 'big')")
            self._virtual.append(name)
        if opcode in opcodes.EXACT:
            self._open_segment()

    def _run_call(self, opcode: int) -> None:
        has_value = opcode in (op.CALL, op.CALLCODE)
        self._open_segment()
        self._account(0, 7 if has_value else 6, 1)
        gas, target = self._pop(), self._pop()
        value = self._pop() if has_value else "0x0"
        window = ", ".join(self._pop() for _ in range(4))
        self._assign(f"run_call(c, {opcode}, {gas}, {target}, {value}, {window})")
        self._open_segment()

    def _duplicate(self, number: int) -> None:
        self._account(3, number, number + 1)
        if number <= len(self._virtual):
            self._virtual.append(self._virtual[-number])
        else:
            self._assign(f"s[-{number - len(self._virtual)}]")

    def _swap(self, number: int) -> None:
        self._account(3, number + 1, number + 1)
        if not self._virtual:
            self._virtual.append(self._pop())
        virtual = self._virtual
        if number < len(virtual):
            virtual[-1], virtual[-1 - number] = virtual[-1 - number], virtual[-1]
            return
        place = f"s[-{number + 1 - len(virtual)}]"
        name = self._name(place)
        self._lines.append(f"{place} = {virtual[-1]}")
        virtual[-1] = name

    def _reach_memory(self, size: int) -> str:
        """Write the expansion of memory for the popped offset; return the slice to use."""
        offset = self._pop()
        if _is_constant(offset):
            start = int(offset, 16)
            end: str | int = start + size
        else:
            end = self._name(f"{offset} + {size}")
        self._lines.append(f"if len(mem) < {end}: expand_memory(c, {end})")
        return f"{offset}:{end}"

    def _spill_text(self) -> str:
        if len(self._virtual) == 1:
            return f"s.append({self._virtual[0]})"
        return f"s += ({', '.join(self._virtual)})"

    def _spill(self) -> None:
        """Put the operands onto the real stack."""
        if self._virtual:
            self._lines.append(self._spill_text())
            self._least_real += len(self._virtual)
            self._most_real += len(self._virtual)
            self._virtual.clear()

    def _leave(self, target: str) -> None:
        self._spill()
        self._lines.append(f"return {target}")

    # -- segments --

    def _account(self, gas: int, taken: int, given: int) -> None:
        self._segment_gas += gas
        self._lowest = min(self._lowest, self._depth - taken)
        self._depth += given - taken
        self._highest = max(self._highest, self._depth)

    def _open_segment(self) -> None:
        if self._lines:
            self._close_segment()
        self._segment_line = len(self._lines)
        self._lines.append("")
        self._segment_gas = 0
        self._segment_start = len(self._virtual)
        self._segment_least = self._least_real
        self._segment_most = self._most_real
        self._depth = self._lowest = self._highest = 0

    def _close_segment(self) -> None:
        """Write the checks at the start of the segment, now that its needs are known."""
        checks = []
        needed = -self._lowest - self._segment_start
        if needed > self._segment_least:
            checks.append(f"if len(s) < {needed}: raise InsufficientStack")
            self._least_real += needed - self._segment_least
        allowed = STACK_LIMIT - self._segment_start - self._highest
        if allowed < self._segment_most:
            checks.append(f"if len(s) > {allowed}: raise FullStack")
            self._most_real += allowed - self._segment_most
        if self._segment_gas:
            checks.append(f"g = meter.gas_remaining - {self._segment_gas}")
            checks.append("if g < 0: raise OutOfGas")
            checks.append("meter.gas_remaining = g")
        self._lines[self._segment_line] = "\n    ".join(checks)


def _to_bytes_text(operand: str) -> str:
    if _is_constant(operand):
        return repr(int(operand, 16).to_bytes(32, "big"))
    return f"{operand}.to_bytes(32, 'big')"


def _is_constant(operand: str) -> bool:
    return operand.startswith("0x")
