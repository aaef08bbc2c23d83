"""The benchmark `network`: four validators on this machine, from JSON-RPC to a final block.

Real processes with their indexes on, as `atesta devnet` runs them. Transactions are signed
beforehand, so that the figures are the network's own. Three things are measured:

- throughput: attestations are submitted to all four nodes as fast as they are taken; transactions a
  second from the first submission to the last of them final;
- finality: ten attestations a second; the median time from sending the request to seeing the
  transaction in a final block of the node it was sent to;
- memory: the largest resident set of a node process over both.
"""

import argparse
import asyncio
import hashlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from eth_account import Account

from contracts.addresses import ATTESTATIONS, ATTESTATIONS_NAME, SCHEMAS, SCHEMAS_NAME
from contracts.codec import encode_call
from contracts.development import CHAIN_ID, list_development_agencies
from contracts.labels import encode_label
from contracts.testkeys import Purpose, get_private_key
from node.cli.devnet import (
    Devnet,
    DevnetNode,
    find_running,
    make_devnet,
    start_node,
    stop_nodes,
    wait_final,
)
from scripts.benchmarks.figures import Figure

AGENCIES = 4
ISSUERS = (1, 2, 3)
SCHEMA_OWNER = 2
SCHEMA = hashlib.sha256(b"benchmark schema").digest()
GAS = 300_000
NO_UID = bytes(32)

THROUGHPUT_COUNT = 3_000
STEADY_PER_S = 10
STEADY_S = 30
POLL_S = 0.05
GIVE_UP_S = 240.0
MEGABYTE = 1_000_000

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFigures:
    """What was measured."""

    transactions: int
    seconds: float
    """From the first submission to the last transaction final."""
    finality_median_s: float
    finality_p95_s: float
    memory_bytes: int
    """Largest resident set of a node."""

    @property
    def per_second(self) -> float:
        """Return transactions a second."""
        return self.transactions / self.seconds


def run(_arguments: argparse.Namespace) -> list[Figure]:
    """Measure and return the figures; what it is doing goes to standard error."""
    measured = measure(lambda step: print(f"network: {step}", file=sys.stderr))
    return [
        Figure(name="throughput", value=measured.per_second, unit="tx/s", target=100),
        Figure(
            name="finality median",
            value=measured.finality_median_s,
            unit="s",
            target=2,
            is_upper_bound=True,
        ),
        Figure(name="finality 95th percentile", value=measured.finality_p95_s, unit="s"),
        Figure(
            name="memory of a node",
            value=measured.memory_bytes / MEGABYTE,
            unit="MB",
            target=300,
            is_upper_bound=True,
        ),
        Figure(name="transactions", value=measured.transactions, unit="tx"),
    ]


def measure(progress: Progress = lambda _: None) -> NetworkFigures:
    """Run the whole benchmark; takes about two minutes. Leaves nothing running."""
    with tempfile.TemporaryDirectory(prefix="atesta-bench-") as folder:
        progress("making keys and genesis")
        devnet = make_devnet(Path(folder) / "net")
        try:
            for node in devnet.nodes:
                start_node(node)
            progress("waiting for final blocks")
            wait_final(devnet.nodes)
            return asyncio.run(_measure(devnet, progress))
        finally:
            stop_nodes(devnet.nodes)


@dataclass(slots=True)
class _Sender:
    """One account with its signed transactions, bound to one node."""

    number: int
    purpose: Purpose
    node: DevnetNode
    nonce: int = 0
    raws: list[str] = field(default_factory=list)

    def sign(self, to: bytes, data: bytes, gas: int = GAS) -> str:
        """Return the account's next transaction."""
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": CHAIN_ID,
            "nonce": self.nonce,
            "gas": gas,
            "maxFeePerGas": 0,
            "maxPriorityFeePerGas": 0,
            "to": to,
            "value": 0,
            "data": data,
        }
        self.nonce += 1
        signed = Account.sign_transaction(fields, get_private_key(self.number, self.purpose))
        return "0x" + bytes(signed.raw_transaction).hex()


class _Watcher:
    """Follows a node's final blocks and notes when each transaction appears."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self.final_at_s: dict[str, float] = {}

    async def run(self) -> None:
        """Poll until cancelled."""
        height = int(await _call(self._session, self._url, "eth_blockNumber"), 16)
        while True:
            head = int(await _call(self._session, self._url, "eth_blockNumber"), 16)
            while height < head:
                height += 1
                block = await _call(
                    self._session, self._url, "eth_getBlockByNumber", hex(height), False
                )
                now_s = time.monotonic()
                for transaction_hash in block["transactions"]:
                    self.final_at_s[transaction_hash] = now_s
            await asyncio.sleep(POLL_S)


async def _measure(devnet: Devnet, progress: Progress) -> NetworkFigures:
    purposes: tuple[Purpose, ...] = ("account", "clerk")
    accounts = [(number, purpose) for number in ISSUERS for purpose in purposes]
    senders = [
        _Sender(number=number, purpose=purpose, node=devnet.get_node(1 + place % AGENCIES))
        for place, (number, purpose) in enumerate(accounts)
    ]
    connector = aiohttp.TCPConnector(limit=256)
    async with aiohttp.ClientSession(connector=connector) as session:
        watchers = {node.url: _Watcher(session, node.url) for node in devnet.nodes}
        tasks = [asyncio.create_task(watcher.run()) for watcher in watchers.values()]
        memory = _MemoryPeak(devnet)
        tasks.append(asyncio.create_task(memory.run()))
        try:
            await _prepare_schema(session, senders, watchers)
            steady_count = STEADY_PER_S * STEADY_S
            progress(f"signing {THROUGHPUT_COUNT + steady_count} transactions")
            for sender, data in zip(
                _repeat(senders), _make_calls(THROUGHPUT_COUNT + steady_count), strict=False
            ):
                sender.raws.append(sender.sign(ATTESTATIONS, data))
            progress(f"{STEADY_PER_S} transactions a second for {STEADY_S} s")
            delays_s = await _run_steady(session, senders, watchers, steady_count)
            for task in tasks[1:AGENCIES]:  # one node is watched from here on
                task.cancel()
            progress(f"{THROUGHPUT_COUNT} transactions at once")
            seconds = await _run_flood(session, senders, watchers)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return NetworkFigures(
        transactions=THROUGHPUT_COUNT,
        seconds=seconds,
        finality_median_s=statistics.median(delays_s),
        finality_p95_s=statistics.quantiles(delays_s, n=20)[-1],
        memory_bytes=memory.peak_bytes,
    )


async def _run_steady(
    session: aiohttp.ClientSession,
    senders: list[_Sender],
    watchers: dict[str, _Watcher],
    count: int,
) -> list[float]:
    delays_s: list[float] = []

    async def follow(sender: _Sender, raw: str) -> None:
        started_s = time.monotonic()
        transaction_hash = await _send(session, sender, raw)
        watcher = watchers[sender.node.url]
        await _wait_final(watcher, {transaction_hash})
        delays_s.append(watcher.final_at_s[transaction_hash] - started_s)

    tasks = []
    begun_s = time.monotonic()
    for index in range(count):
        sender = senders[index % len(senders)]
        tasks.append(asyncio.create_task(follow(sender, sender.raws.pop(0))))
        pause_s = begun_s + (index + 1) / STEADY_PER_S - time.monotonic()
        await asyncio.sleep(max(0.0, pause_s))
    await asyncio.gather(*tasks)
    return delays_s


async def _run_flood(
    session: aiohttp.ClientSession, senders: list[_Sender], watchers: dict[str, _Watcher]
) -> float:
    started_s = time.monotonic()

    async def submit(sender: _Sender) -> set[str]:
        # In order and a few at a time, as a busy agency's own outbox would do it.
        hashes: set[str] = set()
        for start in range(0, len(sender.raws), 16):
            part = sender.raws[start : start + 16]
            hashes.update(await asyncio.gather(*(_send(session, sender, raw) for raw in part)))
        return hashes

    submitted = await asyncio.gather(*(submit(sender) for sender in senders))
    hashes = set[str]().union(*submitted)
    assert len(hashes) == THROUGHPUT_COUNT
    watcher = next(iter(watchers.values()))
    await _wait_final(watcher, hashes)
    return max(watcher.final_at_s[item] for item in hashes) - started_s


async def _prepare_schema(
    session: aiohttp.ClientSession, senders: list[_Sender], watchers: dict[str, _Watcher]
) -> None:
    owner = next(
        item for item in senders if (item.number, item.purpose) == (SCHEMA_OWNER, "account")
    )
    now = int(time.time()) - 5
    agencies = list_development_agencies(AGENCIES)
    register = [SCHEMA, hashlib.sha256(b"p").digest(), bytes(32), 8, now, NO_UID]
    calls = [encode_call(SCHEMAS_NAME, "register", register)]
    calls += [
        encode_call(SCHEMAS_NAME, "accredit", [SCHEMA, encode_label(agencies[n - 1].label), now])
        for n in ISSUERS
    ]
    raws = [owner.sign(SCHEMAS, call, 1_000_000) for call in calls]
    hashes = {await _send(session, owner, raw) for raw in raws}
    await _wait_final(watchers[owner.node.url], hashes)


async def _send(session: aiohttp.ClientSession, sender: _Sender, raw: str) -> str:
    return str(await _call(session, sender.node.url, "eth_sendRawTransaction", raw))


async def _call(session: aiohttp.ClientSession, url: str, method: str, *parameters: Any) -> Any:
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
    async with session.post(url, json=request) as response:
        answer = await response.json()
    if "error" in answer:
        raise RuntimeError(f"{method}: {answer['error']}")
    return answer["result"]


async def _wait_final(watcher: _Watcher, hashes: set[str]) -> None:
    end_s = time.monotonic() + GIVE_UP_S
    while not hashes <= watcher.final_at_s.keys():
        if time.monotonic() > end_s:
            missing = len(hashes - watcher.final_at_s.keys())
            raise TimeoutError(f"{missing} of {len(hashes)} transactions are not final")
        await asyncio.sleep(POLL_S / 2)


def _make_calls(count: int) -> Iterator[bytes]:
    now = int(time.time()) - 5
    for number in range(count):
        uid = hashlib.sha256(b"uid" + number.to_bytes(8, "big")).digest()
        commitment = hashlib.sha256(b"commitment" + uid).digest()
        arguments = [uid, SCHEMA, commitment, 1, 0, now, NO_UID]
        yield encode_call(ATTESTATIONS_NAME, "attest", arguments)


def _repeat(senders: list[_Sender]) -> Iterator[_Sender]:
    while True:
        yield from senders


class _MemoryPeak:
    """The largest resident set that any node process had."""

    def __init__(self, devnet: Devnet) -> None:
        self._pids = [process.pid for process in find_running(devnet.nodes)]
        self.peak_bytes = 0

    async def run(self) -> None:
        """Look once a second until cancelled."""
        page_bytes = os.sysconf("SC_PAGE_SIZE")
        while True:
            for pid in self._pids:
                self.peak_bytes = max(self.peak_bytes, _read_pages(pid) * page_bytes)
            await asyncio.sleep(1.0)


def _read_pages(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
