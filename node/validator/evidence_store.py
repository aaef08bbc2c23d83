"""Proof of other validators' contradictions, kept in the database.

A validator that contradicts itself may do so many times; what matters is that it did, so at most a
hundred proofs per height are kept, one per place, and the same place again changes nothing.
"""

from collections.abc import Iterator

from consensus.evidence import Evidence, decode_evidence, encode_evidence
from consensus.types import Height
from node.storage.keys import EVIDENCE, encode_height
from node.storage.kv import KeyValueStore, WriteBatch

MAX_PER_HEIGHT = 100

_WRITE_KIND = "evidence"
_TAG = b"q"
"""Sets proofs about consensus messages apart from other evidence in the same table."""


class DatabaseEvidence:
    """An `EvidenceStore` over the node's store."""

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store

    def keep(self, evidence: Evidence) -> None:
        """Store evidence unless there is some for the same author and place."""
        prefix = EVIDENCE + encode_height(evidence.height) + _TAG
        place = bytes([evidence.code]) + evidence.round.to_bytes(4, "big")
        key = prefix + evidence.author + place
        if self._store.get(key) is not None:
            return
        if sum(1 for _ in self._store.iterate(prefix)) >= MAX_PER_HEIGHT:
            return
        batch = WriteBatch()
        batch.put(key, encode_evidence(evidence))
        self._store.write(batch, kind=_WRITE_KIND)

    def iterate(self, *, start: Height | None = None) -> Iterator[Evidence]:
        """Yield evidence from height `start` on, newest height first."""
        first = b"" if start is None else encode_height(start)
        for key, value in self._store.iterate(EVIDENCE, start=first, reverse=True):
            if key[len(EVIDENCE) + 8 :].startswith(_TAG):
                yield decode_evidence(value)
