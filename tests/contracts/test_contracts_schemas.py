"""Each rule of the schemas and accreditations, once kept and once broken."""

from typing import Any

import pytest

from contracts.codes import Reason, RecordState
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

SCHEMA = uid_of(1)
OTHER = uid_of(2)


def register_args(ledger: Ledger, **changes: Any) -> list[Any]:
    fields = {
        "uid": SCHEMA,
        "pointers_hash": uid_of(10),
        "document_hash": uid_of(11),
        "leaf_count": 12,
        "event_time": ledger.now,
        "previous": NOTHING,
    }
    return list((fields | changes).values())


def test_schema_is_recorded_and_announced(ledger: Ledger) -> None:
    (event,) = ledger.do(bureau, "schemas", "register", register_args(ledger))
    assert event.event == "SchemaRegistered"
    assert event.args["owner"] == BUREAU
    assert event.args["key"] == bureau
    assert event.args["sequence"] == 1
    assert ledger.read("schemas", "schema", SCHEMA) == {
        "owner": BUREAU,
        "pointers_hash": uid_of(10),
        "document_hash": uid_of(11),
        "leaf_count": 12,
        "state": RecordState.ACTIVE,
        "reason": Reason.NONE,
        "event_time": ledger.now,
        "block_number": ledger.state.block_number,
        "state_block": ledger.state.block_number,
        "previous": NOTHING,
        "successor": NOTHING,
    }
    assert ledger.read("schemas", "schema_count") == 1
    assert ledger.read("schemas", "schema_at", 0) == SCHEMA
    assert ledger.read("schemas", "count", BUREAU) == 1
    assert ledger.read("schemas", "head", BUREAU) != NOTHING


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"uid": NOTHING}, "schema: uid missing"),
        ({"pointers_hash": NOTHING}, "schema: pointers missing"),
        ({"leaf_count": 0}, "schema: leaf count out of bounds"),
        ({"leaf_count": 1025}, "schema: leaf count out of bounds"),
        ({"event_time": 0}, "schema: event time missing"),
        ({"event_time": 2**60}, "schema: event time in the future"),
        ({"previous": OTHER}, "schema: previous unknown"),
        ({"previous": SCHEMA}, "schema: previous is itself"),
    ],
)
def test_schema_is_refused_for_a_bad_field(
    ledger: Ledger, changes: dict[str, Any], reason: str
) -> None:
    args = register_args(ledger, **changes)
    assert ledger.refuse(bureau, "schemas", "register", args) == reason
    assert ledger.read("schemas", "schema_count") == 0


def test_schema_uid_is_used_once(ledger: Ledger) -> None:
    ledger.register_schema(SCHEMA)
    for owner in (bureau, commission):
        assert ledger.refuse(owner, "schemas", "register", register_args(ledger)) == (
            "schema: uid already used"
        )


@pytest.mark.parametrize(
    ("sender", "reason"),
    [(laboratory, "key: role missing"), (clerk, "key: role missing"), (stranger, "key: unknown")],
)
def test_schema_needs_the_role(ledger: Ledger, sender: Any, reason: str) -> None:
    assert ledger.refuse(sender, "schemas", "register", register_args(ledger)) == reason
    ledger.register_schema(SCHEMA)
    now = ledger.now
    for function, args in (
        ("accredit", [SCHEMA, LABORATORY, now]),
        ("withdraw_accreditation", [SCHEMA, LABORATORY, 1, now]),
        ("set_state", [SCHEMA, RecordState.SUSPENDED, 1, now]),
    ):
        assert ledger.refuse(sender, "schemas", function, args) == reason


def test_schema_takes_the_place_of_an_older_one(ledger: Ledger) -> None:
    ledger.register_schema(SCHEMA)
    ledger.accredit(SCHEMA, LABORATORY)
    args = register_args(ledger, uid=OTHER, previous=SCHEMA)
    registered, changed = ledger.do(bureau, "schemas", "register", args)
    assert registered.event == "SchemaRegistered"
    assert changed.args["state"] == RecordState.SUPERSEDED
    assert ledger.read("schemas", "schema", SCHEMA)["successor"] == OTHER
    assert not ledger.read("schemas", "may_issue", SCHEMA, LABORATORY)
    assert not ledger.read("attestations", "may_issue", SCHEMA, LABORATORY)
    # The accreditation is for the schema, not for what comes after it.
    assert not ledger.read("schemas", "may_issue", OTHER, LABORATORY)
    again = register_args(ledger, uid=uid_of(3), previous=SCHEMA)
    assert ledger.refuse(bureau, "schemas", "register", again) == "schema: previous not in force"


def test_schema_takes_no_place_of_anothers(ledger: Ledger) -> None:
    ledger.register_schema(SCHEMA)
    args = register_args(ledger, uid=OTHER, previous=SCHEMA)
    assert ledger.refuse(commission, "schemas", "register", args) == "schema: previous not yours"


def test_schema_is_suspended_reinstated_and_withdrawn_by_its_owner(ledger: Ledger) -> None:
    ledger.register_schema(SCHEMA)
    ledger.accredit(SCHEMA, LABORATORY)
    for state, may_issue in (
        (RecordState.SUSPENDED, False),
        (RecordState.ACTIVE, True),
        (RecordState.REVOKED, False),
    ):
        (event,) = ledger.do(bureau, "schemas", "set_state", [SCHEMA, state, 1, ledger.now])
        assert event.event == "SchemaStateChanged"
        assert ledger.read("schemas", "schema", SCHEMA)["state"] == state
        assert ledger.read("schemas", "may_issue", SCHEMA, LABORATORY) == may_issue
        assert ledger.read("attestations", "may_issue", SCHEMA, LABORATORY) == may_issue
    args = [SCHEMA, RecordState.ACTIVE, 1, ledger.now]
    assert ledger.refuse(bureau, "schemas", "set_state", args) == "schema: state is final"
    assert ledger.refuse(bureau, "schemas", "accredit", [SCHEMA, COMMISSION, ledger.now]) == (
        "schema: not in force"
    )


@pytest.mark.parametrize(
    ("sender", "args", "reason"),
    [
        (commission, [SCHEMA, 2, 1], "schema: not yours"),
        (bureau, [OTHER, 2, 1], "schema: unknown"),
        (bureau, [SCHEMA, 1, 1], "schema: state unchanged"),
        (bureau, [SCHEMA, 4, 1], "schema: state not allowed"),
        (bureau, [SCHEMA, 5, 1], "schema: state not allowed"),
        (bureau, [SCHEMA, 2, 0], "schema: reason missing"),
        (bureau, [SCHEMA, 2, 6], "schema: unknown reason"),
    ],
)
def test_schema_state_change_is_refused(
    ledger: Ledger, sender: Any, args: list[Any], reason: str
) -> None:
    ledger.register_schema(SCHEMA)
    assert ledger.refuse(sender, "schemas", "set_state", [*args, ledger.now]) == reason


def test_accreditation_is_given_and_withdrawn_by_the_owner(ledger: Ledger) -> None:
    ledger.register_schema(SCHEMA)
    args = [SCHEMA, LABORATORY, ledger.now]
    assert ledger.refuse(commission, "schemas", "accredit", args) == "schema: not yours"
    (given,) = ledger.do(bureau, "schemas", "accredit", args)
    assert given.event == "IssuerAccredited"
    assert (given.args["schema"], given.args["agency"]) == (SCHEMA, LABORATORY)
    assert ledger.read("schemas", "is_accredited", SCHEMA, LABORATORY)
    assert ledger.refuse(bureau, "schemas", "accredit", args) == "accreditation: already given"
    withdrawal = [SCHEMA, LABORATORY, Reason.LAW, ledger.now]
    assert ledger.refuse(commission, "schemas", "withdraw_accreditation", withdrawal) == (
        "schema: not yours"
    )
    (ended,) = ledger.do(bureau, "schemas", "withdraw_accreditation", withdrawal)
    assert ended.event == "AccreditationWithdrawn"
    assert ended.args["sequence"] == 3
    assert not ledger.read("schemas", "is_accredited", SCHEMA, LABORATORY)
    assert ledger.refuse(bureau, "schemas", "withdraw_accreditation", withdrawal) == (
        "accreditation: not given"
    )


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ([OTHER, LABORATORY], "schema: unknown"),
        ([SCHEMA, uid_of(55)], "accreditation: agency not active"),
    ],
)
def test_accreditation_is_refused(ledger: Ledger, args: list[Any], reason: str) -> None:
    ledger.register_schema(SCHEMA)
    assert ledger.refuse(bureau, "schemas", "accredit", [*args, ledger.now]) == reason


@pytest.mark.parametrize(
    ("reason", "refusal"),
    [(0, "accreditation: reason missing"), (6, "accreditation: unknown reason")],
)
def test_accreditation_is_withdrawn_for_a_known_reason(
    ledger: Ledger, reason: int, refusal: str
) -> None:
    ledger.register_schema(SCHEMA)
    ledger.accredit(SCHEMA, LABORATORY)
    args = [SCHEMA, LABORATORY, reason, ledger.now]
    assert ledger.refuse(bureau, "schemas", "withdraw_accreditation", args) == refusal
    assert ledger.read("schemas", "is_accredited", SCHEMA, LABORATORY)


def test_accreditation_of_a_suspended_agency_is_refused(ledger: Ledger) -> None:
    ledger.register_schema(SCHEMA)
    ledger.decide(DecisionKind.SUSPEND_AGENCY, [AUDITOR])
    args = [SCHEMA, AUDITOR, ledger.now]
    assert ledger.refuse(bureau, "schemas", "accredit", args) == "accreditation: agency not active"
    assert ledger.refuse(auditor, "schemas", "accredit", args) == "agency: not active"


def test_accreditation_is_known_for_every_past_block(ledger: Ledger) -> None:
    ledger.register_schema(SCHEMA)
    live: set[int] = set()
    is_live = False
    for block in range(ledger.state.block_number + 1, ledger.state.block_number + 30):
        ledger.pass_time()
        if block % 5 == 0 or block % 7 == 0:
            if is_live:
                args = [SCHEMA, LABORATORY, Reason.LAW, ledger.now]
                ledger.do(bureau, "schemas", "withdraw_accreditation", args)
            else:
                ledger.accredit(SCHEMA, LABORATORY)
            is_live = not is_live
        if is_live:
            live.add(block)
    known = {
        block
        for block in range(1, ledger.state.block_number + 1)
        if ledger.read("schemas", "is_accredited_at", SCHEMA, LABORATORY, block)
    }
    assert known == live
    assert ledger.read("schemas", "issuer_count", SCHEMA) == 1
    assert ledger.read("schemas", "issuer_at", SCHEMA, 0) == LABORATORY
    assert not ledger.read("schemas", "is_accredited_at", SCHEMA, COMMISSION, 3)


def test_lists_refuse_an_index_beyond_their_end(ledger: Ledger) -> None:
    ledger.register_schema(SCHEMA)
    assert ledger.refuse(bureau, "schemas", "schema_at", [1]) == "schema: no such index"
    assert ledger.refuse(bureau, "schemas", "issuer_at", [SCHEMA, 0]) == (
        "accreditation: no such index"
    )
