"""Evidence against proposers that let strangers in, or code that nobody voted for.

Who may send transactions, and to which code, is a rule of admission and of building, never of a
block's validity: a client that judged blocks by the registry would part from others that do not. So
a final block with such a transaction is kept, the ledger's contracts refuse the stranger
themselves, and the proposer's act is written down. The block proves it: its seals, its coinbase,
the registry's state before it. What else the gate would have refused, such as text in a call, is
logged by its hash: it breaks no rule that the chain could prove.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from eth_typing import Address, Hash32

from consensus.header import BlockHeader
from node.chain.blockchain import Blockchain
from node.chain.results import ImportedBlock
from node.chain.transactions import Transaction
from node.evidence.document import UNPERMITTED_SENDER, UNVOTED_CODE
from node.storage.keys import EVIDENCE, HEIGHT_BYTES, decode_height, encode_height
from node.storage.kv import KeyValueStore, WriteBatch

MAX_PER_BLOCK = 16
"""Proofs kept of one block; the block itself holds the others."""

_TAGS: Final = {UNPERMITTED_SENDER: b"s", UNVOTED_CODE: b"v"}
_KINDS: Final = {tag: kind for kind, tag in _TAGS.items()}
_WRITE_KIND = "evidence"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intrusion:
    """One transaction in a final block that no proposer might put there."""

    kind: str
    """UNPERMITTED_SENDER or UNVOTED_CODE, of `node.evidence.document`."""
    height: int
    block_hash: Hash32
    proposer: Address
    """Who built the block."""
    transaction_hash: Hash32
    sender: Address


class Registry(Protocol):
    """Says who may send; `node.chain.registry.RegistryView` does."""

    def may_send(self, sender: Address, *, at: BlockHeader | None = None) -> bool:
        """Tell whether an account was permitted by the state after `at`."""
        ...


class Gate(Protocol):
    """Says what this node would not have let in; `node.daemon.gate.TransactionGate` does."""

    def is_voted(self, transaction: Transaction, *, at: BlockHeader) -> bool:
        """Tell whether a transaction had the votes that it needs, by the state after `at`."""
        ...

    def find_breach(self, transaction: Transaction) -> str | None:
        """Name what it would refuse in a transaction now; None for nothing."""
        ...


class IntruderEvidence:
    """A table of blocks with transactions that no proposer might put there."""

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store

    def keep(
        self,
        block: ImportedBlock,
        intruders: Sequence[Transaction],
        kind: str = UNPERMITTED_SENDER,
    ) -> tuple[Intrusion, ...]:
        """Store the first intruders of a block and return them; again changes nothing."""
        header = block.block.header
        prefix = EVIDENCE + encode_height(header.number) + _TAGS[kind]
        kept = tuple(
            Intrusion(
                kind=kind,
                height=header.number,
                block_hash=block.block_hash,
                proposer=header.coinbase,
                transaction_hash=transaction.hash,
                sender=transaction.sender,
            )
            for transaction in intruders[:MAX_PER_BLOCK]
        )
        batch = WriteBatch()
        for number, item in enumerate(kept):
            value = item.block_hash + item.proposer + item.transaction_hash + item.sender
            batch.put(prefix + bytes([number]), value)
        self._store.write(batch, kind=_WRITE_KIND)
        return kept

    def iterate(self) -> Iterator[Intrusion]:
        """Yield evidence, newest block first."""
        for key, value in self._store.iterate(EVIDENCE, reverse=True):
            place = key[len(EVIDENCE) :]
            kind = _KINDS.get(place[HEIGHT_BYTES : HEIGHT_BYTES + 1])
            if kind is None:
                continue
            yield Intrusion(
                kind=kind,
                height=decode_height(place),
                block_hash=Hash32(value[:32]),
                proposer=Address(value[32:52]),
                transaction_hash=Hash32(value[52:84]),
                sender=Address(value[84:]),
            )


class IntruderWatch:
    """Looks at every block that becomes final; a listener of the chain, in its worker thread."""

    def __init__(
        self,
        chain: Blockchain,
        registry: Registry,
        evidence: IntruderEvidence,
        *,
        on_found: Callable[[tuple[Intrusion, ...]], object],
        gate: Gate | None = None,
    ) -> None:
        self._gate = gate
        self._chain = chain
        self._registry = registry
        self._evidence = evidence
        self._on_found = on_found

    def inspect(self, imported: ImportedBlock) -> None:
        """Keep the transactions of a block that the state before it did not permit."""
        parent = self._chain.get_header(imported.block.header.number - 1)
        assert parent is not None, "every final block has its parent"
        intruders = [
            transaction
            for transaction in imported.transactions
            if not self._registry.may_send(transaction.sender, at=parent)
        ]
        if intruders:
            self._on_found(self._evidence.keep(imported, intruders))
        if self._gate is None:
            return
        unvoted = [
            transaction
            for transaction in imported.transactions
            if not self._gate.is_voted(transaction, at=parent)
        ]
        if unvoted:
            self._on_found(self._evidence.keep(imported, unvoted, UNVOTED_CODE))
        for transaction in imported.transactions:
            breach = self._gate.find_breach(transaction)
            if breach is not None:
                _log.warning(
                    "transaction_would_be_refused",
                    transaction_hash=transaction.hash,
                    code=breach,
                    height=imported.block.header.number,
                )
