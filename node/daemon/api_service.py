"""The API inside the node's process: the node's settings, put into the parts of the API.

REST and explorer do not see the backend: they speak web3 to the JSON-RPC dispatcher, in process,
so that they run unchanged beside the node or in front of another network.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from api.app import Readiness
from api.assembly import ApiParts, RunningApi, serve_ledger
from api.database_addresses import check_setting
from api.jsonrpc.dispatcher import Dispatcher
from api.outbox.account import build_account
from api.ports import LedgerNode
from api.rest.opening import RestSettings
from api.retention.job import RetentionJob, parse_time_of_day
from api.settings import ApiSettings as ServerSettings
from api.vault.keyring import EpochLimits
from api.vault.opening import VaultKeys
from api.verification.policies import VerificationSettings
from api.verification.recognition_file import Recognition, load_recognition
from api.web3_provider import connect_in_process
from node.daemon.further_ledgers import make_further
from node.keys import SigningKey
from node.settings import Settings
from node.storage.crashpoints import CrashPoints

__all__ = ["RunningApi", "run_api"]


@asynccontextmanager
async def run_api(
    settings: Settings,
    node: LedgerNode,
    accounts: tuple[SigningKey, ...],
    crash_points: CrashPoints,
) -> AsyncIterator[RunningApi]:
    """Serve the API until the block is left; `crash_points` number its commits with the rest.

    Raises the `ApiError` that names the setting for an occupied port, unreadable TLS files, an
    unusable vault key or a database that cannot be opened.
    """
    server = make_server_settings(settings)
    dispatcher = Dispatcher(node, server.rpc)
    connection = connect_in_process(dispatcher)
    parts = ApiParts(
        server=server,
        rest=make_rest_settings(settings),
        connection=connection,
        accounts=tuple(build_account(key.reveal_secret()) for key in accounts),
        dispatcher=dispatcher,
        readiness=_build_readiness(node, settings.api.max_lag_s),
        metrics=(node.get_metrics,),
        further=make_further(settings),
        watch=crash_points,
    )
    try:
        async with serve_ledger(parts) as running:
            yield running
    finally:
        await connection.close()


def make_server_settings(settings: Settings) -> ServerSettings:
    """Return how the API's server binds and admits; raises `InvalidField` for an unsafe choice."""
    api = settings.api
    return ServerSettings(
        host=api.host,
        port=api.port,
        tls_certificate=api.tls_certificate,
        tls_key=api.tls_key,
        token_file=api.token_file,
        access_file=api.access_file,
        max_body_bytes=api.max_body_bytes,
    )


def make_rest_settings(settings: Settings) -> RestSettings:
    """Return where REST keeps its state: the databases set, else files in the data folder."""
    api, folder = settings.api, settings.node.data_dir

    def place(url: str | None, name: str) -> Path | str:
        if url is not None:
            return check_setting(url, field=f"api.{name}_url")
        if api.database_url is not None:
            return check_setting(api.database_url, field="api.database_url")
        return folder / f"{name}.sqlite"

    recognition = (
        Recognition() if api.recognition_file is None else load_recognition(api.recognition_file)
    )
    return RestSettings(
        index=place(api.index_url, "index"),
        outbox=place(api.outbox_url, "outbox"),
        vault=place(api.vault_url, "vault"),
        index_replica=None
        if api.index_read_url is None
        else check_setting(api.index_read_url, field="api.index_read_url"),
        vault_key_file=api.vault_key_file,
        vault_keys_dirs=make_key_places(settings),
        vault_limits=EpochLimits(records=api.vault_epoch_records, days=api.vault_epoch_days),
        verification=VerificationSettings(
            policies=recognition.policies,
            assurances=recognition.assurances,
            max_lag_s=api.max_lag_s,
        ),
        names=recognition.names,
        deadlines=api.deadlines_dir,
        retention=api.retention_file,
        retention_job=_make_retention_job(settings),
        ledger_name=api.ledger_name,
    )


def _make_retention_job(settings: Settings) -> RetentionJob | None:
    api = settings.api
    if api.retention_time is None:
        return None
    return RetentionJob(
        at_s=parse_time_of_day(api.retention_time, field="api.retention_time"),
        folder=api.retention_reports_dir or settings.node.data_dir / "retention",
    )


def make_key_places(settings: Settings) -> tuple[Path, ...]:
    """Return the folders of the vault's epoch keys; none for a node without a vault."""
    api = settings.api
    if api.vault_key_file is None:
        return ()
    first = api.vault_keys_dir or VaultKeys(key_file=api.vault_key_file).places[0]
    return (first, *api.vault_keys_mirrors)


def _build_readiness(node: LedgerNode, max_lag_s: int) -> tuple[Readiness, ...]:
    async def check_sync() -> str | None:
        sync = await node.get_sync_status()
        if sync is None:
            return None
        return f"catching up: block {sync.current_height} of {sync.highest_height}"

    async def check_head() -> str | None:
        behind_s = time.time() - (await node.get_head()).timestamp
        return None if behind_s <= max_lag_s else f"the last final block is {behind_s:.0f} s old"

    return (
        Readiness(name="sync", check=check_sync),
        Readiness(name="head", check=check_head),
    )
