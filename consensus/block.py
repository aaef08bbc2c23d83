"""Whole blocks: a header and the transactions that it commits to.

    block = [header, [transaction, ...], [ommer, ...] (, [withdrawal, ...])]

A transaction is carried here as its canonical EIP-2718 bytes: a legacy one is the RLP list itself,
a typed one is its type byte followed by its payload. Inside a block a legacy transaction is
embedded as a list and a typed one as a byte string. Ommers are always empty, and so are
withdrawals, whose list is present from Shanghai on. Source: Ethereum Yellow Paper 4.3, EIP-2718,
EIP-4895; Besu's Block.writeTo.
"""

from dataclasses import dataclass

from consensus import rlp_codec
from consensus.errors import MalformedEncoding
from consensus.header import BlockHeader, encode_header, header_from_item
from consensus.rlp_codec import RlpItem

MAX_TYPED_PREFIX = 0x7F
"""The type byte of an EIP-2718 transaction is at most this; a legacy one starts at 0xc0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A header with its body."""

    header: BlockHeader
    """The header, with or without seals."""

    transactions: tuple[bytes, ...] = ()
    """Canonical EIP-2718 bytes of each transaction, in order."""

    withdrawals: tuple[()] | None = None
    """Empty from Shanghai on, absent (None) before."""


def encode_block(block: Block) -> bytes:
    """Return the RLP of the block in Besu's shape."""
    items = [
        encode_header(block.header),
        rlp_codec.encode_list([_encode_transaction(raw) for raw in block.transactions]),
        rlp_codec.encode_list([]),
    ]
    if block.withdrawals is not None:
        items.append(rlp_codec.encode_list([]))
    return rlp_codec.encode_list(items)


def decode_block(data: bytes) -> Block:
    """Decode a block; raises MalformedEncoding. Transactions are split off, not looked into."""
    return block_from_item(rlp_codec.decode(data))


def block_from_item(item: RlpItem) -> Block:
    """Read a block from a decoded RLP list, as messages embed it."""
    fields = rlp_codec.get_list(item, "block", 3, 4)
    rlp_codec.get_list(fields[2], "ommers", 0)
    withdrawals: tuple[()] | None = None
    if len(fields) == 4:
        rlp_codec.get_list(fields[3], "withdrawals", 0)
        withdrawals = ()
    return Block(
        header=header_from_item(fields[0]),
        transactions=tuple(
            _get_transaction(raw) for raw in rlp_codec.get_list(fields[1], "transactions")
        ),
        withdrawals=withdrawals,
    )


def _encode_transaction(raw: bytes) -> bytes:
    assert raw, "a transaction has at least its type byte"
    return rlp_codec.encode(raw) if raw[0] <= MAX_TYPED_PREFIX else raw


def _get_transaction(item: RlpItem) -> bytes:
    if not isinstance(item, bytes):
        return rlp_codec.encode(item)
    if not item or item[0] > MAX_TYPED_PREFIX:
        raise MalformedEncoding("transaction: neither a list nor a typed envelope (EIP-2718)")
    return item
