"""Every kind of contradiction, from the messages to a file that convinces a third party."""

import json
from collections.abc import Callable

import pytest

from consensus.evidence import Evidence, encode_evidence, find_conflict
from consensus.messages import Message
from consensus.types import Hash32
from node.daemon.evidence_desk import EvidenceDesk
from node.evidence.document import INTRUSIONS, parse_document
from node.evidence.naming import KINDS
from node.evidence.verifier import verify_evidence
from node.evidence.wording import describe_finding
from node.storage.memory import MemoryStore
from node.validator import evidence_store
from node.validator.evidence_store import DatabaseEvidence
from tests.simulation.forge import (
    make_block,
    make_certificate,
    make_commit,
    make_prepare,
    make_proposal,
    make_round_change,
)
from tests.unit.evidence.evidence_ledger import KEYS, TRAITOR, EvidenceLedger, contradict

ONE, OTHER = (Hash32(bytes([number]) * 32) for number in (1, 2))
HEIGHT, ROUND = 3, 2


def make_pair(kind: str, ledger: EvidenceLedger) -> tuple[Message, Message]:
    """Return two messages of the traitor that contradict each other at HEIGHT and ROUND."""
    parent = ledger.chain.get_header(HEIGHT - 1)
    assert parent is not None
    blocks = [make_block(parent, coinbase=key) for key in (TRAITOR, next(iter(KEYS.values())))]
    certificate = make_certificate(list(KEYS.values())[:3], blocks[0], 0)
    makers: dict[str, Callable[[], tuple[Message, Message]]] = {
        "conflicting_proposals": lambda: (
            make_proposal(TRAITOR, blocks[0], ROUND),
            make_proposal(TRAITOR, blocks[1], ROUND),
        ),
        "conflicting_prepares": lambda: (
            make_prepare(TRAITOR, HEIGHT, ROUND, ONE),
            make_prepare(TRAITOR, HEIGHT, ROUND, OTHER),
        ),
        "conflicting_commits": lambda: (
            make_commit(TRAITOR, HEIGHT, ROUND, ONE),
            make_commit(TRAITOR, HEIGHT, ROUND, OTHER),
        ),
        "conflicting_round_changes": lambda: (
            make_round_change(TRAITOR, HEIGHT, ROUND),
            make_round_change(TRAITOR, HEIGHT, ROUND, certificate),
        ),
    }
    return makers[kind]()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in INTRUSIONS])
def test_contradiction_of_every_kind_is_kept_listed_and_proved(kind: str) -> None:
    ledger = EvidenceLedger()
    for _ in range(HEIGHT):
        ledger.mine()
    evidence = find_conflict(*make_pair(kind, ledger))
    assert evidence is not None
    EvidenceDesk(ledger.store, ledger.chain).contradictions.keep(evidence)
    desk = EvidenceDesk(ledger.store, ledger.chain)  # as after a restart
    (listed,) = desk.get_newest(10)
    assert (listed.kind, listed.height, listed.round) == (kind, HEIGHT, ROUND)
    assert listed.offender == TRAITOR.address
    content = json.dumps(desk.export(listed.id))
    finding = verify_evidence(parse_document(content), ledger.genesis)
    assert (finding.kind, finding.offender) == (kind, TRAITOR.address)
    assert TRAITOR.address.hex() in " ".join(describe_finding(finding))


def test_proof_against_one_validator_is_bounded_and_leaves_room_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MemoryStore()
    first, second = contradict(1), contradict(2)
    other = next(key for key in KEYS.values() if key.address != TRAITOR.address)
    size = len(encode_evidence(first))
    monkeypatch.setattr(evidence_store, "MAX_BYTES_PER_AUTHOR", 2 * size + size // 2)

    def keep(evidence: Evidence, kept: DatabaseEvidence) -> int:
        kept.keep(evidence)
        return len(list(kept.iterate()))

    running = DatabaseEvidence(store)
    assert keep(first, running) == 1
    assert keep(second, running) == 2
    assert keep(contradict(3), running) == 2, "enough is proved"
    assert keep(contradict(3, key=other), running) == 3
    restarted = DatabaseEvidence(store)
    assert keep(contradict(4), restarted) == 3, "a restart does not forget how much there is"
    assert keep(contradict(4, key=other), restarted) == 4
