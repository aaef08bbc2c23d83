"""Each rule of requests, decisions, releases and voids, once kept and once broken."""

from typing import Any

import pytest
from eth_typing import Address

from contracts.codes import ConsentKind, Reason, RecordState
from contracts.decisions import DecisionKind
from tests.contracts.consent_harness import CONSENT, record
from tests.contracts.contract_harness import (
    BUREAU,
    COMMISSION,
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
from tests.contracts.exchange_harness import (
    APPROVED,
    CANCELLED,
    CROSSING,
    DISPUTED,
    EXCHANGE,
    GENERAL,
    NO_LINKS,
    OFFICER,
    RECEIVED,
    REFUSED,
    RELEASED,
    REQUEST,
    REQUESTED,
    RESPONSE,
    SENSITIVE_INSTRUMENT,
    SPECIAL,
    VOID,
    VOID_SIGNED,
    act,
    build_ledger,
    build_request,
    by_consent,
    read_state,
    refuse,
    request,
    request_args,
    request_conditional,
)
from tests.contracts.law_harness import (
    CONSENT_BASIS,
    FORBIDDEN,
    INSTRUMENT,
    ORDINARY,
    OTHER_PURPOSE,
    SENSITIVE,
    STATUTE_BASIS,
)

OTHER = uid_of(3100)


@pytest.fixture
def ledger() -> Ledger:
    return build_ledger()


def refuse_request(ledger: Ledger, sender: Address = laboratory, **changes: Any) -> str | None:
    args = request_args(ledger, **changes)
    reason = ledger.refuse(sender, "exchanges", "request", args)
    assert read_state(ledger) == 0
    return reason


# ------------------------------------------------------------------ requests


def test_exchange_runs_from_request_to_receipt(ledger: Ledger) -> None:
    requested, approved = request(ledger)
    assert (requested.event, requested.args["requester"]) == ("Requested", LABORATORY)
    assert requested.args["sequences"] == (1, 1, 1)
    assert (approved.event, approved.args["state"]) == ("ExchangeChanged", APPROVED)
    released = act(ledger, bureau, "release", REQUEST, RESPONSE)
    assert (released.args["state"], released.args["key"]) == (RELEASED, bureau)
    received = act(ledger, laboratory, "acknowledge", RESPONSE)
    assert (received.args["state"], received.args["key"]) == (RECEIVED, laboratory)
    exchange = ledger.read("exchanges", "exchange", EXCHANGE)
    assert exchange["request"]["request_commitment"] == REQUEST
    assert (exchange["dataset_version"], exchange["basis_kind"]) == (1, 1)
    assert exchange["response"] == exchange["received"] == RESPONSE
    assert exchange["deliveries"] == 1
    for agency in (LABORATORY, BUREAU):
        assert ledger.read("exchanges", "count", agency) == 4
    assert ledger.read("exchanges", "pair_count", LABORATORY, BUREAU) == 4
    assert ledger.read("exchanges", "pair_count", BUREAU, LABORATORY) == 0
    assert ledger.read("exchanges", "pair_head", LABORATORY, BUREAU) != NOTHING


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"provider": LABORATORY}, "exchange: with itself"),
        ({"provider": COMMISSION}, "dataset: not the provider's"),
        ({"dataset": uid_of(5)}, "dataset: unknown"),
        ({"dataset": FORBIDDEN}, "dataset: not shared"),
        ({"fields": 0b1000}, "basis: not for these fields"),
        ({"purpose": OTHER_PURPOSE}, "basis: not for this purpose"),
        ({"basis": uid_of(5)}, "basis: unknown"),
        ({"mode": 0}, "exchange: unknown mode"),
        ({"mode": 4}, "exchange: unknown mode"),
        ({"channel": 0}, "exchange: channel missing"),
        ({"case_commitment": NOTHING}, "exchange: case missing"),
        ({"officer": NOTHING}, "exchange: officer missing"),
        ({"request_commitment": NOTHING}, "exchange: request missing"),
        ({"due": 1}, "exchange: due time passed"),
        ({"retention_until": 0}, "exchange: retention missing"),
        ({"valid_until": 2**40}, "exchange: has no periods"),
        ({"mode": 2}, "exchange: end missing"),
        ({"mode": 3, "valid_until": 1}, "exchange: end missing"),
        ({"consent": CONSENT}, "exchange: a statute needs no consent"),
        ({"sensitive_consent": CONSENT}, "exchange: a statute needs no consent"),
        ({"cross_border_consent": CONSENT}, "exchange: a statute needs no consent"),
    ],
)
def test_request_is_refused(ledger: Ledger, changes: dict[str, Any], reason: str) -> None:
    assert refuse_request(ledger, **changes) == reason
    asked = build_request(ledger, **changes)
    outcome = ledger.send(stranger, "exchanges", "explain", [LABORATORY, asked, NO_LINKS])
    assert outcome.reason == reason


def test_explanation_answers_without_recording(ledger: Ledger) -> None:
    answer = ledger.read("exchanges", "explain", LABORATORY, build_request(ledger), NO_LINKS)
    assert answer["must_notify"]
    assert ledger.read("exchanges", "count", LABORATORY) == 0


def test_request_uid_is_used_once(ledger: Ledger) -> None:
    request(ledger)
    for sender in (laboratory, commission):
        args = request_args(ledger)
        assert ledger.refuse(sender, "exchanges", "request", args) == "exchange: uid already used"
    zero = request_args(ledger, NOTHING)
    assert ledger.refuse(laboratory, "exchanges", "request", zero) == "exchange: uid missing"


@pytest.mark.parametrize(
    ("sender", "reason"),
    [(auditor, "key: role missing"), (clerk, "key: role missing"), (stranger, "key: unknown")],
)
def test_exchanges_need_the_role(ledger: Ledger, sender: Address, reason: str) -> None:
    request_conditional(ledger)
    args = request_args(ledger, OTHER)
    assert ledger.refuse(sender, "exchanges", "request", args) == reason
    for function, rest in (
        ("decide", [True, 0, OFFICER]),
        ("cancel", []),
        ("release", [REQUEST, RESPONSE]),
        ("acknowledge", [RESPONSE]),
        ("void_exchange", [1]),
        ("end", [1]),
        ("begin_period", [1]),
        ("state_period", [1, 1, RESPONSE]),
        ("name_leaf", [1, 0, RESPONSE, []]),
    ):
        assert refuse(ledger, sender, function, *rest) == reason


# ------------------------------------------------------------------ what the law needs


def test_exchange_across_the_border_needs_its_instrument(ledger: Ledger) -> None:
    assert refuse_request(ledger, commission) == "instrument: missing"
    wrong = {"instrument": SENSITIVE_INSTRUMENT}
    assert refuse_request(ledger, commission, **wrong) == "instrument: not for this dataset"
    request(ledger, sender=commission, instrument=INSTRUMENT)
    change = [INSTRUMENT, RecordState.REVOKED, Reason.LAW, ledger.now]
    ledger.do(auditor, "bases", "set_instrument_state", change)
    assert refuse(ledger, bureau, "release", REQUEST, RESPONSE) == "instrument: not in force"


def test_basis_by_consent_needs_the_residents_consent(ledger: Ledger) -> None:
    assert refuse_request(ledger, basis=CONSENT_BASIS) == "consent: missing"
    fields = by_consent(ledger)
    bundled = fields | {"sensitive_consent": GENERAL}
    assert refuse_request(ledger, **bundled) == "exchange: not sensitive"
    bundled = fields | {"cross_border_consent": GENERAL}
    assert refuse_request(ledger, **bundled) == "exchange: crosses no border"
    assert refuse_request(ledger, **fields, fields=0b0111) == "consent: not for these fields"
    request(ledger, **fields)
    assert ledger.read("consents", "consent", GENERAL)["reserved"] == 1


def test_sensitive_and_cross_border_exchanges_need_consents_of_their_own(ledger: Ledger) -> None:
    fields = by_consent(ledger, is_crossing=True, dataset=SENSITIVE) | {
        "dataset": SENSITIVE,
        "instrument": SENSITIVE_INSTRUMENT,
    }
    assert refuse_request(ledger, commission, **fields) == "consent: missing"
    # One consent for everything is none for the special ones.
    for name in ("sensitive_consent", "cross_border_consent"):
        bundled = fields | {"sensitive_consent": SPECIAL, name: GENERAL}
        if name == "cross_border_consent":
            kind = int(ConsentKind.SENSITIVE)
            record(ledger, SPECIAL, recipient=COMMISSION, dataset=SENSITIVE, kind=kind)
        assert refuse_request(ledger, commission, **bundled) == "consent: not of this kind"
    fields |= {"sensitive_consent": SPECIAL}
    assert refuse_request(ledger, commission, **fields) == "consent: missing"
    kind = int(ConsentKind.CROSS_BORDER)
    record(ledger, CROSSING, recipient=COMMISSION, dataset=SENSITIVE, kind=kind)
    request(ledger, sender=commission, **fields, cross_border_consent=CROSSING)
    act(ledger, bureau, "release", REQUEST, RESPONSE)
    for consent in (GENERAL, SPECIAL, CROSSING):
        assert ledger.read("consents", "consent", consent)["used"] == 1


def test_statute_needs_no_consent_even_for_sensitive_data_across_the_border(
    ledger: Ledger,
) -> None:
    fields = {"dataset": SENSITIVE, "instrument": SENSITIVE_INSTRUMENT}
    request(ledger, sender=commission, **fields)
    assert read_state(ledger) == APPROVED


def test_law_is_checked_again_at_release(ledger: Ledger) -> None:
    fields = by_consent(ledger)
    request(ledger, **fields)
    withdrawal = [GENERAL, uid_of(5), ledger.now, ledger.now]
    ledger.do(bureau, "consents", "withdraw", withdrawal)
    assert refuse(ledger, bureau, "release", REQUEST, RESPONSE) == "consent: withdrawn"
    assert read_state(ledger) == APPROVED
    assert ledger.read("consents", "consent", GENERAL)["used"] == 0


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_stop_of_the_supervisor_holds_back_what_was_approved(ledger: Ledger, kind: int) -> None:
    request(ledger)
    pair = ledger.read("bases", "pair_of", LABORATORY, BUREAU)
    subject = {1: ORDINARY, 2: pair, 3: STATUTE_BASIS}[kind]
    stop = [uid_of(5), kind, subject, ledger.now + 100, uid_of(6), ledger.now]
    ledger.do(auditor, "bases", "stop", stop)
    reason = f"stop: { {1: 'dataset', 2: 'pair', 3: 'basis'}[kind] } stopped"
    assert refuse(ledger, bureau, "release", REQUEST, RESPONSE) == reason
    ledger.pass_time(100)
    act(ledger, bureau, "release", REQUEST, RESPONSE)


# ------------------------------------------------------------------ decisions


def test_conditional_dataset_needs_the_data_officers_decision(ledger: Ledger) -> None:
    request_conditional(ledger)
    assert read_state(ledger) == REQUESTED
    assert refuse(ledger, bureau, "release", REQUEST, RESPONSE) == "exchange: not approved"
    event = act(ledger, bureau, "decide", True, 0, OFFICER)
    assert (event.args["state"], event.args["commitment"]) == (APPROVED, OFFICER)
    assert ledger.read("exchanges", "exchange", EXCHANGE)["decided_by"] == OFFICER
    assert refuse(ledger, bureau, "decide", True, 0, OFFICER) == "exchange: already decided"
    act(ledger, bureau, "release", REQUEST, RESPONSE)


def test_nobody_decides_their_own_request_or_anothers(ledger: Ledger) -> None:
    request_conditional(ledger)
    assert refuse(ledger, laboratory, "decide", True, 0, OFFICER) == "exchange: own request"
    assert refuse(ledger, commission, "decide", True, 0, OFFICER) == "exchange: not yours"
    unknown = [OTHER, True, 0, OFFICER, ledger.now]
    assert ledger.refuse(bureau, "exchanges", "decide", unknown) == "exchange: unknown"


def test_refusal_needs_a_reason_and_is_final(ledger: Ledger) -> None:
    request_conditional(ledger)
    for args, reason in (
        ([False, 0, OFFICER], "exchange: reason missing"),
        ([False, 6, OFFICER], "exchange: unknown reason"),
        ([True, 1, OFFICER], "exchange: approval with a reason"),
        ([True, 0, NOTHING], "exchange: officer missing"),
    ):
        assert refuse(ledger, bureau, "decide", *args) == reason
    event = act(ledger, bureau, "decide", False, int(Reason.LAW), OFFICER)
    assert (event.args["state"], event.args["reason"]) == (REFUSED, Reason.LAW)
    assert refuse(ledger, bureau, "release", REQUEST, RESPONSE) == "exchange: not approved"
    assert refuse(ledger, bureau, "void_exchange", 1) == "exchange: not approved"


def test_law_is_checked_again_at_the_decision(ledger: Ledger) -> None:
    request_conditional(ledger)
    change = [STATUTE_BASIS, RecordState.SUSPENDED, Reason.LAW, ledger.now]
    ledger.do(auditor, "bases", "set_basis_state", change)
    assert refuse(ledger, bureau, "decide", True, 0, OFFICER) == "basis: not in force"
    # A refusal needs no basis.
    act(ledger, bureau, "decide", False, int(Reason.LAW), OFFICER)


def test_request_is_cancelled_by_the_requester_before_the_decision(ledger: Ledger) -> None:
    request_conditional(ledger)
    assert refuse(ledger, bureau, "cancel") == "exchange: not yours"
    assert refuse(ledger, commission, "cancel") == "exchange: not yours"
    act(ledger, laboratory, "cancel")
    assert read_state(ledger) == CANCELLED
    assert refuse(ledger, laboratory, "cancel") == "exchange: already decided"
    assert refuse(ledger, bureau, "decide", True, 0, OFFICER) == "exchange: already decided"


# ------------------------------------------------------------------ releases and voids


def test_release_is_the_providers_over_the_requests_commitment(ledger: Ledger) -> None:
    request(ledger)
    for sender in (laboratory, commission):
        assert refuse(ledger, sender, "release", REQUEST, RESPONSE) == "exchange: not yours"
    assert refuse(ledger, bureau, "release", OTHER, RESPONSE) == "exchange: not this request's"
    assert refuse(ledger, bureau, "release", REQUEST, NOTHING) == "exchange: response missing"
    unknown = [OTHER, REQUEST, RESPONSE, ledger.now]
    assert ledger.refuse(bureau, "exchanges", "release", unknown) == "exchange: unknown"


def test_receipt_is_the_requesters_and_tells_what_differs(ledger: Ledger) -> None:
    request(ledger)
    assert refuse(ledger, laboratory, "acknowledge", RESPONSE) == "exchange: not released"
    act(ledger, bureau, "release", REQUEST, RESPONSE)
    assert refuse(ledger, bureau, "acknowledge", RESPONSE) == "exchange: not yours"
    assert refuse(ledger, laboratory, "acknowledge", NOTHING) == "exchange: receipt missing"
    assert act(ledger, laboratory, "acknowledge", OTHER).args["state"] == DISPUTED
    act(ledger, bureau, "release", REQUEST, OTHER)
    assert act(ledger, laboratory, "acknowledge", OTHER).args["state"] == RECEIVED


def test_further_delivery_uses_no_further_quota(ledger: Ledger) -> None:
    request(ledger, **by_consent(ledger, quota=1))
    for delivery in range(1, 4):
        act(ledger, bureau, "release", REQUEST, RESPONSE)
        assert ledger.read("exchanges", "exchange", EXCHANGE)["deliveries"] == delivery
        consent = ledger.read("consents", "consent", GENERAL)
        assert (consent["reserved"], consent["used"]) == (0, 1)
    fields = {"basis": CONSENT_BASIS, "consent": GENERAL}
    args = request_args(ledger, OTHER, **fields)
    assert ledger.refuse(laboratory, "exchanges", "request", args) == "consent: quota used up"


@pytest.mark.parametrize("is_released", [True, False])
def test_void_of_both_sides_returns_the_quota(ledger: Ledger, *, is_released: bool) -> None:
    fields = by_consent(ledger, quota=1)
    request(ledger, **fields)
    if is_released:
        act(ledger, bureau, "release", REQUEST, RESPONSE)
    assert refuse(ledger, commission, "void_exchange", 1) == "exchange: not yours"
    assert refuse(ledger, bureau, "void_exchange", 0) == "exchange: reason missing"
    assert refuse(ledger, bureau, "void_exchange", 6) == "exchange: unknown reason"
    assert act(ledger, bureau, "void_exchange", 1).args["state"] == VOID_SIGNED
    assert read_state(ledger) == (RELEASED if is_released else APPROVED)
    assert refuse(ledger, bureau, "void_exchange", 1) == "exchange: void already signed"
    again = request_args(ledger, OTHER, **fields)
    assert ledger.refuse(laboratory, "exchanges", "request", again) == "consent: quota used up"
    assert act(ledger, laboratory, "void_exchange", 1).args["state"] == VOID
    consent = ledger.read("consents", "consent", GENERAL)
    assert (consent["reserved"], consent["used"]) == (0, 0)
    assert refuse(ledger, bureau, "release", REQUEST, RESPONSE) == "exchange: not approved"
    ledger.do(laboratory, "exchanges", "request", again)


def test_suspended_agency_neither_asks_nor_releases(ledger: Ledger) -> None:
    request(ledger)
    ledger.decide(DecisionKind.SUSPEND_AGENCY, [LABORATORY])
    args = request_args(ledger, OTHER)
    assert ledger.refuse(laboratory, "exchanges", "request", args) == "agency: not active"
