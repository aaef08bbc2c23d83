"""Each rule of legal bases, instruments and stops, once kept and once broken."""

from typing import Any

import pytest
from eth_typing import Address

from contracts.codes import Reason, RecordState, Sensitivity
from contracts.decisions import DecisionKind
from tests.contracts.contract_harness import (
    AUDITOR,
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
    CONDITIONAL,
    FORBIDDEN,
    INSTRUMENT,
    NOTICE,
    ORDINARY,
    OTHER_PURPOSE,
    PURPOSE,
    SENSITIVE,
    STATUTE_BASIS,
    basis_args,
    fill_catalogue,
    instrument_args,
)

MACAO = b"MO".ljust(32, b"\0")
GUANGDONG = b"CN-GD".ljust(32, b"\0")
STOP = uid_of(1200)


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    fill_catalogue(ledger)
    return ledger


def enter(ledger: Ledger, **changes: Any) -> None:
    ledger.do(auditor, "bases", "enter_basis", basis_args(ledger, **changes))


def check_args(**changes: Any) -> list[Any]:
    fields = {
        "basis": STATUTE_BASIS,
        "instrument": NOTHING,
        "provider": BUREAU,
        "recipient": LABORATORY,
        "dataset": ORDINARY,
        "fields": 0b0101,
        "purpose": PURPOSE,
    }
    assert changes.keys() <= fields.keys()
    return list((fields | changes).values())


def explain(ledger: Ledger, **changes: Any) -> str | None:
    """Why an exchange is not covered."""
    return ledger.refuse(stranger, "bases", "check", check_args(**changes))


def test_basis_of_the_supervisor_covers_what_it_says(ledger: Ledger) -> None:
    (event,) = ledger.do(auditor, "bases", "enter_basis", basis_args(ledger))
    assert (event.event, event.args["entered_by"], event.args["sequence"]) == (
        "BasisEntered",
        AUDITOR,
        1,
    )
    assert event.args["scopes"][0]["fields"] == 0b0111
    record = ledger.read("bases", "basis", STATUTE_BASIS)
    assert (record["state"], record["is_voted"]) == (RecordState.ACTIVE, False)
    assert ledger.read("bases", "check", *check_args()) == {
        "kind": 1,
        "must_notify": True,
        "sharing": 1,
        "sensitivity": 1,
        "is_crossing": False,
    }
    assert ledger.read("bases", "check", *check_args(dataset=SENSITIVE))["sensitivity"] == 2
    assert ledger.read("bases", "check", *check_args(dataset=CONDITIONAL))["sharing"] == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"basis": uid_of(5)}, "basis: unknown"),
        ({"provider": LABORATORY}, "dataset: not the provider's"),
        ({"recipient": COMMISSION}, "instrument: missing"),
        ({"dataset": uid_of(5)}, "dataset: unknown"),
        ({"dataset": FORBIDDEN}, "dataset: not shared"),
        ({"purpose": OTHER_PURPOSE}, "basis: not for this purpose"),
        ({"fields": 0b1001}, "basis: not for these fields"),
        ({"fields": 0b10000}, "exchange: no such field"),
        ({"fields": 0}, "exchange: fields missing"),
    ],
)
def test_basis_does_not_cover_more(ledger: Ledger, changes: dict[str, Any], reason: str) -> None:
    enter(ledger)
    assert explain(ledger, **changes) == reason


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"scopes": [(BUREAU, COMMISSION, ORDINARY, PURPOSE, 7)]}, "basis: not for these parties"),
        ({"scopes": [(BUREAU, NOTHING, SENSITIVE, PURPOSE, 7)]}, "basis: not for this dataset"),
        ({"from_jurisdiction": GUANGDONG}, "basis: not for this direction"),
        ({"to_jurisdiction": GUANGDONG}, "basis: not for this direction"),
        ({"valid_from": 2**40}, "basis: not live yet"),
    ],
)
def test_basis_of_other_terms_does_not_cover(
    ledger: Ledger, terms: dict[str, Any], reason: str
) -> None:
    enter(ledger, **terms)
    assert explain(ledger) == reason


def test_basis_scopes_add_up(ledger: Ledger) -> None:
    """A field is covered if any scope with these parties, named or any, covers it."""
    scopes = [
        (BUREAU, LABORATORY, ORDINARY, PURPOSE, 0b0001),
        (NOTHING, LABORATORY, ORDINARY, PURPOSE, 0b0010),
        (BUREAU, NOTHING, ORDINARY, PURPOSE, 0b0100),
        (NOTHING, NOTHING, ORDINARY, PURPOSE, 0b1000),
        (BUREAU, COMMISSION, SENSITIVE, PURPOSE, 0b1111),
    ]
    enter(ledger, scopes=scopes, from_jurisdiction=MACAO, to_jurisdiction=MACAO)
    parties = (STATUTE_BASIS, BUREAU, LABORATORY, ORDINARY, PURPOSE)
    assert ledger.read("bases", "scope_of", *parties) == 0b1111
    other = (STATUTE_BASIS, BUREAU, AUDITOR, ORDINARY, PURPOSE)
    assert ledger.read("bases", "scope_of", *other) == 0b1100
    assert explain(ledger, dataset=SENSITIVE) == "basis: not for these parties"


def test_basis_ends_by_itself(ledger: Ledger) -> None:
    enter(ledger, valid_until=ledger.now + 100)
    ledger.pass_time(99)
    ledger.read("bases", "check", *check_args())
    ledger.pass_time(1)
    assert explain(ledger) == "basis: expired"


def test_basis_for_ordinary_data_is_none_for_sensitive(ledger: Ledger) -> None:
    enter(ledger, sensitivity=int(Sensitivity.ORDINARY))
    ledger.read("bases", "check", *check_args())
    assert explain(ledger, dataset=SENSITIVE) == "basis: not for sensitive data"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": 0}, "basis: unknown kind"),
        ({"kind": 3}, "basis: unknown kind"),
        ({"law_hash": NOTHING}, "basis: law missing"),
        ({"sensitivity": 0}, "basis: unknown sensitivity"),
        ({"valid_from": 10, "valid_until": 10}, "basis: ends before it begins"),
        ({"scopes": []}, "basis: scope missing"),
        ({"scopes": [(BUREAU, NOTHING, ORDINARY, PURPOSE, 0)]}, "basis: fields missing"),
        ({"scopes": [(BUREAU, NOTHING, ORDINARY, PURPOSE, 16)]}, "basis: no such field"),
        ({"scopes": [(BUREAU, NOTHING, uid_of(5), PURPOSE, 1)]}, "dataset: unknown"),
        ({"scopes": [(BUREAU, NOTHING, FORBIDDEN, PURPOSE, 1)]}, "dataset: not shared"),
        ({"scopes": [(LABORATORY, NOTHING, ORDINARY, PURPOSE, 1)]}, "dataset: not the provider's"),
        ({"scopes": [(BUREAU, NOTHING, ORDINARY, NOTICE, 1)]}, "purpose: not in force"),
        ({"scopes": [(BUREAU, AUDITOR, ORDINARY, PURPOSE, 1)]}, "basis: entered by its user"),
        ({"event_time": 0}, "act: event time missing"),
    ],
)
def test_basis_is_refused(ledger: Ledger, changes: dict[str, Any], reason: str) -> None:
    args = basis_args(ledger, **changes)
    assert ledger.refuse(auditor, "bases", "enter_basis", args) == reason
    assert explain(ledger) == "basis: unknown"


def test_basis_uid_is_used_once(ledger: Ledger) -> None:
    enter(ledger)
    args = basis_args(ledger, law_hash=uid_of(5))
    assert ledger.refuse(auditor, "bases", "enter_basis", args) == "basis: uid already used"
    zero = basis_args(ledger, NOTHING)
    assert ledger.refuse(auditor, "bases", "enter_basis", zero) == "basis: uid missing"


def test_basis_is_not_used_by_who_entered_it(ledger: Ledger) -> None:
    """Even where any agency may receive, the supervisor receives nothing on its own basis."""
    enter(ledger)
    assert explain(ledger, recipient=AUDITOR) == "basis: entered by its user"


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        (bureau, "basis: neither supervisor nor vote"),
        (commission, "basis: neither supervisor nor vote"),
        (clerk, "key: role missing"),
        (stranger, "key: unknown"),
    ],
)
def test_basis_is_entered_by_supervisor_or_vote(
    ledger: Ledger, sender: Address, reason: str
) -> None:
    args = basis_args(ledger)
    assert ledger.refuse(sender, "bases", "enter_basis", args) == reason
    enter(ledger)
    change = [STATUTE_BASIS, RecordState.SUSPENDED, 1, ledger.now]
    assert ledger.refuse(sender, "bases", "set_basis_state", change) == reason


def test_basis_is_entered_by_vote_and_only_the_very_one(ledger: Ledger) -> None:
    args = basis_args(ledger)
    subject = ledger.read("bases", "hash_basis", *args[:3])
    (_, resolved, _) = ledger.decide(DecisionKind.RESOLVE, [subject])
    assert (resolved.event, resolved.args["subject"]) == ("Resolved", subject)
    assert ledger.registry("resolved_at", subject) == ledger.state.block_number
    wider = basis_args(ledger, scopes=[(NOTHING, NOTHING, ORDINARY, PURPOSE, 15)])
    assert ledger.refuse(commission, "bases", "enter_basis", wider) == (
        "basis: neither supervisor nor vote"
    )
    (event,) = ledger.do(commission, "bases", "enter_basis", args)
    assert event.args["is_voted"]
    ledger.read("bases", "check", *check_args())
    assert ledger.refuse(commission, "bases", "enter_basis", args) == "basis: uid already used"
    assert ledger.decide_refused(DecisionKind.RESOLVE, [subject]) == "resolution: already taken"
    assert ledger.decide_refused(DecisionKind.RESOLVE, [NOTHING]) == "resolution: subject missing"


def test_basis_of_a_vote_is_not_changed_by_a_supervisor_that_uses_it(ledger: Ledger) -> None:
    args = basis_args(ledger, scopes=[(BUREAU, AUDITOR, ORDINARY, PURPOSE, 1)])
    assert ledger.refuse(auditor, "bases", "enter_basis", args) == "basis: entered by its user"
    ledger.decide(DecisionKind.RESOLVE, [ledger.read("bases", "hash_basis", *args[:3])])
    ledger.do(commission, "bases", "enter_basis", args)
    change = [STATUTE_BASIS, RecordState.SUSPENDED, 3, ledger.now]
    assert ledger.refuse(auditor, "bases", "set_basis_state", change) == (
        "basis: changed by its user"
    )


def test_basis_is_ended_by_vote_for_good(ledger: Ledger) -> None:
    enter(ledger)
    for state in (RecordState.SUSPENDED, RecordState.REVOKED):
        subject = ledger.read("bases", "hash_basis_change", STATUTE_BASIS, state, 3)
        ledger.decide(DecisionKind.RESOLVE, [subject])
    args = [STATUTE_BASIS, RecordState.SUSPENDED, 3, ledger.now]
    assert ledger.refuse(bureau, "bases", "set_basis_state", args) == "basis: a vote only ends it"
    args[1] = RecordState.REVOKED
    (event,) = ledger.do(bureau, "bases", "set_basis_state", args)
    assert (event.event, event.args["agency"]) == ("BasisStateChanged", BUREAU)
    assert explain(ledger) == "basis: not in force"
    again = [STATUTE_BASIS, RecordState.ACTIVE, 3, ledger.now]
    assert ledger.refuse(auditor, "bases", "set_basis_state", again) == "law: state is final"


@pytest.mark.parametrize(
    ("uid", "state", "why", "reason"),
    [
        (uid_of(5), 2, 1, "unknown"),
        (None, 1, 1, "law: state unchanged"),
        (None, 4, 1, "law: state not allowed"),
        (None, 0, 1, "law: state not allowed"),
        (None, 2, 0, "law: reason missing"),
        (None, 2, 6, "law: unknown reason"),
    ],
)
def test_law_state_change_is_refused(
    ledger: Ledger, uid: Any, state: int, why: int, reason: str
) -> None:
    enter(ledger)
    ledger.do(auditor, "bases", "enter_instrument", instrument_args(ledger))
    for noun, own in (("basis", STATUTE_BASIS), ("instrument", INSTRUMENT)):
        args = [uid or own, state, why, ledger.now]
        expected = reason if ":" in reason else f"{noun}: {reason}"
        assert ledger.refuse(auditor, "bases", f"set_{noun}_state", args) == expected


def test_dataset_and_purpose_are_judged_in_the_block_of_the_question(ledger: Ledger) -> None:
    enter(ledger)
    state = [ORDINARY, RecordState.SUSPENDED, Reason.ERROR, ledger.now]
    ledger.do(bureau, "catalogue", "set_dataset_state", state)
    assert explain(ledger) == "dataset: not in force"


# ------------------------------------------------------------------ instruments


def cross(**changes: Any) -> list[Any]:
    return check_args(recipient=COMMISSION, instrument=INSTRUMENT, **changes)


def test_exchange_across_the_border_needs_a_live_instrument(ledger: Ledger) -> None:
    enter(ledger)
    refusal = ledger.refuse(stranger, "bases", "check", cross())
    assert refusal == "instrument: unknown"
    args = instrument_args(ledger, valid_until=ledger.now + 100)
    (event,) = ledger.do(auditor, "bases", "enter_instrument", args)
    assert (event.event, event.args["entered_by"]) == ("InstrumentEntered", AUDITOR)
    assert ledger.read("bases", "check", *cross())["is_crossing"]
    for state, refusal in ((2, "instrument: not in force"), (1, None)):
        change = [INSTRUMENT, state, 1, ledger.now]
        (event,) = ledger.do(auditor, "bases", "set_instrument_state", change)
        assert event.args["state"] == state
        outcome = ledger.send(stranger, "bases", "check", cross())
        assert outcome.reason == refusal
    assert ledger.read("bases", "instrument", INSTRUMENT)["state"] == RecordState.ACTIVE
    ledger.pass_time(100)
    assert ledger.refuse(stranger, "bases", "check", cross()) == "instrument: expired"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dataset": SENSITIVE}, "instrument: not for this dataset"),
        ({"recipient": LABORATORY}, "instrument: not for this recipient"),
        ({"provider": LABORATORY}, "instrument: not for this direction"),
        ({"valid_from": 2**40}, "instrument: not live yet"),
    ],
)
def test_instrument_is_for_its_pair_direction_and_dataset(
    ledger: Ledger, changes: dict[str, Any], reason: str
) -> None:
    enter(ledger)
    ledger.do(auditor, "bases", "enter_instrument", instrument_args(ledger, **changes))
    assert ledger.refuse(stranger, "bases", "check", cross()) == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": 0}, "instrument: unknown kind"),
        ({"kind": 4}, "instrument: unknown kind"),
        ({"filing": NOTHING}, "instrument: filing missing"),
        ({"dataset": NOTHING}, "instrument: dataset missing"),
        ({"provider": uid_of(5)}, "instrument: provider not active"),
        ({"recipient": uid_of(5)}, "instrument: recipient not active"),
        ({"recipient": AUDITOR}, "instrument: entered by its user"),
        ({"provider": AUDITOR}, "instrument: entered by its user"),
        ({"valid_from": 10, "valid_until": 10}, "instrument: ends before it begins"),
    ],
)
def test_instrument_is_refused(ledger: Ledger, changes: dict[str, Any], reason: str) -> None:
    args = instrument_args(ledger, **changes)
    assert ledger.refuse(auditor, "bases", "enter_instrument", args) == reason


def test_instrument_is_the_supervisors(ledger: Ledger) -> None:
    args = instrument_args(ledger)
    for sender in (bureau, laboratory, commission):
        assert ledger.refuse(sender, "bases", "enter_instrument", args) == "key: role missing"
    ledger.do(auditor, "bases", "enter_instrument", args)
    assert ledger.refuse(auditor, "bases", "enter_instrument", args) == (
        "instrument: uid already used"
    )
    zero = instrument_args(ledger, NOTHING)
    assert ledger.refuse(auditor, "bases", "enter_instrument", zero) == "instrument: uid missing"
