"""`atesta vault` from backup to shares, on a vault that a node would open."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from api.access.read_table import READS
from api.vault.keys import MasterKey
from api.vault.shares import MAX_SHARES, split_master_key
from node.cli.app import app, describe
from node.keys import KdfStrength, KeyPurpose, create_key_file
from tests.unit.vault.vault_kit import Kit, do

CONFIG = """\
[node]
data_dir = "data"
[api]
vault_key_file = "keys/vault.key"
vault_keys_mirrors = ["mirror"]
vault_epoch_records = 4
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "node.toml"
    file.write_text(CONFIG)
    (tmp_path / "data").mkdir()
    (tmp_path / "keys").mkdir()
    return file


@pytest.fixture
def opened(config: Path) -> Kit:
    """The vault of that node."""
    folder = config.parent
    return Kit(
        url=f"sqlite:///{folder}/data/vault.sqlite",
        folder=folder / "keys",
        mirrors=(folder / "mirror",),
    )


def call(*words: object, given: str | None = None) -> Result:
    return CliRunner().invoke(app, ["vault", *map(str, words)], input=given)


def run(*words: object, given: str | None = None) -> str:
    result = call(*words, given=given)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def refuse(*words: object) -> str:
    result = call(*words)
    assert isinstance(result.exception, Exception)
    return describe(result.exception)[0]


def add_read(opened: Kit) -> None:
    """Enter one line into the record of reads, a log that no restoring replaces."""
    row = {
        "read_s": 1_760_000_000,
        "caller": "counter",
        "method": "token",
        "operation": "get",
        "purpose": "service",
        "uid": bytes(32),
        "what": "credential",
        "request_id": "r",
    }
    opened.database.write_now(lambda c: c.execute(insert(READS).values(**row)))


def test_vault_commands_back_up_erase_and_restore(
    config: Path, opened: Kit, tmp_path: Path
) -> None:
    made = [opened.put(number) for number in range(6)]
    add_read(opened)
    file = tmp_path / "vault.backup"
    out = run("backup", file, "--config", config)
    assert "7 rows" in out
    assert "opened and held against their commitments: 6 rows" in out
    assert "migrated" not in out, "the copy that is opened for a moment is not told of"
    assert "not overwritten" in refuse("backup", file, "--config", config)
    uid = "0x" + made[1].record.uid.hex()
    words = ("erase", uid, "--reason", "holder_request", "--config", config)
    assert "1 of 1 records are here, with 1 rows; 3 others" in run(*words, "--dry-run")
    assert call(*words, given="n\n").exit_code == 1
    assert do(opened.vault.open(made[1].record.uid)) == made[1]
    assert "erased: 1; destroyed epoch keys: 1" in run(*words, given="y\n")
    assert "records erased: 1" in run("status", "--config", config)
    assert "not empty" in refuse("restore", file, "--config", config)
    told = run("restore", file, "--config", config, "--dry-run")
    assert "would restore: 5 rows" in told
    assert "in the record of reads already: 1 rows" in told
    assert "erased since, and not restored: 1 rows" in told
    foreseen = [line for line in told.splitlines() if line.endswith(" rows")]
    told = run("restore", file, "--config", config, "--replace", "--yes")
    done = [line for line in told.splitlines() if line.endswith(" rows")]
    assert [line.replace("would restore", "restored") for line in foreseen] == done
    assert "under later epochs: 3 rows" in told
    told = run("check", file, "--config", config)
    assert "5 rows" in told
    assert "migrated" not in told
    assert "5 rows" in run("check", "--config", config)
    opened.reopen()
    assert opened.opens(made) == [True, False, True, True, True, True]
    opened.close()


def test_vault_commands_rotate_and_recover_from_shares(
    config: Path, opened: Kit, tmp_path: Path
) -> None:
    made = [opened.put(number) for number in range(6)]
    folder, key_file = tmp_path / "shares", tmp_path / "keys/vault.key"
    assert "of which 2 are needed" in run(
        "shares", "--config", config, "--needed", 2, "--count", 3, "--out", folder
    )
    old = sorted(folder.iterdir())
    assert [path.stat().st_mode & 0o777 for path in old] == [0o600] * 3
    assert "would make a new master key and wrap 6 rows" in run(
        "rotate", "--config", config, "--dry-run"
    )
    before = key_file.read_bytes()
    assert "6 rows under 2 new epochs" in run("rotate", "--config", config, "--yes")
    run("rotate", "--config", config, "--yes", "--master-only")
    assert key_file.read_bytes() != before
    opened.keyring._looked_s = 0
    made.append(opened.put(7))
    assert opened.opens(made) == [True] * 7, "the running process goes on"
    assert "not overwritten" in refuse("recover-key", *old[:2], "--config", config)
    new = run("shares", "--config", config).split()
    secret = key_file.read_bytes()
    key_file.unlink()
    assert "changed since" in refuse("recover-key", *old[:2], "--config", config)
    assert "1 of 2" in refuse("recover-key", old[0], "--config", config)
    run("recover-key", "--config", config, given="\n".join(new[1:4]) + "\n")
    assert key_file.read_bytes() == secret
    assert key_file.stat().st_mode & 0o777 == 0o600
    opened.reopen()
    assert opened.opens(made) == [True] * 7
    opened.close()


def test_recovering_the_key_needs_the_vault_that_it_is_held_against(
    config: Path, opened: Kit, tmp_path: Path
) -> None:
    """Shares of another vault are refused, also where nothing is there to tell them by."""
    opened.close()
    shares = run("shares", "--config", config, "--needed", 2, "--count", 2).split()
    foreign = [tmp_path / f"foreign-{number}" for number in (1, 2)]
    texts = split_master_key(MasterKey(bytes(32)), threshold=2, count=2)
    for path, text in zip(foreign, texts, strict=True):
        path.write_text(text)
    key_file = tmp_path / "keys/vault.key"
    key_file.unlink()
    epochs, mirror = tmp_path / "keys/vault.epochs", tmp_path / "mirror"
    epochs.rename(tmp_path / "away")
    mirror.rename(tmp_path / "away-too")
    words = ("recover-key", *foreign, "--config", config)
    assert "is missing" in refuse(*words)
    assert not key_file.exists()
    assert not epochs.exists(), "nothing is made under a mount point"
    assert not mirror.exists()
    (tmp_path / "away").rename(epochs)
    assert "is missing" in refuse(*words)
    (tmp_path / "away-too").rename(mirror)
    assert "another key" in refuse(*words)
    run("recover-key", "--config", config, given="\n".join(shares) + "\n")
    opened.open()
    opened.close()


def test_new_disk_for_the_keys_is_filled_by_a_command(
    config: Path, opened: Kit, tmp_path: Path
) -> None:
    made = opened.put()
    opened.close()
    mirror = tmp_path / "mirror"
    shutil.rmtree(mirror)
    assert "is missing" in refuse("status", "--config", config)
    words = ("add-mirror", mirror, "--config", config)
    assert "filled from the others" in run(*words)
    assert "is there already" in run(*words)
    other = tmp_path / "other"
    assert "vault_keys_mirrors first" in refuse("add-mirror", other, "--config", config)
    assert not other.exists()
    shutil.rmtree(tmp_path / "keys/vault.epochs")
    assert "filled" in run("add-mirror", tmp_path / "keys/vault.epochs", "--config", config)
    opened.open()
    assert opened.opens([made]) == [True]
    opened.close()


def test_vault_commands_refuse_what_makes_no_sense(config: Path) -> None:
    assert "32 bytes" in refuse("erase", "0x12", "--reason", "error", "--config", config)
    uid = "0x" + 32 * "12"
    told = refuse("shares", "--needed", 6, "--count", 5, "--config", config)
    assert told == "--needed: is 6, more than the 5 of --count"
    told = refuse("shares", "--count", MAX_SHARES + 1, "--config", config)
    assert told == f"--count: is {MAX_SHARES + 1}, more than {MAX_SHARES}"
    assert "is one of" in refuse("erase", uid, "--reason", "because", "--config", config)
    (config.parent / "none.toml").write_text("")
    assert "has no vault" in refuse("check", "--config", config.parent / "none.toml")


def add_account(config: Path) -> str:
    """Give the node an account; return its address."""
    folder = config.parent / "keys"
    key = create_key_file(
        folder / "account.json",
        "words",
        purpose=KeyPurpose.ACCOUNT,
        strength=KdfStrength.DEVELOPMENT,
    )
    passphrase = folder / "passphrase"
    passphrase.write_text("words")
    passphrase.chmod(0o600)
    config.write_text(
        CONFIG + 'account_key_files = ["keys/account.json"]\n'
        'account_passphrase_file = "keys/passphrase"\n'
    )
    return "0x" + key.address.hex()


def test_vault_prune_writes_a_report_or_erases_nothing(
    config: Path, opened: Kit, tmp_path: Path
) -> None:
    opened.put_material(b"u" * 32, "old", role="prepared_consent", now_s=1_700_000_000)
    opened.put_material(b"v" * 32, "kept")
    report = tmp_path / "report.json"
    words = ("prune", "--config", config, "--out", report)
    assert "is needed: the report is signed" in refuse(*words, "--yes")
    assert do(opened.materials.find(b"u" * 32, "prepared_consent")) is not None
    account = add_account(config)
    told = run(*words, "--yes")
    assert "erased 1 other records, kept 1" in told
    assert f"signed by {account}; check it with `atesta vault verify-report`" in told
    assert do(opened.materials.find(b"u" * 32, "prepared_consent")) is None
    told = run("verify-report", report)
    assert f"signed by {account}, and not changed since" in told
    assert "erased 1 other records, kept 1" in told
    assert "not overwritten" in refuse(*words, "--yes")
    opened.close()


def test_vault_check_says_what_is_damaged(config: Path, opened: Kit) -> None:
    opened.put()
    opened.database.write_now(
        lambda c: c.exec_driver_sql("UPDATE records SET ciphertext = zeroblob(50)")
    )
    opened.close()
    result = call("check", "--config", config)
    assert result.exit_code == 1
    assert "DAMAGED: 1 rows of records" in result.output
