"""What can go wrong in the validator, in the node's four branches."""

from node.errors import OperationalFault, PeerFault, UserFault

RESUME_STEP = (
    "If no other node runs with this key, run `atesta keys resume`; the node then signs again at "
    "heights above any that it may have signed before"
)


class SignStateUnusable(OperationalFault):
    """The sign state is missing, damaged or older than it must be: this node must not sign."""

    def __init__(self, message: str) -> None:
        super().__init__(message, field="sign state", next_step=RESUME_STEP)


class SignStateNotWritten(OperationalFault):
    """The sign state could not be made durable; what needed it was not sent."""


class SignStateForeign(UserFault):
    """The sign state belongs to another key or another chain."""


class SignStateExists(UserFault):
    """A sign state is there already and must not be replaced by an empty one."""


class MalformedMessage(PeerFault):
    """A peer sent bytes that are no consensus message."""
