"""The real chain in a simulated node: py-evm, the real state trie and header rules.

Slower than the model by far, so few schedules use it; it shows that what the model promises to
consensus is what the chain keeps. The store is in memory and survives the node's crashes, as a
synced write would. In contract mode the validators are those of the real registry, in a genesis
that its own code has made, and change when the agencies vote so (`real_votes`).
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from eth_hash.auto import keccak

from consensus.block import Block
from consensus.errors import InvalidHeader
from consensus.genesis_config import QbftConfig
from consensus.header import BlockHeader, compute_block_hash
from consensus.header_rules import HeaderRules
from consensus.types import Address
from consensus.votes import VoteTally
from contracts.addresses import REGISTRY
from contracts.genesis import build_genesis
from contracts.genesis_spec import GenesisSpec
from node.chain.blockchain import Blockchain
from node.chain.deadline import Deadline
from node.chain.errors import InvalidBlock
from node.chain.genesis import Genesis, parse_genesis
from node.chain.transactions import decode_transaction
from node.storage.memory import MemoryStore
from tests.simulation.model_chain import GAS_LIMIT, GENESIS_TIME_S, Entry
from tests.simulation.real_votes import CHAIN_ID, specify_agencies


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
        genesis = _make_genesis(rules.config, tuple(sorted(validators)))
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
        if self.chain.find_transaction(keccak(transaction)) is None:
            self.pool[transaction] = None

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


@lru_cache(maxsize=100)
def _make_genesis(config: QbftConfig, validators: tuple[Address, ...]) -> Genesis:
    assert config.validator_contract in (None, REGISTRY)
    document = _found(validators, is_header_vote=config.validator_contract is None)
    qbft: dict[str, Any] = {
        "epochlength": config.epoch_length,
        "blockperiodseconds": config.block_period_s,
        "emptyblockperiodseconds": config.empty_block_period_s,
        "requesttimeoutseconds": config.request_timeout_s,
    }
    if config.block_period_ms is not None:
        qbft["xblockperiodmilliseconds"] = config.block_period_ms
    if config.validator_contract is not None:
        qbft["validatorcontractaddress"] = "0x" + config.validator_contract.hex()
    return parse_genesis({**document, "config": {**document["config"], "qbft": qbft}})


@lru_cache(maxsize=20)
def _found(validators: tuple[Address, ...], *, is_header_vote: bool) -> dict[str, Any]:
    """Return a genesis document; what its contracts hold does not depend on block times."""
    spec = GenesisSpec(
        chain_id=CHAIN_ID,
        agencies=specify_agencies(validators),
        is_header_vote=is_header_vote,
        gas_limit=GAS_LIMIT,
        timestamp=GENESIS_TIME_S,
    )
    return build_genesis(spec)
