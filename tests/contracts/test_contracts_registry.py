"""The register of agencies, keys and pins: each rule once kept and once broken."""

from typing import Any

import pytest
from eth_typing import Address

from contracts.codes import ALL_ROLES, AgencyStatus, Role
from contracts.decisions import DecisionKind
from contracts.development import SHARER, build_development_spec
from contracts.testkeys import get_address, get_tls_pin
from tests.contracts.contract_harness import (
    AUDITOR,
    BUREAU,
    COMMISSION,
    LABORATORY,
    NOTHING,
    Ledger,
    attest_args,
    auditor,
    bureau,
    clerk,
    commission,
    laboratory,
    stranger,
    uid_of,
)

NEWCOMER = uid_of(900)
FIRST_KEY = Address(b"\x91" * 20)
NEW_PIN = uid_of(901)
NEW_VALIDATOR = Address(b"\x92" * 20)
MACAO = b"MO".ljust(32, b"\0")


def test_register_begins_as_it_was_founded(ledger: Ledger) -> None:
    assert ledger.registry("is_founded")
    assert ledger.registry("agency_count") == 4
    assert [ledger.registry("agency_at", i) for i in range(4)] == [
        LABORATORY,
        BUREAU,
        COMMISSION,
        AUDITOR,
    ]
    assert ledger.registry("agency", BUREAU) == {
        "agency_id": BUREAU,
        "jurisdiction": MACAO,
        "profile_hash": NOTHING,
        "status": AgencyStatus.ACTIVE,
        "roles": int(SHARER | Role.SCHEMA | Role.DEPLOY),
        "index": 1,
    }
    assert ledger.registry("agency", NEWCOMER)["status"] == 0
    assert [ledger.registry("jurisdiction_at", i) for i in range(2)] == [
        MACAO,
        b"CN-GD".ljust(32, b"\0"),
    ]
    assert ledger.registry("jurisdiction_count") == 2
    assert ledger.registry("key_count", LABORATORY) == 2
    assert ledger.registry("key_at", LABORATORY, 1) == clerk
    assert ledger.registry("key", clerk) == {
        "agency": LABORATORY,
        "roles": int(Role.ISSUE),
        "valid_from": 0,
        "valid_until": 0,
    }
    assert ledger.registry("pin_count") == 4
    assert ledger.registry("pin_at", 2) == get_tls_pin(3)
    assert ledger.registry("pin", get_tls_pin(3))["agency"] == COMMISSION
    assert ledger.registry("set_number") == 1
    assert ledger.registry("validator_agency", get_address(2, "validator")) == BUREAU


def test_register_is_founded_only_once(ledger: Ledger) -> None:
    for sender in (bureau, stranger):
        args = [int(DecisionKind.REVOKE_KEY), bytes(32)]
        assert ledger.refuse(sender, "agency_registry", "found", args) == (
            "registry: already founded"
        )
        assert ledger.refuse(sender, "agency_registry", "finish_founding") == (
            "registry: already founded"
        )


def test_lists_refuse_an_index_beyond_their_end(ledger: Ledger) -> None:
    for function, args, reason in (
        ("agency_at", [4], "agency: no such index"),
        ("jurisdiction_at", [2], "agency: no such jurisdiction"),
        ("key_at", [LABORATORY, 2], "key: no such index"),
        ("pin_at", [4], "pin: no such index"),
    ):
        assert ledger.refuse(bureau, "agency_registry", function, args) == reason


def test_who_may_send_and_deploy(ledger: Ledger) -> None:
    may = {
        account: (ledger.registry("may_send", account), ledger.registry("may_deploy", account))
        for account in (
            laboratory,
            clerk,
            bureau,
            get_address(2, "deployer"),
            auditor,
            get_address(1, "validator"),
            stranger,
            Address(bytes(20)),
        )
    }
    assert list(may.values()) == [
        (True, False),
        (True, False),
        (True, True),
        (True, True),
        (True, False),
        (False, False),
        (False, False),
        (False, False),
    ]


def test_authority_is_for_all_named_roles(ledger: Ledger) -> None:
    assert ledger.registry("is_authorised", bureau, int(Role.ISSUE | Role.SCHEMA))
    assert not ledger.registry("is_authorised", laboratory, int(Role.ISSUE | Role.SCHEMA))
    assert not ledger.registry("is_authorised", bureau, 0)
    assert not ledger.registry("is_authorised", bureau, 2**200)
    assert ledger.registry("authorise", clerk, int(Role.ISSUE)) == (LABORATORY, 0)
    assert ledger.registry("authorise", auditor, int(Role.AUDIT)) == (AUDITOR, 3)


# ------------------------------------------------------------------ keys


def test_administrator_adds_and_ends_keys_of_the_own_agency(ledger: Ledger) -> None:
    args = [FIRST_KEY, int(Role.ISSUE), 0, 0]
    (event,) = ledger.do(laboratory, "agency_registry", "add_own_key", args)
    assert event.event == "KeyAdded"
    assert event.args["agency"] == LABORATORY
    assert ledger.registry("may_send", FIRST_KEY)
    (event,) = ledger.do(laboratory, "agency_registry", "revoke_own_key", [FIRST_KEY])
    assert event.event == "KeyRevoked"
    assert not ledger.registry("may_send", FIRST_KEY)
    # The record stays, so that old signatures keep their signer, and the address is used up.
    assert ledger.registry("key", FIRST_KEY)["agency"] == LABORATORY
    assert ledger.registry("key", FIRST_KEY)["valid_until"] == ledger.now
    for sender in (laboratory, commission):
        assert ledger.refuse(sender, "agency_registry", "add_own_key", args) == (
            "key: already entered"
        )
    assert ledger.refuse(laboratory, "agency_registry", "revoke_own_key", [FIRST_KEY]) == (
        "key: already ended"
    )


def test_key_is_live_within_its_interval_only(ledger: Ledger) -> None:
    begin, end = ledger.now + 100, ledger.now + 200
    args = [FIRST_KEY, int(Role.ISSUE), begin, end]
    ledger.do(laboratory, "agency_registry", "add_own_key", args)
    ledger.register_schema()
    ledger.accredit(uid_of(1), LABORATORY)
    for moment, reason in (
        (begin - 1, "key: not live yet"),
        (begin, None),
        (end - 1, None),
        (end, "key: ended"),
    ):
        ledger.state.timestamp = moment
        assert ledger.registry("may_send", FIRST_KEY) == (reason is None)
        args = attest_args(ledger, uid_of(moment), uid_of(1))
        outcome = ledger.send(FIRST_KEY, "attestations", "attest", args)
        assert outcome.reason == reason
        assert outcome.succeeded == (reason is None)


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ([FIRST_KEY, 0, 0, 0], "roles: none"),
        ([FIRST_KEY, 512, 0, 0], "roles: unknown"),
        ([FIRST_KEY, int(Role.SCHEMA), 0, 0], "key: roles beyond the agency's"),
        ([FIRST_KEY, int(Role.ISSUE), 9, 9], "interval: ends before it begins"),
        ([FIRST_KEY, int(Role.ISSUE), 0, 2**48], "interval: too late"),
        ([FIRST_KEY, int(Role.ISSUE), 2**48, 0], "interval: too late"),
        ([Address(bytes(20)), int(Role.ISSUE), 0, 0], "key: address missing"),
        ([get_address(3, "validator"), int(Role.ISSUE), 0, 0], "key: is a validator's"),
        ([bureau, int(Role.ISSUE), 0, 0], "key: already entered"),
    ],
)
def test_key_is_refused(ledger: Ledger, args: list[Any], reason: str) -> None:
    assert ledger.refuse(laboratory, "agency_registry", "add_own_key", args) == reason


def test_key_is_managed_by_an_administrator_of_its_agency_only(ledger: Ledger) -> None:
    add = [FIRST_KEY, int(Role.ISSUE), 0, 0]
    assert ledger.refuse(clerk, "agency_registry", "add_own_key", add) == "key: role missing"
    assert ledger.refuse(stranger, "agency_registry", "add_own_key", add) == "key: unknown"
    assert ledger.refuse(clerk, "agency_registry", "revoke_own_key", [laboratory]) == (
        "key: role missing"
    )
    assert ledger.refuse(commission, "agency_registry", "revoke_own_key", [clerk]) == (
        "key: not yours"
    )
    assert ledger.refuse(commission, "agency_registry", "revoke_own_key", [stranger]) == (
        "key: not yours"
    )
    assert ledger.refuse(laboratory, "agency_registry", "revoke_own_key", [laboratory]) == (
        "key: cannot end itself"
    )


def test_key_of_an_agency_can_hand_over_to_the_next(ledger: Ledger) -> None:
    roles = int(Role.ADMIN | Role.GOVERN | Role.ISSUE)
    ledger.do(laboratory, "agency_registry", "add_own_key", [FIRST_KEY, roles, 0, 0])
    ledger.do(FIRST_KEY, "agency_registry", "revoke_own_key", [laboratory])
    assert not ledger.registry("may_send", laboratory)
    assert ledger.registry("is_authorised", FIRST_KEY, roles)


def test_keys_are_added_and_ended_by_vote(ledger: Ledger) -> None:
    ledger.decide(DecisionKind.ADD_KEY, [LABORATORY, FIRST_KEY, int(Role.ISSUE), 0, 0])
    assert ledger.registry("may_send", FIRST_KEY)
    ledger.decide(DecisionKind.REVOKE_KEY, [FIRST_KEY])
    assert not ledger.registry("may_send", FIRST_KEY)
    args = [NEWCOMER, Address(b"\x93" * 20), int(Role.ISSUE), 0, 0]
    assert ledger.decide_refused(DecisionKind.ADD_KEY, args) == "agency: unknown"
    assert ledger.decide_refused(DecisionKind.REVOKE_KEY, [stranger]) == "key: unknown"


# ------------------------------------------------------------------ pins


def test_pins_of_an_agency_overlap_while_they_change(ledger: Ledger) -> None:
    args = [NEW_PIN, ledger.now + 10, ledger.now + 1000]
    (event,) = ledger.do(laboratory, "agency_registry", "add_own_pin", args)
    assert event.event == "PinAdded"
    assert ledger.registry("pin", NEW_PIN) == {
        "agency": LABORATORY,
        "valid_from": ledger.now + 10,
        "valid_until": ledger.now + 1000,
    }
    assert ledger.registry("pin_at", 4) == NEW_PIN
    assert ledger.registry("pin", get_tls_pin(1))["valid_until"] == 0
    (event,) = ledger.do(laboratory, "agency_registry", "withdraw_own_pin", [get_tls_pin(1)])
    assert event.event == "PinWithdrawn"
    assert ledger.registry("pin", get_tls_pin(1))["valid_until"] == ledger.now
    assert ledger.refuse(laboratory, "agency_registry", "withdraw_own_pin", [get_tls_pin(1)]) == (
        "pin: already ended"
    )


def test_pin_rules_are_kept(ledger: Ledger) -> None:
    for sender, args, reason in (
        (clerk, [NEW_PIN, 0, 0], "key: role missing"),
        (laboratory, [NOTHING, 0, 0], "pin: fingerprint missing"),
        (laboratory, [get_tls_pin(1), 0, 0], "pin: already entered"),
        (laboratory, [get_tls_pin(2), 0, 0], "pin: already entered"),
        (laboratory, [NEW_PIN, 5, 5], "interval: ends before it begins"),
    ):
        assert ledger.refuse(sender, "agency_registry", "add_own_pin", args) == reason
    assert ledger.refuse(laboratory, "agency_registry", "withdraw_own_pin", [get_tls_pin(2)]) == (
        "pin: not yours"
    )
    assert ledger.refuse(clerk, "agency_registry", "withdraw_own_pin", [get_tls_pin(1)]) == (
        "key: role missing"
    )


def test_pins_are_added_and_ended_by_vote(ledger: Ledger) -> None:
    ledger.decide(DecisionKind.ADD_PIN, [COMMISSION, NEW_PIN, 0, 0])
    assert ledger.registry("pin", NEW_PIN)["agency"] == COMMISSION
    ledger.decide(DecisionKind.WITHDRAW_PIN, [NEW_PIN])
    assert ledger.registry("pin", NEW_PIN)["valid_until"] == ledger.now
    assert ledger.decide_refused(DecisionKind.WITHDRAW_PIN, [uid_of(5)]) == "pin: unknown"
    assert ledger.decide_refused(DecisionKind.ADD_PIN, [NEWCOMER, uid_of(6), 0, 0]) == (
        "agency: unknown"
    )


# ------------------------------------------------------------------ agencies


def test_agency_is_admitted_with_first_key_and_pin(ledger: Ledger) -> None:
    roles = int(Role.ADMIN | Role.GOVERN | Role.ISSUE)
    jurisdiction = b"HK".ljust(32, b"\0")
    events = ledger.decide(
        DecisionKind.ADMIT_AGENCY,
        [NEWCOMER, jurisdiction, uid_of(8), roles, FIRST_KEY, NEW_PIN],
    )
    assert [event.event for event in events] == [
        "Voted",
        "AgencyAdmitted",
        "KeyAdded",
        "PinAdded",
        "ProposalExecuted",
    ]
    assert ledger.registry("agency", NEWCOMER)["index"] == 4
    assert ledger.registry("agency", NEWCOMER)["jurisdiction"] == jurisdiction
    assert ledger.registry("is_authorised", FIRST_KEY, roles)
    assert ledger.registry("pin", NEW_PIN)["agency"] == NEWCOMER
    # From now on it takes part in every decision: its jurisdiction has a say of its own.
    proposal = ledger.propose(bureau, DecisionKind.SET_PROFILE, [BUREAU, uid_of(3)])
    for voter in (laboratory, bureau, commission, auditor):
        ledger.vote(voter, proposal)
    assert ledger.registry("proposal", proposal)["status"] == 1
    ledger.vote(FIRST_KEY, proposal)
    assert ledger.registry("proposal", proposal)["status"] == 2


def test_agency_is_admitted_without_key_and_pin(ledger: Ledger) -> None:
    nobody = Address(bytes(20))
    args = [NEWCOMER, MACAO, NOTHING, int(ALL_ROLES), nobody, NOTHING]
    ledger.decide(DecisionKind.ADMIT_AGENCY, args)
    assert ledger.registry("key_count", NEWCOMER) == 0
    assert ledger.registry("jurisdiction_count") == 2


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ([NOTHING, MACAO, NOTHING, 3, FIRST_KEY, NEW_PIN], "agency: id missing"),
        ([NEWCOMER, NOTHING, NOTHING, 3, FIRST_KEY, NEW_PIN], "agency: jurisdiction missing"),
        ([BUREAU, MACAO, NOTHING, 3, FIRST_KEY, NEW_PIN], "agency: already admitted"),
        ([NEWCOMER, MACAO, NOTHING, 0, FIRST_KEY, NEW_PIN], "roles: none"),
        ([NEWCOMER, MACAO, NOTHING, 3, bureau, NEW_PIN], "key: already entered"),
        ([NEWCOMER, MACAO, NOTHING, 3, FIRST_KEY, get_tls_pin(1)], "pin: already entered"),
    ],
)
def test_agency_is_not_admitted(ledger: Ledger, args: list[Any], reason: str) -> None:
    assert ledger.decide_refused(DecisionKind.ADMIT_AGENCY, args) == reason
    assert ledger.registry("agency_count") == 4


def test_agency_is_suspended_and_reinstated(ledger: Ledger) -> None:
    events = ledger.decide(DecisionKind.SUSPEND_AGENCY, [LABORATORY])
    assert [event.event for event in events[:3]] == [
        "Voted",
        "AgencySuspended",
        "ValidatorRemoved",
    ]
    assert ledger.registry("agency", LABORATORY)["status"] == AgencyStatus.SUSPENDED
    assert not ledger.registry("is_active", LABORATORY)
    assert not ledger.registry("may_send", laboratory)
    assert get_address(1, "validator") not in ledger.registry("getValidators")
    assert ledger.decide_refused_by_three(DecisionKind.SUSPEND_AGENCY, [LABORATORY]) == (
        "agency: already suspended"
    )
    ledger.decide(DecisionKind.REINSTATE_AGENCY, [LABORATORY])
    assert ledger.registry("may_send", laboratory)
    # Its validator comes back by a decision of its own.
    assert get_address(1, "validator") not in ledger.registry("getValidators")
    ledger.decide(DecisionKind.ADD_VALIDATOR, [LABORATORY, get_address(1, "validator")])
    assert get_address(1, "validator") in ledger.registry("getValidators")
    assert ledger.decide_refused(DecisionKind.REINSTATE_AGENCY, [LABORATORY]) == (
        "agency: not suspended"
    )
    assert ledger.decide_refused(DecisionKind.SUSPEND_AGENCY, [NEWCOMER]) == "agency: unknown"
    assert ledger.decide_refused(DecisionKind.REINSTATE_AGENCY, [NEWCOMER]) == "agency: unknown"


def test_agency_that_is_the_last_active_one_stays_so() -> None:
    ledger = Ledger(build_development_spec(1))
    proposal = ledger.propose(laboratory, DecisionKind.SUSPEND_AGENCY, [BUREAU])
    assert ledger.refuse(laboratory, "agency_registry", "vote", [proposal, True]) == (
        "agency: the last active one"
    )


def test_agency_profile_and_roles_are_changed_by_vote(ledger: Ledger) -> None:
    ledger.decide(DecisionKind.SET_PROFILE, [BUREAU, uid_of(3)])
    assert ledger.registry("agency", BUREAU)["profile_hash"] == uid_of(3)
    roles = int(Role.ADMIN | Role.GOVERN)
    ledger.decide(DecisionKind.SET_ROLES, [BUREAU, roles])
    assert ledger.registry("agency", BUREAU)["roles"] == roles
    # The keys keep what they were given, but none of it that the agency has lost holds.
    assert not ledger.registry("may_deploy", bureau)
    assert not ledger.registry("may_send", get_address(2, "deployer"))
    for kind, args, reason in (
        (DecisionKind.SET_PROFILE, [BUREAU, uid_of(3)], "agency: profile unchanged"),
        (DecisionKind.SET_PROFILE, [NEWCOMER, uid_of(3)], "agency: unknown"),
        (DecisionKind.SET_ROLES, [BUREAU, roles], "agency: roles unchanged"),
        (DecisionKind.SET_ROLES, [NEWCOMER, 3], "agency: unknown"),
        (DecisionKind.SET_ROLES, [BUREAU, 2**64], "roles: unknown"),
    ):
        assert ledger.decide_refused(kind, args) == reason


# ------------------------------------------------------------------ validators
