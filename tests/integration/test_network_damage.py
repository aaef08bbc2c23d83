"""A real validator on a damaged, full or starved machine stops, says what to do, and never lies.

One validator alone, so that nothing but its own word keeps it from signing twice.
"""

import resource
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.genesis_spec import QbftSpec
from contracts.testkeys import get_address
from node.cli.devnet import DevnetOptions
from node.cli.devnet.processes import CONSOLE_FILE, find_pid, read_last_words
from node.storage.keys import SIGN_STATES
from node.storage.kv import WriteBatch
from node.storage.level import LevelStore
from node.validator.sign_files import FILE_NAMES, SignFiles
from node.validator.sign_store import FOLDER_NAME
from tests.integration.ledger_net import LedgerNet, wait_until

pytestmark = pytest.mark.processes


@dataclass
class Lone:
    """The only validator of its network, between its lives."""

    net: LedgerNet

    @property
    def data(self) -> Path:
        return self.net.node(1).data_dir

    def start(self, height: int = 1) -> int:
        """Start it, wait for a block and return its pid."""
        (self.net.node(1).folder / CONSOLE_FILE).unlink(missing_ok=True)
        self.net.launch(1)
        self.net.wait_height(height, [1])
        pid = find_pid(self.net.node(1))
        assert pid is not None
        return pid

    def run_to_its_end(self) -> str:
        """Start it when it must refuse to run, and return its last words."""
        (self.net.node(1).folder / CONSOLE_FILE).unlink(missing_ok=True)
        self.net.launch(1)
        return self.wait_end()

    def wait_end(self) -> str:
        wait_until(lambda: find_pid(self.net.node(1)) is None, "the node ends")
        return read_last_words(self.net.node(1))

    def go_on(self) -> None:
        """Start it sound again; it must make blocks above all that it signed before."""
        signed = max(self.read_places())
        self.start(signed[0] + 2)
        self.net.kill(1)
        assert min(self.read_places()) > signed

    def read_places(self) -> list[tuple[int, int, int]]:
        return [record.place for record in SignFiles(self.data / FOLDER_NAME).read()]


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lone]:
    rules = QbftSpec(block_period_ms=200, empty_block_period_s=0)
    net = LedgerNet.make(
        tmp_path_factory.mktemp("lone") / "net", DevnetOptions(agencies=1, qbft=rules)
    )
    try:
        lone = Lone(net=net)
        lone.start(height=10)
        net.kill(1)
        yield lone
    finally:
        net.stop()


def flip(path: Path, *places: int) -> Callable[[], None]:
    """Flip a bit at some places of a file; return what undoes it."""
    sound = path.read_bytes()
    damaged = bytearray(sound)
    for place in places:
        damaged[place] ^= 4
    path.write_bytes(damaged)

    def undo() -> None:
        path.write_bytes(sound)

    return undo


def flip_in_database(lone: Lone) -> Callable[[], None]:
    key = SIGN_STATES + get_address(1, "validator")

    def put(data: bytes) -> None:
        store = LevelStore(lone.data / "chain")
        store.write(WriteBatch(entries={key: data}), kind="test")
        store.close()

    store = LevelStore(lone.data / "chain")
    sound = store.get(key)
    store.close()
    assert sound is not None
    put(sound[:50] + bytes((sound[50] ^ 1,)) + sound[51:])
    return lambda: put(sound)


@pytest.mark.parametrize("copy", [*FILE_NAMES, "database"])
def test_node_with_a_damaged_copy_of_the_sign_state_refuses_to_run(lone: Lone, copy: str) -> None:
    path = lone.data / FOLDER_NAME / copy
    undo = flip_in_database(lone) if copy == "database" else flip(path, 70)
    words = lone.run_to_its_end()
    assert copy in words
    assert "atesta keys resume" in words
    undo()
    lone.go_on()


def test_node_with_a_flipped_bit_in_its_database_refuses_to_run(lone: Lone) -> None:
    before = lone.read_places()
    files = sorted((lone.data / "chain").glob("*.l[do][bg]"))
    largest = max(files, key=lambda file: file.stat().st_size)
    undo = flip(largest, *range(100, largest.stat().st_size, 512))
    words = lone.run_to_its_end()
    assert "move the folder away" in words
    assert "atesta keys resume" in words
    assert lone.read_places() == before, "it signed on a damaged store"
    undo()


@pytest.mark.parametrize(
    ("limit", "least", "step"),
    [
        (resource.RLIMIT_FSIZE, 20_000, "Free "),
        (resource.RLIMIT_NOFILE, 3, "LimitNOFILE"),
    ],
    ids=["disk full", "no handles"],
)
def test_node_that_cannot_write_stops_and_goes_on_later(
    lone: Lone, limit: int, least: int, step: str
) -> None:
    before = lone.read_places()
    pid = lone.start(height=max(before)[0] + 2)
    resource.prlimit(pid, limit, (least, least))
    words = lone.wait_end()
    assert step in words, words
    assert "bug" not in words
    assert min(lone.read_places()) > max(before)
    lone.go_on()
