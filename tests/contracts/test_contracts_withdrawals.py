"""Withdrawals and quotas of consents, and random histories of consents."""

from typing import Any

import pytest
from eth_typing import Address
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.addresses import EXCHANGES
from contracts.codes import RecordKind, RecordState
from tests.contracts.consent_harness import (
    CONSENT,
    RESPONSE_S,
    cover_args,
    get_holder,
    give,
    give_args,
    record,
    withdraw_signed_args,
)
from tests.contracts.contract_harness import (
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
    STATUTE_BASIS,
    HeadModel,
    basis_args,
    fill_catalogue,
)

OTHER = uid_of(2002)
EXCHANGE = uid_of(2100)


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    fill_catalogue(ledger)
    return ledger


def withdraw(ledger: Ledger, sender: Address = bureau, *, ago: int = 0) -> Any:
    args = [CONSENT, uid_of(91), ledger.now - ago, ledger.now]
    (event,) = ledger.do(sender, "consents", "withdraw", args)
    return event


def answer(ledger: Ledger, outcome: int, basis: bytes = NOTHING, until: int = 0) -> list[Any]:
    return [CONSENT, outcome, basis, until, ledger.now]


def test_withdrawal_is_signed_by_the_key_that_gave(ledger: Ledger) -> None:
    give(ledger)
    foreign = withdraw_signed_args(ledger, CONSENT, 2)
    assert ledger.refuse(stranger, "consents", "withdraw_signed", foreign) == (
        "signature: not the signer's"
    )
    signed = withdraw_signed_args(ledger)
    for place, value in ((1, ledger.now - 1), (2, 3), (3, 2**99)):
        altered = [*signed[:place], value, *signed[place + 1 :]]
        assert ledger.refuse(stranger, "consents", "withdraw_signed", altered) == (
            "signature: not the signer's"
        )
    (event,) = ledger.do(stranger, "consents", "withdraw_signed", signed)
    assert event.event == "ConsentWithdrawn"
    assert event.args["agency"] == NOTHING
    assert event.args["due"] == ledger.now + RESPONSE_S
    assert ledger.refuse(stranger, "consents", "check", cover_args()) == "consent: withdrawn"
    assert ledger.refuse(stranger, "consents", "withdraw_signed", signed) == (
        "signature: nonce already used"
    )
    again = withdraw_signed_args(ledger, nonce=3)
    assert ledger.refuse(stranger, "consents", "withdraw_signed", again) == "consent: withdrawn"


def test_consent_is_not_given_again_with_its_old_signature(ledger: Ledger) -> None:
    give(ledger)
    used = give_args(ledger)
    ledger.do(stranger, "consents", "withdraw_signed", withdraw_signed_args(ledger))
    assert ledger.refuse(stranger, "consents", "give", used) == "signature: nonce already used"
    fresh = give_args(ledger, OTHER, nonce=9)
    assert ledger.refuse(stranger, "consents", "give", fresh) == "binding: key already used"


def test_withdrawal_of_a_recorded_consent_is_not_signed(ledger: Ledger) -> None:
    """There is no key, and no damaged signature passes for nobody's."""
    record(ledger)
    args = withdraw_signed_args(ledger)
    for signature in (args[4], bytes(64) + b"\x1b"):
        assert (
            ledger.refuse(stranger, "consents", "withdraw_signed", [*args[:4], signature])
            == "signature: signer missing"
        )
    unknown = withdraw_signed_args(ledger, OTHER)
    assert ledger.refuse(stranger, "consents", "withdraw_signed", unknown) == "consent: unknown"


@pytest.mark.parametrize("sender", [bureau, commission, laboratory])
def test_withdrawal_is_recorded_by_whoever_received_it(ledger: Ledger, sender: Address) -> None:
    record(ledger, agency=laboratory)
    event = withdraw(ledger, sender)
    assert event.args["form"] == uid_of(91)
    assert ledger.read("consents", "withdrawal", CONSENT)["agency"] == event.args["agency"]
    assert ledger.refuse(stranger, "consents", "check", cover_args()) == "consent: withdrawn"


def test_withdrawal_is_recorded_by_no_other_agency(ledger: Ledger) -> None:
    record(ledger)
    args = [CONSENT, uid_of(91), ledger.now, ledger.now]
    assert ledger.refuse(laboratory, "consents", "withdraw", args) == "consent: not yours"
    unknown = [OTHER, *args[1:]]
    assert ledger.refuse(bureau, "consents", "withdraw", unknown) == "consent: unknown"
    ledger.pass_time(100)
    for place, value, reason in (
        (1, NOTHING, "consent: form missing"),
        (2, ledger.now - 101, "withdrawal: before the consent"),
        (2, ledger.now + 61, "withdrawal: in the future"),
    ):
        altered = [*args[:place], value, *args[place + 1 :]]
        assert ledger.refuse(bureau, "consents", "withdraw", altered) == reason


def test_withdrawal_starts_a_clock_at_its_declaration(ledger: Ledger) -> None:
    record(ledger)
    ledger.pass_time(500)
    event = withdraw(ledger, ago=400)
    assert event.args["due"] == ledger.now - 400 + RESPONSE_S
    ledger.pass_time(600)
    assert not ledger.read("consents", "is_overdue", CONSENT, COMMISSION)
    ledger.pass_time(1)
    assert ledger.read("consents", "is_overdue", CONSENT, COMMISSION)
    (event,) = ledger.do(commission, "consents", "answer_withdrawal", answer(ledger, 2))
    assert event.args["is_late"]
    assert not ledger.read("consents", "is_overdue", CONSENT, COMMISSION)


def test_recipient_stops_retains_under_a_basis_and_deletes(ledger: Ledger) -> None:
    record(ledger)
    ledger.do(auditor, "bases", "enter_basis", basis_args(ledger))
    early = answer(ledger, 1)
    assert ledger.refuse(commission, "consents", "answer_withdrawal", early) == (
        "withdrawal: not declared"
    )
    withdraw(ledger)
    until = ledger.now + 5000
    for args, reason in (
        (answer(ledger, 0), "withdrawal: unknown outcome"),
        (answer(ledger, 4), "withdrawal: unknown outcome"),
        (answer(ledger, 3, NOTHING, until), "withdrawal: retained without a basis"),
        (answer(ledger, 3, STATUTE_BASIS, 0), "withdrawal: retained until missing"),
        (answer(ledger, 2, STATUTE_BASIS, 0), "withdrawal: nothing is retained"),
        (answer(ledger, 1, NOTHING, until), "withdrawal: nothing is retained"),
    ):
        assert ledger.refuse(commission, "consents", "answer_withdrawal", args) == reason
    for sender in (bureau, laboratory):
        assert ledger.refuse(sender, "consents", "answer_withdrawal", answer(ledger, 1)) == (
            "consent: not yours"
        )
    for outcome, basis, end in ((1, NOTHING, 0), (3, STATUTE_BASIS, until), (2, NOTHING, 0)):
        args = answer(ledger, outcome, basis, end)
        (event,) = ledger.do(commission, "consents", "answer_withdrawal", args)
        assert (event.event, event.args["is_late"]) == ("WithdrawalAnswered", False)
        declaration = ledger.read("consents", "declaration", CONSENT, COMMISSION)
        assert (declaration["outcome"], declaration["basis"], declaration["until"]) == (
            outcome,
            basis,
            end,
        )
        refused = answer(ledger, 1)
        assert ledger.refuse(commission, "consents", "answer_withdrawal", refused) == (
            "withdrawal: already answered"
        )
    unknown = [OTHER, 1, NOTHING, 0, ledger.now]
    assert ledger.refuse(commission, "consents", "answer_withdrawal", unknown) == (
        "consent: unknown"
    )


# ------------------------------------------------------------------ quotas


def move(ledger: Ledger, function: str, exchange: bytes = EXCHANGE) -> str | None:
    rest = [ledger.now] if function == "use" else []
    return ledger.send(EXCHANGES, "consents", function, [CONSENT, exchange, *rest]).reason


def get_quota(ledger: Ledger) -> tuple[int, int]:
    consent = ledger.read("consents", "consent", CONSENT)
    return consent["reserved"], consent["used"]


def test_quota_is_reserved_used_once_and_given_back(ledger: Ledger) -> None:
    record(ledger, quota=1)
    assert move(ledger, "use") == "consent: not reserved"
    assert move(ledger, "give_back") == "consent: not reserved"
    assert move(ledger, "reserve") is None
    assert get_quota(ledger) == (1, 0)
    assert move(ledger, "reserve") == "consent: already reserved"
    assert move(ledger, "reserve", OTHER) == "consent: quota used up"
    for _ in range(3):
        assert move(ledger, "use") is None
        assert get_quota(ledger) == (0, 1)
    assert move(ledger, "give_back") is None
    assert get_quota(ledger) == (0, 0)
    assert move(ledger, "reserve", OTHER) is None
    assert move(ledger, "give_back", OTHER) is None
    assert get_quota(ledger) == (0, 0)


def test_quota_of_zero_is_none(ledger: Ledger) -> None:
    record(ledger, quota=0)
    for number in range(5):
        assert move(ledger, "reserve", uid_of(number + 1)) is None
    assert get_quota(ledger) == (5, 0)


@pytest.mark.parametrize("sender", [bureau, commission, stranger])
def test_quota_is_moved_by_the_exchanges_only(ledger: Ledger, sender: Address) -> None:
    record(ledger)
    for function in ("reserve", "use", "give_back"):
        rest = [ledger.now] if function == "use" else []
        assert ledger.refuse(sender, "consents", function, [CONSENT, EXCHANGE, *rest]) == (
            "consent: only the exchanges"
        )
    onward = [CONSENT, EXCHANGE, LABORATORY, ledger.now]
    assert ledger.refuse(sender, "consents", "note_onward", onward) == "consent: only the exchanges"


# ------------------------------------------------------------------ histories

QUOTA = 3
PLACES = st.integers(1, 5)


class ConsentHistories(RuleBasedStateMachine):
    """One consent beside a model: it covers only while live, and its quota is never exceeded."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.model = HeadModel(ledger=self.ledger, contract="consents")
        self.state = int(RecordState.ACTIVE)
        self.confirmation = 0
        self.until = 0
        self.outcome = 0
        self.held: dict[bytes, str] = {}

    @initialize(lasts=st.integers(50, 500), is_signed=st.booleans())
    def begin(self, lasts: int, *, is_signed: bool) -> None:
        fill_catalogue(self.ledger)
        self.until = self.ledger.now + lasts
        terms = {"quota": QUOTA, "valid_until": self.until}
        if is_signed:
            give(self.ledger, **terms)
            holder = bytes(12) + get_holder(1)
            self.model.advance(LABORATORY, RecordKind.BINDING, holder, RecordState.ACTIVE)
            self.confirmation = 3
        else:
            record(self.ledger, agency=commission, **terms)
        self.follow(RecordState.ACTIVE)

    @rule(seconds=st.integers(1, 40))
    def pass_time(self, seconds: int) -> None:
        self.ledger.pass_time(seconds)

    @rule(sender=st.sampled_from([bureau, commission, laboratory]))
    def demand(self, sender: Address) -> None:
        may = sender == bureau and self.confirmation == 0 and self.state == RecordState.ACTIVE
        self.expect(may, sender, "demand_confirmation", [CONSENT, self.ledger.now])
        if may:
            self.confirmation = 1
            self.follow(RecordState.SUSPENDED)

    @rule(sender=st.sampled_from([bureau, commission, laboratory]))
    def confirm(self, sender: Address) -> None:
        may = sender != commission and self.confirmation == 1 and self.state == RecordState.ACTIVE
        self.expect(may, sender, "confirm", [CONSENT, uid_of(5), self.ledger.now])
        if may:
            self.confirmation = 2
            self.follow(RecordState.ACTIVE)

    @rule(sender=st.sampled_from([bureau, laboratory, commission]), dice=st.integers(0, 5))
    def withdraw(self, sender: Address, dice: int) -> None:
        if dice:  # most histories shall live for a while
            return
        is_party = sender != laboratory or self.confirmation == 3
        may = is_party and self.state == RecordState.ACTIVE
        now = self.ledger.now
        self.expect(may, sender, "withdraw", [CONSENT, uid_of(5), now, now])
        if may:
            self.state = int(RecordState.REVOKED)
            self.follow(RecordState.REVOKED)

    @rule(outcome=st.integers(0, 2))
    def answer(self, outcome: int) -> None:
        may = self.state == RecordState.REVOKED and outcome > self.outcome
        args = [CONSENT, outcome, NOTHING, 0, self.ledger.now]
        self.expect(may, commission, "answer_withdrawal", args)
        if may:
            self.outcome = outcome
            self.follow(10 + outcome)

    @rule(place=PLACES, sender=st.sampled_from([EXCHANGES, EXCHANGES, commission]))
    def reserve(self, place: int, sender: Address) -> None:
        may = sender == EXCHANGES and uid_of(place) not in self.held and len(self.held) < QUOTA
        self.expect(may, sender, "reserve", [CONSENT, uid_of(place)])
        if may:
            self.held[uid_of(place)] = "reserved"

    @rule(place=PLACES)
    def use(self, place: int) -> None:
        may = uid_of(place) in self.held
        self.expect(may, EXCHANGES, "use", [CONSENT, uid_of(place), self.ledger.now])
        if may:
            self.held[uid_of(place)] = "used"

    @rule(place=PLACES)
    def give_back(self, place: int) -> None:
        may = uid_of(place) in self.held
        self.expect(may, EXCHANGES, "give_back", [CONSENT, uid_of(place)])
        self.held.pop(uid_of(place), None)

    def expect(self, may: bool, sender: Address, function: str, args: list[Any]) -> None:
        outcome = self.ledger.send(sender, "consents", function, args)
        assert outcome.succeeded == may, outcome.reason

    def follow(self, state: int) -> None:
        for party in (BUREAU, COMMISSION):
            self.model.advance(party, RecordKind.CONSENT, CONSENT, state)

    @invariant()
    def rules_hold(self) -> None:
        if not self.until:
            return
        is_live = (
            self.state == RecordState.ACTIVE
            and self.confirmation != 1
            and self.ledger.now < self.until
        )
        outcome = self.ledger.send(stranger, "consents", "check", cover_args())
        assert outcome.succeeded == is_live, outcome.reason
        states = [*self.held.values()]
        assert get_quota(self.ledger) == (states.count("reserved"), states.count("used"))
        assert sum(get_quota(self.ledger)) <= QUOTA
        self.model.check([BUREAU, COMMISSION, LABORATORY])


TestConsentHistories = ConsentHistories.TestCase
TestConsentHistories.settings = settings(max_examples=4, stateful_step_count=30, deadline=None)
