"""Counters of the network, read by the metrics page and the operator's status."""

from collections import Counter


class NetworkMetrics:
    """Named counters that only grow, and gauges that are set.

    Counters: `frames_received`, `bytes_sent`, `bytes_received`, `frames_dropped`,
    `dials`, `dial_failures`, `admitted`, `refused_<error>`, `refused_pending`,
    `refusals_not_logged`, `consensus_new`, `consensus_repeated`, `consensus_refused`,
    `consensus_relayed`,
    `transactions_new`, `transactions_repeated`, `transactions_sent`, `offers`, `wants`,
    `blocks_served`, `blocks_imported`, `sync_runs`, `sync_timeouts`, `bad_blocks`,
    `early_blocks`, `peer_faults`, `handler_failures`, `admission_failures`.
    Gauges: `peers`.
    """

    __slots__ = ("_counters", "_gauges")

    def __init__(self) -> None:
        self._counters: Counter[str] = Counter()
        self._gauges: dict[str, float] = {}

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a counter."""
        self._counters[name] += amount

    def set(self, name: str, value: float) -> None:
        """Set a gauge."""
        self._gauges[name] = value

    def get(self, name: str) -> float:
        """Return a counter's or gauge's value, 0 if it was never touched."""
        return self._gauges.get(name, self._counters.get(name, 0))

    def snapshot(self) -> dict[str, float]:
        """Return all of them by name, sorted."""
        return dict(sorted({**self._counters, **self._gauges}.items()))
