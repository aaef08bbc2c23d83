"""What of an erased record is left in the bytes of all files, before and after, on both engines.

Searched are all files of the SQLite database's folder (database, write-ahead log, free pages in
both) and of PostgreSQL's data directory (tables, indexes, free space, write-ahead log), byte for
byte: the wrapped key and the ciphertext as they are stored, and the salts, which are inside the
ciphertext, by opening every copy of it with every key that there is. The PostgreSQL server runs
with `wal_recycle=off`, as docs/operations.md advises, so that old segments go at a checkpoint; with
the default they stay until they are written over, and what they hold is dead, which is tested too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from atesta_client.credentials import Credential
from sqlalchemy import create_engine, select

from api.vault.ciphers import WRAPPED_SIZE, VaultDamaged
from api.vault.epoch_keys import open_record
from api.vault.keys import MasterKey
from api.vault.sealed_tables import build_record_identity
from api.vault.tables import MATERIALS, RECORDS
from scripts.postgresql.server import PostgresMissing, PostgresServer, run_postgres
from tests.unit.vault.vault_kit import SCHEMA, Kit

HASTY = ("fsync=off", "max_wal_size=64MB", "min_wal_size=32MB")


@dataclass(kw_only=True)
class Scene:
    """A vault, and the folder of its database's files."""

    kit: Kit
    files: Path
    server: PostgresServer | None = None
    closed: list[bytes] = field(default_factory=list)

    def read(self) -> dict[str, bytes]:
        """Return every file of the database, as it is on disk after a checkpoint."""
        if self.server is not None:
            engine = create_engine(self.kit.url, isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                connection.exec_driver_sql("CHECKPOINT")
            engine.dispose()
        return {
            str(path.relative_to(self.files)): path.read_bytes()
            for path in self.files.rglob("*")
            if path.is_file()
        }

    def find(self, needle: bytes) -> set[str]:
        """Return the files that hold some bytes."""
        return {name for name, content in self.read().items() if needle in content}


@pytest.fixture(params=["sqlite", "postgresql", "postgresql recycling"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    keys = tmp_path / "keys"
    keys.mkdir()
    if request.param == "sqlite":
        files = tmp_path / "database"
        files.mkdir()
        kit = Kit(url=f"sqlite:///{files}/vault.sqlite", folder=keys)
        yield Scene(kit=kit, files=files)
        kit.close()
        return
    more = () if "recycling" in request.param else ("wal_recycle=off",)
    try:
        with run_postgres(settings=(*HASTY, *more)) as server:
            kit = Kit(url=server.create_database("vault"), folder=keys)
            yield Scene(kit=kit, files=server.data, server=server)
            kit.close()
    except PostgresMissing as error:
        pytest.skip(str(error))


def read_row(kit: Kit, credential: Credential) -> tuple[int, bytes, bytes, bytes]:
    """Return epoch, wrapped key, ciphertext and identity of a record."""
    query = select(RECORDS).where(RECORDS.c.uid == credential.record.uid)
    row = kit.database.read_now(lambda c: c.execute(query).one())
    identity = build_record_identity(credential.record.uid, SCHEMA.uid, row.version)
    return row.epoch, bytes(row.wrapped_key), bytes(row.ciphertext), identity


def find_salts(
    scene: Scene, credential: Credential, wrapped: bytes, ciphertext: bytes, identity: bytes
) -> bool:
    """Tell whether any key that exists opens a copy of the record, so that its salts are there."""
    keyring = scene.kit.keyring
    assert len(wrapped) == WRAPPED_SIZE
    for number in keyring.list_keys():
        try:
            key = keyring.unwrap(number, wrapped, identity)
        except VaultDamaged:
            continue
        plain = open_record(key, ciphertext, identity)
        return all(salt.hex().encode() in plain for salt in credential.salts)
    return False


def test_erased_record_is_in_the_files_before_and_not_after(scene: Scene) -> None:
    kit = scene.kit
    made = [kit.put(number) for number in range(3)]
    # One large enough to spill over pages, with an envelope beside it.
    kit.put_material(made[1].record.uid, "case " + "2026/HS/00417 " * 800)
    gone, living = made[1], made[0]
    epoch, wrapped, ciphertext, identity = read_row(kit, gone)
    _, living_wrap, living_text, _ = read_row(kit, living)
    row = kit.database.read_now(lambda c: c.execute(select(MATERIALS)).one())
    material = (bytes(row.wrapped_key), bytes(row.ciphertext)[:400])
    key_file = kit.folder / "vault.epochs" / f"epoch-{epoch:010}.key"
    stored_key = kit.keyring.folder.read_epochs()[epoch].wrapped
    assert stored_key.hex().encode() in key_file.read_bytes()
    for needle in (wrapped, ciphertext, living_wrap, living_text, *material):
        assert scene.find(needle), "a search that finds nothing before proves nothing after"
    assert find_salts(scene, gone, wrapped, ciphertext, identity)

    notes = kit.erase(gone.record.uid).notes

    assert notes == ()
    is_found = find_salts(scene, gone, wrapped, ciphertext, identity)
    assert not is_found, "no copy anywhere opens again"
    assert kit.opens(made) == [True, False, True]
    left = {name for n in (wrapped, ciphertext, *material) for name in scene.find(n)}
    logs = {name for name in left if name.startswith("pg_wal/")}
    assert left == logs, "nothing in tables, indexes and free space"
    if not (scene.server is not None and "wal_recycle=off" not in scene.server._settings):
        assert left == set(), "nor in the write-ahead log"
    assert scene.find(living_text), "the living stay"
    assert scene.find(living_wrap) <= logs, "under another wrap"
    for place in kit.keyring.folder.places:
        content = b"".join(path.read_bytes() for path in place.iterdir())
        assert stored_key not in content
        assert stored_key.hex().encode() not in content
        assert wrapped not in content, "wraps are kept of the living only"
        assert living_wrap not in content
    check_master_key_opens_nothing(kit.keyring.master, identity, wrapped, epoch)


def check_master_key_opens_nothing(
    master: MasterKey, identity: bytes, wrapped: bytes, epoch: int
) -> None:
    uses = (b"", identity, b"key" + identity, epoch.to_bytes(8, "big") + identity)
    for use in uses:
        with pytest.raises(VaultDamaged):
            master.unwrap(wrapped, use)
    with pytest.raises(VaultDamaged):
        master.open_first(wrapped, identity)


def test_erased_record_leaves_no_free_page_of_sqlite(tmp_path: Path) -> None:
    """Also where pages were freed before, and the log was long."""
    kit = Kit(url=f"sqlite:///{tmp_path}/vault.sqlite", folder=tmp_path)
    made = [kit.put(number) for number in range(40)]
    wraps = [read_row(kit, credential)[1:3] for credential in made]
    for number in range(0, 40, 2):
        kit.erase(made[number].record.uid)
    files = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    for number, (wrapped, ciphertext) in enumerate(wraps):
        assert wrapped not in files, "all of them were erased or wrapped anew"
        assert (ciphertext in files) == (number % 2 == 1)
    kit.close()
