"""Why a transaction was not taken, in a form that a program and a person can both act on."""

from node.errors import OperationalFault, UserFault


class MempoolRefusal(UserFault):
    """A transaction that the mempool does not take.

    `field` names the part of the transaction at fault (`transaction` where it is the whole),
    `code` is stable and machine-readable, `reason` says what is wrong and what would be right.
    """

    def __init__(self, field: str, reason: str, code: str) -> None:
        super().__init__(reason, field=field)
        self.reason = reason
        self.code = code


class JournalDamaged(OperationalFault):
    """The journal's middle does not match its checksums: the disk lost acknowledged work.

    A torn end is not damage; it is the write that a crash interrupted, acknowledged to nobody.
    """


class JournalFailed(OperationalFault):
    """The journal could not be written, so nothing more may be acknowledged until a restart."""
