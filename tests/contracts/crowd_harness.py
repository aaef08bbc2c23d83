"""A ledger as full as it can be founded: 64 agencies of 32 jurisdictions, 63 validators.

The first 33 agencies share a jurisdiction, each of the others has one of its own. The sixth runs 30
validators. Every agency has one key, which may do everything.
"""

from functools import cache

from coincurve import PrivateKey
from eth_typing import Address, Hash32
from eth_utils.crypto import keccak

from contracts.codes import ALL_ROLES, Role
from contracts.development import CHAIN_ID
from contracts.genesis_spec import AccountSpec, AgencySpec, GenesisSpec

SIZE = 64
SAME_SIDE = 33
"""So many agencies, the first ones, are of the first jurisdiction."""
RICH = 5
"""The agency with many validators."""


@cache
def get_key(number: int) -> bytes:
    """The private key of an agency."""
    return keccak(b"crowd" + bytes([number]))


@cache
def get_account(number: int) -> Address:
    public_key = PrivateKey(get_key(number)).public_key.format(compressed=False)
    return Address(keccak(public_key[1:])[12:])


def get_agency(number: int) -> Hash32:
    return Hash32(keccak(b"agency" + bytes([number])))


def get_jurisdiction(number: int) -> Hash32:
    """The jurisdiction of an agency."""
    return Hash32(keccak(b"jurisdiction" + bytes([max(0, number - SAME_SIDE + 1)])))


def build_crowd_spec() -> GenesisSpec:
    return GenesisSpec(
        chain_id=CHAIN_ID, agencies=tuple(_specify(number) for number in range(SIZE))
    )


def _specify(number: int) -> AgencySpec:
    count = 30 if number == RICH else int(number < SAME_SIDE + 1)
    return AgencySpec(
        agency_id=get_agency(number),
        jurisdiction=get_jurisdiction(number),
        profile_hash=Hash32(keccak(b"profile" + bytes([number]))),
        roles=Role(ALL_ROLES),
        accounts=(AccountSpec(address=get_account(number), roles=Role(ALL_ROLES)),),
        validators=tuple(
            Address(keccak(b"validator" + bytes([number, place]))[:20]) for place in range(count)
        ),
    )
