"""The API in a process of its own, from the same settings file as the node's.

In front of another network it is the whole program: there is no node of ours then, and of the
settings only `[node]`, `[api]`, `[foreign]` and `[log]` count.

The node may then keep its API to itself (`api.enabled = false` serves nothing) or serve one too:
index and outbox are made for several processes. Only the port must differ.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from api.outbox.account import build_account
from api.process import ProcessSettings, run_process
from node.daemon.api_service import make_rest_settings, make_server_settings
from node.daemon.foreign_files import find_behind
from node.daemon.further_ledgers import make_further
from node.daemon.logs import configure_logs
from node.daemon.opening import load_accounts
from node.errors import UserFault
from node.keys import refuse_published_keys
from node.settings import Settings


def run_api_process(
    settings: Settings,
    *,
    rpc_url: str | None = None,
    rpc_token_file: Path | None = None,
    contracts_file: Path | None = None,
    port: int | None = None,
    on_ready: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serve REST, explorer and index in front of the node at `rpc_url` until SIGTERM or SIGINT.

    `port` takes the place of `api.port`; `rpc_token_file` holds the bearer token for the node, and
    nobody but its owner may open it. `contracts_file` is the deployment file of another network.
    What is None is taken from `[foreign]` of the settings. Raises NodeError or ApiError at start.
    """
    accounts = load_accounts(settings)
    refuse_published_keys(
        [("api.account_key_files", account.address) for account in accounts], settings.api.host
    )
    server = make_server_settings(settings)
    behind = find_behind(
        settings, rpc_url=rpc_url, rpc_token_file=rpc_token_file, contracts_file=contracts_file
    )
    if behind.rpc_url is None:
        raise UserFault(
            "is needed: the API reads its ledger there",
            field="--rpc-url",
            next_step="Give the address of the node, or set foreign.rpc_url",
        )
    process = ProcessSettings(
        rpc_url=behind.rpc_url,
        rpc_token=behind.rpc_token,
        server=server if port is None else replace(server, port=port),
        rest=make_rest_settings(settings),
        foreign=behind.foreign,
        further=make_further(settings),
    )
    configure_logs(settings.log, node=settings.node.name)
    run_process(
        process,
        tuple(build_account(account.reveal_secret()) for account in accounts),
        on_ready=on_ready,
    )
