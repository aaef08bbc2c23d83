"""Releases between a withdrawal's declaration and its block, which are listed for remedy."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.addresses import EXCHANGES
from tests.contracts.consent_harness import (
    CONSENT,
    give,
    record,
    withdraw_signed_args,
)
from tests.contracts.contract_harness import (
    BUREAU,
    COMMISSION,
    LABORATORY,
    Ledger,
    bureau,
    stranger,
    uid_of,
)
from tests.contracts.exchange_harness import (
    EXCHANGE,
    GENERAL,
    REQUEST,
    RESPONSE,
    act,
    build_ledger,
    by_consent,
    refuse,
    request,
    request_standing,
)
from tests.contracts.law_harness import fill_catalogue


@pytest.fixture
def ledger() -> Ledger:
    return build_ledger()


def withdraw(ledger: Ledger, declared_at: int, uid: bytes = GENERAL) -> int:
    """Withdraw with a declaration in the past; how many releases are listed."""
    events = ledger.do(bureau, "consents", "withdraw", [uid, uid_of(91), declared_at, ledger.now])
    listed = [event for event in events if event.event == "ReleasesListed"]
    assert len(listed) <= 1
    remedies = ledger.read("consents", "withdrawal", uid)["remedies"]
    assert events[0].args["remedies"] == remedies
    if listed:
        count = ledger.read("consents", "release_count", uid)
        assert listed[0].args["first"] == count - listed[0].args["remedies"]
        assert listed[0].args["remedies"] == remedies
    else:
        assert remedies == 0
    return int(remedies)


def test_release_after_the_declaration_is_listed(ledger: Ledger) -> None:
    request(ledger, **by_consent(ledger))
    ledger.pass_time(100)
    declared_at = ledger.now
    ledger.pass_time(100)
    released = ledger.now
    ledger.do(bureau, "exchanges", "release", [EXCHANGE, REQUEST, RESPONSE, released - 20])
    ledger.pass_time(100)
    assert withdraw(ledger, declared_at) == 1
    assert ledger.read("consents", "release_at", GENERAL, 0) == {
        "exchange": EXCHANGE,
        "released_at": released,
        "event_time": released - 20,
    }
    assert refuse(ledger, bureau, "release", REQUEST, RESPONSE) == "consent: withdrawn"


def test_release_before_the_declaration_is_not_listed(ledger: Ledger) -> None:
    request(ledger, **by_consent(ledger))
    act(ledger, bureau, "release", REQUEST, RESPONSE)
    ledger.pass_time()
    assert withdraw(ledger, ledger.now) == 0


def test_release_at_the_very_declaration_is_listed(ledger: Ledger) -> None:
    request(ledger, **by_consent(ledger))
    act(ledger, bureau, "release", REQUEST, RESPONSE)
    assert withdraw(ledger, ledger.now) == 1


def test_deliveries_of_periods_are_listed(ledger: Ledger) -> None:
    request_standing(ledger, **by_consent(ledger))
    times = []
    for period in (1, 2, 3):
        ledger.pass_time(100)
        times.append(ledger.now)
        act(ledger, bureau, "begin_period", period)
    ledger.pass_time(100)
    assert withdraw(ledger, times[1]) == 2
    assert ledger.read("consents", "release_count", GENERAL) == 3


def test_withdrawal_by_the_residents_key_lists_them_too(ledger: Ledger) -> None:
    give(ledger, CONSENT, 1, recipient=COMMISSION)
    ledger.do(EXCHANGES, "consents", "reserve", [CONSENT, EXCHANGE])
    declared_at = ledger.now
    ledger.pass_time()
    ledger.do(EXCHANGES, "consents", "use", [CONSENT, EXCHANGE, ledger.now])
    signed = withdraw_signed_args(ledger, declared_at=declared_at)
    withdrawn, listed = ledger.do(stranger, "consents", "withdraw_signed", signed)
    assert (withdrawn.args["remedies"], listed.args["remedies"]) == (1, 1)
    assert (listed.args["provider"], listed.args["recipient"]) == (BUREAU, COMMISSION)


def test_release_that_is_not_there_is_refused(ledger: Ledger) -> None:
    record(ledger, GENERAL, recipient=LABORATORY)
    outcome = ledger.send(stranger, "consents", "release_at", [GENERAL, 0])
    assert outcome.reason == "consent: no such release"


@settings(max_examples=12, deadline=None)
@given(gaps=st.lists(st.integers(0, 5), max_size=12), ago=st.integers(0, 40))
def test_listed_are_exactly_those_since_the_declaration(gaps: list[int], ago: int) -> None:
    ledger = Ledger()
    fill_catalogue(ledger)
    record(ledger, CONSENT, quota=0)
    given_at = ledger.now
    ledger.do(EXCHANGES, "consents", "reserve", [CONSENT, EXCHANGE])
    times = []
    for gap in gaps:
        ledger.pass_time(gap)
        times.append(ledger.now)
        ledger.do(EXCHANGES, "consents", "use", [CONSENT, EXCHANGE, ledger.now])
    declared_at = max(given_at, ledger.now - ago)
    expected = sum(time >= declared_at for time in times)
    assert withdraw(ledger, declared_at, CONSENT) == expected
