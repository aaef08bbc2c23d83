"""A running node's snapshot: the state of one moment, while blocks and pruning go on."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from api.errors import InvalidField, MethodNotEnabled, NotFound, UpstreamFault
from node.chain.genesis import load_genesis
from node.daemon.snapshot_desk import SnapshotDesk
from node.snapshot import exporter
from node.snapshot.exporter import export_snapshot
from node.storage.level import LevelStore
from scripts.benchmarks.ledger_chain import LedgerChain, load_committed_genesis

RETAINED = 2
VECTORS = Path(__file__).parents[2] / "vectors"


@dataclass
class RunningNode:
    """A pruned node's store and chain, with an archive that imports the same blocks."""

    store: LevelStore
    node: LedgerChain
    archive: LedgerChain
    archive_store: LevelStore
    desk: SnapshotDesk = field(init=False)
    pauses: list[int] = field(default_factory=list)
    breathe: Callable[[float], object] = lambda _seconds: None

    def pause(self, seconds: float) -> None:
        """Do what the test wants to happen in the middle of an export."""
        self.breathe(seconds)

    @property
    def height(self) -> int:
        return int(self.node.chain.head.number)

    def grow(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.archive.grow(list(self.archive.make_attestations(3)))
            block = self.archive.chain.get_block(int(self.archive.chain.head.number))
            assert block is not None
            self.node.chain.import_block(block)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningNode]:
    monkeypatch.setattr(exporter, "_PROGRESS_PARTS", 20)
    genesis = load_committed_genesis()
    store, archive_store = LevelStore(tmp_path / "chain"), LevelStore(tmp_path / "archive")
    node = LedgerChain(genesis, store, retain_blocks=RETAINED)
    archive = LedgerChain(genesis, archive_store)
    archive.prepare_schema()
    first = archive.chain.get_block(1)
    assert first is not None
    node.chain.import_block(first)
    running = RunningNode(store, node, archive, archive_store)
    running.desk = SnapshotDesk(store, node.chain, tmp_path / "snapshots", pause=running.pause)
    running.grow(4)
    yield running
    running.desk.close()
    store.close()
    archive_store.close()


def pause_with(running: RunningNode, at: int) -> None:
    """Let blocks come in the middle of the export, enough that its state is pruned."""

    def breathe(_seconds: float) -> None:
        running.pauses.append(int(running.node.chain.head.number))
        if len(running.pauses) == at:
            running.grow(RETAINED + 2)

    running.breathe = breathe


async def test_export_is_of_one_moment_while_blocks_and_pruning_go_on(
    running: RunningNode, tmp_path: Path
) -> None:
    pause_with(running, at=4)
    made = await running.desk.export(running.height)
    assert made["number"] == "0x5"
    assert len(running.pauses) > 6
    assert running.node.chain.floor > 5, "its state is gone from the node by now"
    whole = tmp_path / "whole.snapshot"
    expected = export_snapshot(running.archive_store, running.archive.chain, whole, height=5)
    assert Path(made["file"]).read_bytes() == whole.read_bytes()
    assert (made["hash"], made["seal"]) == (
        "0x" + expected.block_hash.hex(),
        "0x" + expected.seal.hex(),
    )


async def test_export_keeps_only_the_last_file(running: RunningNode, tmp_path: Path) -> None:
    first = Path((await running.desk.export(running.height))["file"])
    running.grow()
    second = Path((await running.desk.export(5))["file"])
    running.grow()
    third = Path((await running.desk.export(running.height))["file"])
    assert first == second != third
    assert list((tmp_path / "snapshots").iterdir()) == [third]


async def test_export_refuses_in_the_apis_words(running: RunningNode, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="not retained") as gone:
        await running.desk.export(1)
    assert gone.value.code == "state_missing"
    with pytest.raises(InvalidField):
        await running.desk.export(99)
    (tmp_path / "snapshots").rmdir()
    (tmp_path / "snapshots").write_text("in the way")
    with pytest.raises(UpstreamFault, match="cannot be written"):
        await running.desk.export(running.height)


async def test_export_is_refused_where_headers_name_the_validators(tmp_path: Path) -> None:
    store = LevelStore(tmp_path / "chain")
    ledger = LedgerChain(load_genesis(VECTORS / "genesis-headervote.json"), store)
    desk = SnapshotDesk(store, ledger.chain, tmp_path / "snapshots")
    with pytest.raises(MethodNotEnabled):
        await desk.export(1)
    store.close()


async def test_one_export_runs_at_a_time(running: RunningNode) -> None:
    refused: list[BaseException] = []

    def breathe(_seconds: float) -> None:
        if not refused:
            with pytest.raises(UpstreamFault, match="already") as caught:
                running.desk._write(running.height)
            refused.append(caught.value)

    running.breathe = breathe
    await running.desk.export(running.height)
    assert len(refused) == 1


async def test_node_that_stops_ends_the_export_first(running: RunningNode, tmp_path: Path) -> None:
    closing = threading.Thread(target=running.desk.close)

    def breathe(_seconds: float) -> None:
        if not closing.is_alive():
            closing.start()
            while not running.desk._is_closed:
                pass

    running.breathe = breathe
    with pytest.raises(UpstreamFault, match="stopping"):
        await running.desk.export(running.height)
    closing.join(timeout=60)
    assert not closing.is_alive()
    assert not list((tmp_path / "snapshots").iterdir()), "nothing half-made is left"
    with pytest.raises(UpstreamFault, match="stopping"):
        await running.desk.export(running.height)
