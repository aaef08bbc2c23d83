"""What would happen if it were decided, asked without deciding; and the code in two halves."""

from collections.abc import Sequence
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_typing import Address

from contracts.addresses import (
    CATALOGUE,
    DECISIONS_IMPLEMENTATION,
    POSTS,
    REGISTRY,
)
from contracts.codec import encode_call
from contracts.codes import ProposalStatus
from contracts.decisions import DecisionKind, encode_payload
from contracts.errors import CodecError, FoundingFailed
from contracts.loader import load_artifact
from tests.contracts.contract_harness import (
    COMMISSION,
    LABORATORY,
    Ledger,
    auditor,
    bureau,
    commission,
    stranger,
)
from tests.contracts.timelock_harness import (
    ORDINARY,
    URGENT,
    build_ledger,
    carry_out,
    get,
    pass_proposal,
    propose_profile,
    refuse,
)

KEY = Address(b"\x41" * 20)
NEXT_CODE = Address(b"\x77" * 20)


@pytest.fixture
def ledger() -> Ledger:
    return build_ledger()


# ------------------------------------------------------------------ dry run


def test_dry_run_says_what_would_happen(ledger: Ledger) -> None:
    def run(kind: DecisionKind, args: Sequence[Any]) -> dict[str, Any]:
        answer: dict[str, Any] = ledger.registry("dry_run", int(kind), encode_payload(kind, args))
        return answer

    assert run(DecisionKind.SUSPEND_AGENCY, [LABORATORY]) == {
        "is_possible": True,
        "reason": "",
        "is_passing": False,
        "earliest": ledger.now + URGENT,
    }
    assert run(DecisionKind.REINSTATE_AGENCY, [LABORATORY])["reason"] == "agency: not suspended"
    upgrade = run(DecisionKind.UPGRADE, [CATALOGUE, NEXT_CODE])
    assert (upgrade["is_possible"], upgrade["reason"]) == (False, "proxy: no code there")
    # Nothing has changed.
    assert ledger.registry("is_active", LABORATORY)
    malformed = ledger.registry("dry_run", int(DecisionKind.SUSPEND_AGENCY), b"")
    assert malformed["reason"] == "proposal: malformed payload"


def test_dry_run_of_a_proposal_follows_the_vote(ledger: Ledger) -> None:
    number = propose_profile(ledger, lasts_s=100)

    def run() -> tuple[bool, bool, int]:
        answer = ledger.registry("dry_run_proposal", number)
        return answer["is_possible"], answer["is_passing"], answer["earliest"]

    assert run() == (True, False, ledger.now + ORDINARY)
    pass_proposal(ledger, number)
    ready = ledger.now + ORDINARY
    ledger.pass_time(50)
    assert run() == (True, True, ready)
    ledger.pass_time(ORDINARY)
    assert run() == (True, True, ledger.now)
    carry_out(ledger, number)
    # It would change nothing now, and will never be carried out again.
    assert run() == (False, True, 0)
    assert refuse(ledger, "dry_run_proposal", 9) == "proposal: unknown"


def test_dry_run_in_a_transaction_changes_nothing(ledger: Ledger) -> None:
    payload = encode_payload(DecisionKind.SUSPEND_AGENCY, [LABORATORY])
    args = [int(DecisionKind.SUSPEND_AGENCY), payload]
    for sender in (bureau, stranger):
        assert ledger.do(sender, "agency_registry", "dry_run", args) == []
        outcome = ledger.send(sender, "agency_registry", "rehearse", args)
        assert not outcome.succeeded
    assert ledger.registry("is_active", LABORATORY)


def test_dry_run_reads_whatever_another_contract_answers(ledger: Ledger) -> None:
    """An upgrade of an address that is no proxy may revert with anything; it is cut to size."""

    def answer(data: bytes) -> dict[str, Any]:
        # Copies the data behind the code to memory and reverts with it.
        code = bytes.fromhex("60") + bytes([len(data)]) + bytes.fromhex("600b5f39")
        code += bytes.fromhex("60") + bytes([len(data)]) + bytes.fromhex("5ffd00")
        assert len(code) == 11
        ledger.state.put(NEXT_CODE, code=code + data, nonce=1, storage={})
        payload = encode_payload(DecisionKind.UPGRADE, [NEXT_CODE, NEXT_CODE])
        found: dict[str, Any] = ledger.registry("dry_run", int(DecisionKind.UPGRADE), payload)
        return found

    selector = bytes.fromhex("08c379a0")
    long_text = "x" * 80
    for data, reason in (
        (b"", ""),
        (b"\x01" * 40, ""),
        (selector + encode(["string"], ["strange: refusal"]), "strange: refusal"),
        (selector + encode(["string"], [long_text]), long_text[:64]),
    ):
        found = answer(data)
        assert not found["is_possible"]
        assert found["reason"] == reason
    with pytest.raises(CodecError, match="utf-8"):
        answer(selector + (32).to_bytes(32, "big") + b"\xff" * 40)


def test_second_half_of_the_code_is_nobodys_by_itself(ledger: Ledger) -> None:
    call = encode_call("agency_registry", "vote", [1, True])
    outcome = ledger.state.send(DECISIONS_IMPLEMENTATION, call, sender=bureau)
    assert outcome.reason == "key: unknown"
    founded = encode_call("agency_registry", "finish_founding")
    outcome = ledger.state.send(DECISIONS_IMPLEMENTATION, founded, sender=bureau)
    assert outcome.reason == "registry: already founded"


def test_registry_is_made_with_its_second_half_only(ledger: Ledger) -> None:
    code = load_artifact("agency_registry").creation_bytecode
    words = encode(["address", "bytes32", "address", "address"], [REGISTRY, bytes(32), KEY, POSTS])
    with pytest.raises(FoundingFailed, match="registry: no code there"):
        ledger.state.create(NEXT_CODE, code + words)


def test_unknown_call_of_the_registry_is_refused(ledger: Ledger) -> None:
    for data in (b"", b"\x01\x02\x03", b"\xff" * 4):
        assert not ledger.state.send(REGISTRY, data, sender=bureau).succeeded


def test_voters_are_told_apart_by_jurisdiction_while_a_decision_waits(ledger: Ledger) -> None:
    """The commission alone is Guangdong: its objection always ends the wait."""
    number = propose_profile(ledger)
    pass_proposal(ledger, number)
    ledger.vote(auditor, number)
    ledger.vote(commission, number, approve=False)
    assert get(ledger, number)["status"] == ProposalStatus.OPEN
    assert ledger.registry("vote_of", number, COMMISSION) == 2
