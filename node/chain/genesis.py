"""Genesis: the file that makes a network, in Besu's format.

Everything that all nodes must agree on before the first block is in it: the chain id, the rules of
consensus (`config.qbft`), the contracts and accounts of block 0 (`alloc`). Its hash names the
network in handshakes and key files. The fork rules are fixed: Cancun from block 0 with a zero base
fee, so the file must say so, and anything else is refused rather than half obeyed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from consensus.genesis_config import QbftConfig
from consensus.header import BlockHeader
from consensus.types import Address, Hash32


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisAccount:
    """An account of block 0."""

    nonce: int = 0
    balance: int = 0
    """Wei."""
    code: bytes = b""
    """Runtime code."""
    storage: Mapping[int, int]
    """Slot to value, zero values left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """A network's beginning."""

    chain_id: int
    """EIP-155 chain id."""

    qbft: QbftConfig
    """Rules of consensus."""

    alloc: Mapping[Address, GenesisAccount]
    """Accounts of block 0."""

    header: BlockHeader
    """Block 0, its state root computed from `alloc`."""

    genesis_hash: Hash32
    """Hash of `header` as it stands."""


def load_genesis(path: Path) -> Genesis:
    """Read a genesis file; raises GenesisInvalid naming the key."""
    raise NotImplementedError(path)
