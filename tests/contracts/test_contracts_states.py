"""How the states of records and leaves may change, and who changes them."""

from collections.abc import Callable

import pytest

from contracts.codes import Reason, RecordState
from tests.contracts.accredited_ledger import (
    BATCH,
    FIRST,
    SCHEMA,
    SECOND,
    build_accredited_ledger,
)
from tests.contracts.contract_harness import (
    Ledger,
    auditor,
    batch_args,
    bureau,
    clerk,
    commission,
    laboratory,
    set_state,
    stranger,
)


@pytest.fixture
def ledger() -> Ledger:
    return build_accredited_ledger()


ALLOWED = {
    (before, after)
    for before, afters in {
        RecordState.ACTIVE: (RecordState.SUSPENDED, RecordState.REVOKED, RecordState.ERASED),
        RecordState.SUSPENDED: (RecordState.ACTIVE, RecordState.REVOKED, RecordState.ERASED),
        RecordState.REVOKED: (RecordState.ERASED,),
        RecordState.SUPERSEDED: (RecordState.ERASED,),
        RecordState.ERASED: (),
    }.items()
    for after in afters
}


def bring_record(ledger: Ledger, state: RecordState) -> None:
    ledger.attest(FIRST, SCHEMA)
    if state == RecordState.SUPERSEDED:
        ledger.attest(SECOND, SCHEMA, previous=FIRST)
    elif state != RecordState.ACTIVE:
        set_state(ledger, FIRST, state)


def bring_leaf(ledger: Ledger, state: RecordState) -> None:
    ledger.do(laboratory, "attestations", "attest_batch", batch_args(ledger, BATCH, SCHEMA))
    if state != RecordState.ACTIVE:
        args = [BATCH, 1, state, Reason.ERROR, ledger.now]
        ledger.do(laboratory, "attestations", "set_leaf_state", args)


def explain_refusal(before: int, after: int) -> str:
    if before == after:
        return "attestation: state unchanged"
    is_final = before == RecordState.ERASED or (
        before in {RecordState.REVOKED, RecordState.SUPERSEDED} and after != RecordState.ERASED
    )
    return "attestation: state is final" if is_final else "attestation: state not allowed"


@pytest.mark.parametrize("after", [*RecordState, 0, 6])
@pytest.mark.parametrize(
    ("bring", "before"),
    [
        *((bring_record, state) for state in RecordState),
        # a leaf of a batch is never superseded
        *((bring_leaf, state) for state in RecordState if state != RecordState.SUPERSEDED),
    ],
)
def test_states_change_only_along_the_allowed_ways(
    ledger: Ledger,
    before: RecordState,
    after: int,
    bring: Callable[[Ledger, RecordState], None],
) -> None:
    is_leaf = bring is bring_leaf
    bring(ledger, before)
    function = "set_leaf_state" if is_leaf else "set_state"
    place = [BATCH, 1] if is_leaf else [FIRST]
    outcome = ledger.send(
        laboratory, "attestations", function, [*place, after, Reason.HOLDER, ledger.now]
    )
    assert outcome.succeeded == ((before, after) in ALLOWED), outcome.reason
    if not outcome.succeeded:
        assert outcome.reason == explain_refusal(before, after)
    if is_leaf:
        state = ledger.read("attestations", "leaf_state", BATCH, 1)["state"]
    else:
        state = ledger.read("attestations", "attestation", FIRST)["state"]
    assert state == (after if outcome.succeeded else before)


@pytest.mark.parametrize(
    ("reason", "refusal"),
    [(0, "attestation: reason missing"), (6, "attestation: unknown reason")],
)
def test_state_change_needs_a_known_reason(ledger: Ledger, reason: int, refusal: str) -> None:
    ledger.attest(FIRST, SCHEMA)
    args = [FIRST, RecordState.REVOKED, reason, ledger.now]
    assert ledger.refuse(laboratory, "attestations", "set_state", args) == refusal


def test_state_change_puts_its_own_reason_and_block_in_place(ledger: Ledger) -> None:
    ledger.attest(FIRST, SCHEMA)
    issued = ledger.read("attestations", "attestation", FIRST)
    for state, reason in (
        (RecordState.SUSPENDED, Reason.SECURITY),
        (RecordState.ACTIVE, Reason.SUPERSEDED),
        (RecordState.REVOKED, Reason.HOLDER),
    ):
        ledger.pass_time()
        set_state(ledger, FIRST, state, reason)
        changed = {
            "state": state,
            "reason": reason,
            "state_block": ledger.state.block_number,
        }
        # All else is as it was issued.
        assert ledger.read("attestations", "attestation", FIRST) == issued | changed


def test_state_is_changed_by_the_issuer_only(ledger: Ledger) -> None:
    ledger.attest(FIRST, SCHEMA)
    ledger.do(laboratory, "attestations", "attest_batch", batch_args(ledger, BATCH, SCHEMA))
    record = [FIRST, RecordState.REVOKED, Reason.ERROR, ledger.now]
    leaf = [BATCH, 0, RecordState.REVOKED, Reason.ERROR, ledger.now]
    for sender, reason in (
        (commission, "attestation: not yours"),
        (bureau, "attestation: not yours"),
        (auditor, "key: role missing"),
        (stranger, "key: unknown"),
    ):
        assert ledger.refuse(sender, "attestations", "set_state", record) == reason
        assert ledger.refuse(sender, "attestations", "set_leaf_state", leaf) == reason
    # Another key of the issuer is the issuer.
    set_state(ledger, FIRST, RecordState.REVOKED, sender=clerk)


def test_state_of_what_is_not_there_is_refused(ledger: Ledger) -> None:
    args = [FIRST, RecordState.REVOKED, Reason.ERROR, ledger.now]
    assert ledger.refuse(laboratory, "attestations", "set_state", args) == "attestation: unknown"
    leaf = [BATCH, 0, RecordState.REVOKED, Reason.ERROR, ledger.now]
    assert ledger.refuse(laboratory, "attestations", "set_leaf_state", leaf) == (
        "attestation: unknown"
    )
    ledger.attest(BATCH, SCHEMA)
    assert ledger.refuse(laboratory, "attestations", "set_leaf_state", leaf) == "batch: unknown"
