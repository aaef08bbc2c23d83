"""Running code: py-evm's opcodes under our loop, which looks at the clock.

The clock is seen when a call starts, every 1,000 opcodes within it, and before each precompile;
the slow precompiles look at it themselves.
"""

from collections.abc import Mapping
from typing import Any, Final

from eth.constants import STACK_DEPTH_LIMIT
from eth.exceptions import Halt, InsufficientFunds, StackDepthLimit
from eth.vm.code_stream import CodeStream
from eth.vm.forks.cancun.computation import CancunComputation
from eth.vm.memory import Memory
from eth.vm.opcode_values import SELFDESTRUCT
from eth.vm.stack import Stack

from consensus.types import Address
from node.chain.evm.compiler import HALT, MAX_OPCODES
from node.chain.evm.messages import LedgerGasMeter, LedgerMessage
from node.chain.evm.precompiles import LEDGER_PRECOMPILES, Precompile
from node.chain.evm.program import ProgramCache

OPCODES_PER_CHECK: Final = 1_000
TRACES_PER_CHECK: Final = OPCODES_PER_CHECK // MAX_OPCODES

LEDGER_OPCODES: Final = {
    **CancunComputation.opcodes,
    # Without the wrapper that warns about the opcode's future in a foreign network.
    SELFDESTRUCT: vars(CancunComputation.opcodes[SELFDESTRUCT])["__wrapped__"],
}


class LedgerComputation(CancunComputation):
    """The execution of one message."""

    opcodes = LEDGER_OPCODES
    _precompiles: Mapping[Address, Precompile] = LEDGER_PRECOMPILES
    precompile_addresses: frozenset[Address] = frozenset(LEDGER_PRECOMPILES)

    def __init__(self, state: Any, message: Any, transaction_context: Any) -> None:
        """Start with an empty stack and memory and the message's gas."""
        self.state = state
        self.msg = message
        self.transaction_context = transaction_context
        self._gas_meter = LedgerGasMeter(message.gas)
        self._stack = stack = Stack()
        self._memory = Memory()
        self._log_entries = []
        self.children = []
        self.accounts_to_delete = []
        self.beneficiaries = []
        self.data_floor_cost = 0
        # py-evm looks these up through a descriptor that costs more than what it saves.
        self.stack_pop_ints = stack.pop_ints
        self.stack_pop_bytes = stack.pop_bytes
        self.stack_pop_any = stack.pop_any
        self.stack_pop1_int = stack.pop1_int
        self.stack_pop1_bytes = stack.pop1_bytes
        self.stack_pop1_any = stack.pop1_any
        self.stack_push_int = stack.push_int
        self.stack_push_bytes = stack.push_bytes

    def prepare_child_message(
        self, gas: int, to: Address, value: int, data: Any, code: bytes, **fields: Any
    ) -> LedgerMessage:
        """Return the message of a creation or a call, one level deeper."""
        return LedgerMessage(
            gas=gas,
            to=to,
            sender=fields.pop("sender", self.msg.storage_address),
            value=value,
            data=data,
            code=code,
            depth=self.msg.depth + 1,
            **fields,
        )

    @classmethod
    def apply_message(
        cls,
        state: Any,
        message: Any,
        transaction_context: Any,
        parent_computation: Any = None,
    ) -> "LedgerComputation":
        """Move the value, run the code, undo everything on an error."""
        snapshot = state.snapshot()
        if message.depth > STACK_DEPTH_LIMIT:
            raise StackDepthLimit("Stack depth limit reached")
        if message.should_transfer_value and message.value:
            balance = state.get_balance(message.sender)
            if balance < message.value:
                raise InsufficientFunds(f"{balance} is less than {message.value}")
            state.set_balance(message.sender, balance - message.value)
            receiver = message.storage_address
            state.set_balance(receiver, state.get_balance(receiver) + message.value)
        state.touch_account(message.storage_address)
        computation = cls.apply_computation(state, message, transaction_context, parent_computation)
        if computation.is_error:
            state.revert(snapshot)
        return computation

    @classmethod
    def apply_computation(
        cls,
        state: Any,
        message: Any,
        transaction_context: Any,
        parent_computation: Any = None,
    ) -> "LedgerComputation":
        """Run the code of a message, or the precompile that it names."""
        state.deadline.check()
        computation = cls(state, message, transaction_context)
        with computation:
            computation._begin(parent_computation)
            precompile = cls._precompiles.get(message.code_address)
            if precompile is None:
                computation._run()
            else:
                precompile(computation)
        return computation

    def _begin(self, parent: Any) -> None:
        """Note created contracts, which alone may destruct themselves (EIP-6780)."""
        message = self.msg
        if parent is None:
            # The words of init code (EIP-3860) are part of a transaction's intrinsic gas here.
            self.contracts_created: list[Address] = []
        else:
            self.contracts_created = parent.contracts_created
        if message.is_create:
            self.contracts_created.append(message.storage_address)

    def _run(self) -> None:
        """Go from trace to trace, looking at the clock every few of them."""
        state: Any = self.state
        check = state.deadline.check
        message = self.msg
        self.code = CodeStream(message.code)
        programs: ProgramCache = state.programs
        program = (
            programs.make_single_use(message.code)
            if message.is_create
            else programs.get(message.code)
        )
        traces = program.traces
        operands: Any = self._stack
        stack: list[Any] = operands.values
        meter = self._gas_meter
        memory: Any = self._memory
        content: bytearray = memory._bytes  # noqa: SLF001 - py-evm has no public name for it
        pc = 0
        try:
            while True:
                check()
                for _ in range(TRACES_PER_CHECK):
                    trace = traces.get(pc) or program.enter(pc)
                    if trace is None:
                        pc = program.interpret(self, stack, pc)
                    else:
                        pc = trace(self, stack, meter, content)
                    if pc == HALT:
                        return
        except Halt:
            return
