"""Receipts: what each transaction did, its logs, and the bloom filters over them.

The block header commits to the receipts by a trie root and a bloom filter of 2048 bits in which
every log sets three bits for its address and three for each topic. A reader who looks for an event
skips every block whose filter lacks its bits; a set bit may be a coincidence, a missing one never
is. Source: Ethereum Yellow Paper 4.3.1, EIP-658 (status), EIP-2718 (typed receipts).

On disk a receipt also keeps what cannot be derived without execution again: gas used and the
address of a created contract.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from eth_hash.auto import keccak

from consensus import rlp_codec
from consensus.errors import MalformedEncoding
from consensus.header import BLOOM_BYTES
from consensus.rlp_codec import RlpItem, encode_scalar, get_bytes, get_list, get_scalar
from consensus.types import Address, Hash32
from node.storage.errors import StoreDamaged

STATUS_SUCCESS = 1
STATUS_FAILURE = 0

_BLOOM_CACHE_ENTRIES = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One event."""

    address: Address
    """The contract that emitted it."""

    topics: tuple[Hash32, ...]
    """Up to four indexed words; the first usually names the event."""

    data: bytes
    """The rest, ABI encoded by convention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The outcome of one transaction."""

    type: int
    """Type of the transaction."""

    status: int
    """1 if it took effect, 0 if it was reverted (its gas is spent all the same)."""

    cumulative_gas_used: int
    """Gas of the block up to and including this transaction."""

    gas_used: int
    """Gas of this transaction."""

    logs: tuple[Log, ...]
    """Events in order; empty if reverted."""

    logs_bloom: bytes
    """Filter over `logs`, 256 bytes."""

    contract_address: Address | None
    """The created contract, for a transaction without `to`."""


def encode_receipt(receipt: Receipt) -> bytes:
    """Return the consensus encoding, as the receipts trie holds it."""
    body = rlp_codec.encode(
        [
            encode_scalar(receipt.status),
            encode_scalar(receipt.cumulative_gas_used),
            receipt.logs_bloom,
            [_log_to_item(log) for log in receipt.logs],
        ]
    )
    return bytes((receipt.type,)) + body if receipt.type else body


def encode_stored_receipts(receipts: Sequence[Receipt]) -> bytes:
    """Return the form on disk. Blooms are left out: they follow from the logs."""
    return rlp_codec.encode([_receipt_to_item(receipt) for receipt in receipts])


def decode_stored_receipts(data: bytes) -> tuple[Receipt, ...]:
    """Read the form on disk; raises StoreDamaged."""
    try:
        items = get_list(rlp_codec.decode(data), "receipts")
        return tuple(_receipt_from_item(item) for item in items)
    except MalformedEncoding as error:
        raise StoreDamaged(f"stored receipts do not decode: {error}") from error


def compute_bloom(logs: Iterable[Log]) -> bytes:
    """Return the filter over `logs`, 256 bytes."""
    bits = 0
    for log in logs:
        bits |= compute_bloom_bits(log.address)
        for topic in log.topics:
            bits |= compute_bloom_bits(topic)
    return bits.to_bytes(BLOOM_BYTES, "big")


def merge_blooms(blooms: Iterable[bytes]) -> bytes:
    """Return the filter over all that the given filters cover."""
    bits = 0
    for bloom in blooms:
        bits |= int.from_bytes(bloom, "big")
    return bits.to_bytes(BLOOM_BYTES, "big")


@lru_cache(maxsize=_BLOOM_CACHE_ENTRIES)
def compute_bloom_bits(value: bytes) -> int:
    """Return the three bits of an address or topic as one number of 2048 bits.

    Addresses and event names repeat in every transaction, hence the cache (bounded, pure).
    """
    digest = keccak(value)
    bits = 0
    for start in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[start : start + 2], "big") & 0x7FF)
    return bits


def is_in_bloom(bloom: bytes, value: bytes) -> bool:
    """Whether `value` may be among what the filter covers; False is certain."""
    bits = compute_bloom_bits(value)
    return int.from_bytes(bloom, "big") & bits == bits


def _receipt_to_item(receipt: Receipt) -> RlpItem:
    return [
        encode_scalar(receipt.type),
        encode_scalar(receipt.status),
        encode_scalar(receipt.cumulative_gas_used),
        encode_scalar(receipt.gas_used),
        receipt.contract_address or b"",
        [_log_to_item(log) for log in receipt.logs],
    ]


def _receipt_from_item(item: RlpItem) -> Receipt:
    fields = get_list(item, "receipt", 6)
    contract = get_bytes(fields[4], "contract address")
    logs = tuple(_log_from_item(log) for log in get_list(fields[5], "logs"))
    return Receipt(
        type=get_scalar(fields[0], "type"),
        status=get_scalar(fields[1], "status"),
        cumulative_gas_used=get_scalar(fields[2], "cumulative gas"),
        gas_used=get_scalar(fields[3], "gas used"),
        logs=logs,
        logs_bloom=compute_bloom(logs),
        contract_address=Address(contract) if contract else None,
    )


def _log_to_item(log: Log) -> RlpItem:
    return [log.address, list(log.topics), log.data]


def _log_from_item(item: RlpItem) -> Log:
    address, topics, data = get_list(item, "log", 3)
    return Log(
        address=Address(get_bytes(address, "log address", 20)),
        topics=tuple(
            Hash32(get_bytes(topic, "log topic", 32)) for topic in get_list(topics, "topics")
        ),
        data=get_bytes(data, "log data"),
    )
