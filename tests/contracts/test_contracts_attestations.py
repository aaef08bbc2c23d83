"""Each rule of the attestations, once kept and once broken."""

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from contracts.addresses import ATTESTATIONS, HISTORIES_SLOT
from contracts.codec import encode_call
from contracts.codes import (
    EVENT_TIME_TOLERANCE_S,
    LateReason,
    Reason,
    RecordKind,
    RecordState,
    Role,
)
from contracts.decisions import DecisionKind
from contracts.testkeys import get_address
from tests.contracts.accredited_ledger import (
    BATCH,
    FIRST,
    SCHEMA,
    SECOND,
    build_accredited_ledger,
)
from tests.contracts.contract_harness import (
    AUDITOR,
    BUREAU,
    COMMISSION,
    LABORATORY,
    NOTHING,
    Ledger,
    attest_args,
    auditor,
    batch_args,
    bureau,
    clerk,
    commission,
    laboratory,
    set_state,
    stranger,
    uid_of,
)


@pytest.fixture
def ledger() -> Ledger:
    return build_accredited_ledger()


def test_attestation_is_recorded_and_announced(ledger: Ledger) -> None:
    until = ledger.now + 86400
    (event,) = ledger.attest(FIRST, SCHEMA, valid_until=until)
    assert event.event == "Attested"
    assert event.args == {
        "uid": FIRST,
        "issuer": LABORATORY,
        "schema": SCHEMA,
        "commitment": b"\xc0" * 32,
        "alg": 1,
        "valid_until": until,
        "event_time": ledger.now,
        "previous": NOTHING,
        "key": laboratory,
        "sequence": 1,
    }
    assert ledger.read("attestations", "attestation", FIRST) == {
        "issuer": LABORATORY,
        "schema": SCHEMA,
        "commitment": b"\xc0" * 32,
        "alg": 1,
        "state": RecordState.ACTIVE,
        "reason": Reason.NONE,
        "valid_until": until,
        "event_time": ledger.now,
        "block_number": ledger.state.block_number,
        "state_block": ledger.state.block_number,
        "previous": NOTHING,
        "successor": NOTHING,
    }
    assert ledger.read("attestations", "count", LABORATORY) == 1


def test_attestation_names_the_very_key_that_signed(ledger: Ledger) -> None:
    (event,) = ledger.attest(FIRST, SCHEMA, issuer=clerk)
    assert (event.args["key"], event.args["issuer"]) == (clerk, LABORATORY)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"uid": NOTHING}, "attestation: uid missing"),
        ({"commitment": NOTHING}, "attestation: commitment missing"),
        ({"alg": 0}, "attestation: unknown algorithm"),
        ({"alg": 3}, "attestation: unknown algorithm"),
        ({"schema": uid_of(2)}, "attestation: not accredited"),
        ({"event_time": 0}, "attestation: event time missing"),
        ({"valid_until": 1}, "attestation: ends before it begins"),
        ({"valid_until": 2**48}, "attestation: end out of bounds"),
        ({"previous": uid_of(5)}, "attestation: previous unknown"),
    ],
)
def test_attestation_is_refused_for_a_bad_field(
    ledger: Ledger, changes: dict[str, Any], reason: str
) -> None:
    args = attest_args(ledger, FIRST, SCHEMA, **changes)
    assert ledger.refuse(laboratory, "attestations", "attest", args) == reason
    assert ledger.read("attestations", "attestation", FIRST)["state"] == 0
    assert ledger.read("attestations", "count", LABORATORY) == 0


def test_attestation_event_time_may_be_ahead_by_the_tolerance_only(ledger: Ledger) -> None:
    limit = ledger.now + EVENT_TIME_TOLERANCE_S
    late = attest_args(ledger, FIRST, SCHEMA, event_time=limit + 1)
    assert (
        ledger.refuse(laboratory, "attestations", "attest", late)
        == "attestation: event time in the future"
    )
    ledger.do(
        laboratory,
        "attestations",
        "attest",
        attest_args(ledger, FIRST, SCHEMA, event_time=limit),
    )


def test_attestation_posted_after_its_end_is_kept_as_such(ledger: Ledger) -> None:
    """What was captured while the ledger was out of reach is recorded later, expired or not."""
    args = attest_args(ledger, FIRST, SCHEMA, event_time=1000, valid_until=1001)
    late = [encode_call("attestations", "attest", args), uid_of(9), int(LateReason.PAPER)]
    marked, _ = ledger.do(laboratory, "attestations", "act_late", late)
    assert (marked.args["uid"], marked.args["agency"]) == (FIRST, LABORATORY)
    assert ledger.read("attestations", "attestation", FIRST)["valid_until"] == 1001


@pytest.mark.parametrize("other", [laboratory, commission])
def test_attestation_uid_is_used_once_whoever_comes_next(ledger: Ledger, other: Any) -> None:
    ledger.attest(FIRST, SCHEMA)
    args = attest_args(ledger, FIRST, SCHEMA)
    reason = ledger.refuse(other, "attestations", "attest", args)
    assert reason == "attestation: uid already used"
    reason = ledger.refuse(
        other, "attestations", "attest_batch", batch_args(ledger, BATCH, SCHEMA, uid=FIRST)
    )
    assert reason == "attestation: uid already used"


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        (stranger, "key: unknown"),
        (auditor, "key: role missing"),
        (bureau, "attestation: not accredited"),
        (get_address(2, "deployer"), "key: role missing"),
        (get_address(1, "validator"), "key: unknown"),
    ],
)
def test_attestation_is_refused_for_whom_it_is_not(
    ledger: Ledger, sender: Any, reason: str
) -> None:
    args = attest_args(ledger, FIRST, SCHEMA)
    assert ledger.refuse(sender, "attestations", "attest", args) == reason
    assert (
        ledger.refuse(sender, "attestations", "attest_batch", batch_args(ledger, BATCH, SCHEMA))
        == reason
    )


def test_attestation_needs_accreditation_in_its_own_block(ledger: Ledger) -> None:
    ledger.attest(FIRST, SCHEMA)
    ledger.do(
        bureau, "schemas", "withdraw_accreditation", [SCHEMA, LABORATORY, Reason.LAW, ledger.now]
    )
    args = attest_args(ledger, SECOND, SCHEMA)
    assert ledger.refuse(laboratory, "attestations", "attest", args) == (
        "attestation: not accredited"
    )
    # What was issued stays, and its issuer can still change its state.
    assert ledger.read("attestations", "attestation", FIRST)["state"] == RecordState.ACTIVE
    set_state(ledger, FIRST, RecordState.REVOKED)


@pytest.mark.parametrize("state", [RecordState.SUSPENDED, RecordState.REVOKED])
def test_attestation_needs_a_schema_in_force(ledger: Ledger, state: int) -> None:
    ledger.do(bureau, "schemas", "set_state", [SCHEMA, state, Reason.LAW, ledger.now])
    args = attest_args(ledger, FIRST, SCHEMA)
    assert ledger.refuse(laboratory, "attestations", "attest", args) == (
        "attestation: schema not in force"
    )
    assert not ledger.read("attestations", "may_issue", SCHEMA, LABORATORY)
    assert not ledger.read("schemas", "may_issue", SCHEMA, LABORATORY)


def test_attestation_of_a_suspended_agency_is_refused(ledger: Ledger) -> None:
    ledger.attest(FIRST, SCHEMA)
    ledger.decide(DecisionKind.SUSPEND_AGENCY, [LABORATORY])
    args = attest_args(ledger, SECOND, SCHEMA)
    assert ledger.refuse(laboratory, "attestations", "attest", args) == "agency: not active"
    args = [FIRST, RecordState.REVOKED, Reason.ERROR, ledger.now]
    assert ledger.refuse(laboratory, "attestations", "set_state", args) == "agency: not active"


def test_attestation_of_an_agency_without_the_role_is_refused(ledger: Ledger) -> None:
    ledger.decide(DecisionKind.SET_ROLES, [LABORATORY, int(Role.ADMIN | Role.GOVERN)])
    args = attest_args(ledger, FIRST, SCHEMA)
    assert ledger.refuse(clerk, "attestations", "attest", args) == "key: role missing"


def test_attestation_supersedes_an_older_one_of_the_same_issuer(ledger: Ledger) -> None:
    ledger.attest(FIRST, SCHEMA)
    ledger.pass_time()
    attested, changed = ledger.attest(SECOND, SCHEMA, previous=FIRST)
    assert attested.args["previous"] == FIRST
    assert attested.args["sequence"] == 2
    assert changed.event == "StateChanged"
    assert changed.args["uid"] == FIRST
    assert changed.args["state"] == RecordState.SUPERSEDED
    assert changed.args["reason"] == Reason.SUPERSEDED
    assert changed.args["sequence"] == 3
    old = ledger.read("attestations", "attestation", FIRST)
    new = ledger.read("attestations", "attestation", SECOND)
    assert (old["state"], old["successor"], old["previous"]) == (4, SECOND, NOTHING)
    assert (new["state"], new["successor"], new["previous"]) == (1, NOTHING, FIRST)
    assert old["state_block"] == old["block_number"] + 1


def test_attestation_cannot_supersede_anothers_or_what_is_out_of_force(ledger: Ledger) -> None:
    ledger.attest(FIRST, SCHEMA)
    ledger.do(laboratory, "attestations", "attest_batch", batch_args(ledger, BATCH, SCHEMA))
    args = attest_args(ledger, SECOND, SCHEMA, previous=FIRST)
    assert ledger.refuse(commission, "attestations", "attest", args) == (
        "attestation: previous not yours"
    )
    args_batch = attest_args(ledger, SECOND, SCHEMA, previous=BATCH)
    assert ledger.refuse(laboratory, "attestations", "attest", args_batch) == (
        "attestation: previous unknown"
    )
    set_state(ledger, FIRST, RecordState.REVOKED)
    assert ledger.refuse(laboratory, "attestations", "attest", args) == (
        "attestation: previous not in force"
    )
    assert ledger.read("attestations", "attestation", SECOND)["state"] == 0
    itself = attest_args(ledger, SECOND, SCHEMA, previous=SECOND)
    assert ledger.refuse(laboratory, "attestations", "attest", itself) == (
        "attestation: previous is itself"
    )


def test_batch_is_recorded_and_announced(ledger: Ledger) -> None:
    (event,) = ledger.do(
        laboratory, "attestations", "attest_batch", batch_args(ledger, BATCH, SCHEMA)
    )
    assert event.event == "BatchAttested"
    assert event.args["root"] == uid_of(7)
    assert event.args["count"] == 3
    assert event.args["key"] == laboratory
    assert ledger.read("attestations", "batch", BATCH) == {
        "issuer": LABORATORY,
        "schema": SCHEMA,
        "root": uid_of(7),
        "count": 3,
        "alg": 2,
        "state": RecordState.ACTIVE,
        "reason": Reason.NONE,
        "event_time": ledger.now,
        "block_number": ledger.state.block_number,
        "state_block": ledger.state.block_number,
    }
    # The two kinds of records do not answer for each other.
    assert ledger.read("attestations", "attestation", BATCH)["state"] == 0
    ledger.attest(FIRST, SCHEMA)
    assert ledger.read("attestations", "batch", FIRST)["state"] == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"uid": NOTHING}, "attestation: uid missing"),
        ({"root": NOTHING}, "attestation: commitment missing"),
        ({"count": 0}, "batch: leaf count out of bounds"),
        ({"count": 2**32}, "batch: leaf count out of bounds"),
        ({"alg": 9}, "attestation: unknown algorithm"),
        ({"schema": uid_of(3)}, "attestation: not accredited"),
        ({"event_time": 2**48}, "attestation: event time in the future"),
    ],
)
def test_batch_is_refused_for_a_bad_field(
    ledger: Ledger, changes: dict[str, Any], reason: str
) -> None:
    args = batch_args(ledger, BATCH, SCHEMA, **changes)
    assert ledger.refuse(laboratory, "attestations", "attest_batch", args) == reason


def test_leaf_without_an_entry_is_active(ledger: Ledger) -> None:
    ledger.do(laboratory, "attestations", "attest_batch", batch_args(ledger, BATCH, SCHEMA))
    state = ledger.read("attestations", "leaf_state", BATCH, 2)
    assert state["state"] == RecordState.ACTIVE
    assert state["block_number"] == ledger.state.block_number
    assert ledger.read("attestations", "leaf_state", BATCH, 3)["state"] == 0
    assert ledger.read("attestations", "leaf_state", FIRST, 0)["state"] == 0


def test_leaf_has_a_state_of_its_own(ledger: Ledger) -> None:
    ledger.do(laboratory, "attestations", "attest_batch", batch_args(ledger, BATCH, SCHEMA))
    ledger.pass_time()
    args = [BATCH, 1, RecordState.SUSPENDED, Reason.HOLDER, ledger.now - 5]
    (event,) = ledger.do(clerk, "attestations", "set_leaf_state", args)
    assert event.event == "LeafStateChanged"
    assert event.args["index"] == 1
    assert event.args["key"] == clerk
    assert event.args["sequence"] == 2
    assert ledger.read("attestations", "leaf_state", BATCH, 1) == {
        "state": RecordState.SUSPENDED,
        "reason": Reason.HOLDER,
        "event_time": ledger.now - 5,
        "block_number": ledger.state.block_number,
    }
    assert ledger.read("attestations", "leaf_state", BATCH, 0)["state"] == RecordState.ACTIVE
    outside = [BATCH, 3, RecordState.REVOKED, Reason.ERROR, ledger.now]
    assert ledger.refuse(laboratory, "attestations", "set_leaf_state", outside) == (
        "batch: no such leaf"
    )


def test_batch_state_holds_for_all_its_leaves_where_it_is_graver(ledger: Ledger) -> None:
    ledger.do(laboratory, "attestations", "attest_batch", batch_args(ledger, BATCH, SCHEMA))
    args = [BATCH, 1, RecordState.REVOKED, Reason.ERROR, ledger.now]
    ledger.do(laboratory, "attestations", "set_leaf_state", args)
    set_state(ledger, BATCH, RecordState.SUSPENDED, Reason.SECURITY)
    states = [ledger.read("attestations", "leaf_state", BATCH, i)["state"] for i in range(3)]
    assert states == [RecordState.SUSPENDED, RecordState.REVOKED, RecordState.SUSPENDED]
    set_state(ledger, BATCH, RecordState.ACTIVE, Reason.SECURITY)
    states = [ledger.read("attestations", "leaf_state", BATCH, i)["state"] for i in range(3)]
    assert states == [RecordState.ACTIVE, RecordState.REVOKED, RecordState.ACTIVE]
    set_state(ledger, BATCH, RecordState.ERASED, Reason.LAW)
    states = [ledger.read("attestations", "leaf_state", BATCH, i)["state"] for i in range(3)]
    assert states == [RecordState.ERASED] * 3


def test_head_chains_every_creation_and_change(ledger: Ledger) -> None:
    """The formula of the head, computed here a second time."""
    ledger.attest(FIRST, SCHEMA)
    first_block = ledger.state.block_number
    ledger.pass_time()
    ledger.attest(SECOND, SCHEMA, previous=FIRST)
    ledger.do(laboratory, "attestations", "attest_batch", batch_args(ledger, BATCH, SCHEMA))
    args = [BATCH, 2, RecordState.REVOKED, Reason.ERROR, ledger.now]
    ledger.do(laboratory, "attestations", "set_leaf_state", args)
    block = first_block + 1
    leaf = keccak(BATCH + (2).to_bytes(32, "big"))
    head = bytes(32)
    for kind, uid, state, number in (
        (RecordKind.ATTESTATION, FIRST, RecordState.ACTIVE, first_block),
        (RecordKind.ATTESTATION, SECOND, RecordState.ACTIVE, block),
        (RecordKind.ATTESTATION, FIRST, RecordState.SUPERSEDED, block),
        (RecordKind.BATCH, BATCH, RecordState.ACTIVE, block),
        (RecordKind.LEAF, leaf, RecordState.REVOKED, block),
    ):
        head = keccak(
            encode(
                ["bytes32", "uint256", "bytes32", "uint256", "uint256"],
                [head, kind, uid, state, number],
            )
        )
    assert ledger.read("attestations", "head", LABORATORY) == head
    assert ledger.read("attestations", "count", LABORATORY) == 5
    assert ledger.read("attestations", "count", COMMISSION) == 0
    entry = int.from_bytes(keccak(HISTORIES_SLOT.to_bytes(32, "big") + LABORATORY), "big")
    assert ledger.state.get_slot(ATTESTATIONS, entry) == int.from_bytes(head, "big")
    assert ledger.state.get_slot(ATTESTATIONS, entry + 1) == 5


def test_issuers_are_noted_by_the_schemas_only(ledger: Ledger) -> None:
    for sender in (bureau, laboratory, stranger):
        for function, args in (
            ("note_issuer", [SCHEMA, BUREAU, True]),
            ("note_schema", [uid_of(9), True]),
        ):
            assert ledger.refuse(sender, "attestations", function, args) == (
                "attestation: only the schemas"
            )
    assert not ledger.read("attestations", "may_issue", SCHEMA, BUREAU)
    assert not ledger.read("attestations", "may_issue", SCHEMA, AUDITOR)
