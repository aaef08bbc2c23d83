"""A ledger of this process, for benchmarks: real contracts, published keys, sealed blocks.

Four agencies with one validator each, as `genesis.json` has them. The benchmark signs transactions
as their accounts do and seals blocks with all validators' keys, so that what it measures is what a
node does with the same bytes.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from coincurve import PrivateKey
from eth_hash.auto import keccak

from consensus import rlp_codec
from consensus.block import Block
from consensus.extra_data import ExtraData, encode_extra_data
from consensus.header import compute_commit_hash, with_seals
from consensus.proposer import select_proposer
from consensus.rlp_codec import RlpItem, encode_scalar
from consensus.signatures import ValidatorKey
from consensus.types import Round
from contracts.addresses import ATTESTATIONS, ATTESTATIONS_NAME, SCHEMAS, SCHEMAS_NAME
from contracts.codec import encode_call
from contracts.development import list_development_agencies
from contracts.labels import encode_label
from contracts.testkeys import Purpose, get_address, get_private_key
from node.chain.blockchain import Blockchain
from node.chain.deadline import Deadline
from node.chain.genesis import Genesis, load_genesis
from node.chain.results import ImportedBlock
from node.chain.transactions import Transaction, decode_transactions
from node.storage.kv import KeyValueStore
from node.storage.memory import MemoryStore

AGENCIES = 4
MOST_AGENCIES = 10
"""Agencies that published keys exist for."""
ISSUER = 1
ISSUER_PURPOSES: tuple[Purpose, ...] = ("clerk", "account")
SCHEMA_OWNER = 2
SCHEMA = hashlib.sha256(b"benchmark schema").digest()
ATTEST_GAS = 400_000
SHA256_ALGORITHM = 1


def load_committed_genesis() -> Genesis:
    """Read the genesis file of this repository."""
    return load_genesis(Path(__file__).resolve().parents[2] / "genesis.json")


class LedgerChain:
    """One chain with everything that is needed to let it grow."""

    def __init__(
        self, genesis: Genesis, store: KeyValueStore | None = None, *, retain_blocks: int = 0
    ) -> None:
        """Open a chain in `store`, or in memory; keep the last states only, or all (0)."""
        self.genesis = genesis
        self._now_s = float(genesis.header.timestamp)
        self.chain = Blockchain.open(
            store or MemoryStore(),
            genesis,
            clock=lambda: self._now_s + 10**9,
            retain_blocks=retain_blocks,
        )
        self._validators = {
            key.address: key
            for key in (
                ValidatorKey(get_private_key(number, "validator"))
                for number in range(1, MOST_AGENCIES + 1)
            )
        }
        self._nonces: dict[tuple[int, Purpose], int] = {}

    def sign(self, number: int, purpose: Purpose, to: bytes, data: bytes, gas: int) -> bytes:
        """Return the bytes of the next transaction of a published account."""
        nonce = self._nonces.get((number, purpose), 0)
        self._nonces[number, purpose] = nonce + 1
        fields: list[RlpItem] = [
            encode_scalar(self.genesis.chain_id),
            encode_scalar(nonce),
            b"",
            b"",
            encode_scalar(gas),
            to,
            b"",
            data,
            [],
        ]
        digest = keccak(b"\x02" + rlp_codec.encode(fields))
        signature = PrivateKey(get_private_key(number, purpose)).sign_recoverable(
            digest, hasher=None
        )
        numbers = (signature[64], _to_int(signature[:32]), _to_int(signature[32:64]))
        return b"\x02" + rlp_codec.encode([*fields, *map(encode_scalar, numbers)])

    def prepare_schema(self) -> None:
        """Register the benchmark's schema and accredit the issuer for it."""
        time_s = self.genesis.header.timestamp
        issuer = encode_label(list_development_agencies(AGENCIES)[ISSUER - 1].label)
        calls = [
            encode_call(
                SCHEMAS_NAME,
                "register",
                [SCHEMA, hashlib.sha256(b"p").digest(), bytes(32), 8, time_s, bytes(32)],
            ),
            encode_call(SCHEMAS_NAME, "accredit", [SCHEMA, issuer, time_s]),
        ]
        imported = self.grow(
            [self.sign(SCHEMA_OWNER, "account", SCHEMAS, call, 1_000_000) for call in calls]
        )
        self.require_success(imported)

    def read_nonces(self) -> None:
        """Go on signing where the chain's state ends, in a chain that another run has made."""
        state = self.chain.state_at(self.chain.head)
        for number, purpose in (
            *((ISSUER, each) for each in ISSUER_PURPOSES),
            (SCHEMA_OWNER, "account"),
        ):
            account = state.get_account(get_address(number, purpose))
            self._nonces[number, purpose] = 0 if account is None else account.nonce

    def make_attestations(self, count: int) -> Iterator[bytes]:
        """Yield signed attestations of the issuer's two accounts, in turn."""
        start = sum(self._nonces.values())
        for index in range(start, start + count):
            uid = hashlib.sha256(b"uid" + index.to_bytes(8, "big")).digest()
            commitment = hashlib.sha256(b"commitment" + index.to_bytes(8, "big")).digest()
            data = encode_call(
                ATTESTATIONS_NAME,
                "attest",
                [
                    uid,
                    SCHEMA,
                    commitment,
                    SHA256_ALGORITHM,
                    0,
                    self.genesis.header.timestamp,
                    bytes(32),
                ],
            )
            purpose = ISSUER_PURPOSES[index % 2]
            yield self.sign(ISSUER, purpose, ATTESTATIONS, data, ATTEST_GAS)

    def build(self, transactions: Sequence[Transaction]) -> Block:
        """Build a block with all of `transactions` and seal it with every validator's key."""
        parent = self.chain.head
        validators = self.chain.get_validators(parent)
        built = self.chain.build_block(
            parent=parent,
            timestamp=parent.timestamp + self.genesis.qbft.block_period_s,
            coinbase=select_proposer(
                parent.coinbase if parent.number else None, validators, Round(0)
            ),
            extra_data=encode_extra_data(ExtraData()),
            candidates=transactions,
            deadline=Deadline.after(3_600),
            is_permitted=lambda _transaction: True,
        )
        assert not built.dropped, f"{built.dropped[0].reason}"
        assert len(built.block.transactions) == len(transactions), "the block is full"
        return self.seal(built.block)

    def seal(self, block: Block) -> Block:
        """Return the block with the seals of all validators of the head, ordered by address."""
        digest = compute_commit_hash(block.header)
        present = self.chain.get_validators(self.chain.head)
        seals = [self._validators[address].sign(digest) for address in present]
        return replace(block, header=with_seals(block.header, seals))

    def grow(self, raws: Iterable[bytes]) -> ImportedBlock:
        """Build, seal and import one block of signed transactions."""
        return self.chain.import_block(self.build(decode_transactions(list(raws))))

    @staticmethod
    def require_success(imported: ImportedBlock) -> None:
        """Fail if the benchmark would measure reverts."""
        for index, receipt in enumerate(imported.receipts):
            assert receipt.status == 1, f"transaction {index} of the benchmark was reverted"


def _to_int(data: bytes) -> int:
    return int.from_bytes(data, "big")
