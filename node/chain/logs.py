"""Looking for events: blooms first, receipts only where a bloom says "maybe"."""

from collections.abc import Iterator

from eth_hash.auto import keccak

from consensus.types import Hash32
from node.chain.block_store import BlockStore
from node.chain.errors import StateMissing
from node.chain.receipts import Log, compute_bloom_bits
from node.chain.results import FoundLog, LogFilter


def find_logs(blocks: BlockStore, first: int, last: int, wanted: LogFilter) -> Iterator[FoundLog]:
    """Yield the logs of the final blocks `first` to `last` that match, in order.

    Raises StateMissing at a block that a node which started from a snapshot does not have.
    """
    head = blocks.read_head()
    for height in range(max(first, 0), min(last, -1 if head is None else head[0]) + 1):
        header = blocks.get_header(height)
        if header is None:
            raise _explain_gap(height)
        if _may_contain(header.logs_bloom, wanted):
            yield from _search_block(blocks, height, wanted)


def is_match(log: Log, wanted: LogFilter) -> bool:
    """Whether a log is among those wanted."""
    if wanted.addresses and log.address not in wanted.addresses:
        return False
    if len(wanted.topics) > len(log.topics):
        return False  # eth_getLogs: a log needs a topic at every position given, even for "any"
    return all(
        not options or topic in options
        for topic, options in zip(log.topics, wanted.topics, strict=False)
    )


def _search_block(blocks: BlockStore, height: int, wanted: LogFilter) -> Iterator[FoundLog]:
    receipts = blocks.get_receipts(height)
    raws = blocks.get_transactions(height)
    block_hash = blocks.get_hash(height)
    if receipts is None or raws is None or block_hash is None:
        raise _explain_gap(height)
    log_index = 0
    for index, receipt in enumerate(receipts):
        for log in receipt.logs:
            if is_match(log, wanted):
                yield FoundLog(
                    log=log,
                    block_number=height,
                    block_hash=block_hash,
                    transaction_hash=Hash32(keccak(raws[index])),
                    transaction_index=index,
                    log_index=log_index,
                )
            log_index += 1


def _explain_gap(height: int) -> StateMissing:
    return StateMissing(
        f"block {height} is not kept here: this node started from a later snapshot",
        next_step="Ask a node that has the whole history",
    )


def _may_contain(bloom: bytes, wanted: LogFilter) -> bool:
    bits = int.from_bytes(bloom, "big")
    if not bits:
        return False
    for options in (wanted.addresses, *wanted.topics):
        if options and not any(
            bits & (mask := compute_bloom_bits(option)) == mask for option in options
        ):
            return False
    return True
