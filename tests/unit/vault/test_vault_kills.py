"""A process killed at any durable step leaves the old state or the new one, on both engines.

Every child is a real process that dies by SIGKILL. By default some steps of each kind are tried on
SQLite; with --long, every step of every action, before, in the middle and after, on both engines.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from api.databases import open_database
from api.vault import epochs
from api.vault.checking import check_vault
from api.vault.ciphers import VaultDamaged
from api.vault.epoch_keys import open_epoch_key
from api.vault.epochs import EpochState
from api.vault.erasure_journal import decode_journal
from api.vault.keys import load_master_key
from api.vault.sealed_tables import build_record_identity
from api.vault.tables import METADATA, RECORDS
from tests.engines import NewDatabase
from tests.unit.vault.vault_kit import SCHEMA, Kit, do

ROOT = Path(__file__).resolve().parents[3]
MOMENTS = ("before", "torn", "after")
MANY = 200
"""More steps than any action has."""

pytestmark = pytest.mark.processes


def kill_at(
    folder: Path, urls: Callable[[str], str], action: str, steps: list[dict[str, Any]]
) -> list[tuple[Path, str, str]]:
    """Run the action once for each step; return folder, address and outcome of each."""
    jobs = []
    for step in steps:
        name = "_".join(str(value) for value in step.values())
        place = folder / f"{action}_{name}"
        place.mkdir()
        url = urls(f"{action}_{name}")
        jobs.append({"folder": str(place), "url": url, "action": action, **step})
    run = subprocess.run(
        [sys.executable, "-m", "tests.unit.vault.vault_victim"],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=900,
        check=False,
    )
    outcomes = [line for line in run.stdout.splitlines() if line in {"killed", "exit 0"}]
    assert len(outcomes) == len(jobs), run.stderr
    return [(Path(j["folder"]), j["url"], o) for j, o in zip(jobs, outcomes, strict=True)]


def read_uids(folder: Path) -> list[bytes]:
    return [bytes.fromhex(uid) for uid in json.loads((folder / "uids.json").read_text())]


def read_place(place: Path) -> dict[str, Any]:
    """Return what counts of each file: of the erasure list, not a last entry that was torn."""
    return {
        path.name: decode_journal(path.read_bytes())[0]
        if path.suffix == ".journal"
        else path.read_bytes()
        for path in place.iterdir()
        if path.suffix != ".new" and path.name != "lock"
    }


def check_settled(kit: Kit) -> None:
    """No epoch is left half way; every place holds the same; no file of a step is left over."""
    states = kit.database.read_now(epochs.list_epochs)
    assert {epoch.state for epoch in states.values()} <= {EpochState.OPEN, EpochState.DESTROYED}
    main, mirror = (kit.folder / name for name in ("vault.epochs", "mirror"))
    kept, copied = read_place(main), read_place(mirror)
    assert copied == kept
    assert {f"epoch-{n:010}.key" for n in kit.keyring.list_keys()} == {
        name for name in kept if name.startswith("epoch-")
    }
    assert not kit.keyring.erasures.destroyed & set(kit.keyring.list_keys())
    assert not [path for path in kit.folder.iterdir() if path.suffix in {".next", ".old"}]


def read_wraps(url: str) -> dict[bytes, tuple[int, bytes, int]]:
    """Return epoch, wrapped key and version of every record, as they are in the database."""
    database = open_database(url, METADATA, name="vault")
    try:
        rows = database.read_now(lambda c: c.execute(select(RECORDS)).all())
    finally:
        database.close()
    return {bytes(r.uid): (r.epoch, bytes(r.wrapped_key), r.version) for r in rows}


def check_erased_or_not(folder: Path, url: str) -> str:
    """Open what the kill left; everything is as before, or the two are erased and all else is."""
    uids = read_uids(folder)
    left = read_wraps(url)
    kit = Kit(url=url, folder=folder, mirrors=(folder / "mirror",))
    check_settled(kit)
    opened = [do(kit.vault.open(uid)) is not None for uid in uids]
    with_cases = [len(do(kit.materials.get_all(uid))) == 1 for uid in uids]
    assert opened == with_cases
    assert opened[2:] == [True] * (len(uids) - 2)
    assert opened[0] == opened[1]
    erased = [do(kit.vault.find_erased(uid)) is not None for uid in uids]
    assert erased == [not found for found in opened]
    if erased[0]:
        for uid in uids[:2]:
            if uid in left:
                epoch, wrapped_key, version = left[uid]
                assert kit.keyring.find_key(epoch) is None, "the erased row's key is gone"
                for number in kit.keyring.list_keys():
                    key = kit.keyring.find_key(number)
                    assert key is not None
                    with pytest.raises(VaultDamaged):
                        key.unwrap(wrapped_key, build_record_identity(uid, SCHEMA.uid, version))
    kit.put(99)
    kit.close()
    return "new" if erased[0] else "old"


def check_rotated_or_not(folder: Path, url: str) -> str:
    """Open what the kill left: everything opens, under the old master key or under the new one."""
    uids = read_uids(folder)
    before = load_old(folder)
    kit = Kit(url=url, folder=folder, mirrors=(folder / "mirror",))
    check_settled(kit)
    assert all(do(kit.vault.open(uid)) is not None for uid in uids)
    assert all(len(do(kit.materials.get_all(uid))) == 1 for uid in uids)
    is_new = kit.keyring.master.id != before.id
    if is_new:
        for file in kit.keyring.folder.read_epochs().values():
            assert file.master_id == kit.keyring.master.id
            with pytest.raises(VaultDamaged):
                open_epoch_key(file, before, kit.keyring.header.vault_id)
    kit.put(99)
    kit.close()
    return "new" if is_new else "old"


def load_old(folder: Path) -> Any:
    path = folder / "vault.key.before"
    path.chmod(0o600)
    return load_master_key(path)


def check_opens(folder: Path, url: str) -> str:
    """Open what the kill left of an opening: whatever there was is there, and the vault works."""
    uids = read_uids(folder) if (folder / "uids.json").exists() else []
    kit = Kit(url=url, folder=folder, mirrors=(folder / "mirror",))
    check_settled(kit)
    assert all(do(kit.vault.open(uid)) is not None for uid in uids)
    made = kit.put(99)
    assert check_vault(kit.keyring).is_whole
    kit.reopen()
    assert kit.opens([made]) == [True]
    kit.close()
    return "new"


CHECKS = {
    "begin": check_opens,
    "upgrade": check_opens,
    "erase": check_erased_or_not,
    "master": check_rotated_or_not,
    "rotate": check_rotated_or_not,
}


def run_all_steps(
    folder: Path, urls: Callable[[str], str], action: str, moment: str, chunk: int = 16
) -> list[str]:
    """Kill at every step of an action; return what each left, in order."""
    left: list[str] = []
    for first in range(1, MANY, chunk):
        steps = [{"number": n, "moment": moment} for n in range(first, first + chunk)]
        for place, url, outcome in kill_at(folder, urls, action, steps):
            left.append(CHECKS[action](place, url))
            if outcome == "exit 0":
                return left
    raise AssertionError("the action has no end")


def check_restored_or_not(folder: Path, url: str) -> str:
    """Open what the kill left: all of the backup but the erased, or what was there before."""
    uids = read_uids(folder)
    extra = bytes.fromhex(json.loads((folder / "extra.json").read_text()))
    kit = Kit(url=url, folder=folder, mirrors=(folder / "mirror",))
    check_settled(kit)
    opened = [do(kit.vault.open(uid)) is not None for uid in uids]
    assert opened == [False, False] + [True] * (len(uids) - 2)
    is_old = do(kit.vault.open(extra)) is not None
    assert check_vault(kit.keyring).is_whole
    kit.close()
    return "old" if is_old else "new"


@pytest.mark.parametrize("action", ["begin", "upgrade"])
def test_kill_while_opening_loses_nothing(tmp_path: Path, action: str) -> None:
    steps = [
        {"number": number, "moment": moment}
        for number, moment in ((1, "after"), (2, "torn"), (4, "before"), (6, "after"), (9, "torn"))
    ]
    ends = kill_at(tmp_path, make_files(tmp_path), action, steps)
    assert [outcome for _, _, outcome in ends] == ["killed"] * len(steps)
    assert {CHECKS[action](place, url) for place, url, _ in ends} == {"new"}


def test_kill_while_restoring_leaves_old_or_new(tmp_path: Path) -> None:
    steps = [
        {"kind": "vault", "number": 1, "moment": "before"},
        {"kind": "vault", "number": 1, "moment": "after"},
    ]
    ends = kill_at(tmp_path, make_files(tmp_path), "restore", steps)
    assert [outcome for _, _, outcome in ends] == ["killed", "killed"]
    assert [check_restored_or_not(place, url) for place, url, _ in ends] == ["old", "new"]


def make_files(folder: Path) -> Callable[[str], str]:
    return lambda name: f"sqlite:///{folder / name}.sqlite"


@pytest.mark.parametrize("action", ["erase", "master", "rotate"])
def test_kill_at_one_step_of_each_kind_leaves_old_or_new(tmp_path: Path, action: str) -> None:
    steps = [
        {"kind": kind, "number": number, "moment": moment}
        for kind, number, moment in (
            ("vault_keys", 1, "torn"),
            ("vault_keys", 3, "after"),
            ("vault_keys", 7, "torn"),
            ("vault", 2, "before"),
            ("vault", 3, "after"),
        )
        if action != "master" or kind == "vault_keys"
    ]
    ends = kill_at(tmp_path, make_files(tmp_path), action, steps)
    assert [outcome for _, _, outcome in ends] == ["killed"] * len(steps)
    left = [CHECKS[action](place, url) for place, url, _ in ends]
    assert set(left) <= {"old", "new"}


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("action", ["erase", "master", "rotate", "begin", "upgrade"])
def test_kill_at_any_step_leaves_old_or_new(
    tmp_path: Path, database_urls: NewDatabase, action: str, moment: str
) -> None:
    left = run_all_steps(tmp_path, database_urls, action, moment)
    assert sorted(left, reverse=True) == left, "once new, always new"
    assert left[-1] == "new"
    assert len(left) > 8
