"""A vault in one database with outbox and index, as `api.database_url` makes it, is backed up."""

from pathlib import Path

from sqlalchemy import func, insert, select

from api.databases import open_database
from api.index.tables import METADATA as INDEX_METADATA
from api.migrations.migrating import OUTBOX_MIGRATIONS
from api.outbox.all_tables import OUTBOX_METADATA
from api.outbox.tables import ACCOUNTS
from api.vault.backup import write_backup
from api.vault.checking import check_backup
from api.vault.restoring import restore_backup
from tests.unit.vault.vault_kit import Kit, do


def test_vault_is_backed_up_and_restored_apart_from_its_neighbours(
    kit: Kit, tmp_path: Path
) -> None:
    made, file = kit.put(1), tmp_path / "vault.backup"
    open_database(kit.url, INDEX_METADATA, name="index").close()
    outbox = open_database(kit.url, OUTBOX_METADATA, migrations=OUTBOX_MIGRATIONS, name="outbox")
    account = {"address": bytes(20), "next_nonce": 7}
    outbox.write_now(lambda connection: connection.execute(insert(ACCOUNTS).values(**account)))
    written = write_backup(kit.keyring, file)
    assert check_backup(kit.keyring, file)[0].rows == written.rows
    kit.put(2)
    restored = restore_backup(kit.keyring, file, replace=True)
    assert restored.rows == written.rows
    assert do(kit.vault.find(made.record.uid)) is not None
    count = select(func.count()).select_from(ACCOUNTS)
    assert outbox.read_now(lambda connection: connection.execute(count).scalar_one()) == 1
    outbox.close()
