"""Founding a ledger, step by step: which contracts are made where, and what the founders decide.

A genesis file takes these steps in a scratch state (`contracts.genesis`); a deployment takes them
on a network that runs already, one transaction each (`contracts.deployment`). They are the same
steps in the same order, so the two give the same ledger, at other addresses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from eth_abi.abi import encode
from eth_typing import Address, Hash32
from eth_utils.crypto import keccak
from rlp.codec import encode as encode_rlp

from contracts.address_book import GENESIS_BOOK, AddressBook
from contracts.addresses import (
    AGENCY_REGISTRY_NAME,
    ATTESTATIONS_NAME,
    BASES_NAME,
    CATALOGUE_NAME,
    CONSENTS_NAME,
    DECISIONS_IMPLEMENTATION,
    DECISIONS_NAME,
    EXCHANGES_NAME,
    IMPLEMENTATIONS,
    MANDATES_NAME,
    POLICIES_NAME,
    POSTS_NAME,
    PROXIES,
    PROXY_NAME,
    SCHEMAS_NAME,
)
from contracts.codec import encode_call
from contracts.decisions import DecisionKind, encode_payload
from contracts.genesis_spec import MIN_PERCENT, AgencySpec, GenesisSpec, GovernanceSpec
from contracts.labels import format_identifier
from contracts.loader import load_artifact
from contracts.scratch import SYSTEM_SENDER

NO_ADDRESS: Final = Address(bytes(20))
NO_PIN: Final = Hash32(bytes(32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where everything of a ledger comes to stand, and who founds it."""

    book: AddressBook
    """The proxies, at which the ledger's records live."""
    implementations: Mapping[str, Address]
    """The first implementation behind each proxy, by the contract's name."""
    decisions: Address
    """The second half of the registry's code."""
    founder: Address
    """The account that carries out the founders' decisions."""


GENESIS_PLACEMENT: Final = Placement(
    book=GENESIS_BOOK,
    implementations=MappingProxyType(
        {PROXIES[proxy]: implementation for proxy, implementation in IMPLEMENTATIONS.items()}
    ),
    decisions=DECISIONS_IMPLEMENTATION,
    founder=SYSTEM_SENDER,
)
"""That of a genesis file: fixed addresses, and a founder whose key nobody has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """One contract to be made."""

    title: str
    """What it is, such as `schemas` or `proxy of schemas`."""
    address: Address
    """Where it must come to stand."""
    code: bytes
    """Creation bytecode with the constructor's arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundingCall:
    """One call of the registry by the founder."""

    title: str
    """What it decides, in words."""
    data: bytes
    """The call."""


def list_creations(placement: Placement, salt: Hash32, late_after_s: int) -> tuple[Creation, ...]:
    """List the contracts in an order in which each finds the code that it asks for."""
    arguments = encode_constructors(salt, late_after_s, placement)
    registry = placement.book.get_address(AGENCY_REGISTRY_NAME)
    proxy_code = load_artifact(PROXY_NAME).creation_bytecode

    def create(name: str, address: Address) -> Creation:
        code = load_artifact(name).creation_bytecode + arguments[name]
        return Creation(title=name, address=address, code=code)

    creations = [create(DECISIONS_NAME, placement.decisions)]
    for name, proxy in placement.book.by_name.items():
        implementation = placement.implementations[name]
        words = encode(["address", "address"], [registry, implementation])
        creations += [
            create(name, implementation),
            Creation(title=f"proxy of {name}", address=proxy, code=proxy_code + words),
        ]
    return tuple(creations)


def list_founding_calls(spec: GenesisSpec) -> tuple[FoundingCall, ...]:
    """List what the founders decide, and the call that closes the founding."""
    calls = [call for agency in spec.agencies for call in _list_agency(agency)]
    # The founding registry already takes one as its minimum.
    if spec.minimum_validators != 1:
        kind = DecisionKind.SET_VALIDATOR_MINIMUM
        calls.append(_decide("least number of validators", kind, [spec.minimum_validators]))
    calls += _list_rules(spec.governance)
    finish = encode_call(AGENCY_REGISTRY_NAME, "finish_founding")
    return (*calls, FoundingCall(title="end of the founding", data=finish))


def encode_constructors(
    salt: Hash32, late_after_s: int, placement: Placement = GENESIS_PLACEMENT
) -> dict[str, bytes]:
    """Encode each implementation's constructor arguments, by the contract's name.

    An upgrade passes the same ones; another salt ends all signed acts that are not submitted yet,
    another limit in seconds decides from then on what is late.
    """
    book = placement.book

    def point(*names: str) -> bytes:
        return encode(["address"] * len(names), [book.get_address(name) for name in names])

    registry = book.get_address(AGENCY_REGISTRY_NAME)
    signed = encode(["address", "bytes32", "uint256"], [registry, salt, late_after_s])
    return {
        DECISIONS_NAME: encode(["address"], [placement.founder]),
        AGENCY_REGISTRY_NAME: encode(
            ["address", "bytes32", "address", "address"],
            [registry, salt, placement.decisions, book.get_address(POSTS_NAME)],
        ),
        SCHEMAS_NAME: signed + point(ATTESTATIONS_NAME),
        ATTESTATIONS_NAME: signed + point(SCHEMAS_NAME),
        CATALOGUE_NAME: signed,
        BASES_NAME: signed + point(CATALOGUE_NAME),
        CONSENTS_NAME: signed + point(CATALOGUE_NAME, BASES_NAME, EXCHANGES_NAME, MANDATES_NAME),
        EXCHANGES_NAME: signed + point(CATALOGUE_NAME, BASES_NAME, CONSENTS_NAME, MANDATES_NAME),
        MANDATES_NAME: signed,
        POLICIES_NAME: signed + point(SCHEMAS_NAME),
        POSTS_NAME: signed,
    }


def compute_deployment_salt(spec: GenesisSpec) -> Hash32:
    """Compute what tells this ledger from any other in signed messages, 32 bytes.

    keccak256 of the RLP list of chain id, timestamp, and for each founding agency its identifier,
    accounts and validators, so that two ledgers with one chain id have different salts.
    """
    founders = [
        [agency.agency_id, [a.address for a in agency.accounts], list(agency.validators)]
        for agency in spec.agencies
    ]
    encoded: bytes = encode_rlp([spec.chain_id, spec.timestamp, founders])  # type: ignore[no-untyped-call]
    return Hash32(keccak(encoded))


def _list_agency(agency: AgencySpec) -> list[FoundingCall]:
    name = format_identifier(agency.agency_id)
    admission = [
        agency.agency_id,
        agency.jurisdiction,
        agency.profile_hash,
        int(agency.roles),
        NO_ADDRESS,
        NO_PIN,
    ]
    calls = [_decide(f"agency {name}", DecisionKind.ADMIT_AGENCY, admission)]
    for account in agency.accounts:
        key = [agency.agency_id, account.address, int(account.roles), 0, 0]
        calls.append(_decide(f"key of {name}", DecisionKind.ADD_KEY, key))
    for pin in agency.tls_pins:
        values = [agency.agency_id, pin, 0, 0]
        calls.append(_decide(f"certificate of {name}", DecisionKind.ADD_PIN, values))
    for validator in agency.validators:
        values = [agency.agency_id, validator]
        calls.append(_decide(f"validator of {name}", DecisionKind.ADD_VALIDATOR, values))
    return calls


def _list_rules(rules: GovernanceSpec) -> list[FoundingCall]:
    """List what is not as in a registry that nobody has set rules in."""
    calls = []
    delays = [rules.urgent_delay_s, rules.ordinary_delay_s, rules.grave_delay_s]
    if any(delays):
        calls.append(_decide("how long decisions wait", DecisionKind.SET_DELAYS, delays))
    percents = [rules.total_percent, rules.jurisdiction_percent]
    if percents != [MIN_PERCENT, MIN_PERCENT]:
        calls.append(_decide("how many decide", DecisionKind.SET_THRESHOLD, percents))
    return calls


def _decide(title: str, kind: DecisionKind, args: Sequence[Any]) -> FoundingCall:
    payload = encode_payload(kind, args)
    data = encode_call(AGENCY_REGISTRY_NAME, "found", [int(kind), payload])
    return FoundingCall(title=title, data=data)
