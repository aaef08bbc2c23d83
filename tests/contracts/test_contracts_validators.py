"""The validator set: each rule once kept and once broken."""

from typing import Any

import pytest
from eth_typing import Address
from eth_utils.crypto import keccak

from contracts.addresses import REGISTRY, SET_NUMBER_SLOT, VALIDATOR_SET_HASH_SLOT
from contracts.decisions import DecisionKind
from contracts.development import build_development_spec
from contracts.testkeys import get_address
from tests.contracts.contract_harness import (
    AUDITOR,
    BUREAU,
    Ledger,
    clerk,
    laboratory,
    uid_of,
)

NEWCOMER = uid_of(900)
FIRST_KEY = Address(b"\x91" * 20)
NEW_PIN = uid_of(901)
NEW_VALIDATOR = Address(b"\x92" * 20)
MACAO = b"MO".ljust(32, b"\0")


def check_validator_set(ledger: Ledger) -> tuple[Address, ...]:
    """The set is sorted and not empty, and number and hash in their slots are its own."""
    validators: tuple[Address, ...] = ledger.registry("getValidators")
    assert 1 <= len(validators) <= 64
    assert list(validators) == sorted(set(validators))
    expected = keccak(b"".join(validators))
    assert ledger.registry("validator_set_hash") == expected
    assert ledger.state.get_slot(REGISTRY, VALIDATOR_SET_HASH_SLOT) == int.from_bytes(expected)
    number = ledger.registry("set_number")
    assert ledger.state.get_slot(REGISTRY, SET_NUMBER_SLOT) == number
    return validators


def test_validators_are_added_and_removed_in_order(ledger: Ledger) -> None:
    before = check_validator_set(ledger)
    number = ledger.registry("set_number")
    added = [Address(bytes([b]) * 20) for b in (0xFF, 0x01, 0x80)]
    for count, validator in enumerate(added, start=1):
        events = ledger.decide(DecisionKind.ADD_VALIDATOR, [BUREAU, validator])
        assert [event.event for event in events] == [
            "Voted",
            "ValidatorAdded",
            "ValidatorSetChanged",
            "ProposalExecuted",
        ]
        assert ledger.registry("set_number") == number + count
        assert set(check_validator_set(ledger)) == {*before, *added[:count]}
        assert ledger.registry("is_validator", validator)
    for validator in added:
        ledger.decide(DecisionKind.REMOVE_VALIDATOR, [validator])
        check_validator_set(ledger)
        assert not ledger.registry("is_validator", validator)
        # Whose it was is still known, for evidence against it.
        assert ledger.registry("validator_agency", validator) == BUREAU
    assert check_validator_set(ledger) == before
    assert ledger.registry("set_number") == number + 6


@pytest.mark.parametrize(
    ("kind", "args", "reason"),
    [
        (
            DecisionKind.ADD_VALIDATOR,
            [BUREAU, get_address(2, "validator")],
            "validator: already in the set",
        ),
        (
            DecisionKind.ADD_VALIDATOR,
            [BUREAU, get_address(1, "validator")],
            "validator: another agency's",
        ),
        (DecisionKind.ADD_VALIDATOR, [NEWCOMER, NEW_VALIDATOR], "agency: not active"),
        (DecisionKind.ADD_VALIDATOR, [BUREAU, clerk], "validator: is an account's key"),
        (
            DecisionKind.ADD_VALIDATOR,
            [BUREAU, Address(bytes(20))],
            "validator: address missing",
        ),
        (DecisionKind.REMOVE_VALIDATOR, [NEW_VALIDATOR], "validator: not in the set"),
        (DecisionKind.SET_VALIDATOR_MINIMUM, [0], "validators: minimum out of bounds"),
        (DecisionKind.SET_VALIDATOR_MINIMUM, [65], "validators: minimum out of bounds"),
        (DecisionKind.SET_VALIDATOR_MINIMUM, [1], "validators: minimum unchanged"),
        (DecisionKind.SET_VALIDATOR_MINIMUM, [5], "validators: below the minimum"),
    ],
)
def test_validator_change_is_refused(
    ledger: Ledger, kind: DecisionKind, args: list[Any], reason: str
) -> None:
    assert ledger.decide_refused(kind, args) == reason
    assert ledger.registry("set_number") == 1
    check_validator_set(ledger)


def test_validator_set_is_never_empty(ledger: Ledger) -> None:
    for number in (1, 2, 3):
        ledger.decide(DecisionKind.REMOVE_VALIDATOR, [get_address(number, "validator")])
        check_validator_set(ledger)
    assert ledger.decide_refused(DecisionKind.REMOVE_VALIDATOR, [get_address(4, "validator")]) == (
        "validators: below the minimum"
    )
    assert ledger.decide_refused(DecisionKind.SUSPEND_AGENCY, [AUDITOR]) == (
        "validators: below the minimum"
    )
    assert check_validator_set(ledger) == (get_address(4, "validator"),)


def test_validator_set_keeps_its_minimum(ledger: Ledger) -> None:
    ledger.decide(DecisionKind.SET_VALIDATOR_MINIMUM, [4])
    assert ledger.registry("minimum_validators") == 4
    args = [get_address(1, "validator")]
    assert ledger.decide_refused(DecisionKind.REMOVE_VALIDATOR, args) == (
        "validators: below the minimum"
    )
    ledger.decide(DecisionKind.ADD_VALIDATOR, [BUREAU, NEW_VALIDATOR])
    ledger.decide(DecisionKind.REMOVE_VALIDATOR, args)
    check_validator_set(ledger)


def test_validator_set_takes_sixty_four() -> None:
    ledger = Ledger(build_development_spec(1))
    for number in range(63):
        validator = Address(keccak(number.to_bytes(2, "big"))[:20])
        proposal = ledger.propose(laboratory, DecisionKind.ADD_VALIDATOR, [BUREAU, validator])
        outcome = ledger.send(laboratory, "agency_registry", "vote", [proposal, True])
        assert outcome.succeeded
        # Even the largest change stays within the gas that a node admits for one transaction.
        assert outcome.gas_used < 1_500_000
    assert len(check_validator_set(ledger)) == 64
    proposal = ledger.propose(laboratory, DecisionKind.ADD_VALIDATOR, [BUREAU, NEW_VALIDATOR])
    assert ledger.refuse(laboratory, "agency_registry", "vote", [proposal, True]) == (
        "validators: the set is full"
    )


def test_validator_set_does_not_depend_on_the_clock(ledger: Ledger) -> None:
    before = ledger.registry("getValidators")
    ledger.state.timestamp = 2**47
    ledger.state.block_number = 2**40
    assert ledger.registry("getValidators") == before
