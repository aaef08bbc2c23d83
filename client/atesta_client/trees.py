"""RFC 6962 Merkle trees over ready-made leaf hashes.

The tree of *n* leaves splits at the largest power of two below *n*; a node hashes
``0x01 ‖ left ‖ right``, and a leaf hashes ``0x00 ‖ data``, so that no leaf can be taken for a node.
The tree of no leaves is the hash of nothing. The functions here take leaf *hashes* (32 bytes each,
already led by ``0x00``); ``commitments`` makes them.

Splitting at the largest power of two gives the same tree as pairing neighbours level by level and
lifting an odd last one unchanged. The second way is a plain loop, and is the one used here.

An inclusion path lists the siblings from the leaf upwards; it is verified as in RFC 9162, 2.1.3.2,
with leaf index and tree size as inputs that the verifier must know from elsewhere: a path alone
proves neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from atesta_client.errors import ProofRefused, ReasonCode
from atesta_client.hashing import DIGEST_SIZE, HashAlgorithm, get_hash

MAX_TREE_SIZE: Final = 1 << 32
"""More leaves than a tree can have; leaf indices are 32-bit."""

_NODE_PREFIX = b"\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A tree with all of its levels in memory, for taking many paths; 64 bytes of hash a leaf."""

    algorithm: HashAlgorithm
    """The algorithm that hashes the nodes."""
    levels: tuple[tuple[bytes, ...], ...]
    """The leaf hashes, then each level above them; the last level holds the root alone."""

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self.levels[0])

    @property
    def root(self) -> bytes:
        """The root, 32 bytes."""
        return self.levels[-1][0] if self.levels[-1] else get_hash(self.algorithm)(b"")

    def compute_path(self, index: int) -> tuple[bytes, ...]:
        """Return the inclusion path of a leaf: its siblings from the leaf upwards.

        Raises ``IndexError`` when there is no such leaf.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"no leaf {index} in a tree of {self.size}")
        path = []
        for level in self.levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                path.append(level[sibling])
            index >>= 1
        return tuple(path)


def build_tree(leaves: Sequence[bytes], algorithm: HashAlgorithm = HashAlgorithm.SHA_256) -> Tree:
    """Build the tree of these leaf hashes, 32 bytes each."""
    _check_leaves(leaves)
    levels = [tuple(leaves)]
    while len(levels[-1]) > 1:
        levels.append(tuple(_compute_level_above(levels[-1], algorithm)))
    return Tree(algorithm=algorithm, levels=tuple(levels))


def compute_root(
    leaves: Sequence[bytes], algorithm: HashAlgorithm = HashAlgorithm.SHA_256
) -> bytes:
    """Compute the root of these leaf hashes without keeping the levels."""
    _check_leaves(leaves)
    if not leaves:
        return get_hash(algorithm)(b"")
    level: Sequence[bytes] = leaves
    while len(level) > 1:
        level = _compute_level_above(level, algorithm)
    return level[0]


def compute_root_from_path(
    *,
    leaf: bytes,
    index: int,
    size: int,
    path: Sequence[bytes],
    algorithm: HashAlgorithm = HashAlgorithm.SHA_256,
) -> bytes:
    """Compute the root that a leaf and its inclusion path lead to (RFC 9162, 2.1.3.2).

    ``leaf`` is the leaf's hash, ``index`` its place and ``size`` the number of leaves, both as the
    verifier knows them. Raises :class:`ProofRefused` when the path cannot belong to that place:
    index beyond the tree, too few or too many siblings, a sibling that is not 32 bytes.
    """
    if not 0 <= index < size <= MAX_TREE_SIZE:
        raise _refuse(f"leaf {index} lies outside a tree of {size}")
    if len(leaf) != DIGEST_SIZE or any(len(sibling) != DIGEST_SIZE for sibling in path):
        raise _refuse(f"a hash in an inclusion path is not {DIGEST_SIZE} bytes long")
    digest = get_hash(algorithm)
    node = leaf
    place, last = index, size - 1
    for sibling in path:
        if last == 0:
            raise _refuse("an inclusion path is longer than its tree is high")
        if place & 1 or place == last:
            node = digest(_NODE_PREFIX + sibling + node)
            # An odd last node was lifted unchanged through the levels where it had no sibling.
            while not place & 1:
                place >>= 1
                last >>= 1
        else:
            node = digest(_NODE_PREFIX + node + sibling)
        place >>= 1
        last >>= 1
    if last != 0:
        raise _refuse("an inclusion path is shorter than its tree is high")
    return node


def _compute_level_above(level: Sequence[bytes], algorithm: HashAlgorithm) -> list[bytes]:
    digest = get_hash(algorithm)
    above = [
        digest(_NODE_PREFIX + left + right)
        for left, right in zip(level[::2], level[1::2], strict=False)
    ]
    if len(level) & 1:
        above.append(level[-1])
    return above


def _check_leaves(leaves: Sequence[bytes]) -> None:
    if len(leaves) > MAX_TREE_SIZE:
        raise ValueError(f"a tree has at most {MAX_TREE_SIZE} leaves")
    if any(len(leaf) != DIGEST_SIZE for leaf in leaves):
        raise ValueError(f"a leaf hash is not {DIGEST_SIZE} bytes long")


def _refuse(message: str) -> ProofRefused:
    return ProofRefused(ReasonCode.COMMITMENT_MISMATCH, message)
