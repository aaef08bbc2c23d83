"""Disks that hold the vault's keys: away at a start, away while it runs, back, and new."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.vault.erasure_journal import Destroyed, encode_entry
from api.vault.key_folder import KeyFolder, KeyFolderFault, PlaceAway
from api.vault.key_places import add_place
from tests.unit.vault.vault_kit import Kit


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Where the second disk is mounted."""
    return tmp_path / "mnt"


@pytest.fixture
def kit(tmp_path: Path, disk: Path) -> Iterator[Kit]:
    made = Kit(url=f"sqlite:///{tmp_path}/vault.sqlite", folder=tmp_path, mirrors=(disk / "keys",))
    yield made
    made.close()


def unmount(disk: Path, *, mirror: bool = False) -> None:
    """Leave the empty mount point, or one with the empty folder of the keys in it."""
    disk.rename(disk.with_name("disk"))
    (disk / "keys" if mirror else disk).mkdir(parents=True)


def mount(disk: Path) -> None:
    """Cover what was written under the mount point."""
    disk.rename(disk.with_name("under"))
    disk.with_name("disk").rename(disk)


def list_names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()} - {"lock"}


@pytest.mark.parametrize("mirror", [True, False])
def test_disk_that_is_away_at_the_start_gets_no_keys_under_its_mount_point(
    kit: Kit, disk: Path, *, mirror: bool
) -> None:
    made = [kit.put(number) for number in range(2)]
    kit.close()
    unmount(disk, mirror=mirror)
    with pytest.raises(PlaceAway, match="missing") as refused:
        kit.open()
    assert f"atesta vault add-mirror {disk}/keys" in str(refused.value.next_step)
    mount(disk)
    kit.open()
    assert list_names(disk.with_name("under")) == set()
    kit.erase(made[1].record.uid)
    assert kit.opens(made) == [True, False]


def test_first_place_that_is_away_is_not_made_anew(kit: Kit, tmp_path: Path) -> None:
    made = kit.put()
    kit.close()
    first = tmp_path / "vault.epochs"
    first.rename(tmp_path / "away")
    for _ in range(2):
        with pytest.raises(PlaceAway):
            kit.open()
        assert not first.exists() or list_names(first) == set()
        first.mkdir(exist_ok=True)
    shutil.rmtree(first)
    (tmp_path / "away").rename(first)
    kit.open()
    assert kit.opens([made]) == [True]


def test_disk_that_goes_away_while_the_vault_runs_gets_no_new_keys(kit: Kit, disk: Path) -> None:
    made = [kit.put(number) for number in range(4)]
    unmount(disk, mirror=True)
    with pytest.raises(PlaceAway):
        kit.put(5)
    assert kit.opens(made) == [True] * 4
    assert list_names(disk) == set()
    mount(disk)
    made.append(kit.put(6))
    kit.reopen()
    assert kit.opens(made) == [True] * 5


def test_new_disk_is_filled_when_somebody_says_so(kit: Kit, disk: Path, tmp_path: Path) -> None:
    made = [kit.put(number) for number in range(6)]
    kit.erase(made[0].record.uid)
    kit.close()
    old = list_names(disk)
    shutil.rmtree(disk)
    left = disk / "keys" / "epoch-0000000077.key"
    left.parent.mkdir(parents=True)
    left.write_text("of another vault")
    journal = disk / "keys" / "erasures.journal"
    journal.write_bytes(encode_entry(Destroyed(epoch=2, destroyed_s=1)))
    folder = KeyFolder(kit.keys.places)
    assert add_place(folder, disk / "keys")
    assert list_names(disk) == old == list_names(tmp_path / "vault.epochs")
    assert journal.read_bytes() == (tmp_path / "vault.epochs" / journal.name).read_bytes()
    assert not add_place(folder, disk / "keys"), "it is there"
    kit.open()
    assert kit.opens(made) == [False] + [True] * 5


def test_filling_a_disk_that_was_stopped_leaves_no_place(
    kit: Kit, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = kit.put()
    kit.close()
    shutil.rmtree(disk)
    folder = KeyFolder(kit.keys.places)
    level = KeyFolder._level

    def stop(self: KeyFolder, name: str, master_id: bytes) -> None:
        if name == "vault.json":
            raise KeyFolderFault("stopped")
        level(self, name, master_id)

    with monkeypatch.context() as patched:
        patched.setattr(KeyFolder, "_level", stop)
        with pytest.raises(KeyFolderFault, match="stopped"):
            add_place(folder, disk / "keys")
    assert "epoch-0000000001.key" in list_names(disk)
    with pytest.raises(PlaceAway):
        kit.open()
    assert add_place(folder, disk / "keys")
    kit.open()
    assert kit.opens([made]) == [True]


def test_new_vault_makes_all_its_places_however_often_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = tmp_path / "mnt" / "keys"
    write = KeyFolder._write_one

    def stop(self: KeyFolder, path: Path, content: bytes) -> None:
        if path == mirror / "vault.json":
            raise KeyFolderFault("stopped")
        write(self, path, content)

    url = f"sqlite:///{tmp_path}/vault.sqlite"
    with monkeypatch.context() as patched:
        patched.setattr(KeyFolder, "_write_one", stop)
        with pytest.raises(KeyFolderFault, match="stopped"):
            Kit(url=url, folder=tmp_path, mirrors=(mirror,))
    assert (tmp_path / "vault.epochs/vault.json").exists()
    kit = Kit(url=url, folder=tmp_path, mirrors=(mirror,))
    assert kit.opens([kit.put()]) == [True]
    assert list_names(mirror) == list_names(tmp_path / "vault.epochs")
    kit.close()


def test_disk_of_another_vault_is_refused_and_left_as_it_is(
    kit: Kit, disk: Path, tmp_path: Path
) -> None:
    kit.close()
    other = tmp_path / "other"
    other.mkdir()
    Kit(url=f"sqlite:///{other}/vault.sqlite", folder=other).close()
    shutil.rmtree(disk / "keys")
    shutil.copytree(other / "vault.epochs", disk / "keys")
    before = {path: path.read_bytes() for path in (disk / "keys").iterdir()}
    with pytest.raises(KeyFolderFault, match="different vaults"):
        kit.open()
    with pytest.raises(KeyFolderFault, match="different vaults"):
        add_place(KeyFolder(kit.keys.places), disk / "keys")
    assert {path: path.read_bytes() for path in (disk / "keys").iterdir()} == before
