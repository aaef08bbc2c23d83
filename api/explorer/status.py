"""The ledger at a glance: how far it is, how it got final, and whether this node keeps up."""

from typing import Any, Final

from api.explorer.chain import ChainReader
from api.explorer.facts import StatusFacts
from api.explorer.records import RecordReader
from api.web3_provider import RpcRefusal
from consensus.resilience import compute_resilience

LATE_PERIODS: Final = 10
"""Block periods after which a head counts as late; empty blocks may be made more rarely."""

LATE_AT_LEAST_S: Final = 60
"""A head younger than this is never late."""


async def read_status(
    chain: ChainReader, records: RecordReader, *, with_counts: bool
) -> StatusFacts:
    """Return the state of the ledger as this node sees it."""
    (head,) = await chain.list_blocks(before=None, limit=1)
    registry = await chain.get_registry()
    node = await _read_node(chain)
    age_s = chain.get_age_s(head.time_s)
    period_s = None if node is None else float(node["blockPeriodSeconds"])
    is_syncing = bool(await chain.raw.call("eth_syncing"))
    limit_s = max(LATE_AT_LEAST_S, LATE_PERIODS * (period_s or 0))
    finality = await chain.find_finality(hex(head.number), registry)
    (genesis,) = await chain.list_blocks(before=1, limit=1)
    return StatusFacts(
        chain_id=int(await chain.raw.call("eth_chainId"), 16),
        genesis_hash=genesis.hash,
        client=await chain.raw.call("web3_clientVersion"),
        head=head,
        age_s=age_s,
        finality=finality,
        is_current=not is_syncing and age_s <= limit_s,
        block_period_s=period_s,
        peers=None if node is None else int(node["peers"]),
        index_block=await records.get_index_block(),
        resilience=compute_resilience(finality.total) if finality and finality.total else None,
        counts=await records.count() if with_counts else None,
    )


async def _read_node(chain: ChainReader) -> dict[str, Any] | None:
    """Return what our own nodes tell about themselves; None for another network's node."""
    try:
        status: dict[str, Any] = await chain.raw.call("atesta_status")
    except RpcRefusal:
        return None
    return status
