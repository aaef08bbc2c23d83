"""What an operator decides about the API and the agency's private stores behind it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from node.settings.fields import Rule
from node.settings.ledgers import LedgerSettings


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
