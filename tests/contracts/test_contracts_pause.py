"""Pauses of single agencies: by themselves, by their supervisor, and never of the whole ledger."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from eth_typing import Address, Hash32

from contracts.codes import Role
from contracts.decisions import DecisionKind
from contracts.development import build_development_spec
from contracts.genesis_spec import AccountSpec, AgencySpec, GenesisSpec
from contracts.testkeys import get_address
from tests.contracts.contract_harness import (
    AUDITOR,
    BUREAU,
    COMMISSION,
    FIRST_SCHEMA,
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

DAY = 86_400
MONTH = 30 * DAY
DECISION = uid_of(500)
KEY = Address(b"\x41" * 20)


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    made.register_schema()
    made.accredit(FIRST_SCHEMA, LABORATORY)
    made.accredit(FIRST_SCHEMA, BUREAU)
    made.pass_time()
    return made


def do(ledger: Ledger, sender: Address, function: str, *args: Any) -> list[str]:
    return [event.event for event in ledger.do(sender, "agency_registry", function, args)]


def refuse(ledger: Ledger, sender: Address, function: str, *args: Any) -> str | None:
    return ledger.refuse(sender, "agency_registry", function, args)


def pause(ledger: Ledger, agency: Hash32 = LABORATORY, *, lasts_s: int = DAY) -> None:
    do(ledger, auditor, "pause_agency", agency, ledger.now + lasts_s, DECISION)


def try_writing(ledger: Ledger, sender: Address = laboratory) -> str | None:
    uid = uid_of(10_000 + ledger.state.block_number)
    ledger.pass_time()
    args = attest_args(ledger, uid, FIRST_SCHEMA)
    return ledger.send(sender, "attestations", "attest", args).reason


# ------------------------------------------------------------------ an agency's own pause


@pytest.mark.parametrize("sender_roles", [Role.ADMIN, Role.GOVERN])
def test_agency_pauses_itself_at_once_and_resumes(ledger: Ledger, sender_roles: Role) -> None:
    do(ledger, laboratory, "add_own_key", KEY, int(sender_roles), 0, 0)
    (event,) = ledger.do(KEY, "agency_registry", "pause_own", [0])
    assert event.event == "AgencyPausedItself"
    assert event.args == {"agency": LABORATORY, "until": 0, "key": KEY}
    assert ledger.registry("is_paused", LABORATORY)
    assert ledger.registry("pause", LABORATORY)["own_until"] == 2**48 - 1
    assert try_writing(ledger) == "agency: paused"
    assert try_writing(ledger, clerk) == "agency: paused"
    assert try_writing(ledger, bureau) is None
    assert do(ledger, KEY, "resume_own") == ["AgencyResumed"]
    assert not ledger.registry("is_paused", LABORATORY)
    assert try_writing(ledger) is None


def test_own_pause_ends_at_its_date(ledger: Ledger) -> None:
    do(ledger, laboratory, "pause_own", ledger.now + 100)
    ledger.state.timestamp += 98
    assert try_writing(ledger) == "agency: paused"
    assert try_writing(ledger) is None
    assert refuse(ledger, laboratory, "resume_own") == "pause: none"


def test_own_pause_is_refused(ledger: Ledger) -> None:
    assert refuse(ledger, clerk, "pause_own", 0) == "key: role missing"
    assert refuse(ledger, stranger, "pause_own", 0) == "key: unknown"
    assert refuse(ledger, laboratory, "pause_own", ledger.now) == "pause: already over"
    assert refuse(ledger, laboratory, "pause_own", 2**48) == "pause: ends too late"
    assert refuse(ledger, laboratory, "resume_own") == "pause: none"
    assert refuse(ledger, clerk, "resume_own") == "key: role missing"


def test_paused_agency_rules_its_house_and_votes(ledger: Ledger) -> None:
    do(ledger, laboratory, "pause_own", 0)
    do(ledger, laboratory, "add_own_key", KEY, int(Role.ISSUE), 0, 0)
    do(ledger, laboratory, "revoke_own_key", clerk)
    assert ledger.registry("may_send", laboratory)
    assert ledger.registry("is_authorised", laboratory, int(Role.GOVERN))
    assert not ledger.registry("is_authorised", laboratory, int(Role.ISSUE))
    # A key that may only write may send nothing meanwhile.
    assert not ledger.registry("may_send", KEY)
    number = ledger.propose(laboratory, DecisionKind.SET_PROFILE, [BUREAU, uid_of(3)])
    for voter in (laboratory, bureau, commission):
        ledger.vote(voter, number)
    assert ledger.registry("agency", BUREAU)["profile_hash"] == uid_of(3)


def test_paused_agency_deploys_nothing(ledger: Ledger) -> None:
    deployer = get_address(2, "deployer")
    assert ledger.registry("may_deploy", deployer)
    do(ledger, bureau, "pause_own", 0)
    assert not ledger.registry("may_deploy", deployer)
    assert not ledger.registry("may_deploy", bureau)


def test_paused_agencys_validators_go_on_sealing(ledger: Ledger) -> None:
    before = ledger.registry("getValidators")
    pause(ledger)
    do(ledger, bureau, "pause_own", 0)
    assert ledger.registry("getValidators") == before
    assert ledger.registry("set_number") == 1


def test_paused_agencys_records_stand(ledger: Ledger) -> None:
    ledger.attest(uid_of(100), FIRST_SCHEMA)
    pause(ledger)
    assert ledger.read("attestations", "attestation", uid_of(100))["state"] == 1
    assert ledger.registry("is_active", LABORATORY)
    assert ledger.read("schemas", "is_accredited", FIRST_SCHEMA, LABORATORY)


def test_pause_outlives_suspension_and_new_roles(ledger: Ledger) -> None:
    do(ledger, laboratory, "pause_own", 0)
    for kind, args in (
        (DecisionKind.SUSPEND_AGENCY, [LABORATORY]),
        (DecisionKind.REINSTATE_AGENCY, [LABORATORY]),
        (DecisionKind.SET_ROLES, [LABORATORY, int(Role.ADMIN | Role.GOVERN | Role.ISSUE)]),
    ):
        ledger.decide(kind, args)
    assert try_writing(ledger) == "agency: paused"
    assert ledger.registry("agency", LABORATORY)["index"] == 0


# ------------------------------------------------------------------ by the supervisor


def test_supervisor_pauses_by_decision_until_a_date(ledger: Ledger) -> None:
    until = ledger.now + MONTH
    args = [LABORATORY, until, DECISION]
    (event,) = ledger.do(auditor, "agency_registry", "pause_agency", args)
    assert event.event == "AgencyPaused"
    assert event.args == {
        "agency": LABORATORY,
        "paused_by": AUDITOR,
        "until": until,
        "decision_hash": DECISION,
        "key": auditor,
    }
    assert ledger.registry("pause", LABORATORY) == {
        "own_until": 0,
        "until": until,
        "paused_by": AUDITOR,
        "begun": ledger.now,
        "decision_hash": DECISION,
        "rests_until": until + MONTH,
    }
    assert try_writing(ledger) == "agency: paused"
    ledger.state.timestamp = until - 1
    assert ledger.registry("is_paused", LABORATORY)
    ledger.state.timestamp = until
    assert not ledger.registry("is_paused", LABORATORY)
    assert try_writing(ledger) is None


def test_agency_does_not_end_its_supervisors_pause(ledger: Ledger) -> None:
    pause(ledger)
    assert refuse(ledger, laboratory, "resume_own") == "pause: none"
    assert refuse(ledger, laboratory, "lift_pause", LABORATORY) == "key: role missing"
    do(ledger, laboratory, "pause_own", 0)
    do(ledger, laboratory, "resume_own")
    assert try_writing(ledger) == "agency: paused"


def test_supervisor_lifts_its_pause(ledger: Ledger) -> None:
    pause(ledger)
    (event,) = ledger.do(auditor, "agency_registry", "lift_pause", [LABORATORY])
    assert event.event == "PauseLifted"
    assert event.args == {"agency": LABORATORY, "paused_by": AUDITOR}
    assert try_writing(ledger) is None
    assert refuse(ledger, auditor, "lift_pause", LABORATORY) == "pause: none"
    assert refuse(ledger, auditor, "lift_pause", BUREAU) == "pause: not yours"


def test_agencies_lift_a_pause_by_vote(ledger: Ledger) -> None:
    assert ledger.decide_refused(DecisionKind.LIFT_PAUSE, [LABORATORY]) == "pause: none"
    pause(ledger)
    _, lifted, _ = ledger.decide(DecisionKind.LIFT_PAUSE, [LABORATORY])
    assert lifted.event == "PauseLifted"
    assert try_writing(ledger) is None
    # Nor does the supervisor put it back at once.
    args = [LABORATORY, ledger.now + DAY, DECISION]
    assert refuse(ledger, auditor, "pause_agency", *args) == "pause: again too soon"


@pytest.mark.parametrize(
    ("sender", "args", "reason"),
    [
        (bureau, [LABORATORY, DAY, DECISION], "key: role missing"),
        (stranger, [LABORATORY, DAY, DECISION], "key: unknown"),
        (auditor, [COMMISSION, DAY, DECISION], "pause: another jurisdiction"),
        (auditor, [AUDITOR, DAY, DECISION], "pause: your own agency"),
        (auditor, [uid_of(9), DAY, DECISION], "agency: not active"),
        (auditor, [LABORATORY, 0, DECISION], "pause: already over"),
        (auditor, [LABORATORY, MONTH + 1, DECISION], "pause: ends too late"),
        (auditor, [LABORATORY, DAY, NOTHING], "pause: decision missing"),
    ],
)
def test_supervisors_pause_is_refused(
    ledger: Ledger, sender: Address, args: list[Any], reason: str
) -> None:
    agency, lasts_s, decision = args
    given = [agency, ledger.now + lasts_s, decision]
    assert refuse(ledger, sender, "pause_agency", *given) == reason
    assert not ledger.registry("is_paused", LABORATORY)


def test_supervisor_leaves_an_agency_at_work_between_two_pauses(ledger: Ledger) -> None:
    """Or thirty days would become for ever."""
    pause(ledger, lasts_s=MONTH)

    def try_again() -> str | None:
        args = [LABORATORY, ledger.now + DAY, DECISION]
        return ledger.send(auditor, "agency_registry", "pause_agency", args).reason

    ledger.state.timestamp += 10
    assert try_again() == "pause: again too soon"
    ledger.state.timestamp += 2 * MONTH - 11
    assert try_again() == "pause: again too soon"
    ledger.state.timestamp += 1
    assert try_again() is None


def test_paused_supervisor_makes_no_decisions(ledger: Ledger) -> None:
    do(ledger, auditor, "pause_own", 0)
    args = [LABORATORY, ledger.now + DAY, DECISION]
    assert refuse(ledger, auditor, "pause_agency", *args) == "agency: paused"


# ------------------------------------------------------------------ never the whole ledger


def build_wide_ledger(sides: Sequence[int]) -> tuple[Ledger, dict[int, list[Hash32]]]:
    """A ledger with so many agencies on each side, the first of each side its supervisor."""
    roles = Role.ADMIN | Role.GOVERN | Role.ISSUE | Role.SUPERVISE
    agencies: list[AgencySpec] = []
    by_side: dict[int, list[Hash32]] = {}
    for side, count in enumerate(sides):
        for place in range(count):
            number = 100 * (side + 1) + place
            by_side.setdefault(side, []).append(uid_of(number))
            agencies.append(
                AgencySpec(
                    agency_id=uid_of(number),
                    jurisdiction=uid_of(side + 1),
                    profile_hash=NOTHING,
                    roles=roles,
                    accounts=(AccountSpec(address=get_account(uid_of(number)), roles=roles),),
                    validators=(Address(b"\x99" + uid_of(number)[-19:]),),
                )
            )
    spec: GenesisSpec = replace(build_development_spec(), agencies=tuple(agencies))
    return Ledger(spec), by_side


def get_account(agency: Hash32) -> Address:
    return Address(b"\x88" + agency[-19:])


def test_pauses_leave_a_majority_at_work_in_the_jurisdiction() -> None:
    ledger, sides = build_wide_ledger([5, 9])
    supervisor, *others = sides[0]
    for agency in others[:2]:
        pause_by(ledger, supervisor, agency)
    assert try_pausing(ledger, supervisor, others[2]) == "pause: too few left at work"
    # The other side's supervisor has room of its own.
    pause_by(ledger, sides[1][0], sides[1][1])


def test_pauses_leave_a_majority_at_work_in_total() -> None:
    """Where a vote has suspended those at work on one side, fewer are paused on the other."""
    ledger, sides = build_wide_ledger([5, 3])
    for agency in sides[0][1:3]:
        pause_by(ledger, sides[0][0], agency)
    assert try_pausing(ledger, *sides[1][:2]) is None
    ledger.do(get_account(sides[1][0]), "agency_registry", "lift_pause", [sides[1][1]])
    everybody = [get_account(agency) for side in sides.values() for agency in side]
    for agency in sides[0][3:]:
        number = ledger.propose(everybody[0], DecisionKind.SUSPEND_AGENCY, [agency])
        for voter in everybody:
            if ledger.registry("proposal", number)["status"] == 1:
                ledger.send(voter, "agency_registry", "vote", [number, True])
    # Six are active, two of them paused; a third would leave only half.
    assert try_pausing(ledger, sides[1][0], sides[1][2]) == "pause: too few left at work"


def test_jurisdiction_of_two_is_never_paused_by_its_supervisor() -> None:
    ledger, sides = build_wide_ledger([2, 5])
    assert try_pausing(ledger, *sides[0]) == "pause: too few left at work"


def test_many_small_jurisdictions_do_not_stop_the_whole() -> None:
    """Each side's majority is at work, so the whole ledger's is."""
    ledger, sides = build_wide_ledger([3] * 7)
    for side in sides.values():
        pause_by(ledger, side[0], side[1])
    working = [a for side in sides.values() for a in side if not ledger.registry("is_paused", a)]
    assert len(working) == 14


def test_pauses_that_are_over_or_lifted_make_room() -> None:
    ledger, sides = build_wide_ledger([3, 3])
    supervisor, first, second = sides[0]
    pause_by(ledger, supervisor, first, lasts_s=100)
    assert try_pausing(ledger, supervisor, second) == "pause: too few left at work"
    ledger.state.timestamp += 100
    pause_by(ledger, supervisor, second)
    ledger.do(get_account(supervisor), "agency_registry", "lift_pause", [second])
    ledger.state.timestamp += MONTH
    pause_by(ledger, supervisor, first)


def test_agency_that_paused_itself_does_not_shield_others() -> None:
    ledger, sides = build_wide_ledger([3, 3])
    supervisor, first, second = sides[0]
    ledger.do(get_account(first), "agency_registry", "pause_own", [0])
    pause_by(ledger, supervisor, second)
    assert ledger.registry("is_paused", first)
    assert ledger.registry("is_paused", second)


def pause_by(ledger: Ledger, supervisor: Hash32, agency: Hash32, *, lasts_s: int = DAY) -> None:
    args = [agency, ledger.now + lasts_s, DECISION]
    ledger.do(get_account(supervisor), "agency_registry", "pause_agency", args)


def try_pausing(ledger: Ledger, supervisor: Hash32, agency: Hash32) -> str | None:
    args = [agency, ledger.now + DAY, DECISION]
    return ledger.send(get_account(supervisor), "agency_registry", "pause_agency", args).reason
