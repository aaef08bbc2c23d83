"""What erasing leaves, and what it does not."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, Select, insert, select, update

from api.imports.queries import FORGOTTEN
from api.imports.tables import IMPORT_LINES, IMPORTS
from api.vault import epochs
from api.vault.backup import write_backup
from api.vault.checking import check_vault
from api.vault.ciphers import VaultDamaged
from api.vault.epochs import EpochState
from api.vault.erasure import ErasureReason
from api.vault.key_folder import KeyFolder, KeyFolderFault
from api.vault.metrics import measure_vault
from api.vault.restoring import restore_backup
from api.vault.sealed_tables import SEALED_TABLES, build_line_identity
from api.vault.tables import CLAIMS, EPOCHS, MATERIALS, RECORDS
from api.vault.vault import UidTaken
from tests.unit.vault.vault_kit import NOW_S, Kit, do, make, wrap


def read_all(kit: Kit, query: Select[Any]) -> Sequence[Row[Any]]:
    return kit.database.read_now(lambda c: c.execute(query).all())


def test_erased_record_is_gone_and_all_others_open(kit: Kit) -> None:
    made = [kit.put(number) for number in range(10)]
    for credential in made:
        kit.put_material(credential.record.uid, f"case of {credential.record.uid.hex()}")
        do(kit.vault.claim(credential.record.uid, NOW_S))
    gone, living = made[3], [*made[:3], *made[4:]]
    before = kit.keyring.list_keys()
    report = kit.erase(gone.record.uid)
    assert report.erased == 1
    assert len(report.destroyed) == 2, "its own epoch, and that of its material"
    assert set(report.destroyed) <= set(before)
    assert not set(report.destroyed) & set(kit.keyring.list_keys())
    for _ in range(2):
        assert kit.opens(made) == [c is not gone for c in made]
        assert do(kit.vault.find(gone.record.uid)) is None
        assert do(kit.materials.get_all(gone.record.uid)) == {}
        assert all(len(do(kit.materials.get_all(c.record.uid))) == 1 for c in living)
        erased = do(kit.vault.find_erased(gone.record.uid))
        assert erased is not None
        assert (erased.reason, erased.erased_s) == ("holder_request", NOW_S)
        for table in (RECORDS, MATERIALS, CLAIMS):
            rows = read_all(kit, select(table.c.uid))
            assert len(rows) == 9
        kit.reopen()


def test_erasing_again_or_what_never_was_changes_nothing(kit: Kit) -> None:
    made = kit.put()
    kit.erase(made.record.uid)
    again = kit.erase(made.record.uid, bytes(32))
    assert (again.erased, again.rewrapped, again.destroyed) == (1, 0, ())
    assert kit.erase(made.record.uid, bytes(32)).erased == 0
    with pytest.raises(UidTaken):
        do(kit.vault.put(wrap(made)))


async def put_together(kit: Kit, count: int) -> None:
    for _ in range(count // 5):
        await asyncio.gather(*(kit.vault.put(wrap(make(50))) for _ in range(5)))


def test_epoch_takes_so_many_records_and_lasts_so_long(kit: Kit) -> None:
    clock = [float(NOW_S)]
    kit.now = lambda: clock[0]
    kit.reopen()
    first = kit.keyring.get_status().current
    for number in range(9):
        kit.put(number)
    counts = [
        kit.database.read_now(partial(epochs.count_rows, tables=SEALED_TABLES, number=n))
        for n in kit.keyring.list_keys()
    ]
    assert counts == [4, 4, 1]
    assert kit.keyring.list_keys() == (first, first + 1, first + 2)
    # Documents that are put together count one by one.
    do(put_together(kit, 30))
    assert len(kit.keyring.list_keys()) > 4
    last = kit.keyring.get_status().current
    clock[0] += 31 * 24 * 3600
    kit.put(10)
    assert kit.keyring.get_status().current == last + 1


def test_erasing_while_others_write_and_read_loses_nothing(kit: Kit) -> None:
    made = [kit.put(number) for number in range(6)]
    later = [make(100 + number) for number in range(40)]

    async def run() -> None:
        async def read() -> None:
            for _ in range(10):
                assert await kit.vault.open(made[0].record.uid) == made[0]

        await asyncio.gather(
            kit.vault.erase(
                [made[1].record.uid, made[5].record.uid],
                reason=ErasureReason.ENDED_BY_LAW,
                now_s=NOW_S,
            ),
            read(),
            *(kit.vault.put(wrap(c)) for c in later),
        )

    do(run())
    assert kit.opens([*made, *later]) == [True, False, True, True, True, False] + 40 * [True]
    kit.reopen()
    assert kit.opens([*made, *later]) == [True, False, True, True, True, False] + 40 * [True]


def test_another_process_sees_the_erasure_and_goes_on(kit: Kit) -> None:
    made = [kit.put(number) for number in range(3)]
    other = Kit(url=kit.url, folder=kit.folder)
    kit.erase(made[0].record.uid)
    other.keyring._looked_s = 0
    assert other.opens(made) == [False, True, True]
    stale = Kit(url=kit.url, folder=kit.folder)
    kit.erase(made[1].record.uid)
    added = stale.put(7)  # it still takes the closed epoch for the current one
    assert kit.opens([*made, added]) == [False, False, True, True]
    other.close()
    stale.close()


def test_row_of_a_destroyed_epoch_never_opens(lite: Kit) -> None:
    made, other = lite.put(1), lite.put(2)
    row = lite.database.read_now(
        lambda c: c.execute(select(RECORDS).where(RECORDS.c.uid == other.record.uid)).one()
    )
    lite.erase(made.record.uid)
    old = {"epoch": row.epoch, "wrapped_key": row.wrapped_key}
    lite.database.write_now(
        lambda c: c.execute(update(RECORDS).where(RECORDS.c.uid == other.record.uid).values(**old))
    )
    with pytest.raises(VaultDamaged):
        do(lite.vault.open(other.record.uid))


def test_wrap_put_under_another_epoch_does_not_open(lite: Kit) -> None:
    made = [lite.put(number) for number in range(5)]
    assert len(lite.keyring.list_keys()) == 2
    lite.database.write_now(
        lambda c: c.execute(update(RECORDS).values(epoch=lite.keyring.list_keys()[1]))
    )
    with pytest.raises(VaultDamaged):
        do(lite.vault.open(made[0].record.uid))


def test_place_that_comes_back_loses_what_was_destroyed(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    kit = Kit(url=f"sqlite:///{tmp_path}/vault.sqlite", folder=tmp_path, mirrors=(mirror,))
    made = [kit.put(number) for number in range(3)]
    main = tmp_path / "vault.epochs"
    assert {p.name for p in mirror.iterdir()} | {"lock"} == {p.name for p in main.iterdir()}
    kept = {path: path.read_bytes() for path in mirror.iterdir()}
    kit.erase(made[0].record.uid)
    (gone,) = kit.keyring.erasures.destroyed
    for path in mirror.iterdir():
        path.unlink()
    for path, content in kept.items():
        path.write_bytes(content)
    assert (mirror / f"epoch-{gone:010}.key").exists()
    kit.reopen()
    assert not (mirror / f"epoch-{gone:010}.key").exists()
    assert {p.name for p in mirror.iterdir()} | {"lock"} == {p.name for p in main.iterdir()}
    assert kit.opens(made) == [False, True, True]
    kit.close()


def test_erasure_waits_for_every_place_of_the_keys(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    kit = Kit(url=f"sqlite:///{tmp_path}/vault.sqlite", folder=tmp_path, mirrors=(mirror,))
    made = kit.put()
    mirror.rename(tmp_path / "away")
    mirror.mkdir()
    with pytest.raises(KeyFolderFault, match="missing"):
        kit.erase(made.record.uid)
    assert do(kit.vault.find_erased(made.record.uid)) is None
    assert kit.opens([made]) == [True]
    mirror.rmdir()
    (tmp_path / "away").rename(mirror)
    kit.erase(made.record.uid)
    assert kit.opens([made]) == [False]
    kit.close()


def test_erasure_that_a_failing_disk_stopped_is_finished_by_the_next(
    lite: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [lite.put(number) for number in range(3)]
    write = KeyFolder.write_wraps

    def fail(*_: object) -> None:
        raise KeyFolderFault("the disk is full")

    monkeypatch.setattr(KeyFolder, "write_wraps", fail)
    with pytest.raises(KeyFolderFault, match="full"):
        lite.erase(made[0].record.uid)
    assert lite.opens(made) == [False, True, True]
    assert lite.keyring.get_status().closing == 1
    monkeypatch.setattr(KeyFolder, "write_wraps", write)
    report = lite.erase(made[0].record.uid)
    assert (report.erased, len(report.destroyed)) == (0, 1)
    assert lite.keyring.get_status().closing == 0
    assert lite.opens(made) == [False, True, True]


def test_waiting_line_of_an_import_loses_its_content(lite: Kit, tmp_path: Path) -> None:
    made = lite.put()
    key = lite.keyring.take_key()
    about = {
        "id": "im-1",
        "act": "mandate.record",
        "idempotency_key": "k",
        "body_fingerprint": bytes([7]) * 32,
        "state": "running",
        "lines": 2,
        "created_s": 1,
    }
    lines = []
    for number, uid in ((1, made.record.uid), (2, bytes(32))):
        sealed = key.seal(b"{}", build_line_identity("im-1", number))
        lines.append(
            {
                "import_id": "im-1",
                "line": number,
                "state": "waiting",
                "uid": uid,
                "weight": 1,
                "is_single": False,
                "epoch": sealed.epoch,
                "wrapped_key": sealed.wrapped_key,
                "ciphertext": sealed.ciphertext,
            }
        )
    lite.database.write_now(lambda c: c.execute(insert(IMPORTS).values(**about)))
    lite.database.write_now(lambda c: c.execute(insert(IMPORT_LINES), lines))
    write_backup(lite.keyring, tmp_path / "vault.backup")
    lite.erase(made.record.uid)
    for _ in range(2):
        first, second = read_all(lite, select(IMPORT_LINES).order_by(IMPORT_LINES.c.line))
        assert (first.state, first.code, first.ciphertext) == ("rejected", "erased", None)
        assert second.state == "waiting"
        (file,) = read_all(lite, select(IMPORTS))
        assert file.body_fingerprint == FORGOTTEN, "no guess of the file can be tested"
        assert check_vault(lite.keyring).rows == 1
        assert check_vault(lite.keyring).is_whole
        restore_backup(lite.keyring, tmp_path / "vault.backup", replace=True)


def test_lost_key_folder_is_noticed_and_not_made_anew(lite: Kit) -> None:
    lite.put()
    lite.close()
    kept = {p: p.read_bytes() for p in (lite.folder / "vault.epochs").iterdir()}
    for path in kept:
        path.unlink()
    with pytest.raises(KeyFolderFault, match="missing"):
        lite.open()
    assert list((lite.folder / "vault.epochs").glob("*.key")) == []
    for path, content in kept.items():
        path.write_bytes(content)
        path.chmod(0o600)
    lite.open()


def test_metrics_count_keys_records_and_erasures(lite: Kit) -> None:
    made = [lite.put(number) for number in range(6)]
    lite.put_material(made[1].record.uid, "case")
    lite.erase(made[0].record.uid)
    samples = {metric.name: metric.value for metric in do(measure_vault(lite.keyring))}
    assert samples == {
        "vault_last_record": 6,
        "vault_last_material": 1,
        "vault_erased_records_total": 1,
        "vault_epochs": 2,
        "vault_closing_epochs": 0,
    }
    assert do(measure_vault(None)) == ()


def test_epochs_are_told_apart_in_the_table(lite: Kit) -> None:
    made = [lite.put(number) for number in range(2)]
    lite.erase(made[0].record.uid)
    states = lite.database.read_now(lambda c: c.execute(select(EPOCHS)).all())
    assert [(row.epoch, row.state, row.successor) for row in states] == [
        (1, EpochState.DESTROYED, 2),
        (2, EpochState.OPEN, None),
    ]
    status = lite.keyring.get_status()
    assert (status.epochs, status.closing, status.current, status.erased) == (1, 0, 2, 1)
