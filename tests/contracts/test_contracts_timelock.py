"""Decisions that wait: passing, objecting, carrying out, lapsing."""

import pytest
from eth_typing import Address

from contracts.addresses import (
    CATALOGUE,
    IMPLEMENTATION_SLOT,
)
from contracts.codes import ProposalStatus, Role
from contracts.decisions import DecisionKind
from tests.contracts.contract_harness import (
    AUDITOR,
    LABORATORY,
    Ledger,
    auditor,
    bureau,
    clerk,
    commission,
    laboratory,
    stranger,
)
from tests.contracts.timelock_harness import (
    DAY,
    GRAVE,
    ORDINARY,
    URGENT,
    build_ledger,
    carry_out,
    get,
    has_profile,
    pass_proposal,
    propose_profile,
    refuse,
)

KEY = Address(b"\x41" * 20)
NEXT_CODE = Address(b"\x77" * 20)
CARRY_OUT_WITHIN_S = 30 * DAY
URGENT_KINDS = {
    DecisionKind.SUSPEND_AGENCY,
    DecisionKind.REVOKE_KEY,
    DecisionKind.WITHDRAW_PIN,
    DecisionKind.REMOVE_VALIDATOR,
    DecisionKind.LIFT_PAUSE,
}
GRAVE_KINDS = {
    DecisionKind.SET_VALIDATOR_MINIMUM,
    DecisionKind.UPGRADE,
    DecisionKind.SET_DELAYS,
    DecisionKind.SET_THRESHOLD,
}


@pytest.fixture
def ledger() -> Ledger:
    return build_ledger()


# ------------------------------------------------------------------ waiting


def test_decision_waits_for_its_time_and_is_carried_out_by_anybody(ledger: Ledger) -> None:
    number = propose_profile(ledger)
    ledger.vote(laboratory, number)
    ledger.vote(bureau, number)
    voted, passed = ledger.vote(commission, number)
    assert voted.event == "Voted"
    assert passed.event == "ProposalPassed"
    ready = ledger.now + ORDINARY
    assert passed.args == {"proposal": number, "kind": DecisionKind.SET_PROFILE, "ready": ready}
    assert get(ledger, number)["ready"] == ready
    assert not has_profile(ledger)
    ledger.pass_time(ORDINARY - 1)
    assert refuse(ledger, "carry_out", number) == "proposal: still waiting"
    ledger.pass_time(1)
    # A clerk may neither propose nor vote, but asks for what is decided.
    assert carry_out(ledger, number, clerk) == ["ProfileChanged", "ProposalExecuted"]
    assert has_profile(ledger)
    assert get(ledger, number)["status"] == ProposalStatus.EXECUTED
    assert refuse(ledger, "carry_out", number) == "proposal: not open"


def test_carrying_out_is_refused_to_strangers_and_for_what_has_not_passed(ledger: Ledger) -> None:
    number = propose_profile(ledger)
    assert refuse(ledger, "carry_out", number) == "proposal: majority missing"
    assert refuse(ledger, "carry_out", 9) == "proposal: unknown"
    pass_proposal(ledger, number)
    ledger.pass_time(ORDINARY)
    assert refuse(ledger, "carry_out", number, sender=stranger) == "key: may not send"


@pytest.mark.parametrize("kind", DecisionKind)
def test_each_kind_waits_as_long_as_its_class(ledger: Ledger, kind: DecisionKind) -> None:
    expected = URGENT if kind in URGENT_KINDS else GRAVE if kind in GRAVE_KINDS else ORDINARY
    assert ledger.registry("delay_of", int(kind)) == expected


def test_urgent_decision_is_carried_out_before_an_ordinary_one(ledger: Ledger) -> None:
    urgent = ledger.propose(bureau, DecisionKind.SUSPEND_AGENCY, [LABORATORY])
    ordinary = propose_profile(ledger)
    for number in (urgent, ordinary):
        for voter in (bureau, auditor, commission):
            ledger.vote(voter, number)
    ledger.pass_time(URGENT)
    carry_out(ledger, urgent)
    assert not ledger.registry("is_active", LABORATORY)
    assert refuse(ledger, "carry_out", ordinary) == "proposal: still waiting"


def test_upgrade_waits_longest(ledger: Ledger) -> None:
    ledger.state.put(NEXT_CODE, code=b"\x00", nonce=1, storage={})
    number = ledger.propose(bureau, DecisionKind.UPGRADE, [CATALOGUE, NEXT_CODE])
    pass_proposal(ledger, number)
    before = ledger.state.get_slot(CATALOGUE, IMPLEMENTATION_SLOT)
    ledger.pass_time(GRAVE - 1)
    assert refuse(ledger, "carry_out", number) == "proposal: still waiting"
    assert ledger.state.get_slot(CATALOGUE, IMPLEMENTATION_SLOT) == before
    ledger.pass_time(1)
    carry_out(ledger, number)
    assert ledger.state.get_slot(CATALOGUE, IMPLEMENTATION_SLOT) == int.from_bytes(NEXT_CODE, "big")


def test_decision_that_cannot_be_carried_out_stays_passed(ledger: Ledger) -> None:
    number = ledger.propose(bureau, DecisionKind.REVOKE_KEY, [KEY])
    pass_proposal(ledger, number)
    ledger.pass_time(URGENT)
    assert refuse(ledger, "carry_out", number) == "key: unknown"
    assert get(ledger, number)["status"] == ProposalStatus.PASSED
    ledger.do(laboratory, "agency_registry", "add_own_key", [KEY, int(Role.ISSUE), 0, 0])
    assert carry_out(ledger, number) == ["KeyRevoked", "ProposalExecuted"]


# ------------------------------------------------------------------ objecting


def test_objection_that_takes_the_majority_away_ends_the_wait(ledger: Ledger) -> None:
    number = propose_profile(ledger)
    pass_proposal(ledger, number)
    ledger.pass_time(100)
    voted, reopened = ledger.vote(laboratory, number, approve=False)
    assert (voted.event, reopened.event) == ("Voted", "ProposalReopened")
    assert reopened.args == {"proposal": number, "kind": DecisionKind.SET_PROFILE}
    assert get(ledger, number)["status"] == ProposalStatus.OPEN
    assert get(ledger, number)["ready"] == 0
    ledger.pass_time(ORDINARY)
    assert get(ledger, number)["status"] == ProposalStatus.EXPIRED
    assert refuse(ledger, "carry_out", number) == "proposal: not open"


def test_wait_begins_anew_with_the_next_majority(ledger: Ledger) -> None:
    number = propose_profile(ledger, lasts_s=3 * DAY)
    pass_proposal(ledger, number)
    ledger.pass_time(ORDINARY)
    ledger.vote(laboratory, number, approve=False)
    ledger.pass_time()
    ledger.vote(auditor, number)
    assert get(ledger, number)["ready"] == ledger.now + ORDINARY
    assert refuse(ledger, "carry_out", number) == "proposal: still waiting"
    ledger.pass_time(ORDINARY)
    carry_out(ledger, number)


def test_objection_that_leaves_the_majority_changes_nothing(ledger: Ledger) -> None:
    number = propose_profile(ledger)
    pass_proposal(ledger, number)
    ready = get(ledger, number)["ready"]
    ledger.pass_time()
    assert [event.event for event in ledger.vote(auditor, number)] == ["Voted"]
    assert [event.event for event in ledger.vote(laboratory, number, approve=False)] == ["Voted"]
    assert (get(ledger, number)["status"], get(ledger, number)["ready"]) == (
        ProposalStatus.PASSED,
        ready,
    )


def test_passed_decision_outlives_its_expiry_but_can_still_be_objected_to(ledger: Ledger) -> None:
    number = propose_profile(ledger, lasts_s=10)
    pass_proposal(ledger, number)
    ledger.pass_time(11)
    assert get(ledger, number)["status"] == ProposalStatus.PASSED
    ledger.vote(commission, number, approve=False)
    # Nobody can pass it any more.
    assert get(ledger, number)["status"] == ProposalStatus.EXPIRED


def test_passed_decision_is_not_withdrawn_by_its_proposer_alone(ledger: Ledger) -> None:
    number = propose_profile(ledger)
    pass_proposal(ledger, number)
    assert refuse(ledger, "withdraw_proposal", number, sender=bureau) == "proposal: not open"


def test_majority_must_still_be_there_when_it_is_carried_out(ledger: Ledger) -> None:
    """Agencies admitted or suspended meanwhile count as they are now."""
    number = propose_profile(ledger)
    pass_proposal(ledger, number)
    suspended = ledger.propose(bureau, DecisionKind.SUSPEND_AGENCY, [LABORATORY])
    for voter in (bureau, auditor, commission):
        ledger.vote(voter, suspended)
    ledger.pass_time(URGENT)
    carry_out(ledger, suspended)
    ledger.pass_time(ORDINARY)
    # Of Macao's two active agencies only the bureau has approved.
    assert refuse(ledger, "carry_out", number) == "proposal: majority missing"
    ledger.vote(auditor, number)
    assert get(ledger, number)["status"] == ProposalStatus.PASSED
    carry_out(ledger, number)


def test_passed_decision_lapses_when_nobody_carries_it_out(ledger: Ledger) -> None:
    number = propose_profile(ledger)
    pass_proposal(ledger, number)
    ledger.pass_time(ORDINARY + CARRY_OUT_WITHIN_S - 1)
    assert get(ledger, number)["status"] == ProposalStatus.PASSED
    ledger.pass_time(1)
    assert get(ledger, number)["status"] == ProposalStatus.EXPIRED
    assert refuse(ledger, "carry_out", number) == "proposal: not open"
    assert refuse(ledger, "vote", number, False, sender=bureau) == "proposal: not open"


def test_proposal_that_passes_without_a_vote_is_passed_on_request() -> None:
    """A suspension leaves approvals that are enough; with no delay it is carried out at once."""
    ledger = Ledger()
    number = propose_profile(ledger)
    for voter in (bureau, commission):
        ledger.vote(voter, number)
    assert refuse(ledger, "carry_out", number) == "proposal: majority missing"
    for agency in (AUDITOR, LABORATORY):
        ledger.decide(DecisionKind.SUSPEND_AGENCY, [agency])
    assert get(ledger, number)["status"] == ProposalStatus.OPEN
    assert carry_out(ledger, number, bureau) == ["ProfileChanged", "ProposalExecuted"]
