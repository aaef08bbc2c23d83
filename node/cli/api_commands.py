"""`atesta api`: the API beside a node."""

from pathlib import Path
from typing import Annotated

import typer

from node.cli.options import Config, RpcTokenFile


def api(
    config: Config,
    rpc_url: Annotated[
        str | None,
        typer.Option("--rpc-url", help="JSON-RPC of the node; absent: `foreign.rpc_url`."),
    ] = None,
    rpc_token_file: RpcTokenFile = None,
    contracts: Annotated[
        Path | None,
        typer.Option(
            "--contracts",
            help="Deployment file, in front of another network; absent: `foreign.contracts_file`.",
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65_535, help="In place of `api.port`.")
    ] = None,
) -> None:
    """Serve REST and explorer in front of a node, or of another network, in a process of their own.

    With `--contracts FILE` the node is one of any EVM network on which `atesta contracts deploy`
    founded the ledger. It answers JSON-RPC itself; this process does not.
    """
    from node.daemon.api_process import run_api_process
    from node.settings import load_settings

    run_api_process(
        load_settings(config),
        rpc_url=rpc_url,
        rpc_token_file=rpc_token_file,
        contracts_file=contracts,
        port=port,
        on_ready=lambda url: typer.echo(f"The API is ready at {url}"),
    )
