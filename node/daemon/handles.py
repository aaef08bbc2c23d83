"""File handles: enough of them before anything is opened, instead of too few in the middle.

A node holds the tables of its database, the connections of peers and clients, and for a moment
each file that it makes durable. Where the last handle is gone, a validator cannot write its sign
state and must stop. Most systems start a process with a low soft limit under a high hard one, so
the node raises its own; where even the hard limit is too low, it says so at its start.
"""

import resource
from typing import Final

from node.errors import OperationalFault
from node.storage.errors import RAISE_HANDLES

ENOUGH_HANDLES: Final = 4_096
"""What a node asks for: database, peers, and some thousand clients."""
FEWEST_HANDLES: Final = 256
"""What it cannot do without: 74 for the database, 50 for those of the API, 64 for peers, spare."""


def reserve_handles() -> int:
    """Raise this process's soft limit of open files as far as is useful; return the limit.

    Raises OperationalFault if the hard limit is too low to run a node.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = ENOUGH_HANDLES if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_HANDLES)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    elif soft != resource.RLIM_INFINITY:
        allowed = soft
    if allowed < FEWEST_HANDLES:
        raise OperationalFault(
            f"this process may have {allowed} files open, and a node needs {FEWEST_HANDLES}",
            next_step=RAISE_HANDLES,
        )
    return allowed
