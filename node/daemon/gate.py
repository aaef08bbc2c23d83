"""The gate before this node's mempool: what raw transactions may carry.

`eth_sendRawTransaction` takes a transaction from any caller with the role, and peers pass on what
their callers handed them. Both are read by the firewall (`api.firewall`) before they get a place:
the call must be an act of a contract of the ledger, of typed values only, and nothing else may ride
along. Code that is not the ledger's own needs the agencies' vote (`node.chain.code_votes`).

A node that refuses a transaction does not pass it on and does not propose it. That is all that it
may do: a sealed block that holds one is valid, for us as for Besu, because validators that judged
blocks by rules of their own would part from the others. A peer that passes on what is refused here
is not blamed either; it may be of another version, or a block ahead. Blocks that hold such a
transaction are noted (`node.daemon.intruders`).
"""

from collections.abc import Mapping
from typing import Final

from api.errors import InvalidField
from api.firewall.transactions import check_foreign_call, check_ledger_call
from consensus.header import BlockHeader
from contracts.addresses import get_contract_name
from node.chain.code_votes import NO_CREATION_VOTE, NOT_OPEN, CodeVotes
from node.chain.registry import RegistryView
from node.chain.transactions import Transaction
from node.mempool import MempoolRefusal

FIELD_REFUSED: Final = "field_refused"
"""Code of a refusal of something that is no typed value; the field is named."""

_BREACHES: Final[Mapping[str, tuple[str, str]]] = {
    NO_CREATION_VOTE: (
        "input",
        "the agencies have not resolved to create a contract of it; see `atesta governance code`",
    ),
    NOT_OPEN: (
        "to",
        "is none of the ledger's contracts, and the agencies have not opened it by vote",
    ),
}


class TransactionGate:
    """Judges transactions by what they carry; the mempool's `Gate`. Safe from any thread."""

    def __init__(self, votes: CodeVotes, registry: RegistryView) -> None:
        self._votes = votes
        self._registry = registry

    def check(self, transaction: Transaction) -> None:
        """Raise MempoolRefusal, which names the field, for what this node does not let in."""
        breach = self._votes.find_breach(transaction)
        if breach is not None:
            field, reason = _BREACHES[breach]
            raise MempoolRefusal(field, reason, breach)
        try:
            self._check_contents(transaction)
        except InvalidField as refusal:
            field = refusal.field or "input"
            raise MempoolRefusal(
                "input" if field == "data" else f"input.{field}", refusal.reason, FIELD_REFUSED
            ) from refusal

    def may_go(self, transaction: Transaction) -> bool:
        """Tell whether a transaction that waits may still be proposed; votes can change."""
        return self._votes.find_breach(transaction) is None

    def is_voted(self, transaction: Transaction, *, at: BlockHeader) -> bool:
        """Tell whether a transaction had the votes that it needs, by the state after a block."""
        return self._votes.find_breach(transaction, at=at) is None

    def find_breach(self, transaction: Transaction) -> str | None:
        """Return the code under which this node refuses a transaction; None if it does not."""
        try:
            self.check(transaction)
        except MempoolRefusal as refusal:
            return refusal.code
        return None

    def _check_contents(self, transaction: Transaction) -> None:
        contract = None if transaction.to is None else get_contract_name(transaction.to)
        if contract is None and self._votes.is_development:
            return
        if transaction.access_list:
            raise MempoolRefusal(
                "accessList", "must be empty: nothing is paid for here", FIELD_REFUSED
            )
        if transaction.value:
            raise MempoolRefusal("value", "must be 0 in a call of this ledger", FIELD_REFUSED)
        if contract is not None:
            check_ledger_call(
                contract,
                transaction.data,
                is_agency=self._registry.is_agency,
                is_jurisdiction=self._registry.is_jurisdiction,
            )
        elif transaction.to is not None:
            check_foreign_call(transaction.data)
