"""A ledger with real contracts whose validators have changed twice, and what tests do to files."""

import hashlib
import io
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from contracts.addresses import AGENCY_REGISTRY_NAME, REGISTRY
from contracts.codec import encode_call
from contracts.decisions import DecisionKind, encode_payload
from contracts.development import list_development_agencies
from contracts.labels import encode_label
from contracts.testkeys import get_address
from node.chain.blockchain import Blockchain
from node.snapshot.chunks import ChunkKind, ChunkReader, ChunkWriter
from node.snapshot.exporter import ExportedSnapshot, export_snapshot
from node.snapshot.reader import SnapshotSummary, Trust, read_snapshot
from node.storage.memory import MemoryStore
from scripts.benchmarks.ledger_chain import AGENCIES, LedgerChain, load_committed_genesis

FIFTH, SIXTH = get_address(5, "validator"), get_address(6, "validator")

Chunks = list[tuple[ChunkKind, bytes]]


class SnapshotWorld:
    """A short chain: attestations, a fifth validator in, out again, and a sixth in."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.ledger = LedgerChain(load_committed_genesis(), self.store)
        self.genesis = self.ledger.genesis
        self._proposals = 0
        self._agency = encode_label(list_development_agencies(AGENCIES)[0].label)
        self.ledger.prepare_schema()
        self.attest(3)
        self.decide(DecisionKind.ADD_VALIDATOR, [self._agency, FIFTH])
        self.attest(2)
        self.decide(DecisionKind.REMOVE_VALIDATOR, [FIFTH])
        self.attest(4)

    @property
    def chain(self) -> Blockchain:
        return self.ledger.chain

    @property
    def trust(self) -> Trust:
        return Trust(genesis=self.genesis)

    def attest(self, count: int) -> None:
        imported = self.ledger.grow(list(self.ledger.make_attestations(count)))
        self.ledger.require_success(imported)

    def add_sixth(self) -> None:
        self.decide(DecisionKind.ADD_VALIDATOR, [self._agency, SIXTH])

    def decide(self, kind: DecisionKind, args: list[Any]) -> None:
        """Propose as the first agency and let all vote in one block, in which it is decided."""
        self._proposals += 1
        expires = self.chain.head.timestamp + 3_600
        payload = encode_payload(kind, args)
        self._call([1], "propose", [int(kind), payload, bytes(32), expires])
        before = set(self.chain.get_validators(self.chain.head))
        self._call(range(1, AGENCIES + 1), "vote", [self._proposals, True])
        assert set(self.chain.get_validators(self.chain.head)) != before, "it was decided"

    def export(self, **options: Any) -> tuple[bytes, ExportedSnapshot]:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "ledger.snapshot"
            made = export_snapshot(self.store, self.chain, path, **options)
            return path.read_bytes(), made

    def _call(self, numbers: Any, function: str, args: list[Any]) -> None:
        data = encode_call(AGENCY_REGISTRY_NAME, function, args)
        self.ledger.grow(
            [self.ledger.sign(number, "account", REGISTRY, data, 2_000_000) for number in numbers]
        )


@cache
def get_world() -> SnapshotWorld:
    """Return the one chain that tests only read; making it takes a second."""
    return SnapshotWorld()


@cache
def get_snapshot() -> bytes:
    """Return a snapshot of that chain's head."""
    return get_world().export()[0]


def read(data: bytes, trust: Trust | None = None) -> SnapshotSummary:
    return read_snapshot(io.BytesIO(data), trust or get_world().trust)


def split(data: bytes) -> Chunks:
    """Return the chunks of a file."""
    reader = ChunkReader(io.BytesIO(data))
    chunks = [reader.read()]
    while chunks[-1][0] is not ChunkKind.END:
        chunks.append(reader.read())
    return chunks


def join(chunks: Chunks) -> bytes:
    """Write a file of these chunks with checksums that fit, as a forger would."""
    file = io.BytesIO()
    writer = ChunkWriter(file)
    for kind, payload in chunks:
        writer.write(kind, payload)
    return file.getvalue()


def compute_seal(data: bytes) -> bytes:
    """Compute a file's last digest from scratch."""
    digest = hashlib.sha256(data[:17]).digest()
    position = 17
    for kind, payload in split(data):
        end = position + 5 + len(payload)
        assert data[position] == kind
        digest = hashlib.sha256(digest + data[position:end]).digest()
        position = end + 32
    assert position == len(data)
    return digest
