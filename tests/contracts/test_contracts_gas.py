"""What every call costs, through the proxies; docs/contracts.md lists it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.addresses import PROXIES
from contracts.loader import load_artifact
from tests.contracts.contract_harness import Ledger
from tests.contracts.dearest_gas import measure_dearest
from tests.contracts.gas_meter import GAS_CAP, Meter
from tests.contracts.governance_gas import measure_governance
from tests.contracts.law_gas import measure_law
from tests.contracts.record_gas import measure_records
from tests.contracts.small_gas import measure_small

DOCUMENT = Path(__file__).parents[2] / "docs" / "contracts.md"
ROW = re.compile(
    r"^\| (?P<call>[^|]*`[^|]+?) +\| +(?P<gas>[0-9,]+) +\| +(?P<ms>[0-9.]+) \|$", re.MULTILINE
)
DEAREST_ROW = re.compile(r"^\| `(?P<call>[a-z_.]+)` \| (?P<gas>[0-9,]+) \| [a-z]", re.MULTILINE)
LIMIT_PER_ATTESTATION = 150_000
DOCUMENTED_FROM = 1_000_000
"""The dearest form of a call is in the document from so much gas on."""

NOT_SENT = {
    "relay": "carries another call, and is measured with each of them",
    "act_late": "the same",
    "note_schema": "only `schemas` calls it, and is measured with it",
    "note_issuer": "the same",
    "reserve": "only `exchanges` calls it, and is measured with it",
    "use": "the same",
    "give_back": "the same",
    "note_onward": "the same",
    "change_post_keys": "only `posts` calls it, and is measured with it",
    "found": "only the founder, before the ledger begins",
    "finish_founding": "the same",
    "dry_run": "asked by eth_call",
    "dry_run_proposal": "the same",
    "rehearse": "the same",
}
"""Functions that no transaction of an agency calls by themselves, and why."""


@pytest.fixture(scope="module")
def meter() -> Meter:
    """Every call has run as it is listed, and carried: signed elsewhere, and late where it can."""
    meter = Meter()
    for measure in (measure_records, measure_law, measure_governance):
        meter.ledger = Ledger()
        measure(meter)
    return meter


def test_gas_is_as_documented_and_within_its_limits(meter: Meter) -> None:
    documented = {
        row["call"]: _read_number(row["gas"])
        for row in ROW.finditer(DOCUMENT.read_text(encoding="utf-8"))
    }
    assert documented == meter.gas, "put what `scripts/bench contracts --table` prints there"
    assert max(meter.gas.values()) < GAS_CAP
    assert meter.gas["`attest`"] < LIMIT_PER_ATTESTATION


def test_dearest_form_of_every_call_fits_into_a_transaction(meter: Meter) -> None:
    """Each run had the gas of one transaction and no more, so here it is only listed."""
    for measure in (measure_small, measure_dearest):
        measure(meter)
    assert {*_list_functions()} - meter.dearest.keys() == set()
    assert max(meter.dearest.values()) < GAS_CAP
    documented = {
        row["call"]: _read_number(row["gas"])
        for row in DEAREST_ROW.finditer(DOCUMENT.read_text(encoding="utf-8"))
    }
    # A signature with a zero byte more is a little cheaper, so the document rounds.
    dear = {name: round(gas, -3) for name, gas in meter.dearest.items() if gas >= DOCUMENTED_FROM}
    assert documented == dear


def test_meter_times_a_call_without_changing_the_ledger() -> None:
    timed, plain = Meter(repetitions=2), Meter()
    for meter in (timed, plain):
        measure_records(meter)
    assert timed.gas == plain.gas
    assert timed.ms.keys() == timed.gas.keys()
    assert not plain.ms
    assert all(elapsed > 0 for elapsed in timed.ms.values())


def _list_functions() -> Iterator[str]:
    """Every function that an agency's transaction may call."""
    for contract in PROXIES.values():
        for entry in load_artifact(contract).abi:
            if (
                entry["type"] == "function"
                and entry["stateMutability"] not in {"view", "pure"}
                and entry["name"] not in NOT_SENT
            ):
                yield f"{contract}.{entry['name']}"


def _read_number(text: str) -> int:
    return int(text.replace(",", ""))
