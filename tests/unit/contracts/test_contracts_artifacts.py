"""What is committed was made from the sources: artifacts, genesis files, storage layout, codes."""

import json
import re
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

from contracts import codes, decisions, make
from contracts.addresses import (
    AGENCY_REGISTRY_NAME,
    ATTESTATIONS_NAME,
    DECISIONS_IMPLEMENTATION,
    DECISIONS_NAME,
    IMPLEMENTATION_SLOT,
    IMPLEMENTATIONS,
    PROXIES,
    PROXY_NAME,
    SCHEMAS_NAME,
    get_contract_name,
)
from contracts.compiler import (
    CONTRACT_NAMES,
    SOURCES_FOLDER,
    compile_contract,
    compute_source_hash,
)
from contracts.errors import ArtifactMissing
from contracts.loader import ARTIFACTS_FOLDER, list_artifacts, load_artifact

LAYOUT_SNAPSHOT = Path(__file__).parent / "storage_layout.json"
CONSTANT = re.compile(r"^([A-Z0-9_]+): constant\(uint\d+\) = ([^#\n]+)", re.MULTILINE)
EIP_170_LIMIT = 24_576


def test_artifacts_are_of_the_very_sources() -> None:
    """Quick: every artifact says from which sources it was made. See the long test for the rest."""
    stale = [
        name for name in CONTRACT_NAMES if load_artifact(name).source_hash != compute_source_hash()
    ]
    assert stale == [], "run scripts/make_genesis"
    assert set(list_artifacts()) == set(CONTRACT_NAMES)


QUICK = (PROXY_NAME, SCHEMAS_NAME, ATTESTATIONS_NAME)
"""Recompiled in every run; the others take the compiler over a minute, and follow with --long."""


@pytest.mark.parametrize(
    "name",
    [
        *QUICK,
        *(
            pytest.param(n, marks=pytest.mark.long)
            for n in (*PROXIES.values(), DECISIONS_NAME)
            if n not in QUICK
        ),
    ],
)
def test_artifact_is_what_the_compiler_makes(name: str) -> None:
    committed = (ARTIFACTS_FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert committed == compile_contract(name), "run scripts/make_genesis"


def test_genesis_files_are_made_from_the_artifacts() -> None:
    stale = [path.name for path, text in make.render_geneses().items() if path.read_text() != text]
    assert stale == [], "run scripts/make_genesis"


def test_artifact_that_is_missing_is_named() -> None:
    with pytest.raises(ArtifactMissing, match="no_such_contract"):
        load_artifact("no_such_contract")


@pytest.mark.parametrize("name", CONTRACT_NAMES)
def test_artifact_fits_into_one_account(name: str) -> None:
    assert len(load_artifact(name).creation_bytecode) < EIP_170_LIMIT
    assert load_artifact(name).compiler_version == "0.4.3"


def test_storage_layout_is_the_one_of_the_snapshot() -> None:
    """Storage outlives code: a variable that moves would read another's value after an upgrade.

    The snapshot may only grow at its end, into the reserved slots.
    """
    layout = {name: _flatten(load_artifact(name).storage_layout) for name in sorted(CONTRACT_NAMES)}
    assert layout == json.loads(LAYOUT_SNAPSHOT.read_text(encoding="utf-8"))


def test_both_halves_of_the_registry_have_one_storage() -> None:
    """One runs on the storage of the other, so a variable that differs would be another's."""
    halves = [load_artifact(name) for name in (AGENCY_REGISTRY_NAME, DECISIONS_NAME)]
    assert _flatten(halves[0].storage_layout) == _flatten(halves[1].storage_layout)


def test_registry_answers_all_that_its_interface_says() -> None:
    """Vyper compares a contract with its interface, but not one whose code is in two accounts."""
    source = (SOURCES_FOLDER / "interfaces" / "IAgencyRegistry.vyi").read_text(encoding="utf-8")
    declared = {
        (name, tuple(argument.split(":")[0] for argument in re.findall(r"\w+: ?\w+", arguments)))
        for name, arguments in re.findall(r"^def (\w+)\(([^)]*)\)", source, re.MULTILINE)
    }
    events = set(re.findall(r"^event (\w+):", source, re.MULTILINE))
    abi = load_artifact(AGENCY_REGISTRY_NAME).abi
    assert {
        (entry["name"], tuple(item["name"] for item in entry["inputs"]))
        for entry in abi
        if entry["type"] == "function"
    } == declared
    logged = {entry["name"] for entry in abi if entry["type"] == "event"}
    assert logged == events | {"Relayed"}
    names = [(entry["type"], entry.get("name")) for entry in abi]
    assert len(names) == len(set(names))


def test_documented_slots_are_where_the_documents_say() -> None:
    registry = _flatten(load_artifact("agency_registry").storage_layout)
    assert registry["validators.set_number"]["slot"] == 0
    assert registry["validators.validator_set_hash"]["slot"] == 1
    for name in ("schemas", "attestations"):
        layout = _flatten(load_artifact(name).storage_layout)
        assert layout["completeness.histories"]["slot"] == 0
        assert min(v["slot"] for k, v in layout.items() if "completeness" not in k) == 32
    for name in [*PROXIES.values()][3:]:
        layout = _flatten(load_artifact(name).storage_layout)
        assert layout["completeness.histories"]["slot"] == 0
        assert layout["acts.used_nonces"]["slot"] == 32
        others = [v["slot"] for k, v in layout.items() if not k.startswith(("comp", "acts"))]
        assert min(others) == 64
    proxy = _flatten(load_artifact("upgradeable_proxy").storage_layout)
    assert proxy == {"_implementation": {"slot": IMPLEMENTATION_SLOT, "n_slots": 1}}


def test_python_and_vyper_speak_of_the_same_codes() -> None:
    vyper = _read_constants("codes.vy")
    python: dict[str, int] = {role.name or "": role.value for role in codes.Role}
    python |= {f"AGENCY_{status.name}": status.value for status in codes.AgencyStatus}
    python |= {state.name: state.value for state in codes.RecordState}
    python |= {f"REASON_{reason.name}": reason.value for reason in codes.Reason}
    python["NO_REASON"] = python.pop("REASON_NONE")
    python["LAST_REASON"] = max(codes.Reason)
    python |= {f"KIND_{kind.name}": kind.value for kind in codes.RecordKind}
    python |= {alg.name: alg.value for alg in codes.CommitmentAlgorithm}
    python |= {sharing.name: sharing.value for sharing in codes.Sharing}
    python |= {level.name: level.value for level in codes.Sensitivity}
    python |= {f"{kind.name}_CONSENT": kind.value for kind in codes.ConsentKind}
    python["ALL_ROLES"] = codes.ALL_ROLES
    python["EVENT_TIME_TOLERANCE_S"] = codes.EVENT_TIME_TOLERANCE_S
    python["LAST_TIME"] = 2**48 - 1
    assert python == vyper


def test_python_and_vyper_speak_of_the_same_decisions() -> None:
    vyper = _read_constants("proposals.vy")
    kinds = {kind.name: kind.value for kind in decisions.DecisionKind}
    assert kinds.items() <= vyper.items()
    assert vyper["LAST_KIND"] == max(kinds.values()) == len(kinds)
    source = (SOURCES_FOLDER / "proposals.vy").read_text(encoding="utf-8")
    words = re.search(r"PAYLOAD_WORDS: .* = \[([0-9, ]+)\]", source)
    assert words is not None
    assert [int(word) for word in words[1].split(",")] == [
        len(decisions.PAYLOADS[kind]) for kind in decisions.DecisionKind
    ]
    statuses = {status.name: status.value for status in codes.ProposalStatus}
    votes = {vote.name: vote.value for vote in codes.Vote if vote}
    assert (statuses | votes).items() <= vyper.items()


@pytest.mark.parametrize(
    ("file_name", "enum"),
    [
        ("exchange_book.vy", codes.ExchangeState),
        ("periods.vy", codes.PeriodState),
        ("mandate_book.vy", codes.MandateKind),
    ],
)
def test_python_and_vyper_speak_of_the_same_states(file_name: str, enum: type[IntEnum]) -> None:
    vyper = _read_constants(file_name)
    assert {member.name: member.value for member in enum}.items() <= vyper.items()


def test_python_and_vyper_speak_of_the_same_entries_and_lateness() -> None:
    acts = _read_constants("acts.vy")
    assert {f"LATE_{reason.name}": reason.value for reason in codes.LateReason}.items() <= (
        acts.items()
    )
    withdrawals = _read_constants("withdrawals.vy")
    entries = {
        name: withdrawals["ANSWERS_FROM"] + withdrawals[name]
        for name in ("STOPPED", "DELETED", "RETAINED")
    }
    entries["BOUND_ONWARD"] = _read_constants("consent_book.vy")["BOUND_ONWARD"]
    assert entries == {entry.name: entry.value for entry in codes.ConsentEntry}


def test_addresses_are_distinct_and_named() -> None:
    every = [*PROXIES, *IMPLEMENTATIONS.values(), DECISIONS_IMPLEMENTATION]
    assert len({*every}) == 2 * len(PROXIES) + 1
    assert DECISIONS_IMPLEMENTATION.hex()[-6:] == "a7e5e1"
    assert all(len(address) == 20 for address in every)
    assert [address.hex()[-6:] for address in PROXIES] == [
        f"a7e5{number:02x}" for number in range(1, len(PROXIES) + 1)
    ]
    assert [address.hex()[-6:] for address in IMPLEMENTATIONS.values()] == [
        f"a7e5f{number:x}" for number in range(1, len(PROXIES) + 1)
    ]
    assert [get_contract_name(address) for address in PROXIES] == [*PROXIES.values()]
    assert get_contract_name(bytes(20)) is None


def test_every_refusal_of_the_sources_names_its_module() -> None:
    for path in SOURCES_FOLDER.glob("*.vy"):
        source = path.read_text(encoding="utf-8")
        reasons = re.findall(r'assert\b[^"]*?"([^"]*)"', source)
        assert all(re.fullmatch(r"[a-z]+: [a-z' ]+", reason) for reason in reasons), path.name
        # A reason of up to 32 bytes costs one word; all of them fit a line on a screen.
        assert all(len(reason) <= 48 for reason in reasons), path.name
        assert source.count("assert ") + source.count("assert(") == len(reasons), path.name


def _read_constants(file_name: str) -> dict[str, int]:
    source = (SOURCES_FOLDER / file_name).read_text(encoding="utf-8")
    found = {}
    for name, value in CONSTANT.findall(source):
        if re.fullmatch(r"[0-9*\- ]+", value.strip()):
            found[name] = int(eval(value, {"__builtins__": {}}))
    return found


def _flatten(layout: Any, prefix: str = "") -> dict[str, dict[str, int]]:
    flat: dict[str, dict[str, int]] = {}
    for name, entry in layout.items():
        if "slot" in entry:
            flat[prefix + name] = {"slot": entry["slot"], "n_slots": entry["n_slots"]}
        else:
            flat |= _flatten(entry, f"{prefix}{name}.")
    return flat
