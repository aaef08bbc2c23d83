"""The keys of simulated validators, the same in every run."""

from eth_hash.auto import keccak

from consensus.signatures import ValidatorKey
from consensus.types import Address

CONTRACT = Address(bytes.fromhex("00000000000000000000000000000000a7e50100"))
"""Stands for the registry contract where a chain is in contract mode."""


def make_key(index: int) -> ValidatorKey:
    """Return the key of number `index`, from 0."""
    return ValidatorKey(keccak(b"simulated validator %d" % index))


KEYS = tuple(sorted((make_key(index) for index in range(16)), key=lambda key: key.address))
"""Ordered by address, so that v1 is the proposer of height 1 at round 0, v2 of height 2 ..."""

STRANGER = make_key(99)
"""A key that is never a validator's."""
