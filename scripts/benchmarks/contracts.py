"""The benchmark `contracts`: gas and time of every call of the ledger's contracts.

Each call runs through its proxy with arguments as long as real ones, on a ledger of its own in a
scratch state: py-evm as it is installed, no blocks, no disk. The gas is always the same and decides
the target: a node admits no transaction above the cap. The time is processor time, the shortest of
several repetitions, each of which is undone. `--table` prints the rows of docs/contracts.md.
"""

import argparse

from scripts.benchmarks.figures import Figure
from tests.contracts.contract_harness import Ledger
from tests.contracts.gas_meter import GAS_CAP, Meter
from tests.contracts.governance_gas import measure_governance
from tests.contracts.law_gas import measure_law
from tests.contracts.record_gas import measure_records

REPETITIONS = 7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only this benchmark takes."""
    parser.add_argument(
        "--table", action="store_true", help="print the rows of docs/contracts.md first"
    )


def run(arguments: argparse.Namespace) -> list[Figure]:
    """Run every call; its gas and its milliseconds, and the most of both."""
    meter = Meter(repetitions=REPETITIONS)
    for measure in (measure_records, measure_law, measure_governance):
        meter.ledger = Ledger()
        measure(meter)
    if arguments.table:
        for label, gas in meter.gas.items():
            print(f"| {label} | {gas:,} | {meter.ms[label]:.1f} |")
    figures = []
    for label, gas in meter.gas.items():
        name = label.replace("`", "")
        figures.append(
            Figure(name=f"{name}, gas", value=gas, unit="gas", target=GAS_CAP, is_upper_bound=True)
        )
        figures.append(Figure(name=f"{name}, time", value=meter.ms[label], unit="ms"))
    figures.append(Figure(name="longest call", value=max(meter.ms.values()), unit="ms"))
    return figures
