"""The rules of deciding, which are decided themselves, and their bounds."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from contracts.codes import ProposalStatus
from contracts.decisions import DecisionKind
from contracts.development import build_development_spec
from contracts.errors import GenesisSpecError
from contracts.genesis_spec import validate_spec
from tests.contracts.contract_harness import (
    Ledger,
    auditor,
    bureau,
    commission,
    laboratory,
)
from tests.contracts.timelock_harness import (
    DAY,
    GRAVE,
    ORDINARY,
    URGENT,
    WAITING,
    build_ledger,
    carry_out,
    get,
    has_profile,
    pass_proposal,
    propose_profile,
    refuse,
)


@pytest.fixture
def ledger() -> Ledger:
    return build_ledger()


# ------------------------------------------------------------------ rules that are decided


def test_delays_are_changed_by_a_decision_that_waits_itself(ledger: Ledger) -> None:
    running = propose_profile(ledger, lasts_s=30 * DAY)
    number = ledger.propose(bureau, DecisionKind.SET_DELAYS, [0, 0, 2 * DAY])
    pass_proposal(ledger, number)
    ledger.pass_time(GRAVE - 10)
    pass_proposal(ledger, running)
    ledger.pass_time(10)
    assert carry_out(ledger, number) == ["DelaysChanged", "ProposalExecuted"]
    assert ledger.registry("rules_in_force") == {
        "urgent_delay": 0,
        "ordinary_delay": 0,
        "grave_delay": 2 * DAY,
        "total_percent": 50,
        "jurisdiction_percent": 50,
        "minimum_validators": 1,
    }
    # What had passed before keeps its time.
    assert refuse(ledger, "carry_out", running) == "proposal: still waiting"


@pytest.mark.parametrize(
    ("kind", "args", "reason"),
    [
        (DecisionKind.SET_DELAYS, [3 * DAY + 1, 4 * DAY, 5 * DAY], "rules: urgent delay too long"),
        (DecisionKind.SET_DELAYS, [2, 1, 3], "rules: delays out of order"),
        (DecisionKind.SET_DELAYS, [1, 3, 2], "rules: delays out of order"),
        (DecisionKind.SET_DELAYS, [0, 0, 90 * DAY + 1], "rules: delay too long"),
        (DecisionKind.SET_DELAYS, [0, 0, 0], "rules: unchanged"),
        (DecisionKind.SET_THRESHOLD, [49, 50], "rules: less than half"),
        (DecisionKind.SET_THRESHOLD, [50, 49], "rules: less than half"),
        (DecisionKind.SET_THRESHOLD, [50, 50], "rules: unchanged"),
    ],
)
def test_rule_out_of_bounds_is_refused(
    kind: DecisionKind, args: Sequence[int], reason: str
) -> None:
    assert Ledger().decide_refused(kind, args) == reason


@pytest.mark.parametrize("percents", [[76, 50], [50, 76], [2**256 - 1, 50]])
def test_threshold_beyond_three_quarters_is_refused(percents: list[int]) -> None:
    ledger = Ledger()
    number = ledger.propose(bureau, DecisionKind.SET_THRESHOLD, percents)
    for voter in (laboratory, bureau, commission):
        ledger.vote(voter, number)
    assert refuse(ledger, "vote", number, True, sender=auditor) == "rules: threshold too high"


def test_threshold_counts_from_the_decision_after_it() -> None:
    ledger = Ledger()
    (*_, changed, _) = ledger.decide(DecisionKind.SET_THRESHOLD, [70, 50])
    assert changed.event == "ThresholdChanged"
    assert ledger.registry("rules_in_force")["total_percent"] == 70
    number = propose_profile(ledger)
    for voter, is_enough in ((laboratory, False), (bureau, False), (commission, True)):
        ledger.vote(voter, number)
        assert has_profile(ledger) == is_enough


def test_threshold_within_each_jurisdiction_is_its_own() -> None:
    ledger = Ledger()
    ledger.decide(DecisionKind.SET_THRESHOLD, [50, 70])
    number = propose_profile(ledger)
    for voter in (laboratory, bureau, commission):
        ledger.vote(voter, number)
    # Two of Macao's three are not more than seventy percent.
    assert not ledger.registry("is_passing", number)
    ledger.vote(auditor, number)
    assert has_profile(ledger)


def test_new_threshold_is_reached_by_those_who_set_it() -> None:
    ledger = Ledger()
    number = ledger.propose(bureau, DecisionKind.SET_THRESHOLD, [75, 75])
    for voter in (laboratory, bureau, commission):
        ledger.vote(voter, number)
    # More than half, but not more than the three quarters that they want to ask of others.
    assert get(ledger, number)["status"] == ProposalStatus.OPEN
    ledger.vote(auditor, number)
    assert get(ledger, number)["status"] == ProposalStatus.EXECUTED


def test_lower_threshold_takes_the_old_majority() -> None:
    ledger = build_ledger(urgent_delay_s=0, ordinary_delay_s=0, grave_delay_s=0, total_percent=75)
    number = ledger.propose(bureau, DecisionKind.SET_THRESHOLD, [50, 50])
    for voter in (laboratory, bureau, commission):
        ledger.vote(voter, number)
    assert get(ledger, number)["status"] == ProposalStatus.OPEN
    ledger.vote(auditor, number)
    assert ledger.registry("rules_in_force")["total_percent"] == 50


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"urgent_delay_s": 3 * DAY + 1}, "governance.urgent_delay_s"),
        ({"ordinary_delay_s": 1}, "governance.ordinary_delay_s"),
        ({"grave_delay_s": 90 * DAY + 1}, "governance.grave_delay_s"),
        ({"total_percent": 49}, "governance.total_percent"),
        ({"jurisdiction_percent": 76}, "governance.jurisdiction_percent"),
        ({"grave_delay_s": True}, "governance.grave_delay_s"),
    ],
)
def test_founding_rules_are_judged_before_any_contract_runs(
    changes: dict[str, Any], field: str
) -> None:
    spec = replace(build_development_spec(), governance=replace(WAITING, **changes))
    with pytest.raises(GenesisSpecError) as caught:
        validate_spec(spec)
    assert caught.value.field == field


def test_founding_rules_are_in_force_from_the_first_block() -> None:
    ledger = build_ledger(total_percent=60, jurisdiction_percent=66)
    assert ledger.registry("rules_in_force") == {
        "urgent_delay": URGENT,
        "ordinary_delay": ORDINARY,
        "grave_delay": GRAVE,
        "total_percent": 60,
        "jurisdiction_percent": 66,
        "minimum_validators": 1,
    }
