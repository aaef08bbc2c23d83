"""LevelDB with flipped bits, cut files and missing files: an earlier truth or a refusal, no lie."""

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.storage.errors import StoreDamaged
from node.storage.kv import WriteBatch
from node.storage.level import LevelStore

WRITES = 30
HEAD = b"mhead"
IGNORED = ("LOCK", "LOG", "LOG.old")


def make_value(number: int) -> bytes:
    return random.Random(number).randbytes(700)


def write(store: LevelStore, numbers: range) -> None:
    for number in numbers:
        batch = WriteBatch()
        batch.put(b"h%04d" % number, make_value(number))
        batch.put(HEAD, b"%d" % number)
        store.write(batch, kind="block")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with two tables and a log."""
    path = tmp_path_factory.mktemp("damage") / "sound"
    for numbers in (range(10), range(10, 20)):
        store = LevelStore(path)
        write(store, numbers)
        store.compact()
        store.close()
    store = LevelStore(path)
    write(store, range(20, WRITES))
    store.close()
    return path


def read_all(path: Path, heard: list[StoreDamaged]) -> tuple[int, list[int]]:
    """Return the head and the numbers that are there, each with its right value."""
    store = LevelStore(path, on_damage=heard.append)
    try:
        head = store.get(HEAD)
        present = []
        for number in range(WRITES):
            value = store.get(b"h%04d" % number)
            assert value in (None, make_value(number)), f"a wrong value at {number}"
            present += [number] if value else []
        assert [key for key, _ in store.iterate(b"h")] == [b"h%04d" % n for n in present]
        return (-1 if head is None else int(head)), present
    finally:
        store.close()


def test_store_without_damage_reads_back_whole(sound: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(sound, tmp_path / "copy")
    assert len(list(copy.glob("*.ldb"))) >= 1
    assert read_all(copy, []) == (WRITES - 1, list(range(WRITES)))


@settings(
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_damaged_store_is_refused_or_holds_an_earlier_truth(
    sound: Path, tmp_path: Path, data: st.DataObject
) -> None:
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(sound, copy)
    names = sorted(file.name for file in copy.iterdir() if file.name not in IGNORED)
    victim = copy / data.draw(st.sampled_from(names), label="file")
    content = bytearray(victim.read_bytes())
    place = data.draw(st.integers(0, max(0, len(content) - 1)), label="place")
    harm = data.draw(st.sampled_from(("flip", "cut", "remove")), label="harm")
    if harm == "remove":
        victim.unlink()
    elif harm == "cut":
        victim.write_bytes(content[:place])
    elif content:
        content[place] ^= 1 << data.draw(st.integers(0, 7), label="bit")
        victim.write_bytes(content)
    heard: list[StoreDamaged] = []
    try:
        head, present = read_all(copy, heard)
    except StoreDamaged as fault:
        refusal = str(fault)
    else:
        refusal = ""
    if refusal:
        assert "move the folder away" in refusal
        assert "atesta keys resume" in refusal
        return
    assert present == list(range(head + 1)), "a gap"
    assert heard == []


@pytest.mark.parametrize("harm", ["flip", "cut"])
def test_damage_found_by_a_read_is_told_to_whoever_runs_the_node(
    sound: Path, tmp_path: Path, harm: str
) -> None:
    copy = shutil.copytree(sound, tmp_path / "copy")
    for table in copy.glob("*.ldb"):
        content = bytearray(table.read_bytes())
        content[200] ^= 1
        table.write_bytes(content[:300] if harm == "cut" else content)
    heard: list[StoreDamaged] = []
    with pytest.raises(StoreDamaged):
        read_all(copy, heard)
    assert len(heard) == 1


def test_store_without_its_current_file_is_not_taken_for_a_new_one(
    sound: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(sound, tmp_path / "copy")
    (copy / "CURRENT").unlink()
    with pytest.raises(StoreDamaged, match="CURRENT is missing"):
        LevelStore(copy)


FILL = """
import random, resource, sys
from pathlib import Path
from node.storage.errors import StoreError
from node.storage.kv import WriteBatch
from node.storage.level import LevelStore
store = LevelStore(Path(sys.argv[1]))
resource.setrlimit(getattr(resource, sys.argv[2]), (int(sys.argv[3]), int(sys.argv[3])))
number = -1
try:
    for number in range(100_000):
        batch = WriteBatch()
        batch.put(b"h%06d" % number, random.randbytes(int(sys.argv[4])))
        store.write(batch, kind="block")
except StoreError as error:
    try:
        store.write(WriteBatch(entries={b"later": b""}), kind="block")
    except StoreError:
        print(number, type(error).__name__, error)
"""


@pytest.mark.processes
def test_full_disk_refuses_the_write_and_keeps_all_before_it(tmp_path: Path) -> None:
    path = tmp_path / "store"
    words = fill(path, "RLIMIT_FSIZE", 200_000, value_bytes=3_000)
    number, kind, explanation = words.split(" ", 2)
    assert kind == "StoreFull"
    assert "Free some space on the disk" in explanation
    store = LevelStore(path)
    keys = [key for key, _ in store.iterate(b"h")]
    store.close()
    assert keys == [b"h%06d" % n for n in range(int(number))]


@pytest.mark.processes
def test_store_that_cannot_open_its_files_says_which_limit_to_raise(tmp_path: Path) -> None:
    # The write buffer is full after 8 MiB; then a table has to be made, for which no handle is left
    words = fill(tmp_path / "store", "RLIMIT_NOFILE", 6, value_bytes=300_000)
    assert "LimitNOFILE" in words


def fill(path: Path, limit: str, value: int, *, value_bytes: int) -> str:
    result = subprocess.run(
        [sys.executable, "-c", FILL, str(path), limit, str(value), str(value_bytes)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.stdout, f"no write failed: {result.stderr}"
    return result.stdout
