"""`atesta index`: lists and filters of the API, which can always be read from the chain again."""

from pathlib import Path
from typing import Annotated

import typer

from node.cli.options import Config, RpcTokenFile

app = typer.Typer(
    help="Look after the index, from which the API answers lists and filters.",
    no_args_is_help=True,
)


@app.callback()
def group() -> None:
    """Keep `rebuild` a name of its own, although it is alone."""


@app.command("rebuild")
def rebuild(
    config: Config,
    rpc_url: Annotated[
        str | None,
        typer.Option(
            "--rpc-url", help="JSON-RPC to read; absent: this node's own, which must run."
        ),
    ] = None,
    rpc_token_file: RpcTokenFile = None,
    contracts: Annotated[
        Path | None,
        typer.Option("--contracts", help="Deployment file, in front of another network."),
    ] = None,
) -> None:
    """Empty the index and read the chain again; the API may serve meanwhile.

    Until it is done, lists hold what has been read so far and say up to which block. Nothing else
    is touched: single records, proofs and receipts are read from the chain itself.
    """
    import asyncio

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from node.daemon.index_process import rebuild_index
    from node.settings import load_settings

    columns = (
        TextColumn("blocks"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    settings = load_settings(config)
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("blocks", total=None)

        def show(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        height = asyncio.run(
            rebuild_index(
                settings,
                rpc_url=rpc_url,
                rpc_token_file=rpc_token_file,
                contracts_file=contracts,
                progress=show,
            )
        )
    typer.echo(f"The index has all blocks up to {height}.")
