"""What the parts of the daemon tell the backend beside chain and mempool.

Plain functions, so that the backend knows neither the consensus engine nor the network beyond what
they report.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from eth_typing import Address, Hash32

from api.ports import ConsensusStatus, Evidence, Metric, PeerStatus, SyncStatus, Vote


class SnapshotControl(Protocol):
    """Writes snapshots while the node runs."""

    async def export(self, height: int) -> Mapping[str, Any]:
        """Write one; returns JSON values, raises ApiError."""
        ...

    def close(self) -> None:
        """End an export that runs, and wait for its end."""
        ...


class VoteControl(Protocol):
    """This node's standing header votes; absent in contract mode."""

    def get_votes(self) -> Iterable[Vote]:
        """Return the votes that coming proposals carry."""
        ...

    def propose(self, vote: Vote) -> None:
        """Vote in coming proposals."""
        ...

    def discard(self, recipient: Address) -> None:
        """Stop voting about `recipient`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendSources:
    """What the daemon reports beside chain and mempool; called on the event loop but for one."""

    get_consensus: Callable[[], ConsensusStatus]
    get_peers: Callable[[], Iterable[PeerStatus]]
    get_sync: Callable[[], SyncStatus | None]
    get_evidence: Callable[[int], Iterable[Evidence]]
    """Takes a limit; newest first."""
    export_evidence: Callable[[Hash32], Mapping[str, Any] | None]
    """Takes an id; called in a thread, since it reads and computes for a while."""
    get_metrics: Callable[[], Iterable[Metric]]
    snapshots: SnapshotControl | None = None
    votes: VoteControl | None = None
