"""The vault: nothing readable on disk, nothing exchanged, nothing attested twice."""

import asyncio
import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from atesta_client.credentials import (
    BatchPath,
    LedgerReference,
    make_credential,
)
from sqlalchemy import Connection, select, update

from api.databases import Database, open_database
from api.errors import IdempotencyKeyReused, InvalidField
from api.vault.ciphers import VaultDamaged
from api.vault.claims import IN_FLIGHT_S
from api.vault.keys import MasterKey, load_master_key
from api.vault.opening import VaultKeys, open_keyring
from api.vault.tables import METADATA, RECORDS
from api.vault.vault import UidTaken, Vault
from tests.unit.vault.vault_kit import NAME, SCHEMA, make, wrap


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path / "vault.sqlite", METADATA, secure_delete=True)
    yield database
    database.close()


@pytest.fixture
def vault(database: Database, tmp_path: Path) -> Vault:
    return Vault(open_keyring(database, VaultKeys(key_file=tmp_path / "vault.key")))


async def test_vault_returns_what_was_kept(vault: Vault) -> None:
    credential = make()
    stored = await vault.put(wrap(credential))
    assert stored.commitment == credential.record.commitment
    assert await vault.open(stored.uid) == credential
    assert await vault.open(bytes(32)) is None
    assert await vault.find(stored.uid) == stored


async def test_vault_files_hold_nothing_readable(
    vault: Vault, database: Database, tmp_path: Path
) -> None:
    credential = make()
    await vault.put(wrap(credential))
    await vault.claim(credential.record.uid, 1)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert credential.record.uid in written
    for secret in (NAME, "1990-01-01", "MO-1"):
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            assert secret.encode(encoding) not in written
    for salt in credential.salts:
        assert salt not in written
        assert salt.hex().encode() not in written
    assert (tmp_path / "vault.key").stat().st_mode & 0o077 == 0
    database.close()


async def test_vault_notices_changed_and_exchanged_records(
    vault: Vault, database: Database
) -> None:
    first, second = make(1), make(2)
    await vault.put(wrap(first))
    await vault.put(wrap(second))

    def exchange(connection: Connection) -> None:
        row = connection.execute(
            select(RECORDS.c.wrapped_key, RECORDS.c.ciphertext).where(
                RECORDS.c.uid == second.record.uid
            )
        ).one()
        sealed = {"wrapped_key": row.wrapped_key, "ciphertext": row.ciphertext}
        connection.execute(
            update(RECORDS).where(RECORDS.c.uid == first.record.uid).values(**sealed)
        )
        connection.execute(
            update(RECORDS).where(RECORDS.c.uid == second.record.uid).values(version=2)
        )

    await database.write(exchange)
    for credential in (first, second):
        with pytest.raises(VaultDamaged):
            await vault.open(credential.record.uid)


async def test_vault_same_key_keeps_one_record(vault: Vault) -> None:
    outcomes = await asyncio.gather(*(vault.put(wrap(make(), key="k")) for _ in range(8)))
    assert len({outcome.uid for outcome in outcomes}) == 1
    assert len(await vault.get_page(limit=10, before=None, schema_uid=None)) == 1
    with pytest.raises(IdempotencyKeyReused):
        await vault.put(wrap(make(), key="k", body=2))
    assert await vault.find_by_key("k", bytes([1]) * 32) == outcomes[0]
    assert await vault.find_by_key("other", bytes([1]) * 32) is None


async def test_vault_refuses_a_uid_twice(vault: Vault) -> None:
    credential = make()
    await vault.put(wrap(credential))
    again = replace(make(2), record=replace(make(2).record, uid=credential.record.uid))
    with pytest.raises(UidTaken):
        await vault.put(wrap(again))


async def test_vault_claims_of_one_certificate_have_one_first(vault: Vault) -> None:
    stored = [await vault.put(wrap(make(1, name=f"{NAME} {number}"))) for number in range(5)]
    other = await vault.put(wrap(make(2)))
    claims = await asyncio.gather(*(vault.claim(entry.uid, 9) for entry in stored))
    assert sorted(len(claim.rivals) for claim in claims) == [0, 1, 2, 3, 4]
    assert (await vault.claim(other.uid, 9)).rivals == ()
    first = next(claim for claim in claims if not claim.rivals)
    await vault.release(first)
    # Whoever claims again meets all others, also those that came later.
    left = [await vault.claim(entry.uid, 9) for entry in stored if entry.uid != first.uid]
    assert [len(claim.rivals) for claim in left] == [3, 3, 3, 3]
    assert all(rival.uid != first.uid for claim in left for rival in claim.rivals)


async def test_vault_releases_the_claim_of_its_own_request_only(vault: Vault) -> None:
    mine, other = [await vault.put(wrap(make(1))) for _ in range(2)]
    first = await vault.claim(mine.uid, 9)
    second = await vault.claim(mine.uid, 9)
    # Each leaves alone what the other may rest on.
    await vault.release(second)
    await vault.release(first)
    assert [rival.uid for rival in (await vault.claim(other.uid, 9)).rivals] == [mine.uid]
    # A request of long ago does not come back.
    again = await vault.claim(mine.uid, 9 + 2 * IN_FLIGHT_S)
    await vault.release(again)
    assert (await vault.claim(other.uid, 9)).rivals == ()


async def test_vault_opens_no_earlier_credential_in_the_place_of_a_discarded_one(
    vault: Vault, database: Database
) -> None:
    credential = make()
    await vault.put(wrap(credential))
    sealed = (RECORDS.c.wrapped_key, RECORDS.c.ciphertext)
    old = database.read_now(lambda c: c.execute(select(*sealed)).one())
    await vault.discard(credential.record.uid)
    await vault.put(wrap(credential))
    assert await vault.open(credential.record.uid) == credential
    database.write_now(lambda c: c.execute(update(RECORDS).values(**old._mapping)))
    with pytest.raises(VaultDamaged):
        await vault.open(credential.record.uid)


async def test_vault_without_reference_values_has_no_rivals(vault: Vault) -> None:
    for _ in range(2):
        credential = make_credential(
            {"name": NAME},
            schema=SCHEMA,
            issuer=bytes(32),
            ledger=LedgerReference(chain_id=7, genesis_hash=bytes(32)),
            random_bytes=secrets.token_bytes,
        )
        stored = await vault.put(wrap(credential))
        assert (await vault.claim(stored.uid, 1)).rivals == ()


async def test_vault_remembers_batch_paths(vault: Vault) -> None:
    stored = await vault.put(wrap(make()))
    path = BatchPath(uid=bytes([9]) * 32, index=3, count=5, path=(bytes([1]) * 32, bytes([2]) * 32))
    await vault.seal_batch({stored.uid: path})
    await vault.seal_batch({stored.uid: path})
    opened = await vault.open(stored.uid)
    assert opened is not None
    assert opened.record.batch == path
    with pytest.raises(InvalidField):
        await vault.seal_batch({stored.uid: replace(path, uid=bytes([8]) * 32)})
    await vault.unseal_batch(path.uid)
    assert (await vault.find(stored.uid) or stored).batch is None


def test_vault_key_file_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "vault.key"
    with pytest.raises(InvalidField, match="cannot be read"):
        load_master_key(path)
    key = load_master_key(path, create=True)
    assert load_master_key(path, create=True).id == key.id
    path.chmod(0o644)
    with pytest.raises(InvalidField, match="other users"):
        load_master_key(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(InvalidField, match="32 bytes"):
        load_master_key(path)


def test_vault_of_another_key_is_refused(vault: Vault, database: Database, tmp_path: Path) -> None:
    assert vault is not None
    (tmp_path / "vault.key").write_bytes(os.urandom(32))
    with pytest.raises(InvalidField, match="another master key"):
        open_keyring(database, VaultKeys(key_file=tmp_path / "vault.key"))
    (tmp_path / "vault.key").unlink()
    with pytest.raises(InvalidField, match="cannot be read"):
        open_keyring(database, VaultKeys(key_file=tmp_path / "vault.key"))


def test_vault_of_another_folder_is_refused(
    vault: Vault, database: Database, tmp_path: Path
) -> None:
    assert vault is not None
    other = open_database(tmp_path / "other.sqlite", METADATA)
    open_keyring(other, VaultKeys(key_file=tmp_path / "other.key"))
    other.close()
    with pytest.raises(InvalidField, match="another vault"):
        open_keyring(database, VaultKeys(key_file=tmp_path / "other.key"))


def test_vault_fingerprints_need_the_key() -> None:
    first, second = (MasterKey(bytes([n]) * 32).make_standing() for n in (0, 1))
    assert first.compute_reference(bytes(32), b"x") != second.compute_reference(bytes(32), b"x")
    assert first.compute_reference(bytes(32), b"x") != first.compute_body_fingerprint(
        bytes(32) + b"x"
    )
    assert first.compute_reference(bytes(32), b"x") == first.compute_reference(bytes(32), b"x")


async def test_vault_connections_are_durable_and_delete_securely(database: Database) -> None:
    def read(connection: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "secure_delete")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names]

    assert await database.read(read) == ["wal", 2, 1]
