"""What a transaction must satisfy to be let in, checked in the order of rising cost.

These are this node's rules, not the chain's: a block that breaks them is still a valid block (a
rule of validity that depends on the registry would fork us from other clients). They are checked
once more for every block, because a permission can end while a transaction waits.
"""

from collections.abc import Callable
from typing import Protocol

from eth_typing import Address, Hash32

from node.chain.errors import TransactionInvalid
from node.chain.transactions import Transaction, decode_transaction
from node.mempool.limits import MempoolLimits
from node.mempool.refusals import MempoolRefusal

MALFORMED = "malformed"
"""Code of a refusal of bytes that are no transaction at all."""

_UNKNOWN_TYPE = "unknown_type"
_MAX_INIT_CODE_BYTES = 49_152  # EIP-3860


class Admission(Protocol):
    """Who may use the ledger, by the registry at the last final block."""

    def may_send(self, sender: Address) -> bool:
        """Tell whether an account may send transactions."""

    def may_deploy(self, sender: Address) -> bool:
        """Tell whether an account may create contracts."""


class Gate(Protocol):
    """What transactions may carry: this ledger's acts, and nothing that could be a person's."""

    def check(self, transaction: Transaction) -> None:
        """Raise MempoolRefusal for what is not let in."""

    def may_go(self, transaction: Transaction) -> bool:
        """Tell whether one that was let in may still be proposed."""
        ...


class ChainView(Protocol):
    """What the mempool reads of the last final state."""

    @property
    def chain_id(self) -> int:
        """Return the network's chain id."""

    @property
    def gas_limit(self) -> int:
        """Return the gas limit of a block."""

    def get_nonce(self, address: Address) -> int:
        """Return the nonce that the account's next transaction has."""

    def get_balance(self, address: Address) -> int:
        """Return the account's balance in wei."""

    def is_final(self, transaction_hash: Hash32) -> bool:
        """Tell whether a transaction is in a final block."""


Decoder = Callable[[bytes], Transaction]


def decode_submission(
    raw: bytes, limits: MempoolLimits, decode: Decoder = decode_transaction
) -> Transaction:
    """Decode a submitted transaction and recover its sender.

    Raises MempoolRefusal for what is too large, not a transaction, or of a type not taken here.
    """
    if len(raw) > limits.max_transaction_bytes:
        raise MempoolRefusal(
            "transaction",
            f"has {len(raw)} bytes; at most {limits.max_transaction_bytes} are taken",
            "too_large",
        )
    try:
        return decode(raw)
    except TransactionInvalid as error:
        # A type that we do not know may be known to a newer node: nobody's fault.
        code = _UNKNOWN_TYPE if error.field == "type" else MALFORMED
        raise MempoolRefusal(error.field or "transaction", error.reason, code) from error


def validate_admission(
    transaction: Transaction, *, limits: MempoolLimits, chain: ChainView, admission: Admission
) -> None:
    """Check everything but the order of nonces; raises MempoolRefusal."""
    if transaction.chain_id != chain.chain_id:
        raise MempoolRefusal(
            "chainId",
            f"{transaction.chain_id} is another network; this one is {chain.chain_id}",
            "wrong_chain",
        )
    _validate_gas(transaction, limits, chain)
    if not admission.may_send(transaction.sender):
        raise MempoolRefusal(
            "from",
            f"0x{transaction.sender.hex()} is not an account of an active agency; the agency "
            "registers it first",
            "sender_not_permitted",
        )
    if transaction.to is None and not admission.may_deploy(transaction.sender):
        raise MempoolRefusal(
            "to",
            f"0x{transaction.sender.hex()} may not create contracts; its key lacks the deploy role",
            "deploy_not_permitted",
        )
    cost = transaction.gas * transaction.max_fee_per_gas + transaction.value
    if cost and chain.get_balance(transaction.sender) < cost:
        raise MempoolRefusal(
            "value",
            "the account cannot pay value and fee; this network needs no fee, so offer price 0",
            "insufficient_funds",
        )


def _validate_gas(transaction: Transaction, limits: MempoolLimits, chain: ChainView) -> None:
    cap = min(limits.max_transaction_gas, chain.gas_limit)
    if transaction.gas > cap:
        raise MempoolRefusal(
            "gas", f"{transaction.gas} is over this node's cap of {cap}", "gas_too_high"
        )
    needed = transaction.intrinsic_gas
    if transaction.gas < needed:
        raise MempoolRefusal(
            "gas", f"{transaction.gas} is under the {needed} that it costs at least", "gas_too_low"
        )
    if transaction.to is None and len(transaction.data) > _MAX_INIT_CODE_BYTES:
        raise MempoolRefusal(
            "input",
            f"creation code of {len(transaction.data)} bytes; at most {_MAX_INIT_CODE_BYTES}",
            "too_large",
        )
