"""The decisions that agencies take by vote in the registry, and their payloads.

A proposal names a kind and carries the ABI encoding of that kind's parameters. The kinds and types
are those of `agency_registry.vy`; a test compares them.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils.address import to_canonical_address

from contracts.errors import CodecError


class DecisionKind(IntEnum):
    """What a proposal shall do."""

    ADMIT_AGENCY = 1
    SUSPEND_AGENCY = 2
    REINSTATE_AGENCY = 3
    SET_PROFILE = 4
    SET_ROLES = 5
    ADD_KEY = 6
    REVOKE_KEY = 7
    ADD_PIN = 8
    WITHDRAW_PIN = 9
    ADD_VALIDATOR = 10
    REMOVE_VALIDATOR = 11
    SET_VALIDATOR_MINIMUM = 12
    UPGRADE = 13
    RESOLVE = 14
    """Lets an act be carried out whose hash is the subject, such as entering a legal basis."""
    SET_DELAYS = 15
    """For how many seconds urgent, ordinary and grave decisions wait after they have passed."""
    SET_THRESHOLD = 16
    """More than how many percent of the agencies decide, in total and in each jurisdiction."""
    LIFT_PAUSE = 17
    """Ends a pause that a supervisor made."""


PAYLOADS: Final[Mapping[DecisionKind, tuple[tuple[str, str], ...]]] = {
    DecisionKind.ADMIT_AGENCY: (
        ("agency", "bytes32"),
        ("jurisdiction", "bytes32"),
        ("profile_hash", "bytes32"),
        ("roles", "uint256"),
        ("first_key", "address"),
        ("first_pin", "bytes32"),
    ),
    DecisionKind.SUSPEND_AGENCY: (("agency", "bytes32"),),
    DecisionKind.REINSTATE_AGENCY: (("agency", "bytes32"),),
    DecisionKind.SET_PROFILE: (("agency", "bytes32"), ("profile_hash", "bytes32")),
    DecisionKind.SET_ROLES: (("agency", "bytes32"), ("roles", "uint256")),
    DecisionKind.ADD_KEY: (
        ("agency", "bytes32"),
        ("key", "address"),
        ("roles", "uint256"),
        ("valid_from", "uint256"),
        ("valid_until", "uint256"),
    ),
    DecisionKind.REVOKE_KEY: (("key", "address"),),
    DecisionKind.ADD_PIN: (
        ("agency", "bytes32"),
        ("pin", "bytes32"),
        ("valid_from", "uint256"),
        ("valid_until", "uint256"),
    ),
    DecisionKind.WITHDRAW_PIN: (("pin", "bytes32"),),
    DecisionKind.ADD_VALIDATOR: (("agency", "bytes32"), ("validator", "address")),
    DecisionKind.REMOVE_VALIDATOR: (("validator", "address"),),
    DecisionKind.SET_VALIDATOR_MINIMUM: (("minimum", "uint256"),),
    DecisionKind.UPGRADE: (("proxy", "address"), ("implementation", "address")),
    DecisionKind.RESOLVE: (("subject", "bytes32"),),
    DecisionKind.SET_DELAYS: (
        ("urgent_delay", "uint256"),
        ("ordinary_delay", "uint256"),
        ("grave_delay", "uint256"),
    ),
    DecisionKind.SET_THRESHOLD: (
        ("total_percent", "uint256"),
        ("jurisdiction_percent", "uint256"),
    ),
    DecisionKind.LIFT_PAUSE: (("agency", "bytes32"),),
}
"""Names and ABI types of each kind's parameters, in order."""


def encode_payload(kind: DecisionKind, args: Sequence[Any]) -> bytes:
    """Encode a decision's parameters; CodecError if they do not fit the kind.

    In ADMIT_AGENCY 20 zero bytes mean "no first key" and 32 zero bytes "no first pin".
    """
    types = [abi_type for _, abi_type in PAYLOADS[kind]]
    if len(args) != len(types):
        raise CodecError(f"{kind.name} takes {len(types)} parameters, not {len(args)}")
    try:
        return encode(types, args)
    except (EncodingError, TypeError, ValueError) as error:
        raise CodecError(f"{kind.name}: {error}") from error


def decode_payload(kind: int, payload: bytes) -> dict[str, Any]:
    """Decode a decision's parameters by name, addresses as 20 bytes."""
    try:
        fields = PAYLOADS[DecisionKind(kind)]
        values = decode([abi_type for _, abi_type in fields], payload)
    except (ValueError, DecodingError) as error:
        raise CodecError(f"payload of kind {kind}: {error}") from error
    return {
        name: to_canonical_address(value) if abi_type == "address" else value
        for (name, abi_type), value in zip(fields, values, strict=True)
    }
