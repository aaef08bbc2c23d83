"""Settings: parsed once, every mistake named, every key documented."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.settings import SettingsError, describe_settings, load_settings, parse_settings

DOCUMENT = Path(__file__).parents[3] / "docs" / "settings.md"
FOLDER = Path("/srv/agency")


def refuse(document: dict[str, object]) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        parse_settings(document, folder=FOLDER)
    return caught.value


def test_settings_without_a_key_are_the_defaults() -> None:
    settings = parse_settings({}, folder=FOLDER)
    assert settings.api.host == "127.0.0.1"
    assert settings.network.host == "127.0.0.1"
    assert settings.validator.key_file is None
    assert settings.node.data_dir == FOLDER / "data"
    assert settings.mempool.max_transaction_gas == 3_000_000


def test_settings_take_paths_from_the_folder_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text('[node]\ndata_dir = "x"\n[network]\nbootstrap_peers = ["a.json", "/b.json"]\n')
    settings = load_settings(file)
    assert settings.node.data_dir == tmp_path / "x"
    assert settings.network.bootstrap_peers == (tmp_path / "a.json", Path("/b.json"))


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"nodes": {}}, "nodes"),
        ({"api": 1}, "api"),
        ({"api": {"prot": 1}}, "api.prot"),
        ({"api": {"port": "8545"}}, "api.port"),
        ({"api": {"port": True}}, "api.port"),
        ({"api": {"port": 65_536}}, "api.port"),
        ({"api": {"enabled": 1}}, "api.enabled"),
        ({"api": {"host": "ledger.example"}}, "api.host"),
        ({"node": {"name": ""}}, "node.name"),
        ({"log": {"level": "loud"}}, "log.level"),
        ({"network": {"bootstrap_peers": "a.json"}}, "network.bootstrap_peers"),
        ({"network": {"advertised_address": "host"}}, "network.advertised_address"),
        ({"mempool": {"max_transactions": 0}}, "mempool.max_transactions"),
        ({"validator": {"key_file": "k"}}, "validator.passphrase_file"),
        ({"api": {"account_key_files": ["k"]}}, "api.account_passphrase_file"),
        ({"api": {"tls_certificate": "c"}}, "api.tls_key"),
        (
            {"api": {"ledgers": [{"name": "s", "rpc_url": "http://s", "genesis_hash": "0x12"}]}},
            "api.ledgers.genesis_hash",
        ),
    ],
)
def test_settings_refuse_naming_the_key(document: dict[str, object], field: str) -> None:
    error = refuse(document)
    assert error.field == field
    assert str(error).startswith(f"{field}: ")


def test_settings_open_no_other_address_without_tls_and_tokens() -> None:
    api: dict[str, object] = {"host": "0.0.0.0"}
    assert refuse({"api": api}).field == "api.tls_certificate"
    api |= {"tls_certificate": "c", "tls_key": "k"}
    assert refuse({"api": api}).field == "api.token_file"
    api |= {"token_file": "t"}
    assert parse_settings({"api": api}, folder=FOLDER).api.host == "0.0.0.0"
    closed = parse_settings({"api": {"host": "0.0.0.0", "enabled": False}}, folder=FOLDER)
    assert not closed.api.enabled


@pytest.mark.parametrize("content", [b"[node", b"\xff\xfe"])
def test_settings_name_a_file_that_is_not_toml(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "node.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match="is not TOML"):
        load_settings(file)


def test_settings_name_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path / "node.toml")


@given(
    st.dictionaries(
        st.sampled_from(["node", "api", "mempool", "log", "x"]),
        st.dictionaries(
            st.sampled_from(["name", "port", "level", "file", "max_bytes", "y"]),
            st.one_of(st.booleans(), st.integers(), st.text(), st.lists(st.text()), st.floats()),
        ),
    )
)
def test_settings_either_parse_or_raise_their_own_error(document: dict[str, object]) -> None:
    with suppress(SettingsError):
        parse_settings(document, folder=FOLDER)


def test_settings_document_lists_every_key_with_its_default() -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    rows = {line for line in lines if line.startswith("| `")}
    expected = {
        f"| `{item.key}` | {item.kind} | `{item.default}` | {item.text} |"
        for item in describe_settings()
    }
    assert rows == expected
