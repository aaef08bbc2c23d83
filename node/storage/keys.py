"""Where everything lies in the store: one byte of prefix per table.

The chain is final block by block, so a block is found by its height, and hashes only point to
heights. Trie nodes are found by their hash, those of storage tries below the address of their
account: within one trie a hash has one place, so a node can be dropped by its key alone once the
journal of stale nodes says that no retained state needs it.

    m  name                     meta: layout version, genesis hash, head, where states begin
    h  height                   sealed header, RLP
    H  block hash               height
    b  height                   transactions, RLP list of EIP-2718 bytes
    r  height                   receipts, stored form
    t  transaction hash         height and index
    a  node hash                node of the account trie: height that wrote it, RLP
    s  address, node hash       node of a storage trie: height that wrote it, RLP
    c  code hash                contract code
    j  height                   keys of the trie nodes that the block made stale
    w  height                   change of the validator set by that block, with its proof
    v  validator address        copy of the sign state (node.validator)
    x  height, sequence         evidence against validators

Heights are eight bytes, big-endian, so that tables iterate in the order of the chain.
"""

from typing import Final

from consensus.types import Address, Hash32

LAYOUT_VERSION: Final = 1
"""Raised with every change that an older node could not read."""

META: Final = b"m"
HEADERS: Final = b"h"
HEIGHTS: Final = b"H"
BODIES: Final = b"b"
RECEIPTS: Final = b"r"
TRANSACTIONS: Final = b"t"
ACCOUNT_NODES: Final = b"a"
STORAGE_NODES: Final = b"s"
CODES: Final = b"c"
STALE_NODES: Final = b"j"
SET_CHANGES: Final = b"w"
SIGN_STATES: Final = b"v"
EVIDENCE: Final = b"x"

VERSION_KEY: Final = META + b"version"
GENESIS_KEY: Final = META + b"genesis"
HEAD_KEY: Final = META + b"head"
FLOOR_KEY: Final = META + b"states_from"
"""Height of the oldest block whose state is retained; absent: genesis."""

HEIGHT_BYTES: Final = 8
_INDEX_BYTES: Final = 4


def encode_height(height: int) -> bytes:
    """Return the eight bytes of a height."""
    return height.to_bytes(HEIGHT_BYTES, "big")


def decode_height(data: bytes) -> int:
    """Read the height at the start of `data`."""
    return int.from_bytes(data[:HEIGHT_BYTES], "big")


def header_key(height: int) -> bytes:
    """Key of the sealed header at a height."""
    return HEADERS + encode_height(height)


def height_key(block_hash: bytes) -> bytes:
    """Key of the height of a block hash."""
    return HEIGHTS + block_hash


def body_key(height: int) -> bytes:
    """Key of the transactions of a block."""
    return BODIES + encode_height(height)


def receipts_key(height: int) -> bytes:
    """Key of the receipts of a block."""
    return RECEIPTS + encode_height(height)


def transaction_key(transaction_hash: bytes) -> bytes:
    """Key of the place of a transaction."""
    return TRANSACTIONS + transaction_hash


def encode_place(height: int, index: int) -> bytes:
    """Return the place of a transaction as stored."""
    return encode_height(height) + index.to_bytes(_INDEX_BYTES, "big")


def decode_place(data: bytes) -> tuple[int, int]:
    """Read (height, index) of a transaction."""
    return decode_height(data), int.from_bytes(data[HEIGHT_BYTES:], "big")


def node_prefix(owner: Address | None) -> bytes:
    """Prefix of the nodes of the account trie (None) or of one account's storage trie."""
    return ACCOUNT_NODES if owner is None else STORAGE_NODES + owner


def code_key(code_hash: Hash32) -> bytes:
    """Key of contract code."""
    return CODES + code_hash


def stale_key(height: int) -> bytes:
    """Key of the journal of nodes that a block made stale."""
    return STALE_NODES + encode_height(height)


def set_change_key(height: int) -> bytes:
    """Key of the change of the validator set by a block."""
    return SET_CHANGES + encode_height(height)
