"""Each rule of recognition policies, once kept and once broken, and random histories of them."""

from typing import Any

import pytest
from eth_typing import Address
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.codes import Reason, RecordKind, RecordState
from tests.contracts.contract_harness import (
    AUDITOR,
    BUREAU,
    COMMISSION,
    FIRST_SCHEMA,
    LABORATORY,
    NOTHING,
    Ledger,
    auditor,
    bureau,
    clerk,
    commission,
    laboratory,
    stranger,
    uid_of,
)
from tests.contracts.law_harness import HeadModel

POLICY = uid_of(9001)
NEXT = uid_of(9002)
AGREEMENT = uid_of(9003)
MACAO = b"MO".ljust(32, b"\0")
GUANGDONG = b"CN-GD".ljust(32, b"\0")
PROPOSED = 6
FROM_SIDE, TO_SIDE = 1, 2


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    ledger.register_schema()
    return ledger


def policy_args(ledger: Ledger, uid: Any = POLICY, /, **changes: Any) -> list[Any]:
    """The arguments of `propose_policy`: Guangdong recognises what the laboratory issues."""
    terms = {
        "from_jurisdiction": MACAO,
        "to_jurisdiction": GUANGDONG,
        "schema": FIRST_SCHEMA,
        "max_age_s": 1000,
        "assurance": 2,
        "valid_from": 0,
        "valid_until": 0,
        "document_hash": AGREEMENT,
    }
    issuers = changes.pop("issuers", [LABORATORY])
    assert changes.keys() <= terms.keys()
    return [uid, tuple((terms | changes).values()), issuers, ledger.now]


def put_in_force(ledger: Ledger, uid: Any = POLICY, /, **changes: Any) -> None:
    ledger.do(bureau, "policies", "propose_policy", policy_args(ledger, uid, **changes))
    ledger.do(commission, "policies", "sign_policy", [uid, AGREEMENT, ledger.now])


def check(ledger: Ledger, uid: Any = POLICY, /, **changes: Any) -> str | None:
    """Why a document is not recognised; None if it is."""
    fields = {"issuer": LABORATORY, "issued_at": ledger.now, "assurance": 2}
    args = [uid, *(fields | changes).values()]
    return ledger.send(stranger, "policies", "check", args).reason


def test_policy_is_in_force_when_both_sides_signed_it(ledger: Ledger) -> None:
    (proposed,) = ledger.do(bureau, "policies", "propose_policy", policy_args(ledger))
    assert (proposed.event, proposed.args["issuers"]) == ("PolicyProposed", (LABORATORY,))
    assert check(ledger) == "policy: not signed by both sides"
    sign = [POLICY, AGREEMENT, ledger.now]
    for sender in (bureau, laboratory, auditor):
        assert ledger.refuse(sender, "policies", "sign_policy", sign) == (
            "policy: signed by your side"
        )
    other = [POLICY, uid_of(5), ledger.now]
    assert ledger.refuse(commission, "policies", "sign_policy", other) == (
        "policy: another document"
    )
    (signed,) = ledger.do(commission, "policies", "sign_policy", sign)
    assert (signed.event, signed.args["agency"]) == ("PolicySigned", COMMISSION)
    assert check(ledger) is None
    policy = ledger.read("policies", "policy", POLICY)
    assert (policy["signed_from"], policy["signed_to"]) == (BUREAU, COMMISSION)
    assert ledger.read("policies", "policy_for", MACAO, GUANGDONG, FIRST_SCHEMA) == POLICY
    assert ledger.read("policies", "policy_for", GUANGDONG, MACAO, FIRST_SCHEMA) == NOTHING
    assert ledger.refuse(commission, "policies", "sign_policy", sign) == "policy: already signed"


def test_policy_is_proposed_by_either_side(ledger: Ledger) -> None:
    ledger.do(commission, "policies", "propose_policy", policy_args(ledger))
    sign = [POLICY, AGREEMENT, ledger.now]
    assert ledger.refuse(commission, "policies", "sign_policy", sign) == (
        "policy: signed by your side"
    )
    ledger.do(laboratory, "policies", "sign_policy", sign)
    assert check(ledger) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"to_jurisdiction": MACAO}, "policy: of one side with itself"),
        ({"from_jurisdiction": uid_of(5)}, "policy: of neither side"),
        ({"schema": uid_of(5)}, "policy: unknown schema"),
        ({"assurance": 0}, "policy: unknown assurance"),
        ({"assurance": 4}, "policy: unknown assurance"),
        ({"valid_from": 9, "valid_until": 9}, "policy: ends before it begins"),
        ({"document_hash": NOTHING}, "policy: document missing"),
        ({"issuers": [COMMISSION]}, "policy: issuer of another side"),
        ({"issuers": [uid_of(5)]}, "policy: issuer of another side"),
    ],
)
def test_policy_is_refused(ledger: Ledger, changes: dict[str, Any], reason: str) -> None:
    args = policy_args(ledger, **changes)
    assert ledger.refuse(bureau, "policies", "propose_policy", args) == reason


def test_policy_uid_is_used_once(ledger: Ledger) -> None:
    put_in_force(ledger)
    args = policy_args(ledger)
    assert ledger.refuse(commission, "policies", "propose_policy", args) == (
        "policy: uid already used"
    )
    zero = policy_args(ledger, NOTHING)
    assert ledger.refuse(bureau, "policies", "propose_policy", zero) == "policy: uid missing"
    unknown = [NEXT, AGREEMENT, ledger.now]
    assert ledger.refuse(bureau, "policies", "sign_policy", unknown) == "policy: unknown"


def test_policy_recognises_its_issuers_age_and_assurance(ledger: Ledger) -> None:
    put_in_force(ledger, valid_from=ledger.now + 10, valid_until=ledger.now + 20)
    assert check(ledger) == "policy: not live yet"
    ledger.pass_time(10)
    assert check(ledger, issued_at=ledger.now - 1000, assurance=3) is None
    assert check(ledger, issuer=BUREAU) == "policy: not for this issuer"
    assert check(ledger, issued_at=ledger.now - 1001) == "policy: document too old"
    assert check(ledger, issued_at=ledger.now + 1) == "policy: issued in the future"
    assert check(ledger, assurance=1) == "policy: assurance too low"
    assert check(ledger, NEXT) == "policy: unknown"
    ledger.pass_time(10)
    assert check(ledger) == "policy: expired"


def test_policy_without_names_is_for_all_issuers_of_its_side(ledger: Ledger) -> None:
    put_in_force(ledger, issuers=[], max_age_s=0)
    for issuer in (LABORATORY, BUREAU, AUDITOR):
        assert check(ledger, issuer=issuer, issued_at=1) is None
    assert check(ledger, issuer=COMMISSION) == "policy: not for this issuer"


def test_policy_is_suspended_by_either_side_and_reinstated_by_that_side(ledger: Ledger) -> None:
    put_in_force(ledger)
    args = [POLICY, Reason.SECURITY, ledger.now]
    assert ledger.refuse(bureau, "policies", "reinstate_policy", args) == (
        "policy: not suspended by your side"
    )
    ledger.do(commission, "policies", "suspend_policy", args)
    assert check(ledger) == "policy: suspended"
    assert ledger.refuse(commission, "policies", "suspend_policy", args) == (
        "policy: already suspended"
    )
    assert ledger.refuse(bureau, "policies", "reinstate_policy", args) == (
        "policy: not suspended by your side"
    )
    ledger.do(laboratory, "policies", "suspend_policy", args)
    ledger.do(commission, "policies", "reinstate_policy", args)
    assert check(ledger) == "policy: suspended"
    (event,) = ledger.do(bureau, "policies", "reinstate_policy", args)
    assert (event.args["state"], event.args["suspended_by"]) == (RecordState.ACTIVE, 0)
    assert check(ledger) is None


def test_policy_gives_way_to_the_next_one(ledger: Ledger) -> None:
    put_in_force(ledger)
    ledger.do(bureau, "policies", "propose_policy", policy_args(ledger, NEXT, max_age_s=5))
    assert check(ledger) is None
    signed, changed = ledger.do(
        commission, "policies", "sign_policy", [NEXT, AGREEMENT, ledger.now]
    )
    assert signed.args["previous"] == POLICY
    assert (changed.args["uid"], changed.args["state"]) == (POLICY, RecordState.SUPERSEDED)
    assert check(ledger) == "policy: ended"
    assert check(ledger, NEXT) is None


@pytest.mark.parametrize("sender", [bureau, commission])
def test_policy_is_ended_by_either_side_for_good(ledger: Ledger, sender: Address) -> None:
    put_in_force(ledger)
    args = [POLICY, Reason.LAW, ledger.now]
    ledger.do(sender, "policies", "end_policy", args)
    assert check(ledger) == "policy: ended"
    for function in ("suspend_policy", "reinstate_policy", "end_policy"):
        assert ledger.refuse(bureau, "policies", function, args) == "policy: ended"


@pytest.mark.parametrize("function", ["suspend_policy", "reinstate_policy", "end_policy"])
def test_policy_change_needs_policy_reason_and_role(ledger: Ledger, function: str) -> None:
    now = ledger.now
    assert ledger.refuse(bureau, "policies", function, [POLICY, 1, now]) == "policy: unknown"
    ledger.do(bureau, "policies", "propose_policy", policy_args(ledger))
    for sender, reason, refusal in (
        (bureau, 1, "policy: not signed by both sides"),
        (clerk, 1, "key: role missing"),
        (stranger, 1, "key: unknown"),
    ):
        assert ledger.refuse(sender, "policies", function, [POLICY, reason, now]) == refusal
    ledger.do(commission, "policies", "sign_policy", [POLICY, AGREEMENT, now])
    for reason, refusal in ((0, "policy: reason missing"), (6, "policy: unknown reason")):
        assert ledger.refuse(bureau, "policies", function, [POLICY, reason, now]) == refusal


SIDES = {bureau: FROM_SIDE, laboratory: FROM_SIDE, commission: TO_SIDE}
AGENCIES = {bureau: BUREAU, laboratory: LABORATORY, commission: COMMISSION}
SENDERS = st.sampled_from([bureau, laboratory, commission])


class PolicyHistories(RuleBasedStateMachine):
    """Policies of one direction beside a model: none is in force that a side has suspended."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.model = HeadModel(ledger=self.ledger, contract="policies")
        self.signed: dict[bytes, int] = {}
        self.states: dict[bytes, int] = {}
        self.suspended: dict[bytes, int] = {}
        self.latest: bytes = NOTHING

    @initialize()
    def begin(self) -> None:
        self.ledger.register_schema()

    @rule(sender=SENDERS)
    def propose(self, sender: Address) -> None:
        if len(self.states) < 4:
            uid = uid_of(9100 + len(self.states))
            self.ledger.do(sender, "policies", "propose_policy", policy_args(self.ledger, uid))
            self.signed[uid] = SIDES[sender]
            self.suspended[uid] = 0
            self.enter(sender, uid, PROPOSED)

    @rule(sender=SENDERS, pick=st.integers(0, 9))
    def sign(self, sender: Address, pick: int) -> None:
        if self.states:
            uid = sorted(self.states)[pick % len(self.states)]
            may = self.states[uid] == PROPOSED and self.signed[uid] != SIDES[sender]
            args = [uid, AGREEMENT, self.ledger.now]
            assert self.ledger.send(sender, "policies", "sign_policy", args).succeeded == may
            if may:
                previous, self.latest = self.latest, uid
                self.enter(sender, uid, RecordState.ACTIVE)
                if previous != NOTHING and self.states[previous] <= RecordState.SUSPENDED:
                    self.enter(sender, previous, RecordState.SUPERSEDED)

    @rule(sender=SENDERS, pick=st.integers(0, 9), act=st.sampled_from("ssrre"))
    def change(self, sender: Address, pick: int, act: str) -> None:
        if not self.states:
            return
        uid = sorted(self.states)[pick % len(self.states)]
        side = SIDES[sender]
        is_suspended = bool(self.suspended[uid] & side)
        is_open = self.states[uid] <= RecordState.SUSPENDED
        may = is_open and {"s": not is_suspended, "r": is_suspended, "e": True}[act]
        function = {"s": "suspend_policy", "r": "reinstate_policy", "e": "end_policy"}[act]
        args = [uid, 1, self.ledger.now]
        assert self.ledger.send(sender, "policies", function, args).succeeded == may
        if may:
            if act != "e":
                self.suspended[uid] ^= side
            state = RecordState.SUSPENDED if self.suspended[uid] else RecordState.ACTIVE
            self.enter(sender, uid, RecordState.REVOKED if act == "e" else state)

    def enter(self, sender: Address, uid: bytes, state: int) -> None:
        self.states[uid] = int(state)
        self.model.advance(AGENCIES[sender], RecordKind.POLICY, uid, state)

    @invariant()
    def rules_hold(self) -> None:
        for uid, state in self.states.items():
            assert self.ledger.read("policies", "policy", uid)["state"] == state
            assert (check(self.ledger, uid) is None) == (state == RecordState.ACTIVE)
        self.model.check([BUREAU, LABORATORY, COMMISSION])


TestPolicyHistories = PolicyHistories.TestCase
TestPolicyHistories.settings = settings(max_examples=4, stateful_step_count=30, deadline=None)
