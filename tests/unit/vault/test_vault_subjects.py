"""Matching records of persons, written by several processes of one vault at the same time."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.vault.materials import ReferenceTaken
from api.vault.subjects import Subject, SubjectConflict, Subjects
from tests.unit.vault.vault_kit import NOW_S, Kit, do

OTHER = bytes([9]) * 32
FIRST, SECOND = bytes([1]) * 32, bytes([2]) * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One vault, opened as two processes open it."""

    kits: tuple[Kit, Kit]

    @property
    def subjects(self) -> tuple[Subjects, Subjects]:
        return (Subjects(self.kits[0].materials), Subjects(self.kits[1].materials))

    def list_records(self, reference: str) -> tuple[Subject, ...]:
        return do(self.subjects[0].list_by_reference(OTHER, reference))


@pytest.fixture
def pair(kit: Kit, database_url: str, tmp_path: Path) -> Iterator[Pair]:
    second = Kit(url=database_url, folder=tmp_path)
    yield Pair(kits=(kit, second))
    second.close()


def test_first_contacts_of_two_processes_agree_on_one_handle(pair: Pair) -> None:
    async def take(reference: str) -> list[Subject]:
        return await asyncio.gather(
            *(one.take(OTHER, reference, now_s=NOW_S) for one in pair.subjects * 2)
        )

    for number in range(5):
        taken = do(take(f"file-{number}"))
        assert set(taken) == set(pair.list_records(f"file-{number}"))
        assert len(set(taken)) == 1


def test_second_first_contact_is_not_kept(pair: Pair) -> None:
    """Nothing of what was to be kept together is kept if another one was first."""
    here, there = pair.subjects
    _, losing = there.propose(OTHER, "file-1")
    subject = do(here.take(OTHER, "file-1", now_s=NOW_S))
    with pytest.raises(ReferenceTaken):
        do(pair.kits[1].materials.put((losing,), now_s=NOW_S))
    assert pair.list_records("file-1") == (subject,)
    # The one that is kept may be kept again, as after a crash.
    again, material = here.propose(OTHER, "file-2")
    for kit in pair.kits:
        do(kit.materials.put((material,), now_s=NOW_S))
    assert pair.list_records("file-2") == (again,)


def test_matches_that_meet_leave_one_meaning(pair: Pair) -> None:
    async def match(*matches: tuple[bytes, str]) -> list[Subject | BaseException]:
        return await asyncio.gather(
            *(
                one.match(handle, OTHER, reference, now_s=NOW_S)
                for one, (handle, reference) in zip(pair.subjects, matches, strict=True)
            ),
            return_exceptions=True,
        )

    for told in (
        do(match((FIRST, "file-1"), (FIRST, "file-2"))),
        do(match((SECOND, "file-3"), (bytes([3]) * 32, "file-3"))),
    ):
        assert sorted(type(one).__name__ for one in told) == ["Subject", SubjectConflict.__name__]
    assert len(pair.list_records("file-1") + pair.list_records("file-2")) == 1
    assert len(pair.list_records("file-3")) == 1


def test_all_handles_of_an_older_vaults_person_are_listed(lite: Kit) -> None:
    """Before first contacts were kept apart, two that met left a handle each."""
    subjects = Subjects(lite.materials)
    made = tuple(
        Subject(handle=handle, counterparty=OTHER, reference="file-1") for handle in (FIRST, SECOND)
    )
    do(subjects.assign(made, now_s=NOW_S))
    assert do(subjects.list_by_reference(OTHER, "file-1")) == made
    assert do(subjects.find_by_reference(OTHER, "file-1")) == made[0]
