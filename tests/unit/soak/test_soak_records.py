"""What a soak remembers, and the watcher's bounds."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

from node.cli.devnet.plan import LOG_FILE
from tests.soak.asking import Asker, NodeSilent
from tests.soak.chronicle import Chronicle, SeenBlock
from tests.soak.findings import Finding, Kind
from tests.soak.reading import count_log_errors
from tests.soak.records import Record, RecordBook
from tests.soak.report import Report
from tests.soak.watcher import Watcher

RECORD = Record(key="key", door="rpc", node=2, uid="uid", transaction="transaction")


def test_book_has_a_record_on_disk_once_it_is_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    with RecordBook(path) as book:
        book.begin("key")
        book.note_trouble("key", "no answer")
        assert book.open == {"key": "no answer"}
        assert path.read_text() == ""
        book.acknowledge(RECORD)
        assert [json.loads(line) for line in path.read_text().splitlines()] == [asdict(RECORD)]
        assert book.open == {}
        assert (book.count(), book.count("rpc"), book.count("rest")) == (1, 1, 0)


class OneAsker(Asker):
    """A node of a fixed height, or a dead one."""

    def __init__(self, height: int | None) -> None:
        self._height = height

    async def get_height(self) -> int:
        if self._height is None:
            raise NodeSilent("dead")
        return self._height


async def test_watcher_misses_a_new_block_where_one_node_stands_still() -> None:
    chronicle = Chronicle(findings=[])
    watcher = Watcher({1: OneAsker(5), 2: OneAsker(5)}, chronicle)
    chronicle.note_head(1, 6)
    chronicle.note_head(2, 5)
    assert await watcher.wait_new_block(start_bound_s=20, bound_s=0.2) is None
    waiting = asyncio.create_task(watcher.wait_new_block(start_bound_s=20, bound_s=20))
    await asyncio.sleep(0)
    chronicle.note_head(2, 6)
    assert await waiting is not None


async def test_watcher_misses_a_node_that_does_not_answer() -> None:
    chronicle = Chronicle(findings=[])
    watcher = Watcher({1: OneAsker(5), 2: OneAsker(None)}, chronicle)
    for node in (1, 2):
        chronicle.note_head(node, 6)
    assert await watcher.wait_new_block(start_bound_s=0.2, bound_s=20) is None


async def test_watcher_misses_a_transaction_that_one_node_has_not() -> None:
    chronicle = Chronicle(findings=[])
    watcher = Watcher({1: OneAsker(5), 2: OneAsker(5)}, chronicle)
    block = SeenBlock(height=1, block_hash="hash", transactions=("transaction",))
    chronicle.note_blocks(1, [block])
    assert not await watcher.wait_final({"transaction"}, 0.1)
    chronicle.note_blocks(2, [block])
    assert await watcher.wait_final({"transaction"}, 0.1)


def test_errors_in_logs_are_counted_and_cut_lines_forgiven(tmp_path: Path) -> None:
    lines = [
        '{"event":"block_final","level":"info"}',
        '{"event":"network task failed","level":"error"}',
        '{"event":"network task failed","level":"error"}',
        '{"event":"cut","level":"error"',
    ]
    (tmp_path / LOG_FILE).write_text("\n".join(lines), encoding="utf-8")
    assert count_log_errors([tmp_path]) == {"network task failed": 2}


def test_report_ends_with_the_count_of_findings() -> None:
    report = Report(seed=7, nodes=4, recoveries_s=[1.0, 2.0, 30.0], bound_s=60)
    assert report.format().splitlines()[-1] == "lost 0, forked 0, stuck 0"
    assert "2.0 s in the median, 30.0 s at the longest" in report.format()
    report.findings.extend([Finding(kind=Kind.STUCK, text="stands")] * 30)
    lines = report.format().splitlines()
    assert lines[-2:] == ["and 10 more findings, in report.txt", "lost 0, forked 0, stuck 30"]
    assert not report.is_good
