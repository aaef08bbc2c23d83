"""A ledger node in memory: real headers, seals, transactions and blooms, no execution.

The chain is built by `FakeLedger.add_block`; calls are answered by a function that a test may
replace. Everything is deterministic.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from coincurve import PrivateKey, PublicKey
from eth_account import Account as EthAccount
from eth_hash.auto import keccak
from eth_typing import Address, Hash32

from api.errors import MethodNotEnabled, TransactionRefused
from api.jsonrpc.log_query import compute_bloom_mask
from api.ports import (
    Account,
    AccountProof,
    BlockRef,
    CallRequest,
    CallResult,
    ConsensusStatus,
    Evidence,
    LedgerLog,
    LedgerReceipt,
    LedgerTransaction,
    MempoolStatus,
    Metric,
    NodeIdentity,
    PeerStatus,
    PendingTransaction,
    StorageProof,
    SyncStatus,
    TransactionLocation,
    Vote,
)
from consensus.block import Block
from consensus.extra_data import ExtraData, decode_extra_data, encode_extra_data
from consensus.header import (
    EMPTY_TRIE_ROOT,
    ZERO_HASH,
    BlockHeader,
    compute_block_hash,
    compute_commit_hash,
    with_seals,
)
from consensus.quorum import compute_quorum
from consensus.types import Height
from node.chain.transactions import decode_transaction
from node.daemon.ledger_values import to_ledger_transaction

CHAIN_ID = 20_200_510
EMPTY_CODE_HASH = Hash32(keccak(b""))
VALIDATOR_KEYS = tuple(PrivateKey(keccak(b"validator %d" % number)) for number in range(4))
SENDER = EthAccount.from_key(keccak(b"sender"))
REGISTRY = Address(bytes.fromhex("0000000000000000000000000000000000a7e501"))
SENDER_HEX = SENDER.address.lower()
REGISTRY_HEX = "0x" + REGISTRY.hex()
TOPIC = Hash32(keccak(b"Attested(bytes32)"))
OTHER_TOPIC = Hash32(keccak(b"something else"))


def address_of(key: PrivateKey) -> Address:
    return Address(keccak(key.public_key.format(compressed=False)[1:])[-20:])


VALIDATORS = tuple(sorted(address_of(key) for key in VALIDATOR_KEYS))
KEYS_BY_ADDRESS = {address_of(key): key for key in VALIDATOR_KEYS}


def sign(nonce: int, **fields: Any) -> bytes:
    """Return a signed transaction of the sender."""
    transaction = {
        "chainId": CHAIN_ID,
        "nonce": nonce,
        "gas": 200_000,
        "gasPrice": 0,
        "to": REGISTRY,
        "value": 0,
        "data": b"\x01\x02",
        **fields,
    }
    if "maxFeePerGas" in fields:
        del transaction["gasPrice"]
    return bytes(SENDER.sign_transaction(transaction).raw_transaction)


def decode(raw: bytes) -> LedgerTransaction:
    """Decode a signed transaction as the node does."""
    return to_ledger_transaction(decode_transaction(raw))


def echo_call(request: CallRequest) -> CallResult:
    """Answer a call with its own input."""
    return CallResult(output=request.data, gas_used=21_000, error=None)


class FakeLedger:
    """Implements `api.ports.LedgerNode`."""

    def __init__(self, *, contract_mode: bool = True) -> None:
        self.identity = NodeIdentity(
            chain_id=CHAIN_ID,
            genesis_hash=ZERO_HASH,
            client_version="atesta/test/python3.11",
            validator=VALIDATORS[0],
            block_period_s=1.0,
            request_timeout_s=4.0,
            contract_mode=contract_mode,
        )
        self.blocks: list[Block] = []
        self.receipts: dict[Hash32, tuple[LedgerReceipt, ...]] = {}
        self.pending: dict[Hash32, PendingTransaction] = {}
        self.votes: dict[Address, bool] = {}
        self.answer_call: Callable[[CallRequest], CallResult] = echo_call
        self.sync: SyncStatus | None = None
        self.evidence: tuple[Evidence, ...] = ()
        self.evidence_files: dict[Hash32, dict[str, Any]] = {}
        self.storage: dict[tuple[Address, int], int] = {}
        self._append(self._header(0, ZERO_HASH, extra_data=encode_extra_data(ExtraData())), (), ())
        self.identity = replace(
            self.identity, genesis_hash=compute_block_hash(self.blocks[0].header)
        )

    def add_block(
        self,
        raws: Sequence[bytes] = (),
        logs: Sequence[Sequence[LedgerLog]] = (),
        *,
        sealers: int = 3,
    ) -> Block:
        """Make the next block final; `logs` holds each transaction's events."""
        parent = self.blocks[-1].header
        receipts = []
        bloom = 0
        for index, raw in enumerate(raws):
            emitted = tuple(logs[index]) if index < len(logs) else ()
            mask = 0
            for log in emitted:
                for value in (log.address, *log.topics):
                    mask |= compute_bloom_mask(value)
            bloom |= mask
            receipts.append(
                LedgerReceipt(
                    type=raw[0] if raw[0] <= 0x7F else 0,
                    status=1,
                    cumulative_gas_used=21_000 * (index + 1),
                    gas_used=21_000,
                    logs=emitted,
                    logs_bloom=mask.to_bytes(256, "big"),
                    contract_address=None,
                )
            )
        header = self._header(
            parent.number + 1,
            compute_block_hash(parent),
            extra_data=encode_extra_data(ExtraData(vanity=bytes(32))),
            logs_bloom=bloom.to_bytes(256, "big"),
            gas_used=21_000 * len(raws),
        )
        digest = compute_commit_hash(header)
        seals = [
            KEYS_BY_ADDRESS[address].sign_recoverable(digest, hasher=None)
            for address in VALIDATORS[:sealers]
        ]
        block = self._append(with_seals(header, seals), tuple(raws), tuple(receipts))
        for raw in raws:
            self.pending.pop(Hash32(keccak(raw)), None)
        return block

    def _header(self, number: int, parent_hash: Hash32, **fields: Any) -> BlockHeader:
        return BlockHeader(
            parent_hash=parent_hash,
            coinbase=VALIDATORS[number % 4] if number else Address(bytes(20)),
            state_root=EMPTY_TRIE_ROOT,
            transactions_root=EMPTY_TRIE_ROOT,
            receipts_root=EMPTY_TRIE_ROOT,
            number=Height(number),
            gas_limit=30_000_000,
            timestamp=1_770_000_000 + number,
            base_fee_per_gas=0,
            withdrawals_root=EMPTY_TRIE_ROOT,
            blob_gas_used=0,
            excess_blob_gas=0,
            parent_beacon_block_root=ZERO_HASH,
            **{"gas_used": 0, **fields},
        )

    def _append(
        self, header: BlockHeader, raws: tuple[bytes, ...], receipts: tuple[LedgerReceipt, ...]
    ) -> Block:
        block = Block(header=header, transactions=raws, withdrawals=())
        self.blocks.append(block)
        self.receipts[compute_block_hash(header)] = receipts
        return block

    async def get_head(self) -> BlockHeader:
        return self.blocks[-1].header

    async def get_header(self, ref: BlockRef) -> BlockHeader | None:
        block = await self.get_block(ref)
        return None if block is None else block.header

    async def get_headers(self, first: int, last: int) -> tuple[BlockHeader, ...]:
        return tuple(block.header for block in self.blocks[first : last + 1])

    async def get_block(self, ref: BlockRef) -> Block | None:
        if isinstance(ref, int):
            return self.blocks[ref] if ref < len(self.blocks) else None
        return next(
            (block for block in self.blocks if compute_block_hash(block.header) == ref), None
        )

    async def get_transactions(self, block: Block) -> tuple[LedgerTransaction, ...]:
        return tuple(decode(raw) for raw in block.transactions)

    async def get_receipts(self, block_hash: Hash32) -> tuple[LedgerReceipt, ...] | None:
        return self.receipts.get(block_hash)

    async def find_transaction(self, transaction_hash: Hash32) -> TransactionLocation | None:
        for block in self.blocks:
            for index, raw in enumerate(block.transactions):
                if keccak(raw) == transaction_hash:
                    block_hash = compute_block_hash(block.header)
                    return TransactionLocation(block_hash=block_hash, index=index)
        return None

    async def get_validators(self, header: BlockHeader) -> tuple[Address, ...]:
        return VALIDATORS

    async def get_sealers(self, header: BlockHeader) -> tuple[Address, ...]:
        if header.number == 0:
            return ()
        digest = compute_commit_hash(header)
        signers = (
            PublicKey.from_signature_and_message(seal, digest, hasher=None)
            for seal in decode_extra_data(header.extra_data).seals
        )
        return tuple(
            sorted(Address(keccak(key.format(compressed=False)[1:])[-20:]) for key in signers)
        )

    async def get_account(self, address: Address, header: BlockHeader) -> Account:
        nonce = sum(
            decode(raw).sender == address
            for block in self.blocks[: header.number + 1]
            for raw in block.transactions
        )
        return Account(
            nonce=nonce, balance=7, code_hash=EMPTY_CODE_HASH, storage_root=EMPTY_TRIE_ROOT
        )

    async def get_code(self, address: Address, header: BlockHeader) -> bytes:
        return b"\x60\x00" if address == REGISTRY else b""

    async def get_storage(self, address: Address, slot: int, header: BlockHeader) -> int:
        return self.storage.get((address, slot), 0)

    async def prove(
        self, address: Address, slots: tuple[int, ...], header: BlockHeader
    ) -> AccountProof:
        return AccountProof(
            address=address,
            account=await self.get_account(address, header),
            nodes=(b"\xc0",),
            storage=tuple(
                StorageProof(slot=slot, value=self.storage.get((address, slot), 0), nodes=())
                for slot in slots
            ),
        )

    async def call(
        self, request: CallRequest, header: BlockHeader, *, timeout_s: float
    ) -> CallResult:
        return self.answer_call(request)

    async def estimate_gas(
        self, request: CallRequest, header: BlockHeader, *, timeout_s: float
    ) -> CallResult:
        return self.answer_call(request)

    async def send_transaction(self, raw: bytes) -> Hash32:
        try:
            transaction = decode(raw)
        except Exception as error:
            raise TransactionRefused("not a transaction", field="rlp") from error
        expected = await self.get_next_nonce(transaction.sender)
        if transaction.nonce < expected:
            raise TransactionRefused("the nonce is used", field="nonce", code="nonce_too_low")
        ready = transaction.nonce == expected
        self.pending[transaction.hash] = PendingTransaction(transaction=transaction, ready=ready)
        return transaction.hash

    async def find_pending(self, transaction_hash: Hash32) -> PendingTransaction | None:
        return self.pending.get(transaction_hash)

    async def get_pending(self) -> tuple[PendingTransaction, ...]:
        return tuple(self.pending.values())

    async def get_next_nonce(self, address: Address) -> int:
        account = await self.get_account(address, self.blocks[-1].header)
        waiting = sum(
            pending.ready and pending.transaction.sender == address
            for pending in self.pending.values()
        )
        return account.nonce + waiting

    async def get_mempool_status(self) -> MempoolStatus:
        ready = sum(pending.ready for pending in self.pending.values())
        return MempoolStatus(pending=ready, queued=len(self.pending) - ready, size_bytes=100)

    async def get_sync_status(self) -> SyncStatus | None:
        return self.sync

    async def get_peers(self) -> tuple[PeerStatus, ...]:
        return (
            PeerStatus(
                peer_id="aa" * 32,
                address="127.0.0.1:30400",
                inbound=False,
                validator=VALIDATORS[1],
                head_number=self.blocks[-1].header.number,
                connected_s=12.0,
                score=2.5,
                clock_offset_ms=-9_800.4,
            ),
        )

    async def get_consensus_status(self) -> ConsensusStatus:
        return ConsensusStatus(
            height=len(self.blocks),
            round=0,
            proposer=VALIDATORS[len(self.blocks) % 4],
            validators=VALIDATORS,
            quorum=compute_quorum(4),
            is_signing=True,
            note=None,
        )

    async def get_evidence(self, *, limit: int) -> tuple[Evidence, ...]:
        return self.evidence[:limit]

    async def export_evidence(self, evidence_id: Hash32) -> dict[str, Any] | None:
        return self.evidence_files.get(evidence_id)

    async def export_snapshot(self, height: int) -> dict[str, Any]:
        return {"file": "ledger.snapshot", "number": hex(height)}

    async def get_metrics(self) -> tuple[Metric, ...]:
        return (
            Metric(name="head", kind="gauge", help="Final height.", value=len(self.blocks) - 1),
        )

    async def get_votes(self) -> tuple[Vote, ...]:
        self._check_vote_mode()
        return tuple(Vote(recipient=address, add=add) for address, add in self.votes.items())

    async def propose_vote(self, vote: Vote) -> None:
        self._check_vote_mode()
        self.votes[vote.recipient] = vote.add

    async def discard_vote(self, recipient: Address) -> None:
        self._check_vote_mode()
        self.votes.pop(recipient, None)

    def _check_vote_mode(self) -> None:
        if self.identity.contract_mode:
            raise MethodNotEnabled("the validator set is kept by the registry contract")


def log(*topics: Hash32, data: bytes = b"\x2a") -> LedgerLog:
    return LedgerLog(address=REGISTRY, topics=topics, data=data)


def hash_at(ledger: FakeLedger, height: int) -> str:
    return "0x" + compute_block_hash(ledger.blocks[height].header).hex()
