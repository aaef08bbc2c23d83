"""Every flipped byte and every cut in any of the three copies is found, and never signed over.

A full disk and missing file handles meet the same guard: what cannot be written is not sent, and
the next start goes on from what is on disk.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from consensus.errors import SigningRefused
from consensus.sign_state import SignRecord, Step, decode_record, encode_record
from consensus.types import Hash32, Round
from node.storage.level import LevelStore
from node.validator.errors import SignStateUnusable
from node.validator.sign_files import FILE_NAMES
from node.validator.sign_store import DurableSignState, create_sign_state
from tests.unit.validator.test_validator_sign_store import COPY_KEY, IDENTITY, Disk, sign_next

COPIES = (*FILE_NAMES, "database")


class Copy:
    """One of the three copies, whose bytes a test may replace."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._disk = disk
        self._name = name
        self.sound = encode_record(disk.state.record)
        assert self.read() == self.sound

    def read(self) -> bytes | None:
        if self._name == "database":
            return self._disk.database.get(COPY_KEY)
        return (self._disk.folder / self._name).read_bytes()

    def put(self, data: bytes) -> None:
        if self._name == "database":
            self._disk.put_copy(data)
        else:
            (self._disk.folder / self._name).write_bytes(data)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


@pytest.mark.parametrize("name", COPIES)
def test_every_flipped_byte_of_a_copy_is_found(disk: Disk, name: str) -> None:
    assert_each_is_refused(
        disk,
        name,
        lambda data: (
            data[:place] + bytes((data[place] ^ mask,)) + data[place + 1 :]
            for place in range(len(data))
            for mask in (1 << place % 8, 0xFF)
        ),
    )


@pytest.mark.parametrize("name", COPIES)
def test_every_cut_of_a_copy_is_found(disk: Disk, name: str) -> None:
    assert_each_is_refused(disk, name, lambda data: (data[:end] for end in range(len(data))))


@pytest.mark.parametrize("name", COPIES)
def test_every_lengthened_copy_is_found(disk: Disk, name: str) -> None:
    assert_each_is_refused(disk, name, lambda data: iter((data + b"\0", data + data, b"\0" + data)))


def assert_each_is_refused(disk: Disk, name: str, harm: Callable[[bytes], Iterator[bytes]]) -> None:
    copy = Copy(disk, name)
    count = 0
    for damaged in harm(copy.sound):
        copy.put(damaged)
        with pytest.raises(SignStateUnusable, match="atesta keys resume") as caught:
            disk.open().load()
        assert name in str(caught.value)
        count += 1
    assert count >= 3
    copy.put(copy.sound)
    assert disk.open().load().record == disk.state.record


def test_no_damage_makes_one_place_be_signed_twice(disk: Disk) -> None:
    """Even the operator's resume, after any one copy was lost, stays above what was signed."""
    signed = disk.state.record
    for name in COPIES:
        copy = Copy(disk, name)
        copy.put(b"")
        with pytest.raises(SignStateUnusable):
            disk.open().load()
        floor = disk.open().get_highest_known()
        assert floor == signed.height
        disk.state = disk.open().reset(floor)
        with pytest.raises(SigningRefused):
            disk.state.advance(
                height=signed.height,
                round_number=Round(0),
                step=Step.COMMIT,
                digest=Hash32(b"\x06" * 32),
                message=b"another word",
                prepared=None,
            )
        signed = disk.sign(disk.open())


SIGN = """
import os, resource, sys
from pathlib import Path
from node.storage.level import LevelStore
from node.validator.errors import SignStateNotWritten
from node.validator.sign_store import DurableSignState
from tests.unit.validator.test_validator_sign_store import IDENTITY, sign_next
folder = Path(sys.argv[1])
store = DurableSignState(folder / "sign_state", LevelStore(folder / "chain"), IDENTITY)
state = store.load()
for _ in range(3):
    store.persist(sign_next(state))
sent = state.record.number
if sys.argv[2] == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
else:
    taken = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
    try:
        while True:
            taken.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
try:
    store.persist(sign_next(state))
except SignStateNotWritten as fault:
    print(sent, fault)
"""


@pytest.mark.processes
@pytest.mark.parametrize(
    ("cause", "step"), [("full", "Free or repair the disk"), ("handles", "LimitNOFILE")]
)
def test_sign_state_that_cannot_be_written_says_what_to_do_and_goes_on_later(
    tmp_path: Path, cause: str, step: str
) -> None:
    create_sign_state(tmp_path / "sign_state", IDENTITY)
    result = subprocess.run(
        [sys.executable, "-c", SIGN, str(tmp_path), cause],
        check=True,
        capture_output=True,
        text=True,
        timeout=180,
        cwd=Path(__file__).parents[3],
    )
    sent, explanation = result.stdout.split(" ", 1)
    assert step in explanation
    assert "nothing was sent" in explanation
    database = LevelStore(tmp_path / "chain")
    state = DurableSignState(tmp_path / "sign_state", database, IDENTITY).load()
    database.close()
    assert state.record.number == int(sent), "only what was durable counts as signed"


def test_cut_database_log_is_found_by_the_sign_state(tmp_path: Path) -> None:
    """LevelDB takes a log that was cut for one that a crash ended; the files know better."""
    create_sign_state(tmp_path / "sign_state", IDENTITY)
    records = sign_in_real_store(tmp_path, 12)
    (log,) = (tmp_path / "chain").glob("*.log")
    content = log.read_bytes()
    outcomes = set()
    for end in range(0, len(content), 37):
        copy = shutil.copytree(tmp_path / "chain", tmp_path / f"cut{end}")
        (copy / log.name).write_bytes(content[:end])
        database = LevelStore(copy)
        try:
            state = DurableSignState(tmp_path / "sign_state", database, IDENTITY).load()
        except SignStateUnusable as fault:
            outcomes.add("refused" if "the database" in str(fault) else str(fault))
        else:
            assert state.record == records[-1], "an older record was believed"
            outcomes.add("one behind")
        finally:
            database.close()
            shutil.rmtree(copy)
    assert outcomes == {"refused", "one behind"}


def test_database_restored_from_a_backup_is_found_by_the_sign_state(tmp_path: Path) -> None:
    create_sign_state(tmp_path / "sign_state", IDENTITY)
    sign_in_real_store(tmp_path, 3)
    shutil.copytree(tmp_path / "chain", tmp_path / "backup")
    sign_in_real_store(tmp_path, 3)
    database = LevelStore(tmp_path / "backup")
    with pytest.raises(SignStateUnusable, match="has lost writes"):
        DurableSignState(tmp_path / "sign_state", database, IDENTITY).load()
    database.close()


def sign_in_real_store(folder: Path, count: int) -> list[SignRecord]:
    database = LevelStore(folder / "chain")
    store = DurableSignState(folder / "sign_state", database, IDENTITY)
    state = store.load()
    records = []
    for _ in range(count):
        records.append(sign_next(state))
        store.persist(records[-1])
    stored = database.get(COPY_KEY)
    assert stored is not None
    assert decode_record(stored) == records[-1]
    database.close()
    return records
