"""Keys change under a vault that goes on serving, also when another process changes them."""

import asyncio
import os
import stat
from pathlib import Path

import pytest

from api.vault.checking import check_vault
from api.vault.ciphers import VaultDamaged
from api.vault.epoch_keys import open_epoch_key
from api.vault.keys import MasterKey, load_master_key
from api.vault.rotation import change_master_key, finish_master_change, rotate
from tests.unit.vault.vault_kit import Kit, do, make, wrap


def test_rotation_by_another_process_stops_nobody(kit: Kit) -> None:
    made = [kit.put(number) for number in range(12)]
    before = kit.keyring.master
    other = Kit(url=kit.url, folder=kit.folder)
    added = [make(100 + number) for number in range(40)]

    async def serve(done: asyncio.Event) -> int:
        served = 0
        while not (done.is_set() and served >= len(added)):
            credential = added[served % len(added)]
            if served < len(added):
                await kit.vault.put(wrap(credential))
            assert await kit.vault.open(credential.record.uid) == credential
            assert await kit.vault.open(made[served % 12].record.uid) == made[served % 12]
            kit.keyring._looked_s = 0
            served += 1
        return served

    async def run() -> None:
        done = asyncio.Event()
        serving = asyncio.create_task(serve(done))
        for _ in range(2):
            await asyncio.to_thread(rotate, other.keyring, other.keys.key_file)
        done.set()
        assert await serving >= len(added)

    do(run())
    assert kit.opens([*made, *added]) == [True] * 52
    assert other.opens([*made, *added]) == [True] * 52
    kit.reopen()
    assert kit.keyring.master.id != before.id
    assert kit.opens([*made, *added]) == [True] * 52
    assert check_vault(kit.keyring).is_whole
    other.close()


def test_old_master_key_opens_nothing_and_is_gone(lite: Kit, tmp_path: Path) -> None:
    made = [lite.put(number) for number in range(6)]
    key_file = lite.keys.key_file
    before = load_master_key(key_file)
    change_master_key(lite.keyring, key_file)
    after = load_master_key(key_file)
    assert after.id != before.id
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    for file in lite.keyring.folder.read_epochs().values():
        assert file.master_id == after.id
        with pytest.raises(VaultDamaged):
            open_epoch_key(file, before, lite.keyring.header.vault_id)
    with pytest.raises(VaultDamaged):
        before.unwrap(lite.keyring.header.standing, b"atesta-standing-2")
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert before.reveal_secret() not in files
    assert lite.opens(made) == [True] * 6
    assert not finish_master_change(key_file, lite.keyring.folder), "nothing is left to do"


def test_rotation_leaves_no_epoch_of_before(lite: Kit) -> None:
    made = [lite.put(number) for number in range(9)]
    old = lite.keyring.list_keys()
    report = rotate(lite.keyring, lite.keys.key_file)
    assert report.rewrapped == 9
    assert set(report.destroyed) == set(old)
    assert not set(old) & set(lite.keyring.list_keys())
    assert lite.opens(made) == [True] * 9


def test_master_key_of_another_vault_is_not_taken_for_a_change(lite: Kit) -> None:
    lite.put()
    lite.close()
    key_file = lite.keys.key_file
    secret = key_file.read_bytes()
    key_file.write_bytes(MasterKey(os.urandom(32)).reveal_secret())
    with pytest.raises(Exception, match="another master key"):
        lite.open()
    key_file.write_bytes(secret)
    lite.open()
