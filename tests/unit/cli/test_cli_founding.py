"""From an empty machine to a bound validator key, as an operator types it: init, genesis, bind."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from consensus.resilience import describe_resilience
from consensus.sign_state import SignIdentity, make_floor
from consensus.types import Address, Height
from contracts.addresses import DECISIONS_IMPLEMENTATION, IMPLEMENTATIONS
from contracts.codes import Role
from node.chain.genesis import load_genesis
from node.cli import founding
from node.cli.app import app
from node.cli.founding import bind_founding_key, make_keys
from node.cli.genesis_file import read_agencies
from node.errors import UserFault
from node.keys import KdfStrength, KeyPurpose, read_key_file_info
from node.settings import load_settings
from node.validator.errors import SignStateExists
from node.validator.sign_files import FILE_NAMES, SignFiles

FAST = KdfStrength.DEVELOPMENT


def invoke(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(autouse=True)
def fast_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every key file with the cheap work factor; its strength is tested elsewhere."""
    make, bind = make_keys, bind_founding_key
    monkeypatch.setattr(founding, "make_keys", lambda folder: make(folder, strength=FAST))
    monkeypatch.setattr(
        founding,
        "bind_founding_key",
        lambda *given, **named: bind(*given, **named, strength=FAST),
    )


def found(tmp_path: Path, *labels: str) -> Path:
    documents = []
    for label in labels:
        invoke("init", tmp_path / label, "--label", label, "--jurisdiction", "MO")
        documents.append(tmp_path / label / "agency.toml")
    group = tmp_path / "group.toml"
    group.write_text("chain_id = 4021\n[qbft]\nblock_period_s = 2\n")
    genesis = tmp_path / "genesis.json"
    output = invoke("genesis", group, *documents, "--out", genesis)
    assert f"{len(labels)} agencies" in output
    assert describe_resilience(len(labels)) in output, "the founders read what they found"
    return genesis


def test_group_founds_a_network_and_binds_its_keys(tmp_path: Path) -> None:
    labels = ("mo-health-bureau", "mo-identity-bureau")
    genesis = found(tmp_path, *labels)
    loaded = load_genesis(genesis)
    assert loaded.chain_id == 4021
    assert loaded.qbft.block_period_s == 2
    for label in labels:
        folder = tmp_path / label
        (folder / "genesis.json").write_bytes(genesis.read_bytes())
        key = folder / "keys" / "validator.json"
        assert read_key_file_info(key).purpose is KeyPurpose.ACCOUNT
        passphrase = folder / "secrets" / "passphrase"
        output = invoke("keys", "bind", key, "--passphrase-file", passphrase, "--genesis", genesis)
        info = read_key_file_info(key)
        assert f"0x{info.address.hex()} is now a validator key" in output
        assert info.purpose is KeyPurpose.VALIDATOR
        assert info.binding is not None
        assert info.binding.genesis_hash == loaded.genesis_hash
        assert len(list((folder / "data" / "sign_state").iterdir())) == 2
        settings = load_settings(folder / "node.toml")
        assert settings.validator.key_file == key
        assert settings.node.genesis == folder / "genesis.json"


def test_newcomer_asks_for_the_roles_that_it_needs(tmp_path: Path) -> None:
    folder = tmp_path / "mo-housing"
    words = ("--label", "mo-housing", "--jurisdiction", "MO", "--roles", "admin,EXCHANGE")
    invoke("init", folder, *words)
    (asked,) = read_agencies(folder / "agency.toml")
    assert asked.roles == Role.ADMIN | Role.EXCHANGE
    assert [account.roles for account in asked.accounts] == [asked.roles]
    refused = CliRunner().invoke(app, ["init", str(tmp_path / "other"), *words[:-1], "KING"])
    assert isinstance(refused.exception, UserFault)
    assert refused.exception.field == "--roles"
    assert not (tmp_path / "other").exists(), "nothing is made of a word that is wrong"


def test_bound_key_is_not_bound_again(tmp_path: Path) -> None:
    genesis = found(tmp_path, "mo-health-bureau")
    folder = tmp_path / "mo-health-bureau"
    key = folder / "keys" / "validator.json"
    passphrase = (folder / "secrets" / "passphrase").read_text().strip()
    bind_founding_key(key, passphrase, genesis, data_dir=folder / "data", strength=FAST)
    with pytest.raises(UserFault):
        bind_founding_key(key, passphrase, genesis, data_dir=folder / "data", strength=FAST)


def test_binding_never_replaces_a_sign_state(tmp_path: Path) -> None:
    genesis = found(tmp_path, "mo-health-bureau")
    folder = tmp_path / "mo-health-bureau"
    key = folder / "keys" / "validator.json"
    before = key.read_bytes()
    passphrase = (folder / "secrets" / "passphrase").read_text().strip()
    (folder / "data" / "sign_state").mkdir(parents=True)
    (folder / "data" / "sign_state" / "first.record").write_bytes(b"what it signed")
    with pytest.raises(SignStateExists):
        bind_founding_key(key, passphrase, genesis, data_dir=folder / "data", strength=FAST)
    assert key.read_bytes() == before


@pytest.mark.parametrize("files", [1, 2])
def test_binding_that_a_crash_cut_off_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    """The crash comes after one or both sign-state files, before the key."""
    genesis = found(tmp_path, "mo-health-bureau")
    folder = tmp_path / "mo-health-bureau"
    key = folder / "keys" / "validator.json"
    passphrase = (folder / "secrets" / "passphrase").read_text().strip()

    def bind() -> None:
        bind_founding_key(key, passphrase, genesis, data_dir=folder / "data", strength=FAST)

    def die(*_given: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(founding, "import_key_file", die)
        with pytest.raises(KeyboardInterrupt):
            bind()
    assert read_key_file_info(key).purpose is KeyPurpose.ACCOUNT
    for name in FILE_NAMES[files:]:
        (folder / "data" / "sign_state" / name).unlink()
    bind()
    assert read_key_file_info(key).purpose is KeyPurpose.VALIDATOR
    first, second = SignFiles(folder / "data" / "sign_state").read()
    assert first == second


@pytest.mark.parametrize("change", ["number", "validator", "torn", "second only"])
def test_binding_goes_on_from_nothing_but_the_empty_record_of_its_key(
    tmp_path: Path, change: str
) -> None:
    genesis = found(tmp_path, "mo-health-bureau")
    folder = tmp_path / "mo-health-bureau"
    key = folder / "keys" / "validator.json"
    passphrase = (folder / "secrets" / "passphrase").read_text().strip()
    loaded = load_genesis(genesis)
    identity = SignIdentity(
        chain_id=loaded.chain_id,
        genesis_hash=loaded.genesis_hash,
        validator=Address(bytes(20)) if change == "validator" else read_key_file_info(key).address,
    )
    files = folder / "data" / "sign_state"
    record = make_floor(identity, number=int(change == "number"), height=Height(0))
    SignFiles(files).write(record)
    if change == "torn":
        (files / FILE_NAMES[1]).write_bytes(b"torn")
    if change == "second only":
        (files / FILE_NAMES[0]).unlink()
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    with pytest.raises(SignStateExists):
        bind_founding_key(key, passphrase, genesis, data_dir=folder / "data", strength=FAST)
    assert {path.name: path.read_bytes() for path in files.iterdir()} == before
    assert read_key_file_info(key).purpose is KeyPurpose.ACCOUNT


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    found(tmp_path, "mo-health-bureau")
    arguments = ["init", str(tmp_path / "mo-health-bureau"), "--label", "x", "--jurisdiction", "MO"]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, UserFault)
    assert "not overwritten" in str(result.exception)


def test_genesis_of_the_group_is_a_besu_document(tmp_path: Path) -> None:
    document = json.loads(found(tmp_path, "mo-health-bureau").read_text())
    assert document["config"]["chainId"] == 4021
    assert document["config"]["qbft"]["blockperiodseconds"] == 2
    contracts = {*IMPLEMENTATIONS, *IMPLEMENTATIONS.values(), DECISIONS_IMPLEMENTATION}
    assert set(document["alloc"]) == {f"0x{address.hex()}" for address in contracts}
