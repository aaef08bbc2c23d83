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
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from node.foreign_settings import TAGS, ForeignSettings
from node.ledger_settings import LedgerSettings, validate_ledgers
from node.setting_fields import (
    Rule,
    SettingsError,
    find_table_kind,
    name_kind,
    parse_table,
    read_fields,
    show_default,
)

__all__ = [
    "LogSettings",
    "Settings",
    "SettingsError",
    "describe_settings",
    "is_loopback",
    "load_settings",
    "parse_settings",
]

MIN_RETAINED_BLOCKS = 64
"""A pruned node keeps at least this many states: callers ask about blocks they have just seen."""

_LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """What the node is called and where it keeps the chain."""

    name: Annotated[str, Rule("Name of this node in logs, metrics and the explorer.")] = "node"
    data_dir: Annotated[
        Path, Rule("Folder of the chain, the mempool journal, the sign state and the indexes.")
    ] = Path("data")
    genesis: Annotated[Path, Rule("The network's genesis file.")] = Path("genesis.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSettings:
    """How much of the past is kept. Blocks and receipts always are; states are what grows."""

    retain_blocks: Annotated[
        int,
        Rule(
            "States to keep, counted in blocks from the last one, at least 64; 0: all, an archive "
            "that proves anything at any block.",
            low=0,
            high=2**53,
        ),
    ] = 0


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
    access_file: Annotated[
        Path | None,
        Rule(
            "TOML file of OpenID Connect providers, client certificates and limits; docs/access.md."
        ),
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
    vault_keys_dir: Annotated[
        Path | None,
        Rule("Folder of the vault's epoch keys; absent: beside the master key, as `NAME.epochs`."),
    ] = None
    vault_keys_mirrors: Annotated[
        tuple[Path, ...],
        Rule("Further folders that hold the same epoch keys, on other disks."),
    ] = ()
    vault_epoch_records: Annotated[
        int,
        Rule("Records that share an epoch key, about.", low=1, high=1_000_000),
    ] = 5_000
    vault_epoch_days: Annotated[
        int, Rule("Days for which an epoch key takes new records.", low=1, high=3_650)
    ] = 30
    database_url: Annotated[
        str | None,
        Rule(
            "Address of one database for index, vault and outbox, such as "
            "`postgresql://atesta@/atesta`; absent: SQLite files in the data folder."
        ),
    ] = None
    index_url: Annotated[
        str | None, Rule("Address of the index; absent: as `api.database_url` says.")
    ] = None
    index_read_url: Annotated[
        str | None,
        Rule("Address of a read replica of the index, which then answers all its queries."),
    ] = None
    vault_url: Annotated[
        str | None, Rule("Address of the vault; absent: as `api.database_url` says.")
    ] = None
    outbox_url: Annotated[
        str | None, Rule("Address of the outbox; absent: as `api.database_url` says.")
    ] = None
    recognition_file: Annotated[
        Path | None,
        Rule("TOML file of recognition policies and agencies' names; absent: none."),
    ] = None
    deadlines_dir: Annotated[
        Path | None,
        Rule("Folder of calendars, profiles and closures; absent: the shipped ones only."),
    ] = None
    retention_file: Annotated[
        Path | None,
        Rule("TOML file of classes of retention; absent: the shipped ones only."),
    ] = None
    retention_time: Annotated[
        str | None,
        Rule("Time of day (UTC, such as `03:30`) at which the vault is pruned; absent: never."),
    ] = None
    retention_reports_dir: Annotated[
        Path | None,
        Rule("Folder of the signed reports of pruning; absent: `retention` in the data folder."),
    ] = None
    max_lag_s: Annotated[
        int,
        Rule(
            "Age of the last final block beyond which verification answers `cannot_say`, seconds.",
            low=1,
            high=30 * 24 * 3600,
        ),
    ] = 600
    ledger_name: Annotated[
        str, Rule("What the node's own ledger is called in paths and answers.")
    ] = "own"
    ledgers: Annotated[
        tuple[LedgerSettings, ...],
        Rule("Further ledgers that the same API, vault and access serve, each `[[api.ledgers]]`."),
    ] = ()


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
    chain: ChainSettings = field(default_factory=ChainSettings)
    validator: ValidatorSettings = field(default_factory=ValidatorSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    mempool: MempoolSettings = field(default_factory=MempoolSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    foreign: ForeignSettings = field(default_factory=ForeignSettings)
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
        name: parse_table(name, kind, document.get(name, {}), folder)
        for name, kind in hints.items()
    }
    settings = Settings(**tables)
    _validate(settings)
    return settings


def describe_settings() -> Iterator[SettingDescription]:
    """Yield every setting there is, in the order of the tables."""
    for table, kind in typing.get_type_hints(Settings).items():
        yield from _describe_table(table, kind)


def _describe_table(table: str, kind: Any) -> Iterator[SettingDescription]:
    for item in read_fields(kind).values():
        key = f"{table}.{item.name}"
        yield SettingDescription(
            key=key,
            kind=name_kind(item.hint),
            default=show_default(item.default),
            text=item.rule.text,
        )
        inner = find_table_kind(item.hint)
        if inner is not None:
            yield from _describe_table(key, inner)


def is_loopback(host: str) -> bool:
    """Tell whether an address is reachable from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _validate(settings: Settings) -> None:
    if settings.log.level not in _LOG_LEVELS:
        raise SettingsError("log.level", f"must be one of {', '.join(_LOG_LEVELS)}")
    if settings.foreign.finality not in TAGS:
        raise SettingsError("foreign.finality", f"must be one of {', '.join(TAGS)}")
    for key, host in (("network.host", settings.network.host), ("api.host", settings.api.host)):
        try:
            ipaddress.ip_address(host)
        except ValueError:
            if host != "localhost":
                raise SettingsError(key, "must be an IP address or localhost") from None
    if settings.network.advertised_address is not None:
        _validate_address("network.advertised_address", settings.network.advertised_address)
    if 0 < settings.chain.retain_blocks < MIN_RETAINED_BLOCKS:
        raise SettingsError("chain.retain_blocks", f"must be 0 or at least {MIN_RETAINED_BLOCKS}")
    validator = settings.validator
    if validator.key_file is not None and validator.passphrase_file is None:
        raise SettingsError("validator.passphrase_file", "is needed with validator.key_file")
    api = settings.api
    if api.account_key_files and api.account_passphrase_file is None:
        raise SettingsError("api.account_passphrase_file", "is needed with api.account_key_files")
    validate_ledgers(
        api.ledger_name,
        api.ledgers,
        has_database=any((api.database_url, api.index_url, api.outbox_url)),
    )
    if (api.tls_certificate is None) != (api.tls_key is None):
        missing = "api.tls_key" if api.tls_key is None else "api.tls_certificate"
        raise SettingsError(missing, "certificate and key are given together or not at all")
    if api.enabled and not is_loopback(api.host):
        # Whoever reaches the API from outside must be known and must not be overheard.
        if api.tls_certificate is None:
            raise SettingsError("api.tls_certificate", f"is needed to listen on {api.host}")
        if api.token_file is None and api.access_file is None:
            raise SettingsError("api.token_file", f"is needed to listen on {api.host}")


def _validate_address(key: str, address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise SettingsError(key, "must be host:port")
