"""What an operator's monitoring sees of the node's own counters."""

from consensus.evidence import find_conflict
from consensus.types import Address, Hash32
from node.daemon.intruders import Intrusion
from node.daemon.status import NodeObserver
from node.evidence.naming import KINDS
from tests.simulation.forge import make_commit, make_prepare
from tests.unit.evidence.evidence_ledger import TRAITOR


def count_evidence(observer: NodeObserver) -> dict[str, float]:
    """Return the evidence counter by kind."""
    found = [metric for metric in observer.get_metrics() if metric.name == "evidence_total"]
    assert all(metric.kind == "counter" for metric in found)
    labels = [dict(metric.labels)["kind"] for metric in found]
    return dict(zip(labels, (metric.value for metric in found), strict=True))


def test_metrics_count_evidence_by_kind_beginning_with_zero() -> None:
    observer = NodeObserver()
    assert count_evidence(observer) == dict.fromkeys(KINDS, 0)
    one, other = (Hash32(bytes([number]) * 32) for number in (1, 2))
    for make, times in ((make_prepare, 2), (make_commit, 1)):
        for height in range(1, 1 + times):
            evidence = find_conflict(make(TRAITOR, height, 0, one), make(TRAITOR, height, 0, other))
            assert evidence is not None
            observer.on_evidence(evidence)
    intrusion = Intrusion(
        kind="unpermitted_sender",
        height=7,
        block_hash=one,
        proposer=TRAITOR.address,
        transaction_hash=other,
        sender=Address(bytes(20)),
    )
    observer.on_intrusions((intrusion, intrusion))
    seen = {kind: value for kind, value in count_evidence(observer).items() if value}
    assert seen == {"conflicting_prepares": 2, "conflicting_commits": 1, "unpermitted_sender": 2}
