"""The benchmark `imports`: 10,000 entities with a mandate each, imported into a real node.

One agency, one `atesta` process as `atesta devnet` runs it, with the real contracts. The file has
one line for each entity: an office of an association that the ledger does not know yet, which is
the dearest kind. Two things are measured:

- the rate from handing the file in until all lines are final;
- what a kill costs: in the middle of it the process is killed (SIGKILL) and started again; the time
  until the first line more is final, with everything told before still there.

At the end the ledger's own count must be the number of lines: nothing is missing, nothing is there
twice.
"""

import argparse
import json
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from atesta_client import requests
from atesta_client.answers import Import
from atesta_client.rest import Client
from web3 import HTTPProvider, Web3

from contracts.addresses import MANDATES, MANDATES_NAME
from contracts.codec import decode_output, encode_call
from contracts.development import list_development_agencies
from contracts.labels import encode_label
from node.cli.devnet import (
    DevnetNode,
    DevnetOptions,
    make_devnet,
    start_node,
    stop_nodes,
    wait_final,
)
from node.cli.devnet.processes import find_pid
from scripts.benchmarks.figures import Figure

LINES: Final = 10_000
POLL_S: Final = 0.5
GIVE_UP_S: Final = 3_600.0
LEAST_PER_S: Final = 10.0
ACT_LIST: Final = {
    "title": "Acts of associations",
    "acts": [{"code": "sign-contract", "title": "Sign contracts"}],
}

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFigures:
    """What was measured."""

    lines: int
    accepted_s: float
    """From handing the file in to the 202, after which nothing is lost."""
    seconds: float
    """From handing the file in until all lines are final, the kill included."""
    resumed_s: float
    """From the kill until a line more is final than before it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only this benchmark takes."""
    parser.add_argument("--lines", type=int, default=LINES, help="entities in the file")


def run(arguments: argparse.Namespace) -> list[Figure]:
    """Measure and return the figures; what it is doing goes to standard error."""
    measured = measure(arguments.lines, lambda step: print(f"imports: {step}", file=sys.stderr))
    rate = measured.lines / measured.seconds
    return [
        Figure(name="entities", value=measured.lines, unit="lines"),
        Figure(name="file accepted after", value=measured.accepted_s, unit="s"),
        Figure(name="all final after", value=measured.seconds, unit="s"),
        Figure(name="rate, the kill included", value=rate, unit="lines/s", target=LEAST_PER_S),
        Figure(name="first line after a kill", value=measured.resumed_s, unit="s"),
    ]


def measure(lines: int, progress: Progress = lambda _: None) -> ImportFigures:
    """Run the whole benchmark; leaves nothing running."""
    with tempfile.TemporaryDirectory(prefix="atesta-bench-") as folder:
        progress("making keys and genesis")
        devnet = make_devnet(Path(folder) / "net", DevnetOptions(agencies=1))
        (node,) = devnet.nodes
        try:
            start_node(node)
            progress("waiting for final blocks")
            wait_final(devnet.nodes)
            with Client(node.url) as client:
                figures = _measure(client, node, lines, progress)
            count = _count_mandates(node)
            if count != lines:
                raise RuntimeError(f"the ledger counts {count:,} mandates, not {lines:,}")
            return figures
        finally:
            stop_nodes(devnet.nodes)


def _measure(client: Client, node: DevnetNode, lines: int, progress: Progress) -> ImportFigures:
    act_list = client.send(requests.put_text(kind="act_list", body=ACT_LIST)).hash
    data = "".join(json.dumps(_build_line(n, act_list)) + "\n" for n in range(lines)).encode()
    begun = time.monotonic()
    told = client.send(requests.create_import(data))
    accepted_s = time.monotonic() - begun
    progress(f"{told.lines:,} lines are on disk after {accepted_s:.1f} s")
    told = _wait(client, told.id, lines * 2 // 5, progress)
    killed = time.monotonic()
    pid = find_pid(node)
    assert pid is not None, "the node runs"
    os.kill(pid, signal.SIGKILL)
    progress(f"killed at {told.done:,} lines")
    while find_pid(node) is not None:
        time.sleep(0.05)
    start_node(node)
    _wait(client, told.id, told.done + 1, progress)
    resumed_s = time.monotonic() - killed
    told = _wait(client, told.id, lines, progress)
    seconds = time.monotonic() - begun
    if (told.done, told.rejected) != (lines, 0):
        raise RuntimeError(f"{told.rejected} lines were rejected")
    return ImportFigures(lines=lines, accepted_s=accepted_s, seconds=seconds, resumed_s=resumed_s)


def _build_line(number: int, act_list: str) -> dict[str, Any]:
    return {
        "uid": "0x" + secrets.token_hex(32),
        "kind": "office",
        "body": {"register_name": "mo-associations", "number": f"{number:05}"},
        "grantee": {"name": f"Example Person {number:05}"},
        "act_list": act_list,
        "acts": ["sign-contract"],
        "valid_from": "2026-01-01T00:00:00Z",
    }


def _wait(client: Client, import_id: str, lines: int, progress: Progress) -> Import:
    """Wait until so many lines are settled."""
    end, shown = time.monotonic() + GIVE_UP_S, 0
    while True:
        told = client.send(requests.get_import(import_id))
        settled = told.done + told.rejected
        if settled >= lines:
            return told
        if time.monotonic() > end:
            raise TimeoutError(f"{settled:,} of {told.lines:,} lines are settled")
        if settled >= shown + 1_000:
            shown = settled
            progress(f"{settled:,} lines are final")
        time.sleep(POLL_S)


def _count_mandates(node: DevnetNode) -> int:
    """Return what the ledger itself counts for the one agency."""
    agency = encode_label(list_development_agencies(1)[0].label)
    call = encode_call(MANDATES_NAME, "count", [agency])
    answer = Web3(HTTPProvider(node.url)).eth.call(
        {"to": Web3.to_checksum_address(MANDATES), "data": Web3.to_hex(call)}
    )
    return int(decode_output(MANDATES_NAME, "count", bytes(answer)))
