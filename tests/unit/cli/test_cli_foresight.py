"""What the tools say of a decision before it is taken, asked of a registry in a scratch state."""

from typing import Any

import pytest
from eth_typing import Address

from contracts.decisions import DecisionKind, encode_payload
from contracts.labels import encode_label
from contracts.testkeys import get_address
from node.cli.dominance import warn_of_dominance
from node.cli.foresight import foresee, foresee_proposal, warn_now
from node.cli.governing import Registry
from node.errors import UserFault
from tests.contracts.contract_harness import AUDITOR, COMMISSION, LABORATORY, Ledger, bureau
from tests.contracts.timelock_harness import ORDINARY, URGENT, build_ledger, propose_profile

MACAO, GUANGDONG = encode_label("MO"), encode_label("CN-GD")


class ScratchRpc:
    """Answers `eth_call` as a node would."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def call(self, method: str, *params: Any) -> Any:
        assert method == "eth_call"
        to, data = (bytes.fromhex(params[0][name][2:]) for name in ("to", "data"))
        outcome = self.ledger.state.read(Address(to), data)
        assert outcome.succeeded, outcome.reason
        return "0x" + outcome.output.hex()


@pytest.fixture
def ledger() -> Ledger:
    return build_ledger()


@pytest.fixture
def registry(ledger: Ledger) -> Registry:
    return Registry(ScratchRpc(ledger))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("validators", "is_warned"),
    [
        ([], False),
        ([MACAO], True),
        ([MACAO, GUANGDONG], False),
        ([MACAO, MACAO, GUANGDONG], True),
        ([MACAO, MACAO, GUANGDONG, GUANGDONG], False),
        ([MACAO, MACAO, MACAO, GUANGDONG], True),
        ([MACAO] * 4 + [GUANGDONG] * 3, False),
        ([MACAO] * 5 + [GUANGDONG] * 2, True),
    ],
)
def test_warning_is_given_where_one_side_is_a_quorum(
    validators: list[bytes], is_warned: bool
) -> None:
    warning = warn_of_dominance(validators, {MACAO, GUANGDONG})
    assert (warning is not None) == is_warned
    assert warning is None or warning.startswith("MO has ")


def test_warning_needs_somebody_to_be_left_out() -> None:
    assert warn_of_dominance([MACAO] * 4, {MACAO}) is None


def test_present_validators_are_judged(registry: Registry) -> None:
    # Three of the development ledger's four are in Macao.
    assert warn_now(registry) == (
        "MO has 3 of 4 validators; 3 are a quorum, so it could make blocks final without the others"
    )


def test_foresight_of_a_decision_names_reason_and_time(ledger: Ledger, registry: Registry) -> None:
    payload = encode_payload(DecisionKind.SUSPEND_AGENCY, [LABORATORY])
    found = foresee(registry, DecisionKind.SUSPEND_AGENCY, payload)
    assert (found.is_possible, found.reason, found.is_passing) == (True, "", False)
    assert found.earliest == ledger.now + URGENT
    # Two of three are left to Macao, and two are a quorum of three.
    assert found.warning is not None
    assert found.warning.startswith("MO has 2 of 3")
    payload = encode_payload(DecisionKind.REINSTATE_AGENCY, [LABORATORY])
    refused = foresee(registry, DecisionKind.REINSTATE_AGENCY, payload)
    assert not refused.is_possible
    assert refused.reason.startswith("agency: not suspended (")
    assert refused.warning is None
    assert refused.list_lines()[0] == f"possible:  no: {refused.reason}"


@pytest.mark.parametrize(
    ("kind", "args", "is_warned"),
    [
        (DecisionKind.ADD_VALIDATOR, [COMMISSION, b"\x66" * 20], False),
        (DecisionKind.ADD_VALIDATOR, [AUDITOR, b"\x66" * 20], True),
        (DecisionKind.REMOVE_VALIDATOR, [get_address(3, "validator")], True),
        (DecisionKind.REMOVE_VALIDATOR, [get_address(1, "validator")], True),
        (DecisionKind.SET_VALIDATOR_MINIMUM, [2], False),
    ],
)
def test_foresight_looks_at_the_validators_after_the_decision(
    registry: Registry, kind: DecisionKind, args: list[Any], is_warned: bool
) -> None:
    found = foresee(registry, kind, encode_payload(kind, args))
    assert (found.warning is not None) == is_warned


def test_foresight_of_a_proposal(ledger: Ledger, registry: Registry) -> None:
    number = propose_profile(ledger)
    found = foresee_proposal(registry, number)
    assert found.is_possible
    assert not found.is_passing
    assert found.earliest == ledger.now + ORDINARY
    assert found.list_lines()[0].startswith("possible:  yes")
    ledger.do(bureau, "agency_registry", "withdraw_proposal", [number])
    assert foresee_proposal(registry, number).list_lines()[1] == "earliest:  never any more"
    with pytest.raises(UserFault):
        foresee_proposal(registry, 9)


def test_refusal_that_is_no_text_is_said_so(ledger: Ledger, registry: Registry) -> None:
    strange = Address(b"\x77" * 20)
    # Reverts with Error(string) whose text is one byte that is no UTF-8.
    data = bytes.fromhex("08c379a0") + (32).to_bytes(32, "big") + (1).to_bytes(32, "big") + b"\xff"
    code = b"\x60" + bytes([len(data)]) + bytes.fromhex("600b5f39")
    code += b"\x60" + bytes([len(data)]) + bytes.fromhex("5ffd00") + data
    ledger.state.put(strange, code=code, nonce=1, storage={})
    payload = encode_payload(DecisionKind.UPGRADE, [strange, strange])
    found = foresee(registry, DecisionKind.UPGRADE, payload)
    assert (found.is_possible, found.reason) == (False, "the contract gives no readable reason")
