"""Events of the ledger's law as the explorer shows them: structs opened, states named."""

from typing import Any

from api.explorer.facts import Field
from api.explorer.fields import decode_event, decode_input
from contracts.addresses import EXCHANGES
from contracts.codec import encode_call
from tests.contracts.contract_harness import Ledger, auditor, bureau, laboratory, uid_of
from tests.contracts.exchange_harness import (
    EXCHANGE,
    REQUEST,
    RESPONSE,
    build_ledger,
    request,
    request_args,
    request_standing,
)
from tests.contracts.law_harness import basis_args


def read(ledger: Ledger, sender: Any, contract: str, function: str, args: list[Any]) -> list[Any]:
    outcome = ledger.send(sender, contract, function, args)
    assert outcome.succeeded, outcome.reason
    return [decode_event(*log, place) for place, log in enumerate(outcome.logs)]


def find(fields: tuple[Field, ...], name: str) -> Field:
    return next(field for field in fields if field.name == name)


def test_fields_of_a_struct_are_opened() -> None:
    ledger = build_ledger()
    requested, approved = read(ledger, laboratory, "exchanges", "request", request_args(ledger))
    provider = find(requested.fields, "provider")
    assert (provider.kind, provider.label) == ("agency", "mo-health-bureau")
    mask = find(requested.fields, "fields")
    assert (mask.kind, mask.value, mask.label) == ("bytes", 0b0011, "0x3")
    assert find(requested.fields, "sequences 3").value == 1
    assert find(approved.fields, "state").label == "approved"


def test_fields_of_a_list_of_structs_are_opened() -> None:
    ledger = build_ledger()
    (entered,) = read(ledger, auditor, "bases", "enter_basis", basis_args(ledger, uid_of(5)))
    assert [field.value for field in entered.fields if field.name == "fields"] == [7, 7, 7]


def test_fields_name_the_states_of_exchanges_and_periods() -> None:
    """Four is released, or superseded for a record: the contract decides which."""
    ledger = build_ledger()
    request(ledger)
    args = [EXCHANGE, REQUEST, RESPONSE, ledger.now]
    (released,) = read(ledger, bureau, "exchanges", "release", args)
    assert find(released.fields, "state").label == "released"
    assert find(released.fields, "state").kind == "state"
    request_standing(ledger, uid_of(6))
    args = [uid_of(6), 202611, ledger.now]
    (begun,) = read(ledger, bureau, "exchanges", "begin_period", args)
    assert find(begun.fields, "state").label == "begun"


def test_fields_say_in_words_what_the_ledger_says_in_numbers() -> None:
    ledger = build_ledger()
    requested, _ = read(ledger, laboratory, "exchanges", "request", request_args(ledger))
    for name, word in (("mode", "once"), ("channel", "counter"), ("basis_kind", "statute")):
        assert (find(requested.fields, name).kind, find(requested.fields, name).label) == (
            "word",
            word,
        )
    (entered,) = read(ledger, auditor, "bases", "enter_basis", basis_args(ledger, uid_of(5)))
    assert find(entered.fields, "kind").label == "statute"
    assert find(entered.fields, "from_jurisdiction").kind == "jurisdiction"


def test_act_signed_elsewhere_is_opened() -> None:
    ledger = build_ledger()
    call = encode_call("exchanges", "request", request_args(ledger))
    data = encode_call("exchanges", "relay", [laboratory, call, 1, 2**60, b"\x01" * 65])
    opened = decode_input(EXCHANGES, data)
    assert opened is not None
    assert (opened[1], find(opened[2], "call").label) == ("relay", "exchanges.request")
    assert find(opened[2], "signer").kind == "account"
    assert find(opened[2], "provider").label == "mo-health-bureau"


def test_carried_bytes_that_are_no_call_are_shown_as_bytes() -> None:
    data = encode_call("exchanges", "act_late", [b"\x01\x02", bytes(32), 1])
    opened = decode_input(EXCHANGES, data)
    assert opened is not None
    assert (find(opened[2], "call").kind, find(opened[2], "call").label) == ("bytes", "0x0102")
