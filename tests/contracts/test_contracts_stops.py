"""The supervisor's stops, and random histories of bases, instruments and stops together."""

from typing import Any

import pytest
from eth_typing import Address
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.codes import RecordKind, RecordState, Role
from contracts.decisions import DecisionKind
from contracts.development import MEMBER
from contracts.testkeys import get_address
from tests.contracts.contract_harness import (
    AUDITOR,
    BUREAU,
    COMMISSION,
    LABORATORY,
    NOTHING,
    Ledger,
    auditor,
    bureau,
    commission,
    laboratory,
    stranger,
    uid_of,
)
from tests.contracts.law_harness import (
    ORDINARY,
    PURPOSE,
    STATUTE_BASIS,
    HeadModel,
    basis_args,
    fill_catalogue,
)

STOP = uid_of(1200)
SECOND = uid_of(1201)
CHECK = [STATUTE_BASIS, NOTHING, BUREAU, LABORATORY, ORDINARY, 1, PURPOSE]


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    fill_catalogue(ledger)
    ledger.do(auditor, "bases", "enter_basis", basis_args(ledger))
    return ledger


def stop_args(ledger: Ledger, **changes: Any) -> list[Any]:
    fields = {
        "uid": STOP,
        "kind": 1,
        "subject": ORDINARY,
        "until": ledger.now + 100,
        "decision_hash": uid_of(71),
        "event_time": ledger.now,
    }
    assert changes.keys() <= fields.keys()
    return list((fields | changes).values())


def test_stop_of_dataset_pair_or_basis_holds_until_its_date(ledger: Ledger) -> None:
    pair = ledger.read("bases", "pair_of", LABORATORY, BUREAU)
    assert pair == ledger.read("bases", "pair_of", BUREAU, LABORATORY)
    for number, (kind, subject, refusal) in enumerate(
        (
            (1, ORDINARY, "stop: dataset stopped"),
            (2, pair, "stop: pair stopped"),
            (3, STATUTE_BASIS, "stop: basis stopped"),
        )
    ):
        args = stop_args(ledger, uid=uid_of(1200 + number), kind=kind, subject=subject)
        (event,) = ledger.do(auditor, "bases", "stop", args)
        assert (event.event, event.args["subject"]) == ("Stopped", subject)
        assert ledger.read("bases", "is_stopped", subject)
        assert ledger.refuse(stranger, "bases", "check", CHECK) == refusal
        ledger.pass_time(99)
        assert ledger.refuse(stranger, "bases", "check", CHECK) == refusal
        ledger.pass_time(1)
        assert not ledger.read("bases", "is_stopped", subject)
        ledger.read("bases", "check", *CHECK)


def test_stop_is_lifted_by_its_supervisor(ledger: Ledger) -> None:
    ledger.do(auditor, "bases", "stop", stop_args(ledger))
    ledger.do(auditor, "bases", "stop", stop_args(ledger, uid=SECOND, until=ledger.now + 50))
    (event,) = ledger.do(auditor, "bases", "lift", [SECOND, ledger.now])
    assert event.event == "StopLifted"
    # The earlier stop of the same dataset still holds.
    assert ledger.read("bases", "is_stopped", ORDINARY)
    ledger.do(auditor, "bases", "lift", [STOP, ledger.now])
    assert not ledger.read("bases", "is_stopped", ORDINARY)
    assert ledger.read("bases", "stop_record", STOP)["state"] == RecordState.REVOKED
    assert ledger.refuse(auditor, "bases", "lift", [STOP, ledger.now]) == "stop: already lifted"
    assert ledger.refuse(auditor, "bases", "lift", [uid_of(5), ledger.now]) == "stop: unknown"


def test_stop_is_not_lifted_by_another_supervisor_or_after_its_end(ledger: Ledger) -> None:
    ledger.decide(DecisionKind.SET_ROLES, [COMMISSION, int(Role.SUPERVISE | MEMBER)])
    second = get_address(9, "account")
    ledger.decide(DecisionKind.ADD_KEY, [COMMISSION, second, int(Role.SUPERVISE), 0, 0])
    ledger.do(auditor, "bases", "stop", stop_args(ledger))
    assert ledger.refuse(second, "bases", "lift", [STOP, ledger.now]) == "stop: not yours"
    ledger.pass_time(100)
    assert ledger.refuse(auditor, "bases", "lift", [STOP, ledger.now]) == "stop: already over"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"uid": NOTHING}, "stop: uid missing"),
        ({"kind": 0}, "stop: unknown kind"),
        ({"kind": 4}, "stop: unknown kind"),
        ({"subject": NOTHING}, "stop: subject missing"),
        ({"decision_hash": NOTHING}, "stop: decision missing"),
        ({"until": 1}, "stop: already over"),
        ({"until": 2**60}, "stop: ends too late"),
    ],
)
def test_stop_is_refused(ledger: Ledger, changes: dict[str, Any], reason: str) -> None:
    args = stop_args(ledger, **changes)
    assert ledger.refuse(auditor, "bases", "stop", args) == reason
    assert not ledger.read("bases", "is_stopped", ORDINARY)


@pytest.mark.parametrize("sender", [bureau, commission, laboratory])
def test_stop_is_the_supervisors(ledger: Ledger, sender: Address) -> None:
    assert ledger.refuse(sender, "bases", "stop", stop_args(ledger)) == "key: role missing"
    ledger.do(auditor, "bases", "stop", stop_args(ledger))
    assert ledger.refuse(sender, "bases", "lift", [STOP, ledger.now]) == "key: role missing"
    args = stop_args(ledger, kind=2)
    assert ledger.refuse(auditor, "bases", "stop", args) == "stop: uid already used"


def test_stops_of_one_subject_are_bounded(ledger: Ledger) -> None:
    until = ledger.now + 1000
    for number in range(8):
        args = stop_args(ledger, uid=uid_of(1200 + number), until=until - number)
        ledger.do(auditor, "bases", "stop", args)
    more = stop_args(ledger, uid=uid_of(1300))
    assert ledger.refuse(auditor, "bases", "stop", more) == "stop: too many"
    # The earliest is still seen when all others are lifted.
    for number in range(1, 8):
        ledger.do(auditor, "bases", "lift", [uid_of(1200 + number), ledger.now])
    assert ledger.read("bases", "is_stopped", ORDINARY)
    ledger.do(auditor, "bases", "lift", [STOP, ledger.now])
    ledger.do(auditor, "bases", "stop", more)
    assert ledger.read("bases", "is_stopped", ORDINARY)


class LawHistories(RuleBasedStateMachine):
    """Bases and stops beside a model: nothing is covered without a live basis."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.model = HeadModel(ledger=self.ledger, contract="bases")
        self.state = int(RecordState.ACTIVE)
        self.until = 0
        self.stops: dict[bytes, tuple[bytes, int]] = {}

    @initialize(lasts=st.integers(100, 600))
    def begin(self, lasts: int) -> None:
        fill_catalogue(self.ledger)
        self.until = self.ledger.now + lasts
        args = basis_args(self.ledger, valid_until=self.until)
        self.ledger.do(auditor, "bases", "enter_basis", args)
        self.model.advance(AUDITOR, RecordKind.BASIS, STATUTE_BASIS, RecordState.ACTIVE)

    @rule(seconds=st.integers(1, 40))
    def pass_time(self, seconds: int) -> None:
        self.ledger.pass_time(seconds)

    @rule(sender=st.sampled_from([auditor, bureau]), state=st.integers(0, 4))
    def change(self, sender: Address, state: int) -> None:
        may = sender == auditor and self.state < 3 and state in {1, 2, 3} and state != self.state
        args = [STATUTE_BASIS, state, 1, self.ledger.now]
        assert self.ledger.send(sender, "bases", "set_basis_state", args).succeeded == may
        if may:
            self.state = state
            self.model.advance(AUDITOR, RecordKind.BASIS, STATUTE_BASIS, state)

    @rule(
        subject=st.sampled_from([ORDINARY, STATUTE_BASIS]),
        lasts=st.integers(1, 80),
    )
    def stop(self, subject: Any, lasts: int) -> None:
        uid = uid_of(3000 + len(self.stops))
        args = stop_args(self.ledger, uid=uid, subject=subject, until=self.ledger.now + lasts)
        if self.ledger.send(auditor, "bases", "stop", args).succeeded:
            self.stops[uid] = (subject, self.ledger.now + lasts)
            self.model.advance(AUDITOR, RecordKind.STOP, uid, RecordState.ACTIVE)

    @rule(pick=st.integers(0, 20))
    def lift(self, pick: int) -> None:
        if not self.stops:
            return
        uid = sorted(self.stops)[pick % len(self.stops)]
        subject, until = self.stops[uid]
        may = until > self.ledger.now
        outcome = self.ledger.send(auditor, "bases", "lift", [uid, self.ledger.now])
        assert outcome.succeeded == may
        if may:
            self.stops[uid] = (subject, 0)
            self.model.advance(AUDITOR, RecordKind.STOP, uid, RecordState.REVOKED)

    @invariant()
    def nothing_is_covered_without_a_live_basis(self) -> None:
        if not self.until:
            return
        now = self.ledger.now
        is_free = all(until <= now for _, until in self.stops.values())
        is_live = self.state == RecordState.ACTIVE and now < self.until
        outcome = self.ledger.send(stranger, "bases", "check", CHECK)
        assert outcome.succeeded == (is_free and is_live), outcome.reason
        self.model.check([AUDITOR, BUREAU])


TestLawHistories = LawHistories.TestCase
TestLawHistories.settings = settings(max_examples=4, stateful_step_count=30, deadline=None)
