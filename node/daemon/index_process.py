"""The index of a settings file, opened by a command of its own beside a node that runs."""

from pathlib import Path

from api.databases import open_database
from api.index import tables
from api.index.index import Index, Progress
from api.index.rebuilding import rebuild
from api.leadership import Leadership
from api.ledger import Ledger
from api.networks.guard import GuardedRpc
from api.networks.network import OURS
from api.web3_provider import connect_http
from node.daemon.api_service import make_rest_settings
from node.daemon.foreign_files import find_behind
from node.settings import Settings


async def rebuild_index(
    settings: Settings,
    *,
    rpc_url: str | None = None,
    rpc_token_file: Path | None = None,
    contracts_file: Path | None = None,
    progress: Progress | None = None,
) -> int:
    """Read the chain behind `rpc_url` into a node's index anew; returns the height reached.

    `contracts_file` is the deployment file of another network. What is None is taken from
    `[foreign]` of the settings; without an address, the node's own JSON-RPC is read. Raises
    `ApiError` for a node that does not answer and for a database that cannot be opened.
    """
    behind = find_behind(
        settings, rpc_url=rpc_url, rpc_token_file=rpc_token_file, contracts_file=contracts_file
    )
    connection = connect_http(behind.rpc_url or build_own_url(settings), headers=behind.headers)
    try:
        database = open_database(make_rest_settings(settings).index, tables.METADATA, name="index")
        try:
            network = OURS
            raw = connection.raw
            if behind.foreign is not None:
                network = behind.foreign.describe()
                raw = GuardedRpc(raw, behind.foreign.deployment)
            ledger = Ledger(raw, network)
            index = Index(database=database, ledger=ledger)
            lead = Leadership(database, "index")
            return await rebuild(index, ledger=ledger, lead=lead, progress=progress)
        finally:
            database.close()
    finally:
        await connection.close()


def build_own_url(settings: Settings) -> str:
    """Return where this node's own API answers."""
    api = settings.api
    scheme = "http" if api.tls_certificate is None else "https"
    host = f"[{api.host}]" if ":" in api.host else api.host
    return f"{scheme}://{host}:{api.port}"
