"""Each rule of giving, recording and confirming consents, once kept and once broken."""

from typing import Any

import pytest
from eth_typing import Address

from contracts.codes import ConsentKind, RecordKind, RecordState
from tests.contracts.consent_harness import (
    CONSENT,
    bind,
    build_consent,
    cover_args,
    get_holder,
    give,
    give_args,
    record,
    record_args,
)
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
from tests.contracts.law_harness import (
    FORBIDDEN,
    NOTICE,
    ORDINARY,
    OTHER_PURPOSE,
    PURPOSE,
    SENSITIVE,
    fill_catalogue,
    publish,
)

OTHER = uid_of(2002)


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    fill_catalogue(ledger)
    return ledger


def test_consent_is_given_by_the_residents_own_key(ledger: Ledger) -> None:
    (bound,) = bind(ledger, 1)
    assert (bound.event, bound.args["agency"]) == ("KeyBound", LABORATORY)
    (event,) = ledger.do(stranger, "consents", "give", give_args(ledger))
    assert event.event == "ConsentGiven"
    assert event.args["key"] == get_holder(1)
    assert (event.args["provider_sequence"], event.args["recipient_sequence"]) == (1, 1)
    consent = ledger.read("consents", "consent", CONSENT)
    assert consent["terms"] == build_consent()
    assert consent["origin"] == {
        "holder": get_holder(1),
        "agency": LABORATORY,
        "channel": 0,
        "assurance": 0,
        "clerk": NOTHING,
        "form": NOTHING,
        "is_by_beneficiary": False,
    }
    assert consent["state"] == RecordState.ACTIVE
    ledger.read("consents", "check", *cover_args())
    assert ledger.read("consents", "binding", get_holder(1))["consent"] == CONSENT


def test_consent_is_recorded_by_an_agency_and_told_apart(ledger: Ledger) -> None:
    (event,) = record(ledger, agency=bureau, channel=2, assurance=1)
    origin = event.args["origin"]
    assert (origin["holder"], origin["agency"]) == (bytes(20), BUREAU)
    assert (origin["channel"], origin["assurance"], origin["clerk"]) == (2, 1, uid_of(84))
    assert not origin["is_by_beneficiary"]
    (marked,) = record(ledger, OTHER, agency=commission)
    assert marked.args["origin"]["is_by_beneficiary"]
    ledger.read("consents", "check", *cover_args(uid=OTHER))


def test_resident_key_gives_one_consent(ledger: Ledger) -> None:
    give(ledger)
    again = give_args(ledger, OTHER, nonce=2)
    assert ledger.refuse(stranger, "consents", "give", again) == "binding: key already used"
    same = give_args(ledger)
    assert ledger.refuse(stranger, "consents", "give", same) == "signature: nonce already used"
    bind(ledger, 2)
    taken = give_args(ledger, CONSENT, 2)
    assert ledger.refuse(stranger, "consents", "give", taken) == "consent: uid already used"
    rebind = [get_holder(1), uid_of(5), ledger.now + 9, ledger.now]
    assert ledger.refuse(bureau, "consents", "bind_key", rebind) == "binding: key already bound"


def test_resident_key_is_bound_by_another_than_the_beneficiary(ledger: Ledger) -> None:
    args = give_args(ledger)
    assert ledger.refuse(stranger, "consents", "give", args) == "binding: key not bound"
    bind(ledger, 1, agency=commission)
    assert ledger.refuse(stranger, "consents", "give", args) == "binding: by the beneficiary"
    bind(ledger, 2, agency=bureau)
    ledger.do(stranger, "consents", "give", give_args(ledger, CONSENT, 2))


def test_resident_key_lapses(ledger: Ledger) -> None:
    bind(ledger, 1)
    ledger.pass_time(10_000)
    args = give_args(ledger)
    assert ledger.refuse(stranger, "consents", "give", args) == "binding: expired"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"holder": Address(bytes(20))}, "binding: key missing"),
        ({"commitment": NOTHING}, "binding: commitment missing"),
        ({"valid_until": 1}, "binding: already over"),
        ({"event_time": 0}, "act: event time missing"),
    ],
)
def test_binding_is_refused(ledger: Ledger, changes: dict[str, Any], reason: str) -> None:
    fields = {
        "holder": get_holder(1),
        "commitment": uid_of(5),
        "valid_until": ledger.now + 9,
        "event_time": ledger.now,
    }
    args = list((fields | changes).values())
    assert ledger.refuse(laboratory, "consents", "bind_key", args) == reason


@pytest.mark.parametrize("place", range(13))
def test_consent_that_was_altered_is_refused(ledger: Ledger, place: int) -> None:
    bind(ledger, 1)
    args = give_args(ledger)
    value = args[1][place]
    altered = uid_of(9) if isinstance(value, bytes) else value + 1
    args[1] = (*args[1][:place], altered, *args[1][place + 1 :])
    assert ledger.refuse(stranger, "consents", "give", args) == "signature: not the signer's"


@pytest.mark.parametrize(
    ("place", "value"), [(0, OTHER), (2, 5), (3, stranger), (4, 7), (5, 2**99)]
)
def test_consent_of_another_uid_time_key_nonce_or_deadline_is_refused(
    ledger: Ledger, place: int, value: Any
) -> None:
    bind(ledger, 1)
    args = give_args(ledger)
    args[place] = value
    assert ledger.refuse(stranger, "consents", "give", args) == "signature: not the signer's"


def test_consent_signature_of_nobody_late_or_in_its_other_form_is_refused(ledger: Ledger) -> None:
    bind(ledger, 1)
    args = give_args(ledger)
    nobody = [*args[:3], Address(bytes(20)), *args[4:6], bytes(64) + b"\x1b"]
    assert ledger.refuse(stranger, "consents", "give", nobody) == "signature: signer missing"
    late = give_args(ledger, deadline=ledger.now - 1)
    assert ledger.refuse(stranger, "consents", "give", late) == "signature: deadline passed"
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    signature = args[6]
    high = order - int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + high.to_bytes(32, "big") + bytes([55 - signature[64]])
    assert ledger.refuse(stranger, "consents", "give", [*args[:6], twin]) == (
        "signature: s too high"
    )
    for event_time, reason in (
        (0, "act: event time missing"),
        (ledger.now + 61, "act: event time in the future"),
    ):
        timed = give_args(ledger, event_time=event_time)
        assert ledger.refuse(stranger, "consents", "give", timed) == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dataset": uid_of(5)}, "dataset: not in force"),
        ({"dataset": FORBIDDEN}, "dataset: not shared"),
        ({"provider": LABORATORY}, "dataset: not the provider's"),
        ({"fields": 0}, "consent: fields missing"),
        ({"fields": 16}, "consent: no such field"),
        ({"recipient": uid_of(5)}, "consent: recipient not active"),
        ({"recipient": BUREAU}, "consent: recipient is the provider"),
        ({"purpose": NOTICE}, "purpose: not in force"),
        ({"notice": PURPOSE}, "notice: not in force"),
        ({"kind": 0}, "consent: unknown kind"),
        ({"kind": 4}, "consent: unknown kind"),
        ({"valid_until": 5}, "consent: ends before it begins"),
        ({"valid_from": 2**40, "valid_until": 2**40}, "consent: ends before it begins"),
        ({"response_s": 0}, "consent: response time out of bounds"),
        ({"response_s": 2**30}, "consent: response time out of bounds"),
        ({"subject": NOTHING}, "consent: subject missing"),
        ({"record": NOTHING}, "consent: record missing"),
        ({"channel": 0}, "consent: unknown channel"),
        ({"channel": 5}, "consent: unknown channel"),
        ({"assurance": 0}, "consent: unknown assurance"),
        ({"assurance": 4}, "consent: unknown assurance"),
        ({"clerk": NOTHING}, "consent: clerk missing"),
        ({"form": NOTHING}, "consent: form missing"),
        ({"event_time": 0}, "act: event time missing"),
    ],
)
def test_consent_is_refused(ledger: Ledger, changes: dict[str, Any], reason: str) -> None:
    args = record_args(ledger, **changes)
    assert ledger.refuse(bureau, "consents", "record", args) == reason
    assert ledger.read("consents", "consent", CONSENT)["state"] == 0


def test_consent_uid_is_used_once(ledger: Ledger) -> None:
    record(ledger)
    for agency in (bureau, commission):
        args = record_args(ledger)
        assert ledger.refuse(agency, "consents", "record", args) == "consent: uid already used"
    zero = record_args(ledger, NOTHING)
    assert ledger.refuse(bureau, "consents", "record", zero) == "consent: uid missing"


def test_superseded_notice_serves_old_consents_only(ledger: Ledger) -> None:
    record(ledger)
    publish(ledger, uid_of(1019), RecordKind.NOTICE, previous=NOTICE)
    ledger.read("consents", "check", *cover_args())
    args = record_args(ledger, OTHER)
    assert ledger.refuse(bureau, "consents", "record", args) == "notice: not in force"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"uid": NOTHING}, "consent: missing"),
        ({"uid": OTHER}, "consent: unknown"),
        ({"kind": int(ConsentKind.SENSITIVE)}, "consent: not of this kind"),
        ({"kind": int(ConsentKind.CROSS_BORDER)}, "consent: not of this kind"),
        ({"provider": LABORATORY}, "consent: not for this provider"),
        ({"recipient": LABORATORY}, "consent: not for this recipient"),
        ({"dataset": SENSITIVE}, "consent: not for this dataset"),
        ({"purpose": OTHER_PURPOSE}, "consent: not for this purpose"),
        ({"fields": 0b0101}, "consent: not for these fields"),
    ],
)
def test_consent_covers_no_more_than_it_says(
    ledger: Ledger, changes: dict[str, Any], reason: str
) -> None:
    record(ledger)
    assert ledger.refuse(stranger, "consents", "check", cover_args(**changes)) == reason


def test_consent_covers_within_its_interval_only(ledger: Ledger) -> None:
    record(ledger, valid_from=ledger.now + 10, valid_until=ledger.now + 20)
    assert ledger.refuse(stranger, "consents", "check", cover_args()) == "consent: not live yet"
    ledger.pass_time(10)
    ledger.read("consents", "check", *cover_args())
    ledger.pass_time(10)
    assert ledger.refuse(stranger, "consents", "check", cover_args()) == "consent: expired"


def test_consent_recorded_by_its_beneficiary_is_confirmed_on_demand(ledger: Ledger) -> None:
    record(ledger, agency=commission)
    demand, now = [CONSENT, ledger.now], ledger.now
    confirmation = [CONSENT, uid_of(5), now]
    for sender, reason in ((commission, "consent: not yours"), (laboratory, "consent: not yours")):
        assert ledger.refuse(sender, "consents", "demand_confirmation", demand) == reason
    assert ledger.refuse(bureau, "consents", "confirm", confirmation) == (
        "confirmation: not demanded"
    )
    (event,) = ledger.do(bureau, "consents", "demand_confirmation", demand)
    assert event.event == "ConfirmationDemanded"
    refusal = ledger.refuse(stranger, "consents", "check", cover_args())
    assert refusal == "consent: confirmation demanded"
    assert ledger.refuse(bureau, "consents", "demand_confirmation", demand) == (
        "confirmation: already demanded"
    )
    assert ledger.refuse(commission, "consents", "confirm", confirmation) == (
        "confirmation: by the beneficiary"
    )
    empty = [CONSENT, NOTHING, now]
    assert ledger.refuse(laboratory, "consents", "confirm", empty) == (
        "confirmation: commitment missing"
    )
    (event,) = ledger.do(laboratory, "consents", "confirm", confirmation)
    assert (event.event, event.args["agency"]) == ("ConsentConfirmed", LABORATORY)
    ledger.read("consents", "check", *cover_args())
    assert ledger.read("consents", "count", BUREAU) == 3
    assert ledger.read("consents", "count", COMMISSION) == 3


def test_consent_of_another_is_not_to_be_confirmed(ledger: Ledger) -> None:
    record(ledger, agency=laboratory)
    args = [CONSENT, ledger.now]
    assert ledger.refuse(bureau, "consents", "demand_confirmation", args) == (
        "confirmation: not by the beneficiary"
    )
    unknown = [OTHER, ledger.now]
    assert ledger.refuse(bureau, "consents", "demand_confirmation", unknown) == "consent: unknown"
    assert ledger.refuse(bureau, "consents", "confirm", [OTHER, OTHER, ledger.now]) == (
        "consent: unknown"
    )


@pytest.mark.parametrize(
    ("sender", "reason"),
    [(auditor, "key: role missing"), (clerk, "key: role missing"), (stranger, "key: unknown")],
)
def test_consents_need_the_role(ledger: Ledger, sender: Address, reason: str) -> None:
    record(ledger, agency=commission)
    now = ledger.now
    for function, args in (
        ("bind_key", [get_holder(3), uid_of(5), now + 9, now]),
        ("record", record_args(ledger, OTHER)),
        ("demand_confirmation", [CONSENT, now]),
        ("confirm", [CONSENT, uid_of(5), now]),
        ("withdraw", [CONSENT, uid_of(5), now, now]),
        ("answer_withdrawal", [CONSENT, 1, NOTHING, 0, now]),
    ):
        assert ledger.refuse(sender, "consents", function, args) == reason
    assert ledger.read("catalogue", "is_dataset_live", ORDINARY)
