"""Final blocks on disk: headers, transactions, receipts and where each transaction is.

A block becomes final in one synchronous batch that also moves the head pointer, so after any crash
the store holds a chain that ends at its head with everything that belongs to it, and nothing
beyond.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from consensus import rlp_codec
from consensus.block import Block
from consensus.errors import MalformedEncoding
from consensus.header import BlockHeader, compute_block_hash, decode_header, encode_header
from consensus.rlp_codec import get_bytes, get_list
from consensus.types import Hash32
from node.chain.receipts import Receipt, decode_stored_receipts, encode_stored_receipts
from node.chain.state_store import BoundedCache
from node.storage import keys
from node.storage.errors import StoreDamaged, StoreMismatch
from node.storage.kv import KeyValueStore, WriteBatch

_CACHED_HEADERS = 1_024
_CACHED_RECEIPTS = 16

Result = TypeVar("Result")

BlockId = int | bytes
"""A height, or a block hash."""


class BlockStore:
    """Reads blocks by height or hash and stages new ones. Reads from any thread."""

    def __init__(self, store: KeyValueStore) -> None:
        """Read from `store`."""
        self._store = store
        self._headers: BoundedCache[int, BlockHeader] = BoundedCache(_CACHED_HEADERS // 2)
        self._hashes: BoundedCache[int, Hash32] = BoundedCache(_CACHED_HEADERS // 2)
        self._receipts: BoundedCache[int, tuple[Receipt, ...]] = BoundedCache(_CACHED_RECEIPTS // 2)

    def read_head(self) -> tuple[int, Hash32] | None:
        """Return (height, hash) of the head, or None if the store is empty."""
        value = self._store.get(keys.HEAD_KEY)
        if value is None:
            return None
        return keys.decode_height(value), Hash32(value[keys.HEIGHT_BYTES :])

    def check_identity(self, genesis_hash: Hash32) -> None:
        """Raise StoreMismatch if the store is of another network or layout."""
        version = self._store.get(keys.VERSION_KEY)
        if version != str(keys.LAYOUT_VERSION).encode():
            raise StoreMismatch(
                f"the database has layout {(version or b'none').decode(errors='replace')}, this "
                f"program writes layout {keys.LAYOUT_VERSION}",
                next_step="Use the program that made it, or start with an empty data folder",
            )
        stored = self._store.get(keys.GENESIS_KEY) or b""
        if stored != genesis_hash:
            raise StoreMismatch(
                f"the database belongs to the network 0x{stored.hex()}, the genesis file makes "
                f"0x{genesis_hash.hex()}",
                field="genesis",
                next_step="Give the genesis file of that network, or another data folder",
            )

    def stage_identity(self, genesis_hash: Hash32, batch: WriteBatch) -> None:
        """Mark a new store with its network and layout."""
        batch.put(keys.VERSION_KEY, str(keys.LAYOUT_VERSION).encode())
        batch.put(keys.GENESIS_KEY, genesis_hash)

    def stage(
        self,
        block: Block,
        block_hash: Hash32,
        receipts: Sequence[Receipt],
        transaction_hashes: Sequence[Hash32],
        batch: WriteBatch,
    ) -> None:
        """Put a final block and the new head into the batch."""
        height = block.header.number
        self.stage_header(block.header, block_hash, batch)
        batch.put(keys.body_key(height), rlp_codec.encode(list(block.transactions)))
        batch.put(keys.receipts_key(height), encode_stored_receipts(receipts))
        for index, transaction_hash in enumerate(transaction_hashes):
            batch.put(keys.transaction_key(transaction_hash), keys.encode_place(height, index))
        batch.put(keys.HEAD_KEY, keys.encode_height(height) + block_hash)

    def stage_header(self, header: BlockHeader, block_hash: Hash32, batch: WriteBatch) -> None:
        """Put a final header alone into the batch, as a snapshot brings those before it."""
        batch.put(keys.header_key(header.number), encode_header(header))
        batch.put(keys.height_key(block_hash), keys.encode_height(header.number))

    def adopt(self, header: BlockHeader, block_hash: Hash32, receipts: tuple[Receipt, ...]) -> None:
        """Take a written block into the caches."""
        self._headers.put(header.number, header)
        self._hashes.put(header.number, block_hash)
        self._receipts.put(header.number, receipts)

    def find_height(self, block_id: BlockId) -> int | None:
        """Return the height of a final block, or None if there is no such block."""
        if isinstance(block_id, int):
            return block_id
        value = self._store.get(keys.height_key(block_id))
        return None if value is None else keys.decode_height(value)

    def get_header(self, height: int) -> BlockHeader | None:
        """Return the sealed header at a height, or None."""
        header = self._headers.get(height)
        if header is None and height >= 0:
            value = self._store.get(keys.header_key(height))
            if value is None:
                return None
            header = _decode(decode_header, value, f"header {height}")
            self._headers.put(height, header)
        return header

    def get_hash(self, height: int) -> Hash32 | None:
        """Return the hash of the final block at a height, or None."""
        block_hash = self._hashes.get(height)
        if block_hash is None:
            # A child names its parent; the head is named by the pointer.
            child = self.get_header(height + 1) if height >= 0 else None
            head = self.read_head()
            if child is not None:
                block_hash = child.parent_hash
            elif head is not None and head[0] == height:
                block_hash = head[1]
            else:
                # A node that started from a snapshot has genesis, but not its child.
                header = self.get_header(height) if height >= 0 else None
                if header is None:
                    return None
                block_hash = compute_block_hash(header)
            self._hashes.put(height, block_hash)
        return block_hash

    def get_transactions(self, height: int) -> tuple[bytes, ...] | None:
        """Return the EIP-2718 bytes of a block's transactions, or None."""
        value = self._store.get(keys.body_key(height)) if height >= 0 else None
        return None if value is None else _decode(_decode_body, value, f"body {height}")

    def get_receipts(self, height: int) -> tuple[Receipt, ...] | None:
        """Return the receipts of a block, or None."""
        receipts = self._receipts.get(height)
        if receipts is None and height >= 0:
            value = self._store.get(keys.receipts_key(height))
            if value is None:
                return None
            receipts = decode_stored_receipts(value)
            self._receipts.put(height, receipts)
        return receipts

    def find_transaction(self, transaction_hash: bytes) -> tuple[int, int] | None:
        """Return (height, index) of a final transaction, or None."""
        value = self._store.get(keys.transaction_key(transaction_hash))
        return None if value is None else keys.decode_place(value)


def _decode_body(data: bytes) -> tuple[bytes, ...]:
    items = get_list(rlp_codec.decode(data), "transactions")
    return tuple(get_bytes(item, "transaction") for item in items)


def _decode(read: Callable[[bytes], Result], data: bytes, what: str) -> Result:
    try:
        return read(data)
    except MalformedEncoding as error:
        raise StoreDamaged(f"the stored {what} does not decode: {error}") from error
