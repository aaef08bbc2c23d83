"""Data that are handed on: by whom, under which instrument, and whom a withdrawal reaches."""

import pytest
from eth_utils.crypto import keccak

from contracts.codes import ConsentEntry, Reason, RecordKind, RecordState
from contracts.loader import load_artifact
from tests.contracts.contract_harness import (
    ADDRESSES,
    BUREAU,
    COMMISSION,
    LABORATORY,
    NOTHING,
    Ledger,
    auditor,
    bureau,
    commission,
    laboratory,
    uid_of,
)
from tests.contracts.exchange_harness import (
    CROSSING,
    GENERAL,
    REQUEST,
    RESPONSE,
    build_links,
)
from tests.contracts.law_harness import HeadModel
from tests.contracts.onward_harness import (
    BACK_INSTRUMENT,
    FIRST,
    IDENTIFICATION,
    INSTRUMENT,
    ONWARD_INSTRUMENT,
    SECOND,
    THIRD,
    TRANSPORT,
    ask_args,
    build_onward_ledger,
    hand_on,
    identification,
    pass_first,
    pass_first_by_consent,
    release,
    transport,
)


@pytest.fixture
def ledger() -> Ledger:
    return build_onward_ledger()


def refuse_onward(ledger: Ledger, onward_of: bytes = FIRST) -> str | None:
    """The transport department asks the commission for what it received."""
    args = ask_args(ledger, SECOND, COMMISSION, onward_of)  # type: ignore[arg-type]
    reason = ledger.refuse(transport, "exchanges", "request", args)
    outcome = ledger.send(transport, "exchanges", "explain", [TRANSPORT, args[1], args[2]])
    assert outcome.reason == reason
    return reason


# ------------------------------------------------------------------ the chain


def test_data_go_on_from_who_received_them(ledger: Ledger) -> None:
    pass_first(ledger)
    hand_on(ledger, SECOND, FIRST, COMMISSION, TRANSPORT)
    links = ledger.read("exchanges", "links", SECOND)
    assert tuple(links.values()) == build_links(onward_of=FIRST)
    assert tuple(ledger.read("exchanges", "links", FIRST).values()) == build_links()


def test_data_do_not_go_on_from_anybody_else(ledger: Ledger) -> None:
    pass_first(ledger)
    args = ask_args(ledger, SECOND, TRANSPORT, FIRST)
    reason = ledger.refuse(commission, "exchanges", "request", args)
    assert reason == "onward: received by another"
    assert refuse_onward(ledger, uid_of(5)) == "onward: unknown exchange"


def test_data_go_on_only_when_they_have_come(ledger: Ledger) -> None:
    args = ask_args(ledger, FIRST, BUREAU, instrument=ONWARD_INSTRUMENT)
    ledger.do(commission, "exchanges", "request", args)
    assert refuse_onward(ledger) == "onward: nothing received"
    release(ledger, bureau, FIRST)
    received = [FIRST, uid_of(9), ledger.now]
    ledger.do(commission, "exchanges", "acknowledge", received)
    assert refuse_onward(ledger) == "onward: void or disputed"
    release(ledger, bureau, FIRST)
    ledger.do(commission, "exchanges", "acknowledge", [FIRST, RESPONSE, ledger.now])
    ledger.do(transport, "exchanges", "request", ask_args(ledger, SECOND, COMMISSION, FIRST))
    for sender in (bureau, commission):
        ledger.do(sender, "exchanges", "void_exchange", [FIRST, Reason.ERROR, ledger.now])
    refused = [SECOND, REQUEST, RESPONSE, ledger.now]
    reason = ledger.refuse(commission, "exchanges", "release", refused)
    assert reason == "onward: void or disputed"


def test_data_go_on_while_they_may_be_kept(ledger: Ledger) -> None:
    pass_first(ledger, retention_until=ledger.now + 100)
    hand_on(ledger, SECOND, FIRST, COMMISSION, TRANSPORT)
    ledger.pass_time(100)
    refused = [SECOND, REQUEST, RESPONSE, ledger.now]
    reason = ledger.refuse(commission, "exchanges", "release", refused)
    assert reason == "onward: to be deleted by now"


def test_data_under_an_instrument_go_on_only_where_it_allows_it(ledger: Ledger) -> None:
    pass_first(ledger, INSTRUMENT)
    assert refuse_onward(ledger) == "instrument: not to be handed on"


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (RecordState.SUSPENDED, "instrument: not in force"),
        (RecordState.REVOKED, "instrument: not in force"),
    ],
)
def test_data_go_on_only_while_their_instrument_is_in_force(
    ledger: Ledger, state: RecordState, reason: str
) -> None:
    pass_first(ledger)
    change = [ONWARD_INSTRUMENT, state, Reason.LAW, ledger.now]
    ledger.do(auditor, "bases", "set_instrument_state", change)
    assert refuse_onward(ledger) == reason


def test_instrument_further_up_holds_for_every_step(ledger: Ledger) -> None:
    pass_first(ledger)
    hand_on(ledger, SECOND, FIRST, COMMISSION, IDENTIFICATION, instrument=BACK_INSTRUMENT)
    hand_on(ledger, THIRD, SECOND, IDENTIFICATION, LABORATORY)
    change = [ONWARD_INSTRUMENT, RecordState.SUSPENDED, Reason.LAW, ledger.now]
    ledger.do(auditor, "bases", "set_instrument_state", change)
    refused = [THIRD, REQUEST, RESPONSE, ledger.now]
    reason = ledger.refuse(identification, "exchanges", "release", refused)
    assert reason == "instrument: not in force"


def test_data_are_handed_on_four_times_at_most(ledger: Ledger) -> None:
    """Back and forth on one side of the border, each time from who received them last."""
    pass_first(ledger)
    holders = [COMMISSION, TRANSPORT]
    source = FIRST
    for step in range(3):
        uid = uid_of(3200 + step)
        hand_on(ledger, uid, source, holders[step % 2], holders[1 - step % 2])
        source = uid
    last = uid_of(3210)
    hand_on(ledger, last, source, TRANSPORT, COMMISSION)
    args = ask_args(ledger, uid_of(3211), COMMISSION, last)
    reason = ledger.refuse(transport, "exchanges", "request", args)
    assert reason == "onward: handed on too often"


def test_instrument_is_not_named_where_no_border_is_crossed(ledger: Ledger) -> None:
    args = ask_args(ledger, FIRST, BUREAU, instrument=INSTRUMENT)
    reason = ledger.refuse(laboratory, "exchanges", "request", args)
    assert reason == "exchange: no instrument needed"


# ------------------------------------------------------------------ withdrawals


def withdraw(ledger: Ledger, uid: bytes = GENERAL) -> list[object]:
    args = [uid, uid_of(91), ledger.now, ledger.now]
    return list(ledger.do(bureau, "consents", "withdraw", args))


def test_recipient_onward_is_bound_at_its_first_release(ledger: Ledger) -> None:
    pass_first_by_consent(ledger)
    args = ask_args(ledger, SECOND, COMMISSION, FIRST)
    ledger.do(transport, "exchanges", "request", args)
    assert ledger.read("consents", "recipients", GENERAL) == (COMMISSION,)
    before = ledger.read("consents", "count", TRANSPORT)
    for _ in range(2):
        events = ledger.do(
            commission, "exchanges", "release", [SECOND, REQUEST, RESPONSE, ledger.now]
        )
    assert [event.event for event in events] == ["ExchangeChanged"]
    for consent in (GENERAL, CROSSING):
        assert ledger.read("consents", "recipients", consent) == (COMMISSION, TRANSPORT)
        assert ledger.read("consents", "release_count", consent) == 3
        assert ledger.read("consents", "release_at", consent, 1)["exchange"] == SECOND
    assert ledger.read("consents", "count", TRANSPORT) == before + 2
    assert ledger.read("consents", "recipients", uid_of(5)) == ()


def test_recipient_that_gets_data_back_is_bound_once(ledger: Ledger) -> None:
    pass_first_by_consent(ledger)
    hand_on(ledger, SECOND, FIRST, COMMISSION, TRANSPORT)
    hand_on(ledger, THIRD, SECOND, TRANSPORT, COMMISSION)
    # The commission is the consent's own recipient and is not bound a second time.
    assert ledger.read("consents", "recipients", GENERAL) == (COMMISSION, TRANSPORT)
    assert ledger.read("consents", "release_count", GENERAL) == 3


def test_withdrawal_reaches_recipients_onward_and_ends_what_goes_on(ledger: Ledger) -> None:
    pass_first_by_consent(ledger)
    hand_on(ledger, SECOND, FIRST, COMMISSION, TRANSPORT)
    head = ledger.read("consents", "head", TRANSPORT)
    count = ledger.read("consents", "count", TRANSPORT)
    model = HeadModel(ledger=ledger, contract="consents")
    model.heads[TRANSPORT], model.counts[TRANSPORT] = head, count
    withdrawn, passed_on, listed = ledger.do(
        bureau, "consents", "withdraw", [GENERAL, uid_of(91), ledger.now, ledger.now]
    )
    number = model.advance(TRANSPORT, RecordKind.CONSENT, GENERAL, RecordState.REVOKED)
    assert (withdrawn.event, listed.event) == ("ConsentWithdrawn", "ReleasesListed")
    assert passed_on.event == "WithdrawalPassedOn"
    assert passed_on.args == {
        "uid": GENERAL,
        "recipient": TRANSPORT,
        "due": withdrawn.args["due"],
        "sequence": number,
    }
    model.check([TRANSPORT])
    refused = [SECOND, REQUEST, RESPONSE, ledger.now]
    reason = ledger.refuse(commission, "exchanges", "release", refused)
    assert reason == "onward: consent withdrawn"
    args = ask_args(ledger, THIRD, COMMISSION, FIRST)
    assert ledger.refuse(transport, "exchanges", "request", args) == "onward: consent withdrawn"


def test_every_recipient_answers_a_withdrawal_for_itself(ledger: Ledger) -> None:
    pass_first_by_consent(ledger)
    hand_on(ledger, SECOND, FIRST, COMMISSION, TRANSPORT)
    stopped = [GENERAL, 1, NOTHING, 0, ledger.now]
    withdraw(ledger)
    assert ledger.refuse(laboratory, "consents", "answer_withdrawal", stopped) == (
        "consent: not yours"
    )
    (event,) = ledger.do(transport, "consents", "answer_withdrawal", stopped)
    assert (event.args["provider"], event.args["recipient"]) == (BUREAU, TRANSPORT)
    assert event.args["recipient_sequence"] == ledger.read("consents", "count", TRANSPORT)
    assert event.args["provider_sequence"] == ledger.read("consents", "count", BUREAU)
    assert ledger.read("consents", "declaration", GENERAL, TRANSPORT)["outcome"] == 1
    assert ledger.read("consents", "declaration", GENERAL, COMMISSION)["outcome"] == 0
    withdraw(ledger, CROSSING)
    ledger.pass_time(2000)
    assert ledger.read("consents", "is_overdue", GENERAL, COMMISSION)
    for agency in (COMMISSION, TRANSPORT):
        assert ledger.read("consents", "is_overdue", CROSSING, agency)
    for agency in (TRANSPORT, LABORATORY, BUREAU):
        assert not ledger.read("consents", "is_overdue", GENERAL, agency)
    deleted = [GENERAL, 2, NOTHING, 0, ledger.now]
    for sender in (transport, commission):
        (event,) = ledger.do(sender, "consents", "answer_withdrawal", deleted)
        assert event.args["is_late"]
        assert ledger.refuse(sender, "consents", "answer_withdrawal", deleted) == (
            "withdrawal: already answered"
        )
    assert not ledger.read("consents", "is_overdue", GENERAL, COMMISSION)


def test_entries_of_a_recipient_onward_are_in_its_head(ledger: Ledger) -> None:
    pass_first_by_consent(ledger)
    model = HeadModel(ledger=ledger, contract="consents")
    hand_on(ledger, SECOND, FIRST, COMMISSION, TRANSPORT)
    for consent in (GENERAL, CROSSING):
        model.advance(TRANSPORT, RecordKind.CONSENT, consent, ConsentEntry.BOUND_ONWARD)
    withdraw(ledger, CROSSING)
    model.advance(TRANSPORT, RecordKind.CONSENT, CROSSING, RecordState.REVOKED)
    ledger.do(transport, "consents", "answer_withdrawal", [CROSSING, 2, NOTHING, 0, ledger.now])
    model.advance(TRANSPORT, RecordKind.CONSENT, CROSSING, ConsentEntry.DELETED)
    model.check([TRANSPORT])


def test_recipients_onward_are_bounded(ledger: Ledger) -> None:
    """Sixteen are brought about by writing the list's length; the next one is refused."""
    pass_first_by_consent(ledger)
    args = ask_args(ledger, SECOND, COMMISSION, FIRST)
    ledger.do(transport, "exchanges", "request", args)
    slot = get_onward_slot(GENERAL)
    address = ADDRESSES["consents"]
    for number in range(16):
        ledger.state.set_slot(address, slot + 1 + number, 7000 + number)
    ledger.state.set_slot(address, slot, 16)
    refused = [SECOND, REQUEST, RESPONSE, ledger.now]
    assert ledger.refuse(commission, "exchanges", "release", refused) == (
        "onward: too many recipients"
    )
    ledger.state.set_slot(address, slot, 15)
    outcome = ledger.send(commission, "exchanges", "release", refused)
    assert outcome.succeeded
    withdrawal = ledger.send(
        bureau, "consents", "withdraw", [GENERAL, uid_of(91), ledger.now, ledger.now]
    )
    assert withdrawal.succeeded
    assert withdrawal.gas_used < 3_000_000


# ------------------------------------------------------------------ helpers


def get_onward_slot(uid: bytes) -> int:
    layout = load_artifact("consents").storage_layout
    base = int(layout["consent_book"]["_onward"]["slot"])
    return int.from_bytes(keccak(base.to_bytes(32, "big") + uid), "big")
