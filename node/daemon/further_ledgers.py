"""The further ledgers of the settings, as the API takes them: files read, accounts opened."""

from dataclasses import replace
from pathlib import Path
from typing import cast

from api.database_addresses import check_setting
from api.finality import Tag, report
from api.networks.reaching import FurtherLedger
from api.outbox.account import Account, build_account
from node.daemon.foreign_files import make_foreign, read_token
from node.daemon.opening import load_accounts
from node.settings import Settings
from node.settings.ledgers import LedgerSettings


def make_further(settings: Settings) -> tuple[FurtherLedger, ...]:
    """Return every `[[api.ledgers]]`; raises UserFault for a file that cannot be used."""
    return tuple(_make(settings, ledger) for ledger in settings.api.ledgers)


def find_outbox(settings: Settings, ledger: LedgerSettings) -> Path | str:
    """Return the file or address of a ledger's outbox; raises `InvalidField`."""
    return _find_database(ledger) or settings.node.data_dir / f"outbox-{ledger.name}.sqlite"


def _find_database(ledger: LedgerSettings) -> str | None:
    if ledger.database_url is None:
        return None
    return check_setting(ledger.database_url, field="api.ledgers.database_url")


def _make(settings: Settings, ledger: LedgerSettings) -> FurtherLedger:
    folder = settings.node.data_dir
    foreign = None
    if ledger.contracts_file is not None:
        # What to pay is said once, for every network.
        foreign = replace(
            make_foreign(settings, ledger.contracts_file),
            finality=report(cast("Tag", ledger.finality)),
        )
    return FurtherLedger(
        name=ledger.name,
        rpc_url=ledger.rpc_url,
        rpc_token=None if ledger.rpc_token_file is None else read_token(ledger.rpc_token_file),
        genesis_hash=None
        if ledger.genesis_hash is None
        else bytes.fromhex(ledger.genesis_hash[2:]),
        foreign=foreign,
        accounts=_load_accounts(settings, ledger),
        index=_find_database(ledger) or folder / f"index-{ledger.name}.sqlite",
        outbox=find_outbox(settings, ledger),
    )


def _load_accounts(settings: Settings, ledger: LedgerSettings) -> tuple[Account, ...]:
    """Open the agency's accounts on a ledger: its own keystores, or those of the own ledger."""
    api = settings.api
    told = replace(
        api,
        account_key_files=ledger.account_key_files or api.account_key_files,
        account_passphrase_file=ledger.account_passphrase_file or api.account_passphrase_file,
    )
    accounts = load_accounts(replace(settings, api=told))
    return tuple(build_account(account.reveal_secret()) for account in accounts)
