"""The course of a soak: calm, faults, healing, and again; then the verdict.

After each healing every node must answer within `START_BOUND_S`, which is the machine's affair, and
`RECOVERY_BOUND_S` after that there must be a new block at every node. This bound follows from the
rules: an outage of 20 s (the longest line fault, with what begins late) leaves a validator in a
round of up to 32 s, lines that swallowed bytes are noticed after 16 s and called again after 10 s
at the latest.
At the end the clerks get their last acknowledgements within the same bound, and once more as long
later all of it is final everywhere.
"""

import asyncio
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from atesta_client.errors import RestError

from tests.soak.asking import NodeRefused, NodeSilent
from tests.soak.chronicle import Chronicle
from tests.soak.faults import Episode, plan_episode
from tests.soak.findings import Finding, Kind
from tests.soak.injector import Injector
from tests.soak.judge import NodeReading, judge
from tests.soak.load import Load
from tests.soak.reading import count_log_errors, read_node
from tests.soak.records import RecordBook
from tests.soak.report import Report
from tests.soak.scene import Scene
from tests.soak.signatures import list_taps, read_signed_words
from tests.soak.watcher import Watcher

START_BOUND_S = 120.0
RECOVERY_BOUND_S = 60.0
READING_BOUND_S = 240.0
DIARY_FILE = "diary.txt"
GUARD_S = 0.5
MAX_RESCUES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run is asked to do."""

    seed: int
    seconds: float
    rate_per_s: float
    """Records that the clerks reach together while every node answers."""


class Course:
    """One run over an open scene."""

    def __init__(self, scene: Scene, plan: Plan, book: RecordBook, folder: Path) -> None:
        """Keep the diary in `folder`."""
        self.report = Report(
            seed=plan.seed, nodes=len(scene.nodes.numbers), bound_s=RECOVERY_BOUND_S
        )
        self.now = "begins"
        """What goes on, for the progress line."""
        self._scene = scene
        self._plan = plan
        self._book = book
        self._diary = folder / DIARY_FILE
        self._began_s = time.monotonic()
        self._findings = self.report.findings
        self._chronicle = Chronicle(findings=self._findings)
        self._watcher = Watcher(scene.desk.askers, self._chronicle)
        self._injector = Injector(scene.nodes, scene.linked.links)
        self._load = Load(
            scene.desk, book, self._findings, seed=plan.seed, rate_per_s=plan.rate_per_s
        )
        self._stop = asyncio.Event()

    @property
    def height(self) -> int:
        return self._chronicle.height

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began_s

    @property
    def is_stopped(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        """End the faults early; what follows them is done as always."""
        self._stop.set()

    async def run(self) -> Report:
        """Run to the verdict."""
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watcher.run())
            guarding = group.create_task(self._guard())
            loading = group.create_task(self._load.run())
            await self._go_through_episodes()
            self.report.seconds = self.elapsed_s
            self._injector.heal()
            await self._end_load(loading)
            await self._judge()
            watching.cancel()
            guarding.cancel()
        self._fill_report()
        return self.report

    async def _go_through_episodes(self) -> None:
        number = 0
        while self.elapsed_s < self._plan.seconds and not self._stop.is_set():
            episode = plan_episode(self._plan.seed, number, self._scene.nodes.numbers)
            self._note("calm")
            if await self._is_stopped_within(episode.calm_s):
                return
            self._note(episode.describe())
            await self._inject(episode)
            self._note("healed")
            recovery_s = await self._watcher.wait_new_block(
                start_bound_s=START_BOUND_S, bound_s=RECOVERY_BOUND_S
            )
            if recovery_s is None:
                self._find_stuck(
                    f"no new block at every node within {RECOVERY_BOUND_S:.0f} s after "
                    f"{episode.describe()}; heads {self._chronicle.heads}"
                )
                return
            self._note(f"a new block everywhere after {recovery_s:.1f} s")
            self.report.recoveries_s.append(recovery_s)
            number += 1

    async def _end_load(self, loading: "asyncio.Task[None]") -> None:
        self._note("the last records")
        self._load.finish()
        await asyncio.wait([loading], timeout=RECOVERY_BOUND_S)
        loading.cancel()  # what is open now stays open
        for key, trouble in self._book.open.items():
            self._find_stuck(f"{key} was not acknowledged in the end: {trouble}")
        self._note("waits until all is final")
        transactions = [record.transaction for record in self._book.records]
        if not await self._watcher.wait_final(transactions, RECOVERY_BOUND_S):
            missing = {
                node: len(set(transactions) - finals)
                for node, finals in self._chronicle.finals.items()
            }
            self._find_stuck(
                f"not all final {RECOVERY_BOUND_S:.0f} s after the end; missing by node: {missing}"
            )

    async def _judge(self) -> None:
        self._note("judges")
        records = self._book.records
        height = self._chronicle.height
        await self._watcher.wait_height(height, RECOVERY_BOUND_S)
        readings: list[NodeReading] = []
        for node in self._scene.nodes.numbers:
            reach = min(height, self._chronicle.heads.get(node, -1))
            try:
                async with (
                    asyncio.timeout(READING_BOUND_S),
                    self._scene.open_reader(node) as (asker, client),
                ):
                    reading = await read_node(node, asker, client, height=reach, records=records)
            except (TimeoutError, NodeSilent, NodeRefused, RestError) as error:
                self._find_stuck(f"node {node} cannot be read in the end: {error!r}")
            else:
                readings.append(reading)
        self._findings += judge(
            records, readings, self._chronicle, height=height, open_count=len(self._book.open)
        )
        await self._read_files()

    async def _read_files(self) -> None:
        """Look at what the nodes wrote down all the time."""
        self._note("looks for double signing")
        nodes = self._scene.nodes
        taps = [tap for folder in nodes.folders for tap in list_taps(folder)]
        words = await asyncio.to_thread(read_signed_words, taps)
        self.report.signatures = len(words.said)
        self._findings += words.findings
        self.report.log_errors = await asyncio.to_thread(count_log_errors, nodes.folders)

    def _fill_report(self) -> None:
        self.report.by_rpc = self._book.count("rpc")
        self.report.by_rest = self._book.count("rest")
        self.report.never_acknowledged = len(self._book.open)
        self.report.blocks = self._chronicle.height
        self.report.faults = self._injector.counts

    async def _guard(self) -> None:
        """Tell of nodes that end by themselves, and start them a few times as an operator would.

        Whatever is found by anybody goes into the diary at its time.
        """
        nodes, ends, told = self._scene.nodes, Counter[int](), 0
        while True:
            for finding in self._findings[told:]:
                self._write(f"FOUND {finding.kind}: {finding.text}")
            told = len(self._findings)
            await asyncio.sleep(GUARD_S)
            for node, words in nodes.collect_ended():
                self._find_stuck(f"node {node} ended by itself with {words}")
                ends[node] += 1
                if ends[node] <= MAX_RESCUES:
                    nodes.start(node)

    def _find_stuck(self, text: str) -> None:
        self._findings.append(Finding(kind=Kind.STUCK, text=text))

    def _note(self, text: str) -> None:
        self.now = text
        self._write(text)

    def _write(self, text: str) -> None:
        with self._diary.open("a", encoding="utf-8") as diary:
            diary.write(f"{self.elapsed_s:8.1f} height {self._chronicle.height:5} {text}\n")

    async def _is_stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return False
        return True

    async def _inject(self, episode: Episode) -> None:
        """Carry out an episode, or its beginning if the soak is stopped."""
        injecting = asyncio.create_task(self._injector.run(episode))
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait([injecting, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        injecting.cancel()
        with suppress(asyncio.CancelledError):
            await injecting
