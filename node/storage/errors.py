"""What can go wrong with a store on disk. An operator acts on every one of these."""

from typing import Final

from node.errors import OperationalFault

RAISE_HANDLES: Final = "Raise the process's limit of open files (LimitNOFILE, `ulimit -n`)"
"""The next step when file handles have run out."""


class StoreError(OperationalFault):
    """A store cannot be opened, read or written."""


class StoreDamaged(StoreError):
    """The files hold something that was never written so; nothing in them is to be trusted."""


class StoreBusy(StoreError):
    """Another process has the store open; two writers would destroy it."""


class StoreFull(StoreError):
    """The disk refused a write. What was acknowledged before is safe, the new write is not."""


class StoreMismatch(StoreError):
    """The store belongs to another network or to another version of the layout."""
