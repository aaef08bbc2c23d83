"""Block headers of this chain, and the two hashes of a block.

A header commits to everything in a block: its parent, its transactions, the state after them. QBFT
keeps its own data in extraData (see `extra_data`) and fixes the fields that proof of work left
over. A block has two hashes, both keccak-256 over the header with parts of extraData replaced:

    block hash  = H(round 0,    no seals)   names the block for ever: parent links, RPC
    commit hash = H(its round,  no seals)   what a commit seal signs, and the digest of messages

so a block that had to be proposed again in a later round keeps its name, while seals of different
rounds cannot be mixed. Genesis is hashed as it stands. Source: Besu's BftBlockHashing.

Fields follow the fork: 15 before London, 16 with the base fee, 17 with withdrawals (Shanghai), 20
with blobs and the beacon root (Cancun).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from eth_hash.auto import keccak

from consensus import rlp_codec
from consensus.errors import MalformedEncoding
from consensus.extra_data import decode_extra_data, encode_parts
from consensus.rlp_codec import RlpItem, encode_scalar, get_bytes, get_list, get_scalar
from consensus.types import Address, Hash32, Height, Round

MIX_HASH = Hash32(bytes.fromhex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365"))
"""The constant that marks a BFT header; contracts read it as PREVRANDAO."""

DIFFICULTY = 1
NONCE = bytes(8)
EMPTY_OMMERS_HASH = Hash32(
    bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")
)
"""keccak(rlp([])): there are no uncle blocks."""

EMPTY_TRIE_ROOT = Hash32(
    bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
)
"""keccak(rlp(b"")): the root of an empty trie, and of the always empty list of withdrawals."""

ZERO_HASH = Hash32(bytes(32))
BLOOM_BYTES = 256

_REMEMBERED_HASHES = 512
"""The head and the proposals on it are asked for their hashes at every step; the answer is pure."""

_FIELD_COUNTS = (15, 16, 17, 20)
_WORD_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHeader:
    """One block header. Numbers are unsigned; hashes and roots are keccak-256, 32 bytes."""

    parent_hash: Hash32
    """Block hash of the parent; zeros at genesis."""

    ommers_hash: Hash32 = EMPTY_OMMERS_HASH
    """Always the hash of an empty list."""

    coinbase: Address
    """The validator that first proposed the block; kept when it is proposed again."""

    state_root: Hash32
    """Root of the account trie after the block."""

    transactions_root: Hash32
    """Root of the trie of transactions by index."""

    receipts_root: Hash32
    """Root of the trie of receipts by index."""

    logs_bloom: bytes = bytes(BLOOM_BYTES)
    """Bloom filter over the block's logs, 256 bytes."""

    difficulty: int = DIFFICULTY
    """Always 1."""

    number: Height
    """Height of the block."""

    gas_limit: int
    """Gas that the block may use."""

    gas_used: int
    """Gas that the block did use."""

    timestamp: int
    """Seconds since 1970 by the proposer's clock."""

    extra_data: bytes
    """Encoded `ExtraData`."""

    mix_hash: Hash32 = MIX_HASH
    """Always the BFT constant."""

    nonce: bytes = NONCE
    """Always eight zero bytes."""

    base_fee_per_gas: int | None = None
    """Wei per gas (London); 0 on this chain."""

    withdrawals_root: Hash32 | None = None
    """Root of the empty list of withdrawals (Shanghai)."""

    blob_gas_used: int | None = None
    """Always 0 (Cancun)."""

    excess_blob_gas: int | None = None
    """Always 0 (Cancun)."""

    parent_beacon_block_root: Hash32 | None = None
    """Always zeros (Cancun)."""


def compute_block_hash(header: BlockHeader) -> Hash32:
    """Return the hash that names the block, H(0, []); the same for every round and seal set.

    Raises MalformedEncoding if extraData does not decode (never at genesis).
    """
    return _compute_hash(header, round_number=Round(0))


def compute_commit_hash(header: BlockHeader) -> Hash32:
    """Return the hash that commit seals sign and messages carry as digest, H(own round, [])."""
    return _compute_hash(header, round_number=None)


@lru_cache(maxsize=_REMEMBERED_HASHES)
def with_round(header: BlockHeader, round_number: Round) -> BlockHeader:
    """Return the header as proposed in `round_number`: another round in extraData, no seals."""
    extra_data = decode_extra_data(header.extra_data)
    return replace(header, extra_data=encode_parts(extra_data, round_number=round_number))


def with_seals(header: BlockHeader, seals: Sequence[bytes]) -> BlockHeader:
    """Return the header with `seals`, in the order given (we write them by validator address)."""
    extra_data = decode_extra_data(header.extra_data)
    return replace(
        header,
        extra_data=encode_parts(extra_data, round_number=extra_data.round, seals=seals),
    )


def encode_header(header: BlockHeader) -> bytes:
    """Return the RLP of the header, with as many fields as its fork has."""
    return rlp_codec.encode(header_to_item(header))


def decode_header(data: bytes) -> BlockHeader:
    """Decode a header; raises MalformedEncoding. The extraData is not looked into."""
    return header_from_item(rlp_codec.decode(data))


def header_to_item(header: BlockHeader) -> list[RlpItem]:
    """Return the header as the list of RLP items that a block embeds."""
    fields: list[RlpItem] = [
        header.parent_hash,
        header.ommers_hash,
        header.coinbase,
        header.state_root,
        header.transactions_root,
        header.receipts_root,
        header.logs_bloom,
        encode_scalar(header.difficulty),
        encode_scalar(header.number),
        encode_scalar(header.gas_limit),
        encode_scalar(header.gas_used),
        encode_scalar(header.timestamp),
        header.extra_data,
        header.mix_hash,
        header.nonce,
    ]
    if header.base_fee_per_gas is None:
        return fields
    fields.append(encode_scalar(header.base_fee_per_gas))
    if header.withdrawals_root is None:
        return fields
    fields.append(header.withdrawals_root)
    if header.parent_beacon_block_root is None:
        return fields
    assert header.blob_gas_used is not None, "Cancun headers have all three of their fields"
    assert header.excess_blob_gas is not None, "Cancun headers have all three of their fields"
    fields.append(encode_scalar(header.blob_gas_used))
    fields.append(encode_scalar(header.excess_blob_gas))
    fields.append(header.parent_beacon_block_root)
    return fields


def header_from_item(item: RlpItem) -> BlockHeader:
    """Read a header from a decoded RLP list; raises MalformedEncoding naming the field."""
    fields = get_list(item, "header", *_FIELD_COUNTS)
    count = len(fields)
    return BlockHeader(
        parent_hash=_get_hash(fields[0], "parentHash"),
        ommers_hash=_get_hash(fields[1], "ommersHash"),
        coinbase=Address(get_bytes(fields[2], "coinbase", 20)),
        state_root=_get_hash(fields[3], "stateRoot"),
        transactions_root=_get_hash(fields[4], "transactionsRoot"),
        receipts_root=_get_hash(fields[5], "receiptsRoot"),
        logs_bloom=get_bytes(fields[6], "logsBloom", BLOOM_BYTES),
        difficulty=get_scalar(fields[7], "difficulty", _WORD_BYTES),
        number=Height(get_scalar(fields[8], "number")),
        gas_limit=get_scalar(fields[9], "gasLimit"),
        gas_used=get_scalar(fields[10], "gasUsed"),
        timestamp=get_scalar(fields[11], "timestamp"),
        extra_data=get_bytes(fields[12], "extraData"),
        mix_hash=_get_hash(fields[13], "mixHash"),
        nonce=get_bytes(fields[14], "nonce", 8),
        base_fee_per_gas=get_scalar(fields[15], "baseFee", _WORD_BYTES) if count > 15 else None,
        withdrawals_root=_get_hash(fields[16], "withdrawalsRoot") if count > 16 else None,
        blob_gas_used=get_scalar(fields[17], "blobGasUsed") if count > 17 else None,
        excess_blob_gas=get_scalar(fields[18], "excessBlobGas") if count > 17 else None,
        parent_beacon_block_root=_get_hash(fields[19], "parentBeaconBlockRoot")
        if count > 17
        else None,
    )


@lru_cache(maxsize=_REMEMBERED_HASHES)
def _compute_hash(header: BlockHeader, round_number: Round | None) -> Hash32:
    if header.number == 0:
        return Hash32(keccak(encode_header(header)))
    extra_data = decode_extra_data(header.extra_data)
    encoded = encode_parts(
        extra_data, round_number=extra_data.round if round_number is None else round_number
    )
    return Hash32(keccak(encode_header(replace(header, extra_data=encoded))))


def _get_hash(item: RlpItem, what: str) -> Hash32:
    return Hash32(get_bytes(item, what, 32))


__all__ = [
    "BLOOM_BYTES",
    "DIFFICULTY",
    "EMPTY_OMMERS_HASH",
    "EMPTY_TRIE_ROOT",
    "MIX_HASH",
    "NONCE",
    "ZERO_HASH",
    "BlockHeader",
    "MalformedEncoding",
    "compute_block_hash",
    "compute_commit_hash",
    "decode_header",
    "encode_header",
    "header_from_item",
    "header_to_item",
    "with_round",
    "with_seals",
]
