"""What the API asks of a node about snapshots: files from which a new node starts.

A snapshot is written where the node runs, since it may be as large as the ledger's state; the
answer says where it is, and the operator's tools on that machine take it from there.
"""

from collections.abc import Mapping
from typing import Any, Protocol


class SnapshotWriter(Protocol):
    """The part of the port to a node that writes snapshots."""

    async def export_snapshot(self, height: int) -> Mapping[str, Any]:
        """Write the state after a final block to a file beside the node.

        Returns, as JSON values, `file`, `number`, `hash`, `parts`, `bytes` and `seal`. Raises
        `MethodNotEnabled` where the node behind this API writes none, `NotFound` or `InvalidField`
        for a block whose state it does not have, `UpstreamFault` if it cannot write now.
        """
