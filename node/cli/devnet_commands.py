"""`atesta devnet`: a whole network on this machine, for development and demonstrations."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Run a whole network on this machine, for development.", no_args_is_help=True
)

Folder = Annotated[Path, typer.Option("--dir", help="Folder of the devnet.")]
_DEFAULT_FOLDER = Path("devnet")
MAX_AGENCIES = 10


@app.command("up")
def up(
    agencies: Annotated[
        int, typer.Option(min=1, max=MAX_AGENCIES, help="Nodes of a new devnet, one per agency.")
    ] = 4,
    folder: Folder = _DEFAULT_FOLDER,
) -> None:
    """Make a devnet in the folder, or take the one there, and start its nodes."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from node.cli.devnet import (
        DevnetOptions,
        find_running,
        make_devnet,
        read_devnet,
        start_node,
        wait_final,
    )
    from node.cli.devnet.plan import DEVNET_FILE

    console = Console()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        if (folder / DEVNET_FILE).exists():
            devnet = read_devnet(folder)
        else:
            progress.add_task(f"making keys, genesis and settings of {agencies} agencies")
            devnet = make_devnet(folder, DevnetOptions(agencies=agencies))
        running = {process.node.name for process in find_running(devnet.nodes)}
        starting = [node for node in devnet.nodes if node.name not in running]
        task = progress.add_task("starting nodes", total=None)
        for node in starting:
            start_node(node)
        progress.update(task, description="waiting for final blocks")
        wait_final(devnet.nodes)
    _print(folder)


@app.command("down")
def down(folder: Folder = _DEFAULT_FOLDER) -> None:
    """Stop the nodes of the devnet in the folder, and no other process."""
    from node.cli.devnet import read_devnet, stop_nodes

    devnet = read_devnet(folder)
    stopped = stop_nodes(devnet.nodes)
    for node in devnet.nodes:
        typer.echo(f"{node.name}: {'stopped' if node in stopped else 'did not run'}")


@app.command("status")
def status(folder: Folder = _DEFAULT_FOLDER) -> None:
    """Show the nodes of the devnet in the folder; exit code 1 unless all run."""
    if not _print(folder):
        raise typer.Exit(1)


def _print(folder: Path) -> bool:
    """Print one line for each node and what the network survives; return whether all run."""
    from consensus.resilience import describe_resilience
    from node.cli.devnet import NodeRpc, find_running, read_devnet
    from node.errors import NodeError

    devnet = read_devnet(folder)
    pids = {process.node.name: process.pid for process in find_running(devnet.nodes)}
    width = max(len(node.name) for node in devnet.nodes)
    validators: set[str] = set()
    for node in devnet.nodes:
        state = "down"
        if node.name in pids:
            rpc = NodeRpc(node.url)
            try:
                state = f"block {rpc.get_height()}"
                validators = set(rpc.call("qbft_getValidatorsByBlockNumber", "latest"))
            except NodeError:
                state = "does not answer"
            state += f", pid {pids[node.name]}"
        typer.echo(f"{node.name:{width}}  {node.url}  {state}  {node.folder}")
    if validators:
        typer.echo(describe_resilience(len(validators)))
    return len(pids) == len(devnet.nodes)
