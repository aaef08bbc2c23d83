"""Execution modelled in a few lines: what the real chain promises to consensus, without an EVM.

A transaction is a type byte and free bytes. Two kinds mean something: they add or drop a validator,
as the registry contract would. The state root is a hash over the history of transactions, so any
two blocks that execute differently differ. Header rules are the real ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from eth_hash.auto import keccak

from consensus.block import Block
from consensus.errors import InvalidHeader
from consensus.extra_data import ExtraData, decode_extra_data, encode_extra_data
from consensus.header import (
    EMPTY_TRIE_ROOT,
    ZERO_HASH,
    BlockHeader,
    compute_block_hash,
    with_round,
)
from consensus.header_rules import (
    HeaderRules,
    validate_proposed_header,
    validate_sealed_header,
)
from consensus.types import Address, Hash32, Height, Round
from consensus.votes import VoteTally, apply_header, start_tally

PLAIN, ADD_VALIDATOR, DROP_VALIDATOR, INVALID = b"\x01", b"\x02", b"\x03", b"\x04"
GAS_LIMIT = 30_000_000
GENESIS_TIME_S = 1_700_000_000


@dataclass(slots=True)
class Entry:
    """A final block and what follows from it."""

    block: Block
    block_hash: Hash32
    validators: tuple[Address, ...]
    """Of the next height."""
    tally: VoteTally


def make_genesis(rules: HeaderRules, validators: Iterable[Address]) -> BlockHeader:
    is_contract_mode = rules.config.is_contract_mode
    extra_data = ExtraData(validators=() if is_contract_mode else tuple(sorted(validators)))
    return BlockHeader(
        parent_hash=ZERO_HASH,
        coinbase=Address(bytes(20)),
        state_root=Hash32(keccak(b"genesis")),
        transactions_root=EMPTY_TRIE_ROOT,
        receipts_root=EMPTY_TRIE_ROOT,
        number=Height(0),
        gas_limit=GAS_LIMIT,
        gas_used=0,
        timestamp=GENESIS_TIME_S,
        extra_data=encode_extra_data(extra_data),
        base_fee_per_gas=0,
        withdrawals_root=EMPTY_TRIE_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=ZERO_HASH,
    )


class SimChain(Protocol):
    """What a simulated node needs of a chain, modelled or real."""

    rules: HeaderRules
    entries: list[Entry]
    pool: dict[bytes, None]

    @property
    def head(self) -> BlockHeader: ...

    @property
    def validators(self) -> tuple[Address, ...]: ...

    def build(
        self, parent: BlockHeader, timestamp: int, coinbase: Address, extra_data: bytes, limit: int
    ) -> Block: ...

    def find_fault(self, block: Block, now_s: float) -> str | None: ...

    def import_block(self, block: Block, now_s: float) -> None: ...

    def add_transaction(self, transaction: bytes) -> None: ...


@dataclass(slots=True)
class ModelChain:
    """One node's final blocks; survives its crashes, because every import is a synced write."""

    rules: HeaderRules
    entries: list[Entry]
    pool: dict[bytes, None] = field(default_factory=dict)
    """Waiting transactions, oldest first."""

    @classmethod
    def create(cls, rules: HeaderRules, validators: Iterable[Address]) -> "ModelChain":
        ordered = tuple(sorted(validators))
        genesis = make_genesis(rules, ordered)
        tally = start_tally(decode_extra_data(genesis.extra_data))
        entry = Entry(
            Block(header=genesis, withdrawals=()), compute_block_hash(genesis), ordered, tally
        )
        return cls(rules=rules, entries=[entry])

    @property
    def head(self) -> BlockHeader:
        return self.entries[-1].block.header

    @property
    def validators(self) -> tuple[Address, ...]:
        """Of the height above the head."""
        return self.entries[-1].validators

    def build(
        self, parent: BlockHeader, timestamp: int, coinbase: Address, extra_data: bytes, limit: int
    ) -> Block:
        transactions = tuple(list(self.pool)[:limit])
        header = replace(
            parent,
            parent_hash=compute_block_hash(parent),
            coinbase=coinbase,
            state_root=_execute(parent.state_root, transactions),
            transactions_root=_compute_root(transactions),
            number=Height(parent.number + 1),
            timestamp=timestamp,
            extra_data=extra_data,
        )
        return Block(header=header, transactions=transactions, withdrawals=())

    def find_fault(self, block: Block, now_s: float) -> str | None:
        """Return what is wrong with a proposed block on the head, None if it is valid."""
        header = block.header
        try:
            validate_proposed_header(
                header, self.head, self.validators, now_s=now_s, rules=self.rules
            )
        except InvalidHeader as fault:
            return str(fault)
        return self._find_execution_fault(block)

    def import_block(self, block: Block, now_s: float) -> None:
        """Make a sealed block final; raises InvalidHeader. A known one changes nothing."""
        if block.header.number <= self.head.number:
            return
        validate_sealed_header(
            block.header, self.head, self.validators, now_s=now_s, rules=self.rules
        )
        fault = self._find_execution_fault(block)
        if fault is not None:
            raise InvalidHeader(fault)
        last = self.entries[-1]
        tally = last.tally
        if self.rules.config.is_contract_mode:
            validators = apply_changes(last.validators, block.transactions)
        else:
            tally = apply_header(tally, block.header, self.rules.config.epoch_length)
            validators = tally.validators
        block_hash = compute_block_hash(block.header)
        self.entries.append(Entry(block, block_hash, validators, tally))
        for transaction in block.transactions:
            self.pool.pop(transaction, None)

    def add_transaction(self, transaction: bytes) -> None:
        if not any(transaction in entry.block.transactions for entry in self.entries):
            self.pool[transaction] = None

    def _find_execution_fault(self, block: Block) -> str | None:
        if any(transaction[:1] == INVALID for transaction in block.transactions):
            return "a transaction is invalid"
        if block.header.state_root != _execute(self.head.state_root, block.transactions):
            return "stateRoot: execution gives another"
        if block.header.transactions_root != _compute_root(block.transactions):
            return "transactionsRoot: is not that of the transactions"
        return None


def apply_changes(
    validators: tuple[Address, ...], transactions: Iterable[bytes]
) -> tuple[Address, ...]:
    """Return the set after the changes that transactions make; never empty."""
    members = set(validators)
    for transaction in transactions:
        address = Address(transaction[1:21])
        if transaction[:1] == ADD_VALIDATOR:
            members.add(address)
        elif transaction[:1] == DROP_VALIDATOR and len(members) > 1:
            members.discard(address)
    return tuple(sorted(members))


def in_round(block: Block, round_number: Round) -> Block:
    return replace(block, header=with_round(block.header, round_number))


def _execute(state_root: Hash32, transactions: tuple[bytes, ...]) -> Hash32:
    return Hash32(keccak(state_root + b"".join(transactions))) if transactions else state_root


def _compute_root(transactions: tuple[bytes, ...]) -> Hash32:
    return Hash32(keccak(b"".join(transactions))) if transactions else EMPTY_TRIE_ROOT
