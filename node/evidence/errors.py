"""Why evidence is refused or cannot be made."""

from node.errors import OperationalFault, UserFault


class EvidenceRefused(UserFault):
    """An evidence file proves nothing; `field` names the first part that does not hold."""

    def __init__(self, field: str, message: str) -> None:
        """Name the part, dotted as in the file, and say what is wrong with it."""
        super().__init__(message, field=field)


class EvidenceUnavailable(OperationalFault):
    """This node cannot prove the act now, or no longer."""
