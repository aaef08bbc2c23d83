"""Three copies on disk: what a crash may leave, and what only damage leaves."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from consensus.sign_state import (
    SignIdentity,
    SignRecord,
    SignState,
    Step,
    decode_record,
    encode_record,
)
from consensus.types import Address, Hash32, Height, Round
from node.storage.crashpoints import CrashMoment, CrashPlan, CrashPoints
from node.storage.keys import SIGN_STATES
from node.storage.kv import WriteBatch
from node.storage.memory import MemoryStore
from node.validator.errors import SignStateExists, SignStateForeign, SignStateUnusable
from node.validator.resume import (
    compute_resume_floor,
    finish_resume,
    is_resume_requested,
    request_resume,
)
from node.validator.sign_files import FILE_NAMES
from node.validator.sign_store import (
    DurableSignState,
    create_sign_state,
    find_sign_folder,
)

IDENTITY = SignIdentity(
    chain_id=7, genesis_hash=Hash32(b"\x07" * 32), validator=Address(b"\x01" * 20)
)
COPY_KEY = SIGN_STATES + IDENTITY.validator


class Died(BaseException):
    """Stands for SIGKILL."""


class Disk:
    """A sign-state folder and a database, with a few records written."""

    def __init__(self, folder: Path, records: int = 3) -> None:
        self.folder = folder / "sign_state"
        self.database = MemoryStore()
        create_sign_state(self.folder, IDENTITY)
        self.state = self.open().load()
        for _ in range(records):
            self.sign(self.open())

    def open(self, plan: CrashPlan | None = None) -> DurableSignState:
        def die() -> None:
            raise Died

        points = CrashPoints(plan, die=die)
        return DurableSignState(self.folder, self.database, IDENTITY, crash_points=points)

    def sign(self, store: DurableSignState) -> SignRecord:
        record = sign_next(self.state)
        store.persist(record)
        return record

    def path(self, index: int) -> Path:
        return self.folder / FILE_NAMES[index]

    def read(self, index: int) -> SignRecord:
        return decode_record(self.path(index).read_bytes())

    def put_copy(self, data: bytes) -> None:
        batch = WriteBatch()
        batch.put(COPY_KEY, data)
        self.database.write(batch, kind="test")


def sign_next(state: SignState) -> SignRecord:
    return state.advance(
        height=Height(state.record.height + 1),
        round_number=Round(0),
        step=Step.PREPARE,
        digest=Hash32(b"\x05" * 32),
        message=b"signed at %d" % (state.record.height + 1),
        prepared=None,
    )


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


def test_sign_store_loads_what_was_persisted(disk: Disk) -> None:
    assert disk.open().load().record == disk.state.record
    assert disk.read(0) == disk.read(1) == disk.state.record
    assert disk.database.get(COPY_KEY) == encode_record(disk.state.record)


def test_sign_store_of_a_new_key_starts_at_height_one(tmp_path: Path) -> None:
    disk = Disk(tmp_path, records=0)
    assert sign_next(disk.open().load()).height == 1


def test_sign_store_is_never_created_over_another(disk: Disk) -> None:
    with pytest.raises(SignStateExists):
        create_sign_state(disk.folder, IDENTITY)


def test_sign_store_of_a_later_key_leaves_the_older_one_alone(disk: Disk) -> None:
    later = replace(IDENTITY, validator=Address(b"\x02" * 20))
    create_sign_state(disk.folder, later)
    assert find_sign_folder(disk.folder, IDENTITY.validator) == disk.folder
    folder = find_sign_folder(disk.folder, later.validator)
    assert folder.parent == disk.folder
    begun = DurableSignState(folder, disk.database, later).load()
    assert begun.record.identity == later
    assert sign_next(begun).height == 1
    assert disk.open().load().record == disk.state.record, "the old key knows what it signed"
    with pytest.raises(SignStateExists):
        create_sign_state(disk.folder, later)


def test_sign_store_of_a_later_key_is_not_made_beside_what_cannot_be_read(disk: Disk) -> None:
    for index in range(2):
        disk.path(index).write_bytes(b"torn")
    with pytest.raises(SignStateExists):
        create_sign_state(disk.folder, replace(IDENTITY, validator=Address(b"\x02" * 20)))


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("moment", CrashMoment)
def test_sign_store_survives_a_crash_around_either_file(
    disk: Disk, number: int, moment: CrashMoment
) -> None:
    before = disk.state.record
    with pytest.raises(Died):
        disk.sign(disk.open(CrashPlan(number=number, kind="sign_state", moment=moment)))
    recovered = disk.open().load().record
    assert recovered in (before, disk.state.record)
    is_first_written = number == 2 or moment is CrashMoment.AFTER
    assert (recovered == disk.state.record) == is_first_written
    assert disk.read(0) == disk.read(1) == recovered
    assert disk.open().load().record == recovered


def test_sign_store_survives_a_crash_before_the_database_copy(disk: Disk) -> None:
    older = disk.database.get(COPY_KEY)
    assert older is not None
    record = disk.sign(disk.open())
    disk.put_copy(older)
    assert disk.open().load().record == record


def remove(path: Path) -> None:
    path.unlink()


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("damage", [remove, flip_a_bit, cut, empty])
def test_sign_store_refuses_when_a_file_is_damaged(
    disk: Disk, index: int, damage: Callable[[Path], None]
) -> None:
    damage(disk.path(index))
    with pytest.raises(SignStateUnusable) as caught:
        disk.open().load()
    assert FILE_NAMES[index] in str(caught.value)
    assert "atesta keys resume" in str(caught.value)


@pytest.mark.parametrize("damage", ["missing", "flipped", "cut", "old"])
def test_sign_store_refuses_when_the_database_copy_is_damaged(disk: Disk, damage: str) -> None:
    copy = bytearray(disk.database.get(COPY_KEY) or b"")
    if damage == "missing":
        batch = WriteBatch()
        batch.delete(COPY_KEY)
        disk.database.write(batch, kind="test")
    elif damage == "flipped":
        copy[40] ^= 1
        disk.put_copy(bytes(copy))
    elif damage == "cut":
        disk.put_copy(bytes(copy[:50]))
    else:
        disk.sign(disk.open())
        disk.sign(disk.open())
        disk.put_copy(bytes(copy))
    with pytest.raises(SignStateUnusable, match="database"):
        disk.open().load()


def test_sign_store_refuses_files_restored_from_a_backup(disk: Disk) -> None:
    backup = [disk.path(index).read_bytes() for index in (0, 1)]
    disk.sign(disk.open())
    for index in (0, 1):
        disk.path(index).write_bytes(backup[index])
    with pytest.raises(SignStateUnusable, match="behind the database"):
        disk.open().load()


def test_sign_store_refuses_one_file_restored_from_a_backup(disk: Disk) -> None:
    older = disk.path(0).read_bytes()
    disk.sign(disk.open())
    disk.path(0).write_bytes(older)
    with pytest.raises(SignStateUnusable, match="no crash leaves them so"):
        disk.open().load()


@pytest.mark.parametrize(
    "other",
    [
        SignIdentity(chain_id=8, genesis_hash=IDENTITY.genesis_hash, validator=IDENTITY.validator),
        SignIdentity(chain_id=7, genesis_hash=Hash32(bytes(32)), validator=IDENTITY.validator),
        SignIdentity(chain_id=7, genesis_hash=IDENTITY.genesis_hash, validator=Address(bytes(20))),
    ],
)
def test_sign_store_refuses_another_key_or_chain(disk: Disk, other: SignIdentity) -> None:
    with pytest.raises(SignStateForeign):
        DurableSignState(disk.folder, disk.database, other).load()


@pytest.mark.parametrize("kept", ["both files", "one file", "database", "nothing"])
def test_sign_store_reset_refuses_all_that_may_have_been_signed(disk: Disk, kept: str) -> None:
    if kept != "both files":
        disk.path(0).unlink()
    if kept in ("database", "nothing"):
        disk.path(1).unlink()
    if kept in ("both files", "one file", "nothing"):
        disk.database = MemoryStore()
    known = disk.open().get_highest_known()
    assert known == (None if kept == "nothing" else disk.state.record.height)
    disk.open().reset(Height(40))
    state = disk.open().load()
    assert state.record.is_floor
    assert sign_next(state).height == 41


V = [Address(bytes([n]) * 20) for n in range(1, 7)]


def floor(
    count: int, reports: dict[int, int], *, head: int = 0, known: int | None = None
) -> int | None:
    return compute_resume_floor(
        own=V[0],
        own_head=Height(head),
        highest_known=None if known is None else Height(known),
        validators=V[:count],
        reports={V[index]: Height(height) for index, height in reports.items()},
    )


def test_resume_waits_for_a_quorum_of_the_other_validators() -> None:
    assert floor(4, {}, head=9) is None
    assert floor(4, {1: 9, 2: 9}, head=9) is None
    assert floor(4, {1: 9, 2: 7, 3: 8}, head=9) == 11
    assert floor(3, {1: 9}, head=9) is None
    assert floor(3, {1: 9, 2: 8}, head=9) == 11


def test_resume_of_a_lone_validator_tells_an_empty_disk_from_a_first_record_that_tore() -> None:
    assert floor(1, {}, head=0, known=None) is None
    assert floor(1, {}, head=0, known=0) == 0
    assert floor(1, {3: 4}, head=0, known=0) is None


def test_resume_waits_until_it_has_the_blocks_of_the_others() -> None:
    assert floor(4, {1: 9, 2: 9, 3: 10}, head=9) is None
    assert floor(4, {1: 9, 2: 9, 3: 10}, head=10) == 12


def test_resume_is_not_silenced_by_one_absurd_claim() -> None:
    assert floor(6, {1: 9, 2: 9, 3: 9, 4: 9, 5: 10**15}, head=9) == 11


def test_resume_goes_above_everything_that_is_known() -> None:
    assert floor(4, {1: 9, 2: 9, 3: 9}, head=9, known=30) == 30


def test_resume_does_not_count_itself_or_strangers() -> None:
    assert floor(4, {0: 9, 1: 9, 2: 9}, head=9) is None


def test_resume_of_one_or_two_validators_does_not_wait_for_ever() -> None:
    assert floor(1, {}, head=5) == 5
    assert floor(2, {}, head=5) is None
    assert floor(2, {1: 6}, head=5) is None
    assert floor(2, {1: 6}, head=6) == 6


def test_resume_of_a_lone_validator_never_begins_the_ledger_anew() -> None:
    assert floor(1, {}, head=0) is None, "its blocks are lost; an observer may have them"
    assert floor(1, {3: 9}, head=5) is None, "an observer has later ones"
    assert floor(1, {3: 9}, head=9) == 9
    assert floor(1, {3: 9}, head=9, known=12) is None, "it had signed above block 11"
    assert floor(1, {3: 11}, head=11, known=12) == 11


def test_resume_where_others_cannot_go_on_never_forbids_the_next_height() -> None:
    assert floor(1, {}, head=9, known=10) == 9
    assert floor(1, {}, head=0, known=1) == 0
    assert floor(2, {1: 9}, head=9, known=10) == 9
    assert floor(2, {1: 9}, head=9, known=11) is None
    assert floor(3, {1: 9, 2: 9}, head=9, known=10) == 11


@pytest.mark.parametrize("damaged", [0, 1])
def test_sign_store_reset_below_what_can_be_read_goes_on_from_it(disk: Disk, damaged: int) -> None:
    last = disk.state.record
    disk.path(damaged).write_bytes(b"torn")
    state = disk.open().reset(Height(last.height - 1))
    assert state.record == replace(last, number=last.number + 1)
    assert disk.open().load().record == state.record


def test_resume_request_lasts_until_it_is_finished(tmp_path: Path) -> None:
    assert not is_resume_requested(tmp_path)
    request_resume(tmp_path)
    assert is_resume_requested(tmp_path)
    finish_resume(tmp_path)
    assert not is_resume_requested(tmp_path)
