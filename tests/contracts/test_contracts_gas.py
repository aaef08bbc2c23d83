"""What every call costs, through the proxies; docs/contracts.md lists it."""

import re
from pathlib import Path

from tests.contracts.contract_harness import Ledger
from tests.contracts.gas_meter import Meter
from tests.contracts.governance_gas import measure_governance
from tests.contracts.law_gas import measure_law
from tests.contracts.record_gas import measure_records

DOCUMENT = Path(__file__).parents[2] / "docs" / "contracts.md"
ROW = re.compile(
    r"^\| (?P<call>[^|]*`[^|]+?) +\| +(?P<gas>[0-9,]+) +\| +(?P<ms>[0-9.]+) \|$", re.MULTILINE
)
LIMIT_PER_TRANSACTION = 3_000_000
LIMIT_PER_ATTESTATION = 150_000


def test_gas_is_as_documented_and_within_its_limits() -> None:
    meter = Meter()
    for measure in (measure_records, measure_law, measure_governance):
        meter.ledger = Ledger()
        measure(meter)
    documented = {
        row["call"]: int(row["gas"].replace(",", ""))
        for row in ROW.finditer(DOCUMENT.read_text(encoding="utf-8"))
    }
    assert documented == meter.gas, "put what `scripts/bench contracts --table` prints there"
    assert max(meter.gas.values()) < LIMIT_PER_TRANSACTION
    assert meter.gas["`attest`"] < LIMIT_PER_ATTESTATION


def test_meter_times_a_call_without_changing_the_ledger() -> None:
    timed, plain = Meter(repetitions=2), Meter()
    for meter in (timed, plain):
        measure_records(meter)
    assert timed.gas == plain.gas
    assert timed.ms.keys() == timed.gas.keys()
    assert not plain.ms
    assert all(elapsed > 0 for elapsed in timed.ms.values())
