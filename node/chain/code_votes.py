"""Which code the agencies have let onto their ledger, beside the ledger's own contracts.

A contract that anybody may deploy is a hole in every rule about personal data: its calls and its
storage hold whatever its author likes. So outside a development genesis a contract is created only
from creation code that the agencies have resolved on, and called only if they have resolved on its
address with the code that stands there. Both are resolutions of the registry (`RESOLVE`), on a
subject that this module computes:

    creation  keccak256("atesta-create-1" ‖ keccak256(creation code))
    opening   keccak256("atesta-open-1" ‖ address ‖ keccak256(code))
    closing   keccak256("atesta-close-1" ‖ address ‖ keccak256(code))

Two votes, because most contracts that are created are implementations behind a proxy (an upgrade),
which nobody calls. A resolution is for good, so what was opened is closed by one of its own.

Like permission to send, this is a rule of admission and of building blocks, never of a block's
validity: Besu, which reads the same genesis, would part from us at the first block that breaks it.
docs/adr/0007-deployment-by-governance.md says more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from eth_hash.auto import keccak
from eth_typing import Address, Hash32

from consensus.header import BlockHeader
from contracts.addresses import PROXIES, REGISTRY
from contracts.testkeys import is_published
from node.chain.accounts import EMPTY_CODE_HASH, Account
from node.chain.blockchain import Blockchain
from node.chain.genesis import Genesis
from node.chain.registry import RegistryView
from node.chain.transactions import Transaction

CREATION: Final = b"atesta-create-1"
OPENING: Final = b"atesta-open-1"
CLOSING: Final = b"atesta-close-1"

NO_CREATION_VOTE: Final = "creation_not_voted"
NOT_OPEN: Final = "contract_not_open"


def compute_creation_subject(creation_code: bytes) -> Hash32:
    """Return what the agencies resolve on to let a contract be created; arguments included."""
    return Hash32(keccak(CREATION + keccak(creation_code)))


def compute_opening_subject(address: Address, code_hash: Hash32) -> Hash32:
    """Return what the agencies resolve on to let a contract be called."""
    return Hash32(keccak(OPENING + address + code_hash))


def compute_closing_subject(address: Address, code_hash: Hash32) -> Hash32:
    """Return what the agencies resolve on to let it be called no more."""
    return Hash32(keccak(CLOSING + address + code_hash))


def is_development_genesis(genesis: Genesis) -> bool:
    """Tell whether a genesis founds a ledger on published test keys.

    Everybody can sign for such a ledger, and a node refuses it on any address but loopback.
    """
    registry = genesis.alloc.get(REGISTRY)
    if registry is None:
        return False
    return any(
        is_published(value.to_bytes(20, "big"))
        for value in registry.storage.values()
        if value < 2**160
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeVotes:
    """Answers from the registry at one final block. Safe to ask from any thread."""

    chain: Blockchain
    registry: RegistryView
    is_development: bool

    @classmethod
    def of(cls, chain: Blockchain, registry: RegistryView) -> "CodeVotes":
        """Return the votes on a chain, by the rules that follow from its genesis."""
        is_development = is_development_genesis(chain.genesis)
        return cls(chain=chain, registry=registry, is_development=is_development)

    def find_breach(self, transaction: Transaction, *, at: BlockHeader | None = None) -> str | None:
        """Say which vote a transaction lacks by the state after a block, the head if None.

        Returns NO_CREATION_VOTE, NOT_OPEN, or None for what needs no vote or has it.
        """
        if self.is_development or transaction.to in PROXIES:
            return None
        return find_breach(
            transaction,
            get_account=self.chain.state_at(at or self.chain.head).get_account,
            is_resolved=lambda subject: self.registry.is_resolved(subject, at=at),
        )


def find_breach(
    transaction: Transaction,
    *,
    get_account: Callable[[Address], Account | None],
    is_resolved: Callable[[Hash32], bool],
) -> str | None:
    """Say which vote a transaction lacks on a state, of a ledger that is not for development.

    Returns NO_CREATION_VOTE, NOT_OPEN or None.
    """
    address = transaction.to
    if address in PROXIES:
        return None
    if address is None:
        subject = compute_creation_subject(transaction.data)
        return None if is_resolved(subject) else NO_CREATION_VOTE
    account = get_account(address)
    if account is None or account.code_hash == EMPTY_CODE_HASH:
        return NOT_OPEN
    code_hash = account.code_hash
    if not is_resolved(compute_opening_subject(address, code_hash)):
        return NOT_OPEN
    is_closed = is_resolved(compute_closing_subject(address, code_hash))
    return NOT_OPEN if is_closed else None
