"""Everything an operator may decide about one node, parsed once into frozen values.

Rules of the network (who validates, how often a block is made, what a transaction may cost) live
in genesis.json alone, because nodes that disagree about them fork. What is left is local: where
files lie, where to listen, how much to keep. It is written in TOML, one table per part of the
node, and parsed completely before anything is opened, so that a mistake costs nothing.

Three rules hold for every key:

* An unknown key, a wrong type or a value out of range is refused, and the error names the key.
* A secret is never a value here, only the path of a file that holds it.
* Paths are relative to the folder of the settings file, so a node's folder can be moved whole.

Each field carries its own explanation; `describe_settings` turns them into docs/settings.md.
"""

import ipaddress
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

from node.errors import UserFault

_LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(UserFault):
    """A settings file that cannot be used; `field` is the dotted name, such as `api.port`."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason, field=key, next_step="See docs/settings.md")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a setting decides and within which bounds; annotates the field that holds it."""

    text: str
    """One sentence for docs/settings.md."""
    low: int | None = None
    """Least value of a number."""
    high: int | None = None
    """Greatest value of a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """What the node is called and where it keeps the chain."""

    name: Annotated[str, Rule("Name of this node in logs, metrics and the explorer.")] = "node"
    data_dir: Annotated[
        Path, Rule("Folder of the chain, the mempool journal, the sign state and the indexes.")
    ] = Path("data")
    genesis: Annotated[Path, Rule("The network's genesis file.")] = Path("genesis.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatorSettings:
    """The consensus key. Without one the node is an observer: it follows and never votes."""

    key_file: Annotated[
        Path | None,
        Rule("Encrypted keystore of the consensus key; absent: this node only observes."),
    ] = None
    passphrase_file: Annotated[
        Path | None, Rule("File that holds the passphrase of the consensus key's keystore.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """The connection to other nodes: mutual TLS, certificates pinned in the registry."""

    host: Annotated[str, Rule("Address on which other nodes reach this one.")] = "127.0.0.1"
    port: Annotated[
        int, Rule("Port for other nodes; 0 chooses a free one.", low=0, high=65_535)
    ] = 30400
    advertised_address: Annotated[
        str | None,
        Rule("`host:port` that other nodes are told, where it differs from the one above."),
    ] = None
    tls_key_file: Annotated[Path, Rule("Private TLS key (EC P-256, PEM).")] = Path("keys/tls.key")
    tls_certificate_file: Annotated[Path, Rule("Certificate of the TLS key (PEM).")] = Path(
        "keys/tls.crt"
    )
    bootstrap_peers: Annotated[
        tuple[Path, ...], Rule("Invite files (`atesta invite`) of the nodes to call first.")
    ] = ()
    tap: Annotated[
        Path | None,
        Rule("Development only: a file to which all decrypted traffic is appended."),
    ] = None
    max_frame_bytes: Annotated[
        int,
        Rule(
            "Largest message accepted from another node, bytes.",
            low=8 * 1024 * 1024,  # a proposal with the largest block that a node builds, twice
            high=64 * 1024 * 1024,
        ),
    ] = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class MempoolSettings:
    """Bounds of the transactions that wait. What was acknowledged is never thrown out."""

    max_transactions: Annotated[
        int, Rule("Transactions that may wait, all senders together.", low=1, high=1_000_000)
    ] = 20_000
    max_bytes: Annotated[
        int, Rule("Bytes of all waiting transactions.", low=1024, high=4 * 1024**3)
    ] = 64 * 1024 * 1024
    max_sender_transactions: Annotated[
        int, Rule("Transactions that one sender may have waiting.", low=1, high=1_000_000)
    ] = 5_000
    max_sender_bytes: Annotated[
        int, Rule("Bytes that one sender may have waiting.", low=1024, high=4 * 1024**3)
    ] = 16 * 1024 * 1024
    max_nonce_gap: Annotated[
        int,
        Rule("How many nonces a transaction may be ahead of its predecessor.", low=0, high=10_000),
    ] = 64
    max_transaction_gas: Annotated[
        int, Rule("Gas limit of one transaction.", low=21_000, high=1_000_000_000)
    ] = 3_000_000
    max_transaction_bytes: Annotated[
        int, Rule("Size of one encoded transaction.", low=1024, high=1024 * 1024)
    ] = 128 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """JSON-RPC, REST and explorer, and the agency's private stores behind them."""

    enabled: Annotated[bool, Rule("Whether this process serves the API.")] = True
    host: Annotated[str, Rule("Address of the API; any other needs TLS and tokens.")] = "127.0.0.1"
    port: Annotated[int, Rule("Port of the API; 0 chooses a free one.", low=0, high=65_535)] = 8545
    tls_certificate: Annotated[Path | None, Rule("Certificate of the API's TLS (PEM).")] = None
    tls_key: Annotated[Path | None, Rule("Private key of the API's TLS (PEM).")] = None
    token_file: Annotated[
        Path | None,
        Rule("JSON file of bearer tokens (hashed) and their roles; absent: no token is asked."),
    ] = None
    max_body_bytes: Annotated[
        int, Rule("Largest request body.", low=1024, high=256 * 1024 * 1024)
    ] = 8 * 1024 * 1024
    account_key_files: Annotated[
        tuple[Path, ...],
        Rule("Encrypted keystores of the agency's accounts, which the outbox signs with."),
    ] = ()
    account_passphrase_file: Annotated[
        Path | None, Rule("File that holds the passphrase of the account keystores.")
    ] = None
    vault_key_file: Annotated[
        Path | None,
        Rule("File that holds the vault's master key; absent: no vault and no documents."),
    ] = None
    index_url: Annotated[
        str | None, Rule("SQLAlchemy address of the index; absent: SQLite in the data folder.")
    ] = None
    vault_url: Annotated[
        str | None, Rule("SQLAlchemy address of the vault; absent: SQLite in the data folder.")
    ] = None
    outbox_url: Annotated[
        str | None, Rule("SQLAlchemy address of the outbox; absent: SQLite in the data folder.")
    ] = None
    recognition_file: Annotated[
        Path | None,
        Rule("TOML file of recognition policies and agencies' names; absent: none."),
    ] = None
    max_lag_s: Annotated[
        int,
        Rule(
            "Age of the last final block beyond which verification answers `cannot_say`, seconds.",
            low=1,
            high=30 * 24 * 3600,
        ),
    ] = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """Structured logs: JSON lines of named events; never secrets or personal data."""

    level: Annotated[str, Rule("Least level that is written: debug, info, warning or error.")] = (
        "info"
    )
    file: Annotated[Path | None, Rule("File to append to; absent: standard error only.")] = None
    stderr: Annotated[bool, Rule("Whether events go to standard error as well.")] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One node's settings, complete; paths are absolute."""

    node: NodeSettings = field(default_factory=NodeSettings)
    validator: ValidatorSettings = field(default_factory=ValidatorSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    mempool: MempoolSettings = field(default_factory=MempoolSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    log: LogSettings = field(default_factory=LogSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingDescription:
    """One key as docs/settings.md lists it."""

    key: str
    """Dotted name: table and key."""
    kind: str
    """The TOML type in words."""
    default: str
    """The default as it would be written in TOML, or `absent`."""
    text: str
    """What it decides."""


def load_settings(path: Path) -> Settings:
    """Read a settings file.

    Raises SettingsError that names the key; a file that cannot be read or is not TOML is named
    itself.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(str(path), f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), f"is not TOML: {error}") from error
    return parse_settings(document, folder=path.resolve().parent)


def parse_settings(document: Mapping[str, Any], *, folder: Path) -> Settings:
    """Parse a decoded TOML document; relative paths are taken from `folder`.

    Raises SettingsError that names the key.
    """
    hints = typing.get_type_hints(Settings)
    for name in document:
        if name not in hints:
            raise SettingsError(name, f"is an unknown table; known are {', '.join(hints)}")
    tables = {
        name: _parse_table(name, kind, document.get(name, {}), folder)
        for name, kind in hints.items()
    }
    settings = Settings(**tables)
    _validate(settings)
    return settings


def describe_settings() -> Iterator[SettingDescription]:
    """Yield every setting there is, in the order of the tables."""
    for table, kind in typing.get_type_hints(Settings).items():
        for item in _read_fields(kind).values():
            yield SettingDescription(
                key=f"{table}.{item.name}",
                kind=_name_kind(item.hint),
                default=_show_default(item.default),
                text=item.rule.text,
            )


def is_loopback(host: str) -> bool:
    """Tell whether an address is reachable from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    name: str
    hint: Any
    rule: Rule
    default: Any


def _read_fields(kind: Any) -> dict[str, _Field]:
    hints = typing.get_type_hints(kind, include_extras=True)
    found: dict[str, _Field] = {}
    for item in fields(kind):
        hint, rule = typing.get_args(hints[item.name])
        if typing.get_origin(hint) is types.UnionType:  # optional: absent, or of the other type
            hint = next(part for part in typing.get_args(hint) if part is not type(None))
        found[item.name] = _Field(name=item.name, hint=hint, rule=rule, default=item.default)
    return found


def _parse_table(table: str, kind: Any, values: Any, folder: Path) -> Any:
    if not isinstance(values, dict):
        raise SettingsError(table, f"must be a table, written [{table}]")
    known = _read_fields(kind)
    parsed: dict[str, Any] = {}
    for name, value in values.items():
        key = f"{table}.{name}"
        if name not in known:
            raise SettingsError(key, f"is an unknown key; known are {', '.join(known)}")
        parsed[name] = _parse_value(key, known[name], value, folder)
    for name, item in known.items():
        if name not in parsed:
            parsed[name] = _resolve(item.default, folder)
    return kind(**parsed)


def _parse_value(key: str, item: _Field, value: Any, folder: Path) -> Any:
    hint = item.hint
    if hint is bool:
        if not isinstance(value, bool):
            raise SettingsError(key, "must be true or false")
        return value
    if hint is int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise SettingsError(key, "must be a whole number")
        low, high = item.rule.low, item.rule.high
        assert low is not None
        assert high is not None
        if not low <= value <= high:
            raise SettingsError(key, f"must be between {low} and {high}, not {value}")
        return value
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list) or not all(isinstance(part, str) and part for part in value):
            raise SettingsError(key, "must be a list of texts")
        return tuple(_resolve(Path(part), folder) for part in value)
    if not isinstance(value, str) or not value:
        raise SettingsError(key, "must be a text that is not empty")
    return _resolve(Path(value), folder) if hint is Path else value


def _resolve(value: Any, folder: Path) -> Any:
    return folder / value if isinstance(value, Path) else value


def _validate(settings: Settings) -> None:
    if settings.log.level not in _LOG_LEVELS:
        raise SettingsError("log.level", f"must be one of {', '.join(_LOG_LEVELS)}")
    for key, host in (("network.host", settings.network.host), ("api.host", settings.api.host)):
        try:
            ipaddress.ip_address(host)
        except ValueError:
            if host != "localhost":
                raise SettingsError(key, "must be an IP address or localhost") from None
    if settings.network.advertised_address is not None:
        _validate_address("network.advertised_address", settings.network.advertised_address)
    validator = settings.validator
    if validator.key_file is not None and validator.passphrase_file is None:
        raise SettingsError("validator.passphrase_file", "is needed with validator.key_file")
    api = settings.api
    if api.account_key_files and api.account_passphrase_file is None:
        raise SettingsError("api.account_passphrase_file", "is needed with api.account_key_files")
    if (api.tls_certificate is None) != (api.tls_key is None):
        missing = "api.tls_key" if api.tls_key is None else "api.tls_certificate"
        raise SettingsError(missing, "certificate and key are given together or not at all")
    if api.enabled and not is_loopback(api.host):
        # Whoever reaches the API from outside must be known and must not be overheard.
        if api.tls_certificate is None:
            raise SettingsError("api.tls_certificate", f"is needed to listen on {api.host}")
        if api.token_file is None:
            raise SettingsError("api.token_file", f"is needed to listen on {api.host}")


def _validate_address(key: str, address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise SettingsError(key, "must be host:port")


def _name_kind(hint: Any) -> str:
    if typing.get_origin(hint) is tuple:
        return "list of paths"
    return {bool: "true or false", int: "number", str: "text", Path: "path"}[hint]


def _show_default(value: Any) -> str:
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:_}" if value >= 100_000 else str(value)
    if isinstance(value, tuple):
        return "[]"
    return f'"{value}"'
