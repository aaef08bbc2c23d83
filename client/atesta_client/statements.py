"""Period statements: both sides of a standing or bulk exchange count the same leaves.

In every period the provider delivers records, each as an *envelope* of kind ``delivery``; provider
and requester state on the ledger the number and the RFC 6962 root of what they sent and received.
The leaf of a delivery is, hashed together:

======  ==========================================================================
bytes   what
======  ==========================================================================
1       ``0x00``, the leaf prefix of RFC 6962
17      ``atesta-delivery-1`` in ASCII
1       the tag of the hash algorithm
32      the uid of the exchange
32      the period, unsigned, big-endian
32      the delivery's commitment
======  ==========================================================================

Equal roots prove that both hold the same records in the same order. Where they differ,
:func:`compare_deliveries` names what is altered, missing or too much, from the two lists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from atesta_client.hashing import DIGEST_SIZE, HashAlgorithm, get_hash
from atesta_client.trees import Tree, build_tree

_TAG: Final = b"atesta-delivery-1"


class DifferenceKind(StrEnum):
    """How the lists of the two sides differ at one place."""

    ALTERED = "altered"
    """Both have a record there, and not the same."""
    MISSING = "missing"
    """The provider sent it and the requester does not have it."""
    SURPLUS = "surplus"
    """The requester has it and the provider did not send it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place at which the two sides do not agree."""

    kind: DifferenceKind
    provider_index: int | None
    """Place in the provider's list; None for a surplus."""
    requester_index: int | None
    """Place in the requester's list; None for a missing record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One side's statement on a period."""

    exchange: bytes
    """The uid of the exchange."""
    period: int
    """The period's number."""
    tree: Tree
    """The tree over the deliveries, from which single leaves are proved."""

    @property
    def count(self) -> int:
        """Number of deliveries."""
        return self.tree.size

    @property
    def root(self) -> bytes:
        """What is stated on the ledger, 32 bytes."""
        return self.tree.root


def compute_delivery_leaf(
    *,
    exchange: bytes,
    period: int,
    commitment: bytes,
    algorithm: HashAlgorithm = HashAlgorithm.SHA_256,
) -> bytes:
    """Compute the leaf of one delivery, 32 bytes."""
    if len(exchange) != DIGEST_SIZE or len(commitment) != DIGEST_SIZE:
        raise ValueError(f"an exchange's uid and a commitment are {DIGEST_SIZE} bytes each")
    return get_hash(algorithm)(
        b"\x00" + _TAG + algorithm.tag + exchange + period.to_bytes(32, "big") + commitment
    )


def make_statement(
    *,
    exchange: bytes,
    period: int,
    commitments: Sequence[bytes],
    algorithm: HashAlgorithm = HashAlgorithm.SHA_256,
) -> Statement:
    """Build one side's statement from its deliveries' commitments, in the order of delivery."""
    leaves = [
        compute_delivery_leaf(
            exchange=exchange, period=period, commitment=commitment, algorithm=algorithm
        )
        for commitment in commitments
    ]
    return Statement(exchange=exchange, period=period, tree=build_tree(leaves, algorithm))


def compare_deliveries(
    provider: Sequence[bytes], requester: Sequence[bytes]
) -> tuple[Difference, ...]:
    """Name every difference between what was sent and what arrived, in order of place.

    Takes the commitments (or leaves) of both sides in order of delivery. Salted commitments do not
    repeat, so a record is looked for by its value; between two that agree, one record against one
    other is an altered record, what remains is missing or surplus.
    """
    differences: list[Difference] = []
    here = there = 0
    for common_here, common_there in [
        *_find_common(provider, requester),
        (len(provider), len(requester)),
    ]:
        while here < common_here and there < common_there:
            differences.append(_differ(DifferenceKind.ALTERED, here, there))
            here, there = here + 1, there + 1
        differences += [
            _differ(DifferenceKind.MISSING, place, None) for place in range(here, common_here)
        ]
        differences += [
            _differ(DifferenceKind.SURPLUS, None, place) for place in range(there, common_there)
        ]
        here, there = common_here + 1, common_there + 1
    return tuple(differences)


def _find_common(provider: Sequence[bytes], requester: Sequence[bytes]) -> list[tuple[int, int]]:
    """Pair places that hold the same record, ascending on both sides."""
    places = {commitment: place for place, commitment in enumerate(requester)}
    common: list[tuple[int, int]] = []
    for here, commitment in enumerate(provider):
        there = places.get(commitment)
        if there is not None and (not common or there > common[-1][1]):
            common.append((here, there))
    return common


def _differ(kind: DifferenceKind, provider: int | None, requester: int | None) -> Difference:
    return Difference(kind=kind, provider_index=provider, requester_index=requester)
