"""What a transaction may cost (EIP-1559): nothing on a ledger of ours, a market price elsewhere.

A network with fees asks a base fee for each unit of gas, which rises and falls with the demand by
at most an eighth a block, and takes a priority fee on top. A transaction offers twice the base fee
of the moment, so that it stays good for some blocks, and pays only what is asked. No more is ever
offered than the operator allows; while the network asks more, nothing is promised.

A transaction that waits because the base fee rose above its offer is replaced by one with the same
nonce and a higher offer. Only one of the two can be carried out. Nodes take a replacement that
offers at least a tenth more.
"""

from dataclasses import dataclass
from typing import Final

from api.errors import UpstreamFault
from api.web3_provider import RawRpc, RpcRefusal

GWEI: Final = 10**9
"""Fees are named in thousand millionths of the network's coin."""

REPLACEMENT_PERCENT: Final = 125
"""A replacement offers so many percent of what it replaces, more than any node asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """What one transaction offers for each unit of gas, in wei."""

    max_fee: int
    """At most, base fee and priority fee together."""
    priority_fee: int
    """Of it, for whoever makes the block."""
    base_fee: int = 0
    """What the network asked when this was quoted."""

    def covers(self, quote: "Fees") -> bool:
        """Whether a transaction with this offer can still be carried out."""
        return self.max_fee >= quote.base_fee

    def raise_to(self, quote: "Fees") -> "Fees":
        """Return the offer of a replacement: a quote, but enough above this one to be taken."""
        return Fees(
            max_fee=max(quote.max_fee, _raise(self.max_fee)),
            priority_fee=max(quote.priority_fee, _raise(self.priority_fee)),
        )


NO_FEES: Final = Fees(max_fee=0, priority_fee=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeePolicy:
    """What the operator allows."""

    max_fee: int = 100 * GWEI
    """Never offer more for a unit of gas, in wei."""
    priority_fee: int | None = None
    """Offer this on top of the base fee, in wei; None: what the network's node suggests."""
    replace_after_s: int = 60
    """Replace a transaction that has waited for so long, if its offer is too low now."""


async def quote_fees(raw: RawRpc, policy: FeePolicy | None) -> Fees:
    """Return what to offer now; nothing where there is no policy, because nothing is asked.

    Raises UpstreamFault where the network asks more than the policy allows.
    """
    if policy is None:
        return NO_FEES
    block = await raw.call("eth_getBlockByNumber", "latest", False)
    if block is None or block.get("baseFeePerGas") is None:
        raise UpstreamFault(
            "the network has no base fee, so it is older than what the contracts need",
            code="network_too_old",
            next_step="the operator chooses a network with the rules of Cancun or later",
        )
    base = int(block["baseFeePerGas"], 16)
    priority = policy.priority_fee
    if priority is None:
        priority = min(await _ask_priority_fee(raw), policy.max_fee)
    if base + priority > policy.max_fee:
        raise UpstreamFault(
            "the network asks more for a transaction than the operator allows",
            code="fee_too_high",
            next_step="try again later; or the operator raises foreign.max_fee_gwei",
        )
    return Fees(
        max_fee=min(2 * base + priority, policy.max_fee), priority_fee=priority, base_fee=base
    )


async def check_funds(raw: RawRpc, account: bytes, *, gas: int, fees: Fees) -> None:
    """Raise UpstreamFault if an account cannot pay for a transaction."""
    if not fees.max_fee:
        return
    balance = int(await raw.call("eth_getBalance", "0x" + account.hex(), "latest"), 16)
    if balance < gas * fees.max_fee:
        raise UpstreamFault(
            "the agency's account on that network cannot pay for the transaction",
            code="account_unfunded",
            next_step="the operator sends coins of that network to the account",
        )


async def _ask_priority_fee(raw: RawRpc) -> int:
    try:
        return int(await raw.call("eth_maxPriorityFeePerGas"), 16)
    except RpcRefusal:
        return GWEI


def _raise(fee: int) -> int:
    return -(-fee * REPLACEMENT_PERCENT // 100)
