"""What an operator says of each further ledger that the API serves beside the node's own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from node.settings.fields import Rule, SettingsError
from node.settings.foreign import TAGS

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_HASH: Final = re.compile(r"0x[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSettings:
    """One further ledger: a chain of its own, reached by the JSON-RPC of a node that holds it."""

    name: Annotated[
        str, Rule("What it is called in paths and answers: small letters, digits and `-`.")
    ]
    rpc_url: Annotated[str, Rule("JSON-RPC of a node that holds it, http or https.")]
    genesis_hash: Annotated[
        str | None,
        Rule("Hash of its block 0; another ledger at `rpc_url` is refused. Absent: not compared."),
    ] = None
    rpc_token_file: Annotated[
        Path | None, Rule("File with the bearer token that this node asks for.")
    ] = None
    contracts_file: Annotated[
        Path | None,
        Rule("Deployment file of `atesta contracts deploy`, where it is on another network."),
    ] = None
    finality: Annotated[
        str,
        Rule(
            "On another network, the block up to which it is read: `finalized`, `safe`, `latest`."
        ),
    ] = "finalized"
    account_key_files: Annotated[
        tuple[Path, ...],
        Rule("Keystores of the agency's accounts on it; none: `api.account_key_files`."),
    ] = ()
    account_passphrase_file: Annotated[
        Path | None,
        Rule("Passphrase of these keystores; absent: `api.account_passphrase_file`."),
    ] = None
    database_url: Annotated[
        str | None,
        Rule("Address of a database for its index and outbox; absent: files in the data folder."),
    ] = None


def validate_ledgers(own: str, further: Sequence[LedgerSettings], *, has_database: bool) -> None:
    """Raise SettingsError for ledgers that could be confused, or not be reached."""
    if not _NAME.fullmatch(own):
        raise SettingsError("api.ledger_name", _describe_name())
    names, databases = {own}, set[str]()
    for ledger in further:
        if not _NAME.fullmatch(ledger.name):
            raise SettingsError("api.ledgers.name", _describe_name())
        if ledger.name in names:
            raise SettingsError("api.ledgers.name", f"two ledgers are called {ledger.name}")
        names.add(ledger.name)
        parts = urlsplit(ledger.rpc_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise SettingsError("api.ledgers.rpc_url", "must be an http or https address")
        if ledger.genesis_hash is not None and not _HASH.fullmatch(ledger.genesis_hash):
            raise SettingsError(
                "api.ledgers.genesis_hash", "must be 0x and 64 hexadecimal digits in small letters"
            )
        if ledger.finality not in TAGS:
            raise SettingsError("api.ledgers.finality", f"must be one of {', '.join(TAGS)}")
        if ledger.database_url is None and has_database:
            raise SettingsError(
                "api.ledgers.database_url",
                f"is needed for {ledger.name}: the own ledger's databases hold no other",
            )
        if ledger.database_url is not None:
            if ledger.database_url in databases:
                raise SettingsError("api.ledgers.database_url", "is that of another ledger")
            databases.add(ledger.database_url)


def _describe_name() -> str:
    return "must be small letters, digits and -, at most 40, beginning with a letter or digit"
