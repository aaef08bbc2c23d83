"""Running code: py-evm's opcodes under our loop, which looks at the clock.

The clock is seen when a call starts, every 1,000 opcodes within it, and before each precompile;
the slow precompiles look at it themselves.
"""

from collections.abc import Mapping
from typing import Any, Final

from eth.constants import STACK_DEPTH_LIMIT
from eth.exceptions import Halt, InsufficientFunds, StackDepthLimit
from eth.vm.forks.cancun.computation import CancunComputation
from eth.vm.logic.invalid import InvalidOpcode
from eth.vm.opcode_values import SELFDESTRUCT

from consensus.types import Address
from node.chain.evm.precompiles import LEDGER_PRECOMPILES, Precompile

OPCODES_PER_CHECK: Final = 1_000

_OPCODES: Final = {
    **CancunComputation.opcodes,
    # Without the wrapper that warns about the opcode's future in a foreign network.
    SELFDESTRUCT: vars(CancunComputation.opcodes[SELFDESTRUCT])["__wrapped__"],
}


class LedgerComputation(CancunComputation):
    """The execution of one message."""

    opcodes = _OPCODES
    _precompiles: Mapping[Address, Precompile] = LEDGER_PRECOMPILES
    precompile_addresses: frozenset[Address] = frozenset(LEDGER_PRECOMPILES)

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
            self.contracts_created: list[Address] = []
            if message.is_create:
                self.consume_initcode_gas_cost(self)
        else:
            self.contracts_created = parent.contracts_created
        if message.is_create:
            self.contracts_created.append(message.storage_address)

    def _run(self) -> None:
        opcodes = self.opcodes
        state: Any = self.state
        check = state.deadline.check
        for count, opcode in enumerate(self.code, start=1):
            if count % OPCODES_PER_CHECK == 0:
                check()
            operation = opcodes.get(opcode) or InvalidOpcode(opcode)
            try:
                operation(computation=self)
            except Halt:
                break
