"""The real chain in a simulated node: py-evm, the real state trie and header rules.

Slower than the model by far, so few schedules use it; it shows that what the model promises to
consensus is what the chain keeps. The store is in memory and survives the node's crashes, as a
synced write would. Transactions of the schedules become real ones, each from an account of its own.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from eth_account import Account
from eth_hash.auto import keccak

from consensus.block import Block
from consensus.errors import InvalidHeader
from consensus.extra_data import ExtraData, encode_extra_data
from consensus.header import MIX_HASH, BlockHeader, compute_block_hash
from consensus.header_rules import HeaderRules
from consensus.types import Address
from consensus.votes import VoteTally
from node.chain.blockchain import Blockchain
from node.chain.deadline import Deadline
from node.chain.errors import InvalidBlock
from node.chain.genesis import parse_genesis
from node.chain.transactions import decode_transaction
from node.storage.memory import MemoryStore
from tests.simulation.model_chain import GAS_LIMIT, GENESIS_TIME_S, Entry

CHAIN_ID = 7
_FORKS = (
    *("homesteadBlock", "eip150Block", "eip155Block", "eip158Block", "byzantiumBlock"),
    *("constantinopleBlock", "petersburgBlock", "istanbulBlock", "berlinBlock", "londonBlock"),
    *("shanghaiTime", "cancunTime"),
)


@dataclass(slots=True)
class RealChain:
    """One node's chain; what `ModelChain` is, with nothing modelled."""

    rules: HeaderRules
    chain: Blockchain
    entries: list[Entry]
    pool: dict[bytes, None] = field(default_factory=dict)
    now_s: list[float] = field(default_factory=lambda: [0.0])

    @classmethod
    def create(cls, rules: HeaderRules, validators: list[Address]) -> "RealChain":
        genesis = parse_genesis(make_document(rules, tuple(sorted(validators))))
        now_s = [0.0]
        chain = Blockchain.open(MemoryStore(), genesis, clock=lambda: now_s[0])
        real = cls(rules=rules, chain=chain, entries=[], now_s=now_s)
        real._append(Block(header=genesis.header, withdrawals=()))
        return real

    @property
    def head(self) -> BlockHeader:
        return self.chain.head

    @property
    def validators(self) -> tuple[Address, ...]:
        return self.entries[-1].validators

    def build(
        self, parent: BlockHeader, timestamp: int, coinbase: Address, extra_data: bytes, limit: int
    ) -> Block:
        built = self.chain.build_block(
            parent=parent,
            timestamp=timestamp,
            coinbase=coinbase,
            extra_data=extra_data,
            candidates=[decode_transaction(raw) for raw in list(self.pool)[:limit]],
            deadline=Deadline.never(),
            is_permitted=lambda _transaction: True,
        )
        return built.block

    def find_fault(self, block: Block, now_s: float) -> str | None:
        self.now_s[0] = now_s
        try:
            self.chain.validate_block(block, deadline=Deadline.never())
        except InvalidBlock as fault:
            return str(fault)
        return None

    def import_block(self, block: Block, now_s: float) -> None:
        if block.header.number <= self.head.number:
            return
        self.now_s[0] = now_s
        try:
            self.chain.import_block(block)
        except InvalidBlock as fault:
            raise InvalidHeader(str(fault)) from None
        self._append(block)
        for transaction in block.transactions:
            self.pool.pop(transaction, None)

    def add_transaction(self, transaction: bytes) -> None:
        raw = make_transaction(transaction)
        if self.chain.find_transaction(keccak(raw)) is None:
            self.pool[raw] = None

    def _append(self, block: Block) -> None:
        validators = self.chain.get_validators(block.header)
        self.entries.append(
            Entry(
                block,
                compute_block_hash(block.header),
                validators,
                VoteTally(validators=validators),
            )
        )


def make_document(rules: HeaderRules, validators: tuple[Address, ...]) -> dict[str, Any]:
    """Return a genesis document in header-vote mode, as Besu would read it."""
    config = rules.config
    qbft: dict[str, Any] = {
        "epochlength": config.epoch_length,
        "blockperiodseconds": config.block_period_s,
        "emptyblockperiodseconds": config.empty_block_period_s,
        "requesttimeoutseconds": config.request_timeout_s,
    }
    if config.block_period_ms is not None:
        qbft["xblockperiodmilliseconds"] = config.block_period_ms
    forks = dict.fromkeys(_FORKS, 0)
    return {
        "config": {"chainId": CHAIN_ID, **forks, "zeroBaseFee": True, "qbft": qbft},
        "nonce": "0x0",
        "timestamp": hex(GENESIS_TIME_S),
        "gasLimit": hex(GAS_LIMIT),
        "difficulty": "0x1",
        "mixHash": "0x" + MIX_HASH.hex(),
        "baseFeePerGas": "0x0",
        "extraData": "0x" + encode_extra_data(ExtraData(validators=validators)).hex(),
        "alloc": {},
    }


@lru_cache(maxsize=1_000)
def make_transaction(text: bytes) -> bytes:
    """Return a signed transaction for the text of a modelled one; its price is zero."""
    signed = Account.sign_transaction(
        {
            "nonce": 0,
            "gasPrice": 0,
            "gas": 60_000,
            "to": "0x" + "11" * 20,
            "value": 0,
            "data": "0x" + text.hex(),
            "chainId": CHAIN_ID,
        },
        keccak(text),
    )
    return bytes(signed.raw_transaction)
