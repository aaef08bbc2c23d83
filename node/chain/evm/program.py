"""The code of one contract as it is run: cold parts opcode by opcode, hot parts compiled.

Compiling a trace takes as long as running it some hundred times, so code is first run with
py-evm's own functions; an entry point that was passed a few times is compiled. Programs are kept by
their code, within bounds, and shared by all sessions: what they hold follows from the code alone.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from eth.exceptions import Halt
from eth.vm import opcode_values as op
from eth.vm.logic.invalid import InvalidOpcode

from node.chain.evm.compiler import HALT, MAX_OPCODES, Trace, compile_trace
from node.chain.state_store import BoundedCache

COMPILE_AFTER: Final = 4
"""Passes of an entry point before it is compiled."""

_CACHED_PROGRAMS: Final = 64
_MAX_TRACES: Final = 4_096
"""Compiled traces kept in all, about 4 kB each."""

_MAX_COUNTED: Final = 16_384
_JUMPS: Final = frozenset({op.JUMP, op.JUMPI})

Operations = Mapping[int, Callable[..., Any]]


class Program:
    """One contract's code."""

    __slots__ = ("_code", "_counts", "_jump_targets", "_operations", "_owner", "traces")

    def __init__(self, code: bytes, operations: Operations, owner: "ProgramCache | None") -> None:
        """Take the code; without an owner (init code, run once) nothing is compiled."""
        self._code = code
        self._operations = operations
        self._owner = owner
        self._counts: dict[int, int] = {}
        self._jump_targets: frozenset[int] | None = None
        self.traces: dict[int, Trace] = {}
        """Compiled traces by entry point."""

    def enter(self, pc: int) -> Trace | None:
        """Return the trace at `pc` if it is hot enough to be compiled."""
        owner = self._owner
        if owner is None:
            return None
        count = self._counts.get(pc, 0) + 1
        if count <= owner.compile_after:
            if len(self._counts) >= _MAX_COUNTED:
                self._counts.clear()
            self._counts[pc] = count
            return None
        if self._jump_targets is None:
            self._jump_targets = find_jump_targets(self._code)
        trace = compile_trace(self._code, pc, self._jump_targets, self._operations)
        self.traces[pc] = trace
        owner.note_compiled()
        return trace

    def interpret(self, computation: Any, stack: list[Any], pc: int) -> int:
        """Run py-evm's opcodes from `pc` to the next jump; return where to go on, or HALT."""
        code = self._code
        stream = computation.code
        stream.program_counter = pc
        operations = self._operations
        for _ in range(MAX_OPCODES):
            pc = stream.program_counter
            opcode = code[pc] if pc < len(code) else op.STOP
            stream.program_counter = pc + 1
            operation = operations.get(opcode) or InvalidOpcode(opcode)
            try:
                operation(computation=computation)
            except Halt:
                return HALT
            # py-evm mixes numbers and bytes on its stack, compiled code has numbers only.
            if stack and type(stack[-1]) is not int:
                stack[-1] = int.from_bytes(stack[-1], "big")
            if opcode in _JUMPS:
                break
        counter: int = stream.program_counter
        return counter


class ProgramCache:
    """Programs by their code, bounded in number and in compiled traces."""

    def __init__(self, operations: Operations, *, compile_after: int = COMPILE_AFTER) -> None:
        """Start empty. `compile_after` = 0 compiles everything, for tests."""
        self._operations = operations
        self.compile_after = compile_after
        self._programs: BoundedCache[bytes, Program] = BoundedCache(_CACHED_PROGRAMS // 2)
        self._traces = 0

    def get(self, code: bytes) -> Program:
        """Return the program of a contract's code."""
        program = self._programs.get(code)
        if program is None:
            program = Program(code, self._operations, self)
            self._programs.put(code, program)
        return program

    def make_single_use(self, code: bytes) -> Program:
        """Return a program that is not kept, for init code."""
        return Program(code, self._operations, None)

    def note_compiled(self) -> None:
        """Count a compiled trace; forget everything when there are too many."""
        self._traces += 1
        if self._traces >= _MAX_TRACES:
            self._traces = 0
            self._programs = BoundedCache(_CACHED_PROGRAMS // 2)


def find_jump_targets(code: bytes) -> frozenset[int]:
    """Return the positions of JUMPDESTs that are not inside the operand of a PUSH."""
    targets = []
    pc = 0
    while pc < len(code):
        opcode = code[pc]
        if opcode == op.JUMPDEST:
            targets.append(pc)
        elif op.PUSH1 <= opcode <= op.PUSH32:
            pc += opcode - op.PUSH1 + 1
        pc += 1
    return frozenset(targets)
