"""Acts that are posted late: refused without a second officer, and marked for good with one."""

from collections.abc import Sequence
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_typing import Address

from contracts.addresses import CATALOGUE, REGISTRY
from contracts.codec import encode_call
from contracts.codes import LateReason, RecordKind, RecordState
from contracts.decisions import DecisionKind
from contracts.development import build_development_spec
from contracts.loader import load_artifact
from contracts.testkeys import get_private_key
from tests.contracts.consent_harness import CONSENT, bind, build_consent, give_args, record_args
from tests.contracts.contract_harness import (
    BUREAU,
    COMMISSION,
    LABORATORY,
    NOTHING,
    Ledger,
    bureau,
    commission,
    laboratory,
    stranger,
    uid_of,
)
from tests.contracts.exchange_harness import (
    EXCHANGE,
    act,
    build_ledger,
    request_args,
)
from tests.contracts.law_harness import (
    build_domain,
    build_terms,
    fill_catalogue,
    relay_args,
)

LIMIT_S = build_development_spec().late_after_s
OFFICER = uid_of(9001)
NEXT_CODE = Address(b"\x77" * 20)
DATASET = uid_of(9002)


@pytest.fixture
def ledger() -> Ledger:
    """A ledger a month after its founding, so that there is a past to be late in."""
    ledger = Ledger()
    ledger.pass_time(30 * 86_400)
    return ledger


def dataset_args(ledger: Ledger, ago: int, uid: bytes = DATASET) -> list[Any]:
    return [uid, tuple(build_terms().values()), ledger.now - ago, NOTHING]


def late_args(contract: str, function: str, args: Sequence[Any], **changes: Any) -> list[Any]:
    """The arguments of `act_late` for an act, each of which a test may change by name."""
    fields = {"officer": OFFICER, "reason": int(LateReason.OUTAGE)}
    assert changes.keys() <= fields.keys()
    return [encode_call(contract, function, args), *(fields | changes).values()]


def test_act_within_the_limit_needs_nobody_else(ledger: Ledger) -> None:
    assert ledger.read("catalogue", "late_after_s") == LIMIT_S == 72 * 3600
    args = dataset_args(ledger, LIMIT_S)
    ledger.do(bureau, "catalogue", "register_dataset", args)
    assert ledger.read("catalogue", "late_officer", BUREAU, 1) == NOTHING


def test_act_past_the_limit_needs_a_second_officer(ledger: Ledger) -> None:
    args = dataset_args(ledger, LIMIT_S + 1)
    assert ledger.refuse(bureau, "catalogue", "register_dataset", args) == (
        "late: second officer missing"
    )
    late = late_args("catalogue", "register_dataset", args, reason=int(LateReason.PAPER))
    marked, registered = ledger.do(bureau, "catalogue", "act_late", late)
    assert marked.event == "MarkedLate"
    assert marked.args == {
        "agency": BUREAU,
        "uid": DATASET,
        "kind": RecordKind.DATASET,
        "state": RecordState.ACTIVE,
        "sequence": 1,
        "officer": OFFICER,
        "reason": LateReason.PAPER,
    }
    assert (registered.event, registered.args["key"]) == ("DatasetRegistered", bureau)
    assert registered.args["event_time"] == ledger.now - LIMIT_S - 1
    assert ledger.read("catalogue", "dataset", DATASET)["owner"] == BUREAU
    assert ledger.read("catalogue", "late_officer", BUREAU, 1) == OFFICER


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"officer": NOTHING}, "late: officer missing"),
        ({"reason": 0}, "late: unknown reason"),
        ({"reason": 4}, "late: unknown reason"),
    ],
)
def test_lateness_names_officer_and_reason(
    ledger: Ledger, changes: dict[str, Any], reason: str
) -> None:
    args = dataset_args(ledger, LIMIT_S + 1)
    late = late_args("catalogue", "register_dataset", args, **changes)
    assert ledger.refuse(bureau, "catalogue", "act_late", late) == reason


def test_act_in_time_is_not_marked_late(ledger: Ledger) -> None:
    late = late_args("catalogue", "register_dataset", dataset_args(ledger, LIMIT_S))
    assert ledger.refuse(bureau, "catalogue", "act_late", late) == "late: act is in time"


def test_late_act_needs_the_same_role_as_any(ledger: Ledger) -> None:
    late = late_args("catalogue", "register_dataset", dataset_args(ledger, LIMIT_S + 1))
    assert ledger.refuse(laboratory, "catalogue", "act_late", late) == "key: role missing"
    assert ledger.refuse(stranger, "catalogue", "act_late", late) == "late: not an agency's key"


def test_late_act_is_neither_doubled_nor_a_way_around_signatures(ledger: Ledger) -> None:
    late = late_args("catalogue", "register_dataset", dataset_args(ledger, LIMIT_S + 1))
    twice = late_args("catalogue", "act_late", late)
    assert ledger.refuse(bureau, "catalogue", "act_late", twice) == "late: noted twice"
    signed = relay_args(
        build_domain(ledger, "catalogue"), bureau, get_private_key(2, "account"), late[0]
    )
    within = late_args("catalogue", "relay", signed)
    assert ledger.refuse(laboratory, "catalogue", "act_late", within) == "act: relayed twice"


def test_late_act_is_signed_elsewhere(ledger: Ledger) -> None:
    late = late_args("catalogue", "register_dataset", dataset_args(ledger, LIMIT_S + 1))
    call = encode_call("catalogue", "act_late", late)
    signed = relay_args(
        build_domain(ledger, "catalogue"), bureau, get_private_key(2, "account"), call
    )
    events = ledger.do(stranger, "catalogue", "relay", signed)
    assert [event.event for event in events] == ["MarkedLate", "DatasetRegistered", "Relayed"]
    assert ledger.read("catalogue", "dataset", DATASET)["owner"] == BUREAU


def test_mark_does_not_outlive_the_act(ledger: Ledger) -> None:
    """Late and in time, in one transaction after each other, by a contract that carries them."""
    late = late_args("catalogue", "register_dataset", dataset_args(ledger, LIMIT_S + 1))
    acts = [
        encode_call("catalogue", "act_late", late),
        encode_call("catalogue", "register_dataset", dataset_args(ledger, 0, uid_of(9003))),
    ]
    calls = [
        encode_call(
            "catalogue",
            "relay",
            relay_args(
                build_domain(ledger, "catalogue"),
                bureau,
                get_private_key(2, "account"),
                act,
                nonce=number,
            ),
        )
        for number, act in enumerate(acts)
    ]
    catalogue = bytes.fromhex("5f73") + CATALOGUE + bytes.fromhex("5af1")
    # As in the tests of relayed acts: calls the catalogue twice, with two parts of its input.
    code = bytes.fromhex("365f5f37" + "5f5f" + "5f51" + "6020") + catalogue
    code += bytes.fromhex("5f5f" + "5f51602001" + "3603" + "5f51602001") + catalogue
    code += bytes.fromhex("16" + "5f52" + "60205ff3")
    ledger.state.put(NEXT_CODE, code=code, nonce=1, storage={})
    outcome = ledger.state.send(
        NEXT_CODE, len(calls[0]).to_bytes(32, "big") + b"".join(calls), sender=stranger
    )
    assert int.from_bytes(outcome.output, "big") == 1
    assert ledger.read("catalogue", "late_officer", BUREAU, 1) == OFFICER
    assert ledger.read("catalogue", "late_officer", BUREAU, 2) == NOTHING


def test_late_exchange_is_marked_in_all_three_heads() -> None:
    ledger = build_ledger()
    args = request_args(ledger)
    args[-1] = ledger.now - LIMIT_S - 1
    late = late_args("exchanges", "request", args)
    events = ledger.do(laboratory, "exchanges", "act_late", late)
    # Requested and approved, each in three heads.
    assert [event.event for event in events].count("MarkedLate") == 6
    for agency in (LABORATORY, BUREAU):
        assert ledger.read("exchanges", "late_officer", agency, 1) == OFFICER
    act(ledger, bureau, "release", args[1][13], uid_of(5))
    assert ledger.read("exchanges", "late_officer", BUREAU, 3) == NOTHING
    assert ledger.read("exchanges", "exchange", EXCHANGE)["event_time"] == args[-1]


def test_late_consent_of_a_resident_is_posted_by_an_agency(ledger: Ledger) -> None:
    fill_catalogue(ledger)
    bind(ledger, 1)
    args = give_args(ledger, terms=build_consent(), event_time=ledger.now - LIMIT_S - 1)
    assert ledger.refuse(stranger, "consents", "give", args) == "late: second officer missing"
    late = late_args("consents", "give", args)
    assert ledger.refuse(stranger, "consents", "act_late", late) == "late: not an agency's key"
    ledger.do(bureau, "consents", "act_late", late)
    assert ledger.read("consents", "consent", CONSENT)["state"] == RecordState.ACTIVE
    # The binding was the laboratory's first entry; the consent is the first one of both parties.
    for agency in (BUREAU, COMMISSION):
        assert ledger.read("consents", "late_officer", agency, 1) == OFFICER


@pytest.mark.parametrize("sender", [bureau, commission])
def test_answer_to_a_withdrawal_is_not_backdated_alone(ledger: Ledger, sender: Address) -> None:
    fill_catalogue(ledger)
    ledger.do(bureau, "consents", "record", record_args(ledger))
    withdrawn = [CONSENT, uid_of(91), ledger.now, ledger.now]
    ledger.do(sender, "consents", "withdraw", withdrawn)
    answer = [CONSENT, 2, NOTHING, 0, ledger.now]
    ledger.pass_time(LIMIT_S + 1)
    assert ledger.refuse(commission, "consents", "answer_withdrawal", answer) == (
        "late: second officer missing"
    )
    late = late_args("consents", "answer_withdrawal", answer)
    events = ledger.do(commission, "consents", "act_late", late)
    assert not events[-1].args["is_late"]
    assert [event.event for event in events[:-1]] == ["MarkedLate", "MarkedLate"]


def test_limit_is_changed_by_an_upgrade(ledger: Ledger) -> None:
    args = dataset_args(ledger, LIMIT_S + 1)
    salt = build_domain(ledger, "catalogue").salt
    code = load_artifact("catalogue").creation_bytecode
    code += encode(["address", "bytes32", "uint256"], [REGISTRY, salt, LIMIT_S + 1])
    ledger.state.create(NEXT_CODE, code)
    ledger.decide(DecisionKind.UPGRADE, [CATALOGUE, NEXT_CODE])
    ledger.do(bureau, "catalogue", "register_dataset", args)
