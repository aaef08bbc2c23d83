"""Whose fault it is when the chain refuses something."""

from node.errors import LocalFault, OperationalFault, PeerFault, UserFault


class InvalidBlock(PeerFault):
    """A block that breaks a rule; the message names the rule."""


class TooEarly(InvalidBlock):
    """The block is in order but ahead of our clock: valid later, and nobody is to blame."""


class UnknownParent(InvalidBlock):
    """The block does not follow our head: it is from the future, or from another chain."""


class ConflictingBlock(InvalidBlock):
    """A sealed block contradicts a final block of ours at the same height."""


class TransactionInvalid(UserFault):
    """A transaction that cannot be executed; `field` names the part, `reason` says why."""

    def __init__(self, field: str, reason: str) -> None:
        """Keep both parts apart for the API."""
        super().__init__(reason, field=field)
        self.reason = reason


class NonceGap(TransactionInvalid):
    """The nonce is too high for now: an earlier transaction of the sender is missing."""


class BlockFull(TransactionInvalid):
    """The block has too little gas left; the transaction fits into a later one."""


class DeadlineExceeded(OperationalFault):
    """Execution was cut off because it took longer than it may. Nothing was changed."""


class StateMissing(OperationalFault):
    """The state asked for is not retained here (pruned, or the store is damaged)."""


class GenesisInvalid(UserFault):
    """The genesis file cannot be used; `field` names the key."""


class SlowBackend(OperationalFault):
    """A pure-Python fallback is in force where compiled code is required."""


class ExecutionDiverged(LocalFault):
    """A quorum has sealed a block that this node executes to another result; it must stop."""


class ChainBug(LocalFault):
    """The chain reached a state that its code promises never to reach."""
