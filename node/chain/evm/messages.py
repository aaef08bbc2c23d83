"""Messages and gas meters without the type checks of py-evm's constructors.

py-evm checks every field of every message although its own opcodes made them; at four messages a
transaction that costs as much as the opcodes in between. Here only the code in this package and
py-evm's CREATE make messages, from values that are in range by construction.
"""

from eth.vm.gas_meter import GasMeter, allow_negative_refund_strategy
from eth.vm.message import Message

from consensus.types import Address


class LedgerMessage(Message):
    """A message: who calls whom with what."""

    # Plain attributes in place of properties: they are read for every access to storage.
    __slots__ = ("code_address", "is_create", "is_delegation", "storage_address")

    def __init__(
        self,
        *,
        gas: int,
        to: Address,
        sender: Address,
        value: int,
        data: bytes,
        code: bytes,
        depth: int = 0,
        create_address: Address | None = None,
        code_address: Address | None = None,
        should_transfer_value: bool = True,
        is_static: bool = False,
        is_delegation: bool = False,
    ) -> None:
        """Take the fields as they are; `to` is empty for a creation."""
        self.gas = gas
        self.to = to
        self.sender = sender
        self.value = value
        self.data = data
        self.code = code
        self.depth = depth
        self.storage_address = to if create_address is None else create_address
        self.code_address = to if code_address is None else code_address
        self.is_create = not to  # type: ignore[misc]  # a property above, an attribute here
        self.should_transfer_value = should_transfer_value
        self.is_static = is_static
        self.is_delegation = is_delegation
        self.refund = 0


class LedgerGasMeter(GasMeter):
    """The gas of one computation."""

    def __init__(self, gas: int) -> None:
        """Start with `gas`."""
        self.refund_strategy = allow_negative_refund_strategy
        self.start_gas = gas
        self.gas_remaining = gas
        self.gas_refunded = 0
