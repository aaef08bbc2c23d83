"""Why a snapshot is refused, or cannot be made."""

from node.errors import OperationalFault, UserFault


class SnapshotRefused(UserFault):
    """A file that is not what it claims; `field` names the part that is wrong."""

    def __init__(self, part: str, reason: str, *, next_step: str | None = None) -> None:
        super().__init__(reason, field=part, next_step=next_step)


class SnapshotUnavailable(OperationalFault):
    """This node or this network cannot give a snapshot."""
