"""Standing and bulk exchanges period by period, and random histories of exchanges."""

from typing import Any

import pytest
from eth_typing import Address
from eth_utils.crypto import keccak
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contracts.codes import RecordKind
from tests.contracts.contract_harness import (
    BUREAU,
    LABORATORY,
    NOTHING,
    Ledger,
    bureau,
    commission,
    laboratory,
    uid_of,
)
from tests.contracts.exchange_harness import (
    APPROVED,
    BULK,
    DISPUTED,
    ENDED,
    EXCHANGE,
    GENERAL,
    OFFICER,
    RECEIVED,
    REFUSED,
    RELEASED,
    REQUEST,
    REQUESTED,
    RESPONSE,
    STANDING,
    VOID,
    VOID_SIGNED,
    act,
    build_ledger,
    by_consent,
    read_state,
    refuse,
    request,
    request_args,
    request_standing,
)
from tests.contracts.law_harness import CONDITIONAL, CONSENT_BASIS, HeadModel

BEGUN, AGREED, MISMATCHED = 1, 2, 3
ROOT = uid_of(4001)
OTHER_ROOT = uid_of(4002)
PERIOD = 202611


@pytest.fixture
def ledger() -> Ledger:
    return build_ledger()


def state(ledger: Ledger, sender: Address, count: int, root: bytes) -> int:
    return int(act(ledger, sender, "state_period", PERIOD, count, root).args["state"])


@pytest.mark.parametrize("mode", [STANDING, BULK])
def test_period_is_agreed_where_both_sides_state_the_same(ledger: Ledger, mode: int) -> None:
    request_standing(ledger, mode=mode)
    assert refuse(ledger, bureau, "release", REQUEST, RESPONSE) == "exchange: released by periods"
    event = act(ledger, bureau, "begin_period", PERIOD)
    assert (event.event, event.args["state"]) == ("PeriodChanged", BEGUN)
    assert state(ledger, bureau, 50_000, ROOT) == BEGUN
    assert state(ledger, laboratory, 50_000, ROOT) == AGREED
    stated = ledger.read("exchanges", "period_of", EXCHANGE, PERIOD)
    assert stated["provider_count"] == stated["requester_count"] == 50_001
    for sender in (bureau, laboratory):
        assert refuse(ledger, sender, "state_period", PERIOD, 1, ROOT) == "period: already agreed"
    assert refuse(ledger, bureau, "name_leaf", PERIOD, 1, ROOT, []) == "period: no mismatch"


@pytest.mark.parametrize(("count", "root"), [(7, OTHER_ROOT), (8, ROOT), (0, NOTHING)])
def test_unequal_statements_are_a_mismatch_until_corrected(
    ledger: Ledger, count: int, root: bytes
) -> None:
    request_standing(ledger)
    act(ledger, bureau, "begin_period", PERIOD)
    state(ledger, bureau, 7, ROOT)
    assert refuse(ledger, bureau, "state_period", PERIOD, 8, ROOT) == "period: already stated"
    assert refuse(ledger, laboratory, "name_leaf", PERIOD, 0, ROOT, []) == "period: no mismatch"
    assert state(ledger, laboratory, count, root) == MISMATCHED
    assert state(ledger, laboratory, 7, ROOT) == AGREED


def test_nothing_delivered_is_a_statement_too(ledger: Ledger) -> None:
    request_standing(ledger)
    act(ledger, bureau, "begin_period", PERIOD)
    for count, root in ((0, ROOT), (1, NOTHING)):
        assert refuse(ledger, bureau, "state_period", PERIOD, count, root) == (
            "period: root and count do not fit"
        )
    assert state(ledger, bureau, 0, NOTHING) == BEGUN
    assert refuse(ledger, bureau, "state_period", PERIOD, 0, NOTHING) == "period: already stated"
    assert state(ledger, laboratory, 0, NOTHING) == AGREED


def test_period_is_begun_once_by_the_provider_while_the_exchange_runs(ledger: Ledger) -> None:
    request_standing(ledger, valid_until=ledger.now + 100)
    for sender in (laboratory, commission):
        assert refuse(ledger, sender, "begin_period", PERIOD) == "exchange: not yours"
    assert refuse(ledger, bureau, "state_period", PERIOD, 1, ROOT) == "period: not begun"
    act(ledger, bureau, "begin_period", PERIOD)
    assert refuse(ledger, bureau, "begin_period", PERIOD) == "period: already begun"
    ledger.pass_time(100)
    assert refuse(ledger, bureau, "begin_period", PERIOD + 1) == "exchange: expired"
    # What was delivered is still stated.
    assert state(ledger, laboratory, 3, ROOT) == BEGUN


def test_single_exchange_has_no_periods(ledger: Ledger) -> None:
    request(ledger)
    assert refuse(ledger, bureau, "begin_period", PERIOD) == "exchange: has no periods"
    assert refuse(ledger, bureau, "end", 1) == "exchange: has no periods"


def test_standing_exchange_rests_on_a_live_consent_in_each_period(ledger: Ledger) -> None:
    fields = by_consent(ledger, quota=1)
    request_standing(ledger, **fields)
    for period in (1, 2, 3):
        act(ledger, bureau, "begin_period", period)
        assert ledger.read("consents", "consent", GENERAL)["used"] == 1
    ledger.do(bureau, "consents", "withdraw", [GENERAL, uid_of(5), ledger.now, ledger.now])
    assert refuse(ledger, bureau, "begin_period", 4) == "consent: withdrawn"
    act(ledger, laboratory, "state_period", 3, 2, ROOT)


def test_standing_exchange_is_ended_by_either_side(ledger: Ledger) -> None:
    request_standing(ledger)
    assert refuse(ledger, commission, "end", 1) == "exchange: not yours"
    assert refuse(ledger, bureau, "end", 0) == "exchange: reason missing"
    assert refuse(ledger, bureau, "end", 6) == "exchange: unknown reason"
    assert act(ledger, laboratory, "end", 3).args["state"] == ENDED
    assert refuse(ledger, laboratory, "end", 3) == "exchange: not approved"
    assert refuse(ledger, bureau, "begin_period", PERIOD) == "exchange: not approved"


# ------------------------------------------------------------------ histories

EXCHANGES = [uid_of(5000 + number) for number in range(3)]
SENDERS = st.sampled_from([laboratory, bureau, bureau, laboratory, commission])
PICKS = st.sampled_from(EXCHANGES)
QUOTA = 2


class ExchangeHistories(RuleBasedStateMachine):
    """Exchanges on one consent beside a model of them.

    What must hold: nothing is approved or released without a live basis, nobody decides their own
    request, the quota is never exceeded, and heads and counts agree with what happened.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ledger = build_ledger()
        by_consent(self.ledger, quota=QUOTA, dataset=CONDITIONAL)
        self.model = HeadModel(ledger=self.ledger, contract="exchanges")
        self.states: dict[bytes, int] = {}
        self.held: set[bytes] = set()
        self.voids: dict[bytes, set[Address]] = {}
        self.is_consented = True

    @rule(seconds=st.integers(1, 50))
    def pass_time(self, seconds: int) -> None:
        self.ledger.pass_time(seconds)

    @rule(uid=PICKS)
    def request(self, uid: Any) -> None:
        may = uid not in self.states and self.is_consented
        fields = {"basis": CONSENT_BASIS, "consent": GENERAL, "dataset": CONDITIONAL}
        args = request_args(self.ledger, uid, **fields)
        self.expect(may, laboratory, "request", args)
        if may:
            self.enter(uid, REQUESTED)

    @rule(sender=SENDERS, uid=PICKS, approve=st.sampled_from([True, True, False]))
    def decide(self, sender: Address, uid: Any, *, approve: bool) -> None:
        may = sender == bureau and self.states.get(uid) == REQUESTED
        if approve:
            may = may and self.is_consented and len(self.held) < QUOTA
        args = [uid, approve, 0 if approve else 1, OFFICER, self.ledger.now]
        self.expect(may, sender, "decide", args)
        if may:
            self.enter(uid, APPROVED if approve else REFUSED)
            if approve:
                self.held.add(uid)

    @rule(sender=SENDERS, uid=PICKS)
    def release(self, sender: Address, uid: Any) -> None:
        is_open = self.states.get(uid) in {APPROVED, RELEASED, RECEIVED, DISPUTED}
        may = sender == bureau and is_open and self.is_consented
        self.expect(may, sender, "release", [uid, REQUEST, RESPONSE, self.ledger.now])
        if may:
            self.enter(uid, RELEASED)

    @rule(sender=SENDERS, uid=PICKS, is_equal=st.booleans())
    def acknowledge(self, sender: Address, uid: Any, *, is_equal: bool) -> None:
        may = sender == laboratory and self.states.get(uid) == RELEASED
        args = [uid, RESPONSE if is_equal else ROOT, self.ledger.now]
        self.expect(may, sender, "acknowledge", args)
        if may:
            self.enter(uid, RECEIVED if is_equal else DISPUTED)

    @rule(sender=SENDERS, uid=PICKS)
    def void(self, sender: Address, uid: Any) -> None:
        signed = self.voids.setdefault(uid, set())
        is_open = self.states.get(uid) in {APPROVED, RELEASED, RECEIVED, DISPUTED}
        may = sender != commission and is_open and sender not in signed
        self.expect(may, sender, "void_exchange", [uid, 1, self.ledger.now])
        if may:
            signed.add(sender)
            if len(signed) == 2:
                self.held.remove(uid)
                self.enter(uid, VOID)
            else:
                self.advance(uid, VOID_SIGNED)

    @rule(dice=st.integers(0, 7))
    def withdraw(self, dice: int) -> None:
        if dice == 0 and self.is_consented:
            args = [GENERAL, uid_of(5), self.ledger.now, self.ledger.now]
            self.ledger.do(bureau, "consents", "withdraw", args)
            self.is_consented = False

    def expect(self, may: bool, sender: Address, function: str, args: list[Any]) -> None:
        outcome = self.ledger.send(sender, "exchanges", function, args)
        assert outcome.succeeded == may, outcome.reason

    def enter(self, uid: bytes, entered: int) -> None:
        self.states[uid] = entered
        self.advance(uid, entered)

    def advance(self, uid: bytes, entered: int) -> None:
        for party in (LABORATORY, BUREAU, keccak(LABORATORY + BUREAU)):
            self.model.advance(party, RecordKind.EXCHANGE, uid, entered)

    @invariant()
    def rules_hold(self) -> None:
        for uid in EXCHANGES:
            assert read_state(self.ledger, uid) == self.states.get(uid, 0)
        consent = self.ledger.read("consents", "consent", GENERAL)
        assert consent["reserved"] + consent["used"] == len(self.held) <= QUOTA
        self.model.check([LABORATORY, BUREAU, keccak(LABORATORY + BUREAU)])
        head = self.ledger.read("exchanges", "pair_head", LABORATORY, BUREAU)
        assert head == self.model.heads.get(keccak(LABORATORY + BUREAU), NOTHING)


TestExchangeHistories = ExchangeHistories.TestCase
TestExchangeHistories.settings = settings(max_examples=4, stateful_step_count=35, deadline=None)
