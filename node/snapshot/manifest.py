"""The first chunk of a snapshot: which network, which block, and how much follows.

    manifest = [chain id, genesis hash, block as a set change, [transaction, …], receipts,
                number of set changes, number of headers]

The block stands there in the form of a set change: its sealed header and the proof, in its own
state, of the validators after it. Its body comes along, so that the new node can show its head like
any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from consensus import rlp_codec
from consensus.block import Block
from consensus.errors import MalformedEncoding
from consensus.extra_data import decode_extra_data
from consensus.header import BlockHeader, compute_block_hash, decode_header, encode_header
from consensus.rlp_codec import encode_scalar, get_bytes, get_list, get_scalar
from consensus.types import Address, Hash32
from node.chain.errors import TransactionInvalid
from node.chain.receipts import (
    Receipt,
    decode_stored_receipts,
    encode_receipt,
    encode_stored_receipts,
)
from node.chain.set_changes import SetChange, decode_set_change, encode_set_change
from node.chain.transactions import decode_transactions
from node.chain.trie import compute_ordered_root
from node.snapshot.errors import SnapshotRefused
from node.storage.errors import StoreDamaged


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a snapshot says of itself."""

    chain_id: int
    genesis_hash: Hash32
    change: SetChange
    """The block: its header, and the validators after it."""
    transactions: tuple[bytes, ...]
    """Canonical bytes of the block's transactions."""
    receipts: tuple[Receipt, ...]
    changes: int
    """Changes of the validator set before the block, genesis not counted."""
    headers: int
    """Headers before the block."""

    @property
    def header(self) -> BlockHeader:
        """Return the block's sealed header."""
        return self.change.header

    @property
    def block_hash(self) -> Hash32:
        """Return the block's hash."""
        return compute_block_hash(self.header)

    @property
    def block(self) -> Block:
        """Return the whole block."""
        return Block(header=self.header, transactions=self.transactions, withdrawals=())


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the chunk's payload."""
    return rlp_codec.encode(
        [
            encode_scalar(manifest.chain_id),
            manifest.genesis_hash,
            encode_set_change(manifest.change),
            list(manifest.transactions),
            encode_stored_receipts(manifest.receipts),
            encode_scalar(manifest.changes),
            encode_scalar(manifest.headers),
        ]
    )


def decode_manifest(data: bytes) -> Manifest:
    """Read the chunk's payload; raises SnapshotRefused. Nothing in it is believed yet."""
    try:
        items = get_list(rlp_codec.decode(data), "manifest", 7)
        return Manifest(
            chain_id=get_scalar(items[0], "chain id"),
            genesis_hash=Hash32(get_bytes(items[1], "genesis hash", 32)),
            change=decode_set_change(get_bytes(items[2], "block")),
            transactions=tuple(
                get_bytes(item, "transaction") for item in get_list(items[3], "transactions")
            ),
            receipts=decode_stored_receipts(get_bytes(items[4], "receipts")),
            changes=get_scalar(items[5], "number of set changes"),
            headers=get_scalar(items[6], "number of headers"),
        )
    except (MalformedEncoding, StoreDamaged) as error:
        raise SnapshotRefused("manifest", f"cannot be read: {error}") from error


def encode_headers(headers: Sequence[BlockHeader]) -> bytes:
    """Return the payload of the chunk of headers."""
    return rlp_codec.encode([encode_header(header) for header in headers])


def decode_headers(data: bytes) -> tuple[BlockHeader, ...]:
    """Read the payload of the chunk of headers; raises SnapshotRefused."""
    try:
        headers = tuple(
            decode_header(get_bytes(item, "header"))
            for item in get_list(rlp_codec.decode(data), "headers")
        )
        for header in headers:
            decode_extra_data(header.extra_data)  # without it a header has no hash
    except MalformedEncoding as error:
        raise SnapshotRefused("headers", f"cannot be read: {error}") from error
    return headers


def validate_body(manifest: Manifest) -> tuple[Hash32, ...]:
    """Check transactions and receipts against the header; returns the transactions' hashes.

    What receipts say beyond what the header commits to (gas of each, created contract) follows from
    the rest and is computed again. Raises SnapshotRefused.
    """
    header, receipts = manifest.header, manifest.receipts
    if compute_ordered_root(manifest.transactions) != header.transactions_root:
        raise SnapshotRefused("transactions", "are not those of the block")
    if compute_ordered_root(map(encode_receipt, receipts)) != header.receipts_root:
        raise SnapshotRefused("receipts", "are not those of the block")
    try:
        transactions = decode_transactions(list(manifest.transactions))
    except TransactionInvalid as error:
        raise SnapshotRefused("transactions", f"cannot be read: {error}") from error
    if len(transactions) != len(receipts):
        raise SnapshotRefused("receipts", "are not one for each transaction")
    gas = 0
    for transaction, receipt in zip(transactions, receipts, strict=True):
        created: Address | None = None
        if transaction.to is None:
            place = [transaction.sender, encode_scalar(transaction.nonce)]
            created = Address(keccak(rlp_codec.encode(place))[12:])
        if receipt.gas_used != receipt.cumulative_gas_used - gas:
            raise SnapshotRefused("receipts", "say other gas than the block")
        if receipt.contract_address != created or receipt.type != transaction.type:
            raise SnapshotRefused("receipts", "say another transaction than the block")
        gas = receipt.cumulative_gas_used
    return tuple(transaction.hash for transaction in transactions)
