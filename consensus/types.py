"""Names for the numbers of QBFT, so that a height is never passed where a round is meant."""

from typing import NewType

from eth_typing import Address, Hash32

Height = NewType("Height", int)
"""A block number, 0 for genesis."""

Round = NewType("Round", int)
"""A consensus round within one height, 0 for the first try."""

__all__ = ["Address", "Hash32", "Height", "Round"]
