"""A vault of the first version, under its master key alone, comes under epochs in place."""

import os
from pathlib import Path
from typing import Any

import pytest
from atesta_client.canonical import dump_canonical
from atesta_client.credentials import Credential, encode_credential
from atesta_client.envelopes import Envelope, EnvelopeKind, encode_envelope, seal_envelope
from sqlalchemy import MetaData, create_engine, insert, select

from api.databases import open_database
from api.errors import InvalidField
from api.feeds.webhook_store import VaultSealer, Webhook, WebhookStore
from api.migrations.migrating import OUTBOX_MIGRATIONS, VAULT_MIGRATIONS, migrate
from api.outbox.tables import METADATA as OUTBOX
from api.vault import upgrade
from api.vault.checking import check_vault
from api.vault.ciphers import KEY_SIZE
from api.vault.epoch_keys import seal_record
from api.vault.keys import MasterKey, write_master_key
from api.vault.rotation import change_master_key
from api.vault.sealed_tables import (
    build_line_identity,
    build_material_identity,
    build_record_identity,
)
from api.vault.tables import RECORDS
from tests.unit.vault.vault_kit import NOW_S, SCHEMA, Kit, do, make, wrap

RECORD_COUNT = 11


def seal_first(key: MasterKey, plain: bytes, identity: bytes) -> dict[str, bytes]:
    """Seal a row as the first version did."""
    data_key, wrapped_key = key.seal_first(identity)
    return {"wrapped_key": wrapped_key, "ciphertext": seal_record(data_key, plain, identity)}


def fill_first_version(url: str, key: MasterKey) -> tuple[list[Credential], Envelope]:
    """Make a database of the first version with records, claims, an envelope and a line."""
    made = [make(number) for number in range(RECORD_COUNT)]
    case = seal_envelope(EnvelopeKind.CASE, {"number": "2026/1"}, os.urandom)
    fingerprints = key.make_standing()
    rows: list[tuple[str, dict[str, Any]]] = [("vault", {"id": 1, "master_key": key.id})]
    for number, credential in enumerate(made):
        record = credential.record
        reference = fingerprints.compute_reference(SCHEMA.uid, dump_canonical([[f"MO-{number}"]]))
        identity = build_record_identity(record.uid, SCHEMA.uid, 1)
        row = {
            "uid": record.uid,
            "schema_uid": SCHEMA.uid,
            "version": 1,
            "algorithm": int(record.algorithm),
            "commitment": record.commitment,
            "valid_until_s": 0,
            "reference": reference,
            "created_s": 1,
            "body_fingerprint": fingerprints.compute_body_fingerprint(b"body"),
            **seal_first(key, encode_credential(credential), identity),
        }
        claim = {
            "schema_uid": SCHEMA.uid,
            "reference": reference,
            "uid": record.uid,
            "claimed_s": 1,
        }
        rows += [("records", row), ("claims", claim)]
    uid = made[0].record.uid
    material = {
        "uid": uid,
        "role": "case",
        "commitment": case.commitment,
        "reference": fingerprints.compute_reference(b"case".ljust(32, b"\0"), b"2026/1"),
        "created_s": 1,
        **seal_first(
            key, dump_canonical(encode_envelope(case)), build_material_identity(uid, "case", None)
        ),
    }
    line = {
        "import_id": "im-1",
        "line": 1,
        "state": "waiting",
        "uid": bytes(32),
        "weight": 1,
        "is_single": False,
        **seal_first(key, dump_canonical({"a": 1}), build_line_identity("im-1", 1)),
    }
    done = {"import_id": "im-1", "line": 2, "state": "done", "weight": 1, "is_single": False}
    about = {
        "id": "im-1",
        "act": "mandate.record",
        "idempotency_key": "k",
        "body_fingerprint": bytes(32),
        "state": "running",
        "lines": 2,
        "created_s": 1,
    }
    rows += [("materials", material), ("imports", about)]
    rows += [("import_lines", line), ("import_lines", done)]
    engine = create_engine(url)
    with engine.begin() as connection:
        migrate(connection, VAULT_MIGRATIONS, upto="0001")
        tables = MetaData()
        tables.reflect(connection)
        for name, row in rows:
            connection.execute(insert(tables.tables[name]).values(**row))
    engine.dispose()
    return made, case


@pytest.fixture
def key(tmp_path: Path) -> MasterKey:
    made = MasterKey(os.urandom(KEY_SIZE))
    write_master_key(tmp_path / "vault.key", made)
    return made


def test_first_version_comes_under_epochs_with_every_row(
    database_url: str, tmp_path: Path, key: MasterKey
) -> None:
    made, case = fill_first_version(database_url, key)
    kit = Kit(url=database_url, folder=tmp_path)
    for _ in range(2):
        assert kit.opens(made) == [True] * RECORD_COUNT
        assert do(kit.materials.find(made[0].record.uid, "case")) == case
        assert do(kit.materials.list_by_reference("case", "2026/1")) == (made[0].record.uid,)
        rows = kit.database.read_now(lambda c: c.execute(select(RECORDS.c.epoch)).scalars().all())
        assert None not in rows
        report = check_vault(kit.keyring)
        assert (report.rows, report.is_whole) == (RECORD_COUNT + 2, True)
        assert kit.vault.compute_body_fingerprint(b"body") == (
            key.make_standing().compute_body_fingerprint(b"body")
        )
        kit.reopen()
    rival = do(kit.vault.put(wrap(make(3, name="Another"))))
    assert [r.uid for r in do(kit.vault.claim(rival.uid, NOW_S)).rivals] == [made[3].record.uid]
    kit.erase(made[4].record.uid)
    assert kit.opens(made) == [n != 4 for n in range(RECORD_COUNT)]
    kit.close()


def test_upgrade_that_is_stopped_goes_on_where_it_was(
    tmp_path: Path, key: MasterKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/vault.sqlite"
    made, _ = fill_first_version(url, key)
    monkeypatch.setattr("api.vault.epochs.CHUNK_ROWS", 3)
    write = upgrade._move
    moves: list[int] = []

    def move_twice(*args: Any, **named: Any) -> int:
        if len(moves) == 2:
            raise RuntimeError("the power goes")
        moves.append(write(*args, **named))
        return moves[-1]

    monkeypatch.setattr(upgrade, "_move", move_twice)
    with pytest.raises(RuntimeError, match="power"):
        Kit(url=url, folder=tmp_path)
    assert moves == [3, 3]
    monkeypatch.setattr(upgrade, "_move", write)
    kit = Kit(url=url, folder=tmp_path)
    assert kit.opens(made) == [True] * RECORD_COUNT
    assert len(kit.keyring.list_keys()) >= RECORD_COUNT // 4
    assert check_vault(kit.keyring).is_whole
    kit.close()


def test_first_version_with_another_key_is_refused_untouched(
    tmp_path: Path, key: MasterKey
) -> None:
    url = f"sqlite:///{tmp_path}/vault.sqlite"
    made, _ = fill_first_version(url, key)
    secret = (tmp_path / "vault.key").read_bytes()
    (tmp_path / "vault.key").write_bytes(os.urandom(KEY_SIZE))
    with pytest.raises(InvalidField, match="another master key"):
        Kit(url=url, folder=tmp_path)
    (tmp_path / "vault.key").write_bytes(secret)
    kit = Kit(url=url, folder=tmp_path)
    assert kit.opens(made) == [True] * RECORD_COUNT
    kit.close()


def make_webhook(secret: str, name: str) -> Webhook:
    return Webhook(
        id=name,
        url="https://receiver.example/",
        kinds=(),
        agency=None,
        secret=secret,
        position=0,
        failures=0,
        next_try_s=0,
        last_error=None,
        delivered=0,
        created_s=1,
        is_active=True,
    )


def test_secrets_of_webhooks_are_sealed_anew_and_outlive_the_master_key(
    lite: Kit, tmp_path: Path
) -> None:
    class First(VaultSealer):
        """Seals as the first version did, or, without a vault, not at all."""

        plain = False

        def seal(self, plain: bytes, identity: bytes) -> bytes:
            if self.plain:
                return plain
            row = seal_first(lite.keyring.master, plain, b"webhook" + identity)
            return bytes((len(row["wrapped_key"]),)) + row["wrapped_key"] + row["ciphertext"]

    database = open_database(
        tmp_path / "outbox.sqlite", OUTBOX, migrations=OUTBOX_MIGRATIONS, name="outbox"
    )
    first = First(lite.keyring)
    do(WebhookStore(database, first).add(make_webhook("s3cret", "one")))
    first.plain = True
    do(WebhookStore(database, first).add(make_webhook("from before the vault", "two")))
    store = WebhookStore(database, VaultSealer(lite.keyring))
    assert store.seal_anew() == 2
    assert store.seal_anew() == 0

    change_master_key(lite.keyring, lite.keys.key_file)
    lite.reopen()
    again = WebhookStore(database, VaultSealer(lite.keyring))
    assert [hook.secret for hook in do(again.list_all())] == ["s3cret", "from before the vault"]
    database.close()
    content = b"".join(path.read_bytes() for path in tmp_path.glob("outbox.sqlite*"))
    assert b"s3cret" not in content
