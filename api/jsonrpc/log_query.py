"""Finding logs: the filter a caller gives, and the search through blocks for what it matches.

Every header carries a Bloom filter over the addresses and topics of its logs. It has no false
negatives, so a block whose filter misses is skipped without reading its receipts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, Final

from eth_hash.auto import keccak
from eth_typing import Address, Hash32

from api.errors import InvalidField, LimitExceeded
from api.jsonrpc.context import RpcContext, hash_of
from api.jsonrpc.hexes import write_data
from api.jsonrpc.params import LATEST, BlockSelector, read_address, read_block, read_hash
from api.jsonrpc.shapes import write_log
from api.ports import LedgerLog
from consensus.header import BlockHeader

MAX_TOPICS: Final = 4
MAX_ALTERNATIVES: Final = 1_000
"""Addresses, or choices for one topic, in one filter."""

_HEADERS_AT_ONCE: Final = 512
_MEMBERS: Final = {"fromBlock", "toBlock", "blockHash", "address", "topics"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which logs a caller wants."""

    first: BlockSelector
    last: BlockSelector
    block_hash: Hash32 | None
    """Set instead of a range."""
    addresses: frozenset[Address]
    """Empty matches every contract."""
    topics: tuple[frozenset[Hash32] | None, ...]
    """Per place the accepted values; None accepts any."""


def read_log_query(value: Any, field: str) -> LogQuery:
    """Read a filter object."""
    if not isinstance(value, dict):
        raise InvalidField(field, "expected a filter object")
    if set(value) - _MEMBERS:
        raise InvalidField(field, "the filter has a member that is not known")
    block_hash = None
    if value.get("blockHash") is not None:
        if value.get("fromBlock") is not None or value.get("toBlock") is not None:
            raise InvalidField(f"{field}.blockHash", "give either blockHash or a range")
        block_hash = read_hash(value["blockHash"], f"{field}.blockHash")
    return LogQuery(
        first=_read_bound(value.get("fromBlock"), f"{field}.fromBlock"),
        last=_read_bound(value.get("toBlock"), f"{field}.toBlock"),
        block_hash=block_hash,
        addresses=_read_addresses(value.get("address"), f"{field}.address"),
        topics=_read_topics(value.get("topics"), f"{field}.topics"),
    )


async def find_logs(context: RpcContext, query: LogQuery, field: str) -> list[dict[str, Any]]:
    """Return the matching logs in block order, written; raises `LimitExceeded` past the limits."""
    if query.block_hash is not None:
        header = await context.get_header(BlockSelector(hash=query.block_hash), field)
        return await find_logs_between(context, query, header.number, header.number)
    first = await context.get_height(query.first, f"{field}.fromBlock")
    last = await context.get_height(query.last, f"{field}.toBlock")
    if first > last:
        raise InvalidField(f"{field}.fromBlock", "the range ends before it starts")
    return await find_logs_between(context, query, first, last)


async def find_logs_between(
    context: RpcContext, query: LogQuery, first: int, last: int
) -> list[dict[str, Any]]:
    """Search the heights `first` to `last` inclusive, as far as they exist."""
    limits = context.limits
    last = min(last, (await context.node.get_head()).number)
    if last - first >= limits.max_log_blocks:
        raise LimitExceeded(
            f"one search covers at most {limits.max_log_blocks} blocks",
            field="params[0].toBlock",
            next_step="search in smaller ranges",
        )
    masks = _compute_masks(query)
    found: list[dict[str, Any]] = []
    for start in range(first, last + 1, _HEADERS_AT_ONCE):
        stop = min(start + _HEADERS_AT_ONCE - 1, last)
        for header in await context.node.get_headers(start, stop):
            if _may_contain(header, masks):
                await _search_block(context, query, header, found)
    return found


def matches(log: LedgerLog, query: LogQuery) -> bool:
    """Return whether a log has the address and topics that `query` asks for."""
    if query.addresses and log.address not in query.addresses:
        return False
    if len(query.topics) > len(log.topics):
        return False
    return all(
        accepted is None or topic in accepted
        for accepted, topic in zip(query.topics, log.topics, strict=False)
    )


def compute_bloom_mask(value: bytes) -> int:
    """Return the three bits that `value` sets in a 2048-bit Bloom filter (Yellow Paper 4.4.3)."""
    digest = keccak(value)
    places = (int.from_bytes(digest[start : start + 2], "big") & 2047 for start in (0, 2, 4))
    return reduce(or_, (1 << place for place in places))


async def _search_block(
    context: RpcContext, query: LogQuery, header: BlockHeader, found: list[dict[str, Any]]
) -> None:
    block_hash = hash_of(header)
    receipts = await context.node.get_receipts(block_hash)
    if not receipts:
        return
    block = None
    block_text = write_data(block_hash)
    log_index = 0
    for index, receipt in enumerate(receipts):
        transaction_text = ""
        for log in receipt.logs:
            if matches(log, query):
                if len(found) >= context.limits.max_log_results:
                    raise LimitExceeded(
                        f"one answer holds at most {context.limits.max_log_results} logs",
                        next_step="search in smaller ranges or with more topics",
                    )
                if block is None:
                    block = await context.node.get_block(block_hash)
                    assert block is not None, "a block with receipts is stored whole"
                if not transaction_text:
                    transaction_text = write_data(keccak(block.transactions[index]))
                found.append(
                    write_log(
                        log,
                        header,
                        block_hash=block_text,
                        transaction_hash=transaction_text,
                        transaction_index=index,
                        log_index=log_index,
                    )
                )
            log_index += 1


def _compute_masks(query: LogQuery) -> tuple[tuple[int, ...], ...]:
    """Return, per condition, the alternatives of which a block must contain at least one."""
    conditions: list[Sequence[bytes]] = []
    if query.addresses:
        conditions.append(tuple(query.addresses))
    conditions.extend(tuple(accepted) for accepted in query.topics if accepted is not None)
    return tuple(
        tuple(compute_bloom_mask(value) for value in alternatives) for alternatives in conditions
    )


def _may_contain(header: BlockHeader, masks: tuple[tuple[int, ...], ...]) -> bool:
    if not any(header.logs_bloom):
        return False
    bloom = int.from_bytes(header.logs_bloom, "big")
    return all(any(bloom & mask == mask for mask in alternatives) for alternatives in masks)


def _read_bound(value: Any, field: str) -> BlockSelector:
    return LATEST if value is None else read_block(value, field)


def _read_addresses(value: Any, field: str) -> frozenset[Address]:
    if value is None:
        return frozenset()
    if isinstance(value, str):
        return frozenset((read_address(value, field),))
    items = _read_list(value, field)
    return frozenset(read_address(item, f"{field}[{place}]") for place, item in enumerate(items))


def _read_topics(value: Any, field: str) -> tuple[frozenset[Hash32] | None, ...]:
    if value is None:
        return ()
    items = _read_list(value, field)
    if len(items) > MAX_TOPICS:
        raise InvalidField(field, f"a log has at most {MAX_TOPICS} topics")
    return tuple(_read_topic(item, f"{field}[{place}]") for place, item in enumerate(items))


def _read_topic(value: Any, field: str) -> frozenset[Hash32] | None:
    if value is None:
        return None
    if isinstance(value, str):
        return frozenset((read_hash(value, field),))
    items = _read_list(value, field)
    if not items:
        return None
    return frozenset(read_hash(item, f"{field}[{place}]") for place, item in enumerate(items))


def _read_list(value: Any, field: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidField(field, "expected a list")
    if len(value) > MAX_ALTERNATIVES:
        raise InvalidField(field, f"at most {MAX_ALTERNATIVES} alternatives are allowed")
    return value
