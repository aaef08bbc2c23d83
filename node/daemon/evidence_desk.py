"""Everything this node holds against others: found, kept, listed, exported.

Contradictions of validators come from consensus, intruders are looked for in every block that
becomes final. Both are kept in the chain's store, have one id wherever they are named (list, log,
file), and become a file for third parties when somebody asks for it.
"""

from itertools import islice
from typing import Any

from eth_typing import Hash32

from api.ports import Evidence
from consensus.evidence import Evidence as Contradiction
from node.chain.blockchain import Blockchain
from node.daemon.intruders import IntruderEvidence, Intrusion
from node.evidence.document import write_document
from node.evidence.exporter import EvidenceExporter
from node.evidence.naming import compute_contradiction_id, compute_intrusion_id, name_kind
from node.storage.kv import KeyValueStore
from node.validator.evidence_store import DatabaseEvidence


class EvidenceDesk:
    """Both tables of evidence, over the node's store and chain. Safe to read from any thread."""

    def __init__(self, store: KeyValueStore, chain: Blockchain) -> None:
        self.contradictions = DatabaseEvidence(store)
        """What consensus reports; the validator's `EvidenceStore`."""
        self.intruders = IntruderEvidence(store)
        """What the watch over final blocks finds."""
        self._exporter = EvidenceExporter(chain)

    def get_newest(self, limit: int) -> list[Evidence]:
        """Return at most `limit` acts, newest height first."""
        found = list(islice(map(describe_intrusion, self.intruders.iterate()), limit))
        found += islice(map(describe_contradiction, self.contradictions.iterate()), limit)
        return sorted(found, key=lambda item: item.height, reverse=True)[:limit]

    def export(self, evidence_id: Hash32) -> dict[str, Any] | None:
        """Return the file about an act, None if there is none with this id; computes for a while.

        Raises EvidenceUnavailable or StateMissing if the chain here cannot prove it.
        """
        for contradiction in self.contradictions.iterate():
            if compute_contradiction_id(contradiction) == evidence_id:
                return write_document(self._exporter.export_contradiction(contradiction))
        for item in self.intruders.iterate():
            if (
                compute_intrusion_id(item.block_hash, item.transaction_hash, item.kind)
                == evidence_id
            ):
                document = self._exporter.export_intrusion(
                    item.block_hash, item.transaction_hash, item.kind
                )
                return write_document(document)
        return None


def describe_contradiction(evidence: Contradiction) -> Evidence:
    """Return a contradiction in the API's terms."""
    return Evidence(
        id=compute_contradiction_id(evidence),
        kind=name_kind(evidence.code),
        height=evidence.height,
        round=evidence.round,
        offender=evidence.author,
        details=(
            ("first", "0x" + evidence.first.hex()),
            ("second", "0x" + evidence.second.hex()),
        ),
    )


def describe_intrusion(item: Intrusion) -> Evidence:
    """Return an intrusion in the API's terms."""
    return Evidence(
        id=compute_intrusion_id(item.block_hash, item.transaction_hash, item.kind),
        kind=item.kind,
        height=item.height,
        round=None,
        offender=item.proposer,
        details=(
            ("block", "0x" + item.block_hash.hex()),
            ("transaction", "0x" + item.transaction_hash.hex()),
            ("sender", "0x" + item.sender.hex()),
        ),
    )
