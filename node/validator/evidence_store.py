"""Proof of other validators' contradictions, kept in the database.

A validator that contradicts itself may do so many times; what matters is that it did, so at most a
hundred proofs per height are kept, one per place, and the same place again changes nothing. Two
conflicting proposals are as large as their blocks, so a traitor could fill the disk with proof
against itself: what it has made this node keep is bounded too.
"""

from collections.abc import Iterator

from consensus.evidence import Evidence, decode_evidence, encode_evidence
from consensus.types import Address, Height
from node.storage.keys import EVIDENCE, HEIGHT_BYTES, encode_height
from node.storage.kv import KeyValueStore, WriteBatch

MAX_PER_HEIGHT = 100
MAX_BYTES_PER_AUTHOR = 64 * 1024 * 1024
"""Proof against one validator beyond this proves nothing new."""

_WRITE_KIND = "evidence"
_TAG = b"q"
"""Sets proofs about consensus messages apart from other evidence in the same table."""
_TAG_AT = len(EVIDENCE) + HEIGHT_BYTES
_AUTHOR_AT = _TAG_AT + len(_TAG)


class DatabaseEvidence:
    """An `EvidenceStore` over the node's store."""

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store
        self._kept_bytes: dict[Address, int] = {}

    def keep(self, evidence: Evidence) -> None:
        """Store evidence unless there is some for the same author and place."""
        prefix = EVIDENCE + encode_height(evidence.height) + _TAG
        place = bytes([evidence.code]) + evidence.round.to_bytes(4, "big")
        key = prefix + evidence.author + place
        if self._store.get(key) is not None:
            return
        if sum(1 for _ in self._store.iterate(prefix)) >= MAX_PER_HEIGHT:
            return
        value = encode_evidence(evidence)
        kept_bytes = self._count_bytes(evidence.author) + len(value)
        if kept_bytes > MAX_BYTES_PER_AUTHOR:
            return
        batch = WriteBatch()
        batch.put(key, value)
        self._store.write(batch, kind=_WRITE_KIND)
        self._kept_bytes[evidence.author] = kept_bytes

    def iterate(self, *, start: Height | None = None) -> Iterator[Evidence]:
        """Yield evidence from height `start` on, newest height first."""
        first = b"" if start is None else encode_height(start)
        for key, value in self._store.iterate(EVIDENCE, start=first, reverse=True):
            if key[_TAG_AT:].startswith(_TAG):
                yield decode_evidence(value)

    def _count_bytes(self, author: Address) -> int:
        """Return the size of what is kept against `author`, reading the table once."""
        if author not in self._kept_bytes:
            self._kept_bytes[author] = sum(
                len(value)
                for key, value in self._store.iterate(EVIDENCE)
                if key[_AUTHOR_AT : _AUTHOR_AT + len(author)] == author
                and key[_TAG_AT:].startswith(_TAG)
            )
        return self._kept_bytes[author]
