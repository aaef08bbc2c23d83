"""A whole ledger in this process: the real chain, contracts, mempool, backend and dispatcher.

Only consensus and network are missing: `mine` builds a block from the mempool, seals it with three
of the four validators' published keys and imports it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from eth_account import Account as Signer

from api.jsonrpc.dispatcher import Dispatcher
from api.ports import ConsensusStatus, NodeIdentity
from api.web3_provider import LedgerConnection, connect_in_process
from consensus.extra_data import ExtraData, encode_extra_data
from consensus.header import compute_commit_hash, with_seals
from consensus.proposer import select_proposer
from consensus.signatures import ValidatorKey
from consensus.types import Address, Round
from contracts import codec
from contracts.addresses import (
    ATTESTATIONS,
    ATTESTATIONS_NAME,
    REGISTRY,
    SCHEMAS,
    SCHEMAS_NAME,
)
from contracts.labels import encode_label
from contracts.testkeys import Purpose, get_address, get_private_key
from node.chain.blockchain import Blockchain
from node.chain.deadline import Deadline
from node.chain.genesis import Genesis, load_genesis
from node.chain.registry import RegistryView
from node.chain.results import ImportedBlock
from node.daemon.backend import BackendSources, LedgerBackend
from node.daemon.chain_view import HeadView
from node.daemon.evidence_desk import EvidenceDesk
from node.mempool import Mempool
from node.mempool.limits import MempoolLimits
from node.storage.kv import KeyValueStore
from node.storage.memory import MemoryStore

GENESIS = Path(__file__).parents[3] / "genesis.json"
LABORATORY, BUREAU = 1, 2
LABORATORY_ID = encode_label("mo-health-laboratory")
BUREAU_ID = encode_label("mo-health-bureau")
NO_UID = bytes(32)
VALIDATOR_KEYS = {
    get_address(number, "validator"): ValidatorKey(get_private_key(number, "validator"))
    for number in range(1, 5)
}


class RealLedger:
    """Use `open_ledger`."""

    def __init__(self, store: KeyValueStore, chain: Blockchain, mempool: Mempool) -> None:
        self.chain = chain
        self.mempool = mempool
        self.evidence = EvidenceDesk(store, chain)
        self.backend = LedgerBackend(
            chain=chain,
            mempool=mempool,
            identity=NodeIdentity(
                chain_id=chain.genesis.chain_id,
                genesis_hash=chain.genesis.genesis_hash,
                client_version="atesta/test",
                validator=get_address(1, "validator"),
                block_period_s=1.0,
                request_timeout_s=2.0,
                contract_mode=True,
            ),
            sources=BackendSources(
                get_consensus=self._get_consensus,
                get_peers=lambda: (),
                get_sync=lambda: None,
                get_evidence=self.evidence.get_newest,
                export_evidence=self.evidence.export,
                get_metrics=lambda: (),
            ),
        )
        self.ahead_s = 0
        """So much ahead of the head is the node's clock."""
        self.dispatcher = Dispatcher(self.backend, clock_s=lambda: self.now_s + self.ahead_s)
        self.connection: LedgerConnection = connect_in_process(self.dispatcher)

    @property
    def now_s(self) -> int:
        """The ledger's own time: that of its head."""
        return self.chain.head.timestamp

    def sign(self, agency: int, purpose: Purpose = "account", **fields: Any) -> bytes:
        """Return a signed transaction with the account's next nonce."""
        request = {
            "type": 2,
            "chainId": self.chain.genesis.chain_id,
            "nonce": self.mempool.next_nonce(get_address(agency, purpose)),
            "gas": 1_000_000,
            "maxFeePerGas": 0,
            "maxPriorityFeePerGas": 0,
            "value": 0,
            "data": b"",
            **fields,
        }
        key = get_private_key(agency, purpose)
        return bytes(Signer.sign_transaction(request, key).raw_transaction)

    async def act(self, agency: int, target: Address, name: str, function: str, *args: Any) -> str:
        """Send a call of the ledger's contracts; returns the transaction's hash."""
        raw = self.sign(agency, to=target, data=codec.encode_call(name, function, args))
        return "0x" + (await self.backend.send_transaction(raw)).hex()

    async def attest(self, uid: bytes, schema: bytes, *, previous: bytes = NO_UID) -> str:
        """Attest as the laboratory."""
        return await self.act(
            LABORATORY, ATTESTATIONS, ATTESTATIONS_NAME, "attest",
            uid, schema, b"\xc0" * 32, 1, 0, self.now_s, previous,
        )  # fmt: skip

    async def open_schema(self, schema: bytes) -> None:
        """Register a schema of the bureau and accredit the laboratory, in two blocks."""
        await self.act(
            BUREAU, SCHEMAS, SCHEMAS_NAME, "register",
            schema, b"\x01" * 32, b"\x02" * 32, 5, self.now_s, NO_UID,
        )  # fmt: skip
        self.mine()
        await self.act(BUREAU, SCHEMAS, SCHEMAS_NAME, "accredit", schema, LABORATORY_ID, self.now_s)
        self.mine()

    def mine(self, *, period_s: int = 1) -> ImportedBlock:
        """Make the next block final, so many seconds after the one before."""
        parent = self.chain.head
        validators = self.chain.get_validators(parent)
        built = self.chain.build_block(
            parent=parent,
            timestamp=parent.timestamp + period_s,
            coinbase=select_proposer(
                parent.coinbase if parent.number else None, validators, Round(0)
            ),
            extra_data=encode_extra_data(ExtraData()),
            candidates=list(self.mempool.candidates()),
            deadline=Deadline.never(),
            is_permitted=lambda _transaction: True,
        )
        digest = compute_commit_hash(built.block.header)
        seals = [VALIDATOR_KEYS[address].sign(digest) for address in validators[:3]]
        sealed = replace(built.block, header=with_seals(built.block.header, seals))
        imported = self.chain.import_block(sealed)
        self.mempool.on_block(
            (transaction.hash, transaction.sender) for transaction in imported.transactions
        )
        return imported

    def _get_consensus(self) -> ConsensusStatus:
        validators = self.chain.get_validators(self.chain.head)
        return ConsensusStatus(
            height=self.chain.head.number + 1,
            round=0,
            proposer=None,
            validators=validators,
            quorum=3,
            is_signing=True,
            note=None,
        )


@asynccontextmanager
async def open_ledger(
    folder: Path, *, now_s: int | None = None, genesis: Genesis | None = None
) -> AsyncIterator[RealLedger]:
    """Open a ledger in memory, that of the committed genesis unless another one is given.

    The mempool's journal is in `folder`. Blocks may have times up to `now_s`.
    """
    genesis = genesis or _load_genesis()
    now_s = now_s or genesis.header.timestamp + 1_000_000
    store = MemoryStore()
    chain = Blockchain.open(store, genesis, clock=lambda: now_s)
    mempool = Mempool(
        path=folder / "mempool.journal",
        limits=MempoolLimits(),
        chain=HeadView(chain),
        admission=RegistryView(chain),
    )
    await mempool.open()
    ledger = RealLedger(store, chain, mempool)
    try:
        yield ledger
    finally:
        await mempool.close()
        ledger.backend.close()


@cache
def _load_genesis() -> Genesis:
    return load_genesis(GENESIS)


__all__ = ["BUREAU", "BUREAU_ID", "LABORATORY", "LABORATORY_ID", "REGISTRY", "RealLedger"]
