"""The registry's bounds, reached by writing its counters, and a founding that is not complete."""

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_typing import Address
from eth_utils.crypto import keccak

from contracts.addresses import DECISIONS_IMPLEMENTATION, POSTS, REGISTRY
from contracts.codec import encode_call
from contracts.decisions import DecisionKind, encode_payload
from contracts.loader import load_artifact
from contracts.scratch import SYSTEM_SENDER, ScratchState
from tests.contracts.contract_harness import BUREAU, LABORATORY, Ledger, laboratory, uid_of

IMPLEMENTATION = Address(b"\x61" * 20)
KEY = Address(b"\x62" * 20)
ADMISSION = [uid_of(900), uid_of(901), uid_of(0), 3, KEY, uid_of(902)]


def get_slot(variable: str) -> int:
    module, name = variable.split(".")
    return int(load_artifact("agency_registry").storage_layout[module][name]["slot"])


def get_entry(variable: str, key: bytes) -> int:
    return int.from_bytes(keccak(get_slot(variable).to_bytes(32, "big") + key), "big")


@pytest.mark.parametrize(
    ("variable", "bound", "reason"),
    [
        ("agencies.admitted", 256, "agency: register full"),
        ("agencies.jurisdictions", 32, "agency: too many jurisdictions"),
    ],
)
def test_register_is_bounded(ledger: Ledger, variable: str, bound: int, reason: str) -> None:
    ledger.state.set_slot(REGISTRY, get_slot(variable), bound)
    assert ledger.decide_refused(DecisionKind.ADMIT_AGENCY, ADMISSION) == reason
    ledger.state.set_slot(REGISTRY, get_slot(variable), bound - 1)
    ledger.decide(DecisionKind.ADMIT_AGENCY, ADMISSION)


@pytest.mark.parametrize(
    ("variable", "bound", "function", "args", "reason"),
    [
        ("keys._agency_key_count", 256, "add_own_key", [KEY, 4, 0, 0], "key: too many"),
        ("pins._agency_pin_count", 128, "add_own_pin", [uid_of(7), 0, 0], "pin: too many"),
    ],
)
def test_one_agency_cannot_fill_the_register(  # noqa: PLR0917
    ledger: Ledger, variable: str, bound: int, function: str, args: list[Any], reason: str
) -> None:
    entry = get_entry(variable, LABORATORY)
    ledger.state.set_slot(REGISTRY, entry, bound)
    assert ledger.refuse(laboratory, "agency_registry", function, args) == reason
    ledger.state.set_slot(REGISTRY, entry, bound - 1)
    ledger.do(laboratory, "agency_registry", function, args)


def test_founding_is_not_finished_without_agencies_and_validators() -> None:
    """Run where the founders run it: in a registry that nobody has founded yet."""
    scratch = ScratchState(chain_id=1, timestamp=1)
    decisions = load_artifact("registry_decisions").creation_bytecode
    scratch.create(DECISIONS_IMPLEMENTATION, decisions + bytes(12) + SYSTEM_SENDER)
    registry = load_artifact("agency_registry").creation_bytecode
    words = ["address", "bytes32", "address", "address"]
    arguments = encode(words, [REGISTRY, uid_of(1), DECISIONS_IMPLEMENTATION, POSTS])
    scratch.create(IMPLEMENTATION, registry + arguments)
    proxy = load_artifact("upgradeable_proxy").creation_bytecode
    scratch.create(REGISTRY, proxy + bytes(12) + REGISTRY + bytes(12) + IMPLEMENTATION)

    def send(function: str, *args: Any) -> str | None:
        outcome = scratch.send(REGISTRY, encode_call("agency_registry", function, args))
        return None if outcome.succeeded else outcome.reason

    def found(kind: DecisionKind, args: list[Any]) -> str | None:
        return send("found", int(kind), encode_payload(kind, args))

    for call in ("finish_founding", "found"):
        data = encode_call("agency_registry", call, [99, b""] if call == "found" else [])
        assert (
            scratch.send(REGISTRY, data, sender=laboratory).reason
            == "registry: only for the founder"
        )
    assert send("finish_founding") == "registry: no agency"
    assert found(DecisionKind.ADMIT_AGENCY, [BUREAU, *ADMISSION[1:]]) is None
    assert send("finish_founding") == "validators: below the minimum"
    assert found(DecisionKind.ADD_VALIDATOR, [BUREAU, Address(b"\x63" * 20)]) is None
    assert found(DecisionKind.SET_VALIDATOR_MINIMUM, [2]) is None
    assert send("finish_founding") == "validators: below the minimum"
    assert found(DecisionKind.ADD_VALIDATOR, [BUREAU, Address(b"\x64" * 20)]) is None
    assert send("found", 99, b"") == "proposal: unknown kind"
    assert send("finish_founding") is None
    assert send("finish_founding") == "registry: already founded"
