"""Backups come back whole, without the erased, on either engine; damaged ones do not."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from atesta_client.credentials import BatchPath
from sqlalchemy import insert, select, update

from api.access.read_table import READS
from api.errors import ApiBug, InvalidField
from api.vault.backup import write_backup
from api.vault.backup_file import BackupRefused, read_backup, read_header
from api.vault.checking import check_backup, check_vault
from api.vault.ciphers import VaultDamaged
from api.vault.epoch_keys import open_epoch_key
from api.vault.key_folder import EpochFile
from api.vault.restoring import VaultNotEmpty, count_present, restore_backup
from api.vault.rotation import change_master_key, rotate
from api.vault.sealed_tables import build_record_identity
from api.vault.tables import CLAIMS, MATERIALS, RECORDS
from tests.engines import NewDatabase
from tests.unit.vault.vault_kit import NOW_S, SCHEMA, Kit, do, make, wrap


def read_tables(kit: Kit) -> dict[str, list[Any]]:
    """Return what the tables say, but for wraps and epochs."""

    def read(connection: Any) -> dict[str, list[Any]]:
        left_out = {"epoch", "wrapped_key"}
        return {
            table.name: [
                {k: v for k, v in row._mapping.items() if k not in left_out}
                for row in connection.execute(select(table))
            ]
            for table in (RECORDS, CLAIMS, MATERIALS)
        }

    return kit.database.read_now(read)


def on_new_database(kit: Kit, url: str) -> None:
    kit.close()
    kit.url = url
    kit.open()


def test_backup_comes_back_whole_on_either_engine(
    kit: Kit, database_urls: NewDatabase, tmp_path: Path
) -> None:
    made = [kit.put(number) for number in range(9)]
    for credential in made[:5]:
        kit.put_material(credential.record.uid, "case")
        do(kit.vault.claim(credential.record.uid, NOW_S))
    path = BatchPath(uid=bytes([9]) * 32, index=3, count=5, path=(bytes(32), bytes([2]) * 32))
    do(kit.vault.seal_batch({made[0].record.uid: path}))
    before, file = read_tables(kit), tmp_path / "vault.backup"
    summary = write_backup(kit.keyring, file)
    assert summary.rows == 9 + 5 + 5 + 1
    assert summary.damaged == 0
    assert summary.size_bytes == file.stat().st_size
    assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(BackupRefused, match="exists"):
        write_backup(kit.keyring, file)
    for url in (database_urls("other"), f"sqlite:///{tmp_path}/third.sqlite"):
        on_new_database(kit, url)
        report = restore_backup(kit.keyring, file)
        assert (report.rows, report.erased, report.rewrapped, report.lost) == (20, 0, 0, 0)
        assert read_tables(kit) == before
        opened = do(kit.vault.open(made[0].record.uid))
        assert opened is not None
        assert opened.record.batch == path
        assert kit.opens(made[1:]) == [True] * 8
        assert check_vault(kit.keyring).is_whole
        # Numbers go on, references are found again.
        rival = make(3, name="Another")
        stored = do(kit.vault.put(wrap(rival)))
        assert stored.sequence > 9
        assert [r.uid for r in do(kit.vault.claim(stored.uid, NOW_S)).rivals] == [
            made[3].record.uid
        ]
        with pytest.raises(VaultNotEmpty):
            restore_backup(kit.keyring, file)
        assert restore_backup(kit.keyring, file, replace=True).rows == 20
        assert read_tables(kit) == before


def test_backup_erase_restore_answers_erased_and_nothing_decrypts(
    kit: Kit, database_urls: NewDatabase, tmp_path: Path
) -> None:
    made = [kit.put(number) for number in range(6)]
    for credential in made:
        kit.put_material(credential.record.uid, "case")
        do(kit.vault.claim(credential.record.uid, NOW_S))
    file = tmp_path / "vault.backup"
    write_backup(kit.keyring, file)
    gone = made[2].record.uid
    kit.erase(gone)
    on_new_database(kit, database_urls("restored"))
    report = restore_backup(kit.keyring, file)
    assert (report.rows, report.erased, report.lost) == (15, 3, 0)
    assert report.rewrapped > 0
    assert kit.opens(made) == [True, True, False, True, True, True]
    erased = do(kit.vault.find_erased(gone))
    assert erased is not None
    assert erased.reason == "holder_request"
    assert do(kit.materials.get_all(gone)) == {}
    assert check_vault(kit.keyring).is_whole
    kit.reopen()
    assert kit.opens(made) == [True, True, False, True, True, True]
    assert_nothing_decrypts(kit, file, gone)


def assert_nothing_decrypts(kit: Kit, file: Path, gone: bytes) -> None:
    """Try the master key and every key that there is on the rows of an old backup."""
    row = find_row(kit, file, gone)
    identity = build_record_identity(gone, SCHEMA.uid, row["version"])
    assert "reference" not in row, "fingerprints are sealed with the record"
    master, keyring = kit.keyring.master, kit.keyring
    tries: list[Callable[[], bytes]] = [
        lambda: master.open_first(row["wrapped_key"], identity),
        lambda: master.unwrap(row["wrapped_key"], identity),
        lambda: keyring.unwrap(row["epoch"], row["wrapped_key"], identity),
        lambda: keyring.fingerprints.open(row["wrapped_key"], identity),
    ]
    for number in keyring.list_keys():
        key = keyring.find_key(number)
        assert key is not None
        tries.append(lambda key=key: key.unwrap(row["wrapped_key"], identity))  # type: ignore[misc]
    for attempt in tries:
        with pytest.raises(VaultDamaged):
            attempt()


def find_row(kit: Kit, file: Path, uid: bytes) -> dict[str, Any]:
    keyring = kit.keyring
    for batch in read_backup(file, vault_id=keyring.header.vault_id, standing=keyring.fingerprints):
        for row in batch.rows:
            values = dict(zip(batch.columns, row, strict=True))
            if batch.table == "records" and values["uid"] == uid:
                return values
    raise AssertionError("the backup holds the record")


def test_old_epoch_file_would_open_the_old_backup(lite: Kit, tmp_path: Path) -> None:
    """So the key's destruction is what counts, and a copy of the key folder undoes it."""
    made = lite.put()
    file = tmp_path / "vault.backup"
    write_backup(lite.keyring, file)
    (old,) = lite.keyring.folder.read_epochs().values()
    kept = EpochFile(
        number=old.number, created_s=old.created_s, master_id=old.master_id, wrapped=old.wrapped
    )
    lite.erase(made.record.uid)
    row = find_row(lite, file, made.record.uid)
    key = open_epoch_key(kept, lite.keyring.master, lite.keyring.header.vault_id)
    assert key.unwrap(
        row["wrapped_key"], build_record_identity(made.record.uid, SCHEMA.uid, row["version"])
    )


def test_backup_outlives_changes_of_every_key(lite: Kit, tmp_path: Path) -> None:
    made = [lite.put(number) for number in range(7)]
    file = tmp_path / "vault.backup"
    write_backup(lite.keyring, file)
    rotate(lite.keyring, lite.keys.key_file)
    lite.erase(made[0].record.uid)
    change_master_key(lite.keyring, lite.keys.key_file)
    on_new_database(lite, f"sqlite:///{tmp_path}/other.sqlite")
    report = restore_backup(lite.keyring, file)
    assert (report.rows, report.rewrapped, report.lost) == (6, 6, 0)
    assert lite.opens(made) == [False] + [True] * 6
    rotate(lite.keyring, lite.keys.key_file)
    lite.reopen()
    assert lite.opens(made) == [False] + [True] * 6


def test_database_copied_back_as_a_file_finds_its_keys_again(lite: Kit, tmp_path: Path) -> None:
    made = [lite.put(number) for number in range(6)]
    lite.close()
    copy = (tmp_path / "vault.sqlite").read_bytes()
    lite.open()
    lite.erase(made[1].record.uid)
    rotate(lite.keyring, lite.keys.key_file)
    lite.close()
    for path in tmp_path.glob("vault.sqlite*"):
        path.unlink()
    (tmp_path / "vault.sqlite").write_bytes(copy)
    lite.open()
    assert lite.opens(made) == [True, False, True, True, True, True]
    assert check_vault(lite.keyring).is_whole


def test_check_of_a_backup_restores_it_and_leaves_nothing(lite: Kit, tmp_path: Path) -> None:
    for number in range(5):
        lite.put_material(lite.put(number).record.uid, "case")
    file = tmp_path / "backups" / "vault.backup"
    file.parent.mkdir()
    write_backup(lite.keyring, file)
    restored, checked = check_backup(lite.keyring, file)
    assert (restored.rows, checked.rows, checked.is_whole) == (10, 10, True)
    assert list(file.parent.iterdir()) == [file]


def test_check_finds_what_does_not_open(lite: Kit, tmp_path: Path) -> None:
    made = [lite.put(number) for number in range(3)]
    lite.put_material(made[0].record.uid, "case")
    change = {"commitment": bytes(32)}
    lite.database.write_now(
        lambda c: c.execute(
            update(RECORDS).where(RECORDS.c.uid == made[0].record.uid).values(**change)
        )
    )
    lite.database.write_now(lambda c: c.execute(update(MATERIALS).values(ciphertext=bytes(40))))
    report = check_vault(lite.keyring)
    assert report.damaged == {"records": 1, "materials": 1}
    write_backup(lite.keyring, tmp_path / "damaged.backup")
    _, checked = check_backup(lite.keyring, tmp_path / "damaged.backup")
    assert checked.damaged == report.damaged


def test_backup_that_was_changed_or_cut_is_refused_and_changes_nothing(
    lite: Kit, tmp_path: Path
) -> None:
    made = [lite.put(number) for number in range(3)]
    file = tmp_path / "vault.backup"
    write_backup(lite.keyring, file)
    whole = file.read_bytes()
    before = read_tables(lite)
    for place in range(0, len(whole), 97):
        bad = bytearray(whole)
        bad[place] ^= 1
        file.write_bytes(bytes(bad))
        with pytest.raises(BackupRefused):
            restore_backup(lite.keyring, file, replace=True)
    for size in (0, 5, 100, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:size])
        with pytest.raises(BackupRefused):
            restore_backup(lite.keyring, file, replace=True)
    file.write_bytes(whole + b"\0")
    with pytest.raises(BackupRefused):
        restore_backup(lite.keyring, file, replace=True)
    assert read_tables(lite) == before
    assert lite.opens(made) == [True] * 3


def add_read(kit: Kit, caller: str) -> None:
    row = {
        "read_s": NOW_S,
        "caller": caller,
        "method": "token",
        "operation": "get",
        "purpose": "service",
        "uid": bytes(32),
        "what": "credential",
        "request_id": "r",
    }
    kit.database.write_now(lambda c: c.execute(insert(READS).values(**row)))


def test_record_of_reads_comes_back_and_is_never_shortened(kit: Kit, tmp_path: Path) -> None:
    add_read(kit, "first")
    kit.put()
    file = tmp_path / "vault.backup"
    assert write_backup(kit.keyring, file).rows == 2
    add_read(kit, "second")
    assert count_present(kit.keyring, file) == 1
    report = restore_backup(kit.keyring, file, replace=True)
    assert (report.rows, report.present) == (1, 1)
    add_read(kit, "third")
    callers = kit.database.read_now(lambda c: c.execute(select(READS.c.caller)).scalars().all())
    assert callers == ["first", "second", "third"]
    on_new_database(kit, f"sqlite:///{tmp_path}/other.sqlite")
    restore_backup(kit.keyring, file)
    callers = kit.database.read_now(lambda c: c.execute(select(READS.c.caller)).scalars().all())
    assert callers == ["first"]


def test_database_with_a_table_that_nobody_knows_is_not_backed_up(
    lite: Kit, tmp_path: Path
) -> None:
    lite.put()
    lite.database.write_now(lambda c: c.exec_driver_sql("CREATE TABLE other (id INTEGER)"))
    with pytest.raises(ApiBug, match="other"):
        write_backup(lite.keyring, tmp_path / "vault.backup")
    assert list(tmp_path.glob("vault.backup*")) == []


def test_backup_of_another_vault_is_refused(lite: Kit, tmp_path: Path) -> None:
    lite.put()
    file = tmp_path / "vault.backup"
    write_backup(lite.keyring, file)
    (tmp_path / "other").mkdir()
    other = Kit(url=f"sqlite:///{tmp_path}/other.sqlite", folder=tmp_path / "other")
    with pytest.raises(BackupRefused, match="another vault"):
        restore_backup(other.keyring, file)
    other.close()


def test_backup_tells_nothing_of_documents(lite: Kit, tmp_path: Path) -> None:
    made = lite.put()
    file = tmp_path / "vault.backup"
    write_backup(lite.keyring, file)
    content = file.read_bytes()
    with sqlite3.connect(tmp_path / "vault.sqlite") as connection:
        (wrapped, ciphertext, reference) = connection.execute(
            "SELECT wrapped_key, ciphertext, reference FROM records"
        ).fetchone()
    connection.close()
    for secret in (made.record.uid, made.salts[0], wrapped, ciphertext[:32], reference):
        assert secret not in content
    with file.open("rb") as stream:
        assert read_header(stream).vault_id == lite.keyring.header.vault_id


def test_lost_master_key_makes_no_new_one(lite: Kit) -> None:
    lite.put()
    lite.close()
    secret = lite.keys.key_file.read_bytes()
    lite.keys.key_file.unlink()
    with pytest.raises(InvalidField, match="cannot be read"):
        lite.open()
    assert not lite.keys.key_file.exists()
    lite.keys.key_file.write_bytes(secret)
    lite.keys.key_file.chmod(0o600)
    lite.open()
