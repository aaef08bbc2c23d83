"""`atesta run` and `atesta status`: a node's process, and how it is doing."""

from pathlib import Path
from typing import Annotated

import typer


def run(
    config: Annotated[Path, typer.Option("--config", help="The node's settings file (TOML).")],
) -> None:
    """Run a node until SIGTERM or Ctrl-C; it finishes what it does and closes its stores."""
    from node.daemon.daemon import run_daemon
    from node.settings import load_settings

    run_daemon(load_settings(config))


def status(
    url: Annotated[str, typer.Option("--url", help="The node's API.")] = "http://127.0.0.1:8545",
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File that holds a bearer token.")
    ] = None,
) -> None:
    """Show a node's final block, validators, peers and mempool."""
    import datetime as dt

    from rich.console import Console
    from rich.table import Table

    from node.cli.devnet.rpc import NodeRpc

    rpc = NodeRpc(url.rstrip("/"), token_file=token_file)
    head = rpc.call("eth_getBlockByNumber", "latest", False)
    made = dt.datetime.fromtimestamp(int(head["timestamp"], 16), dt.UTC)
    age_s = (dt.datetime.now(dt.UTC) - made).total_seconds()
    validators = rpc.call("qbft_getValidatorsByBlockNumber", "latest")
    syncing = rpc.call("eth_syncing")
    table = Table(show_header=False, box=None)
    table.add_row("program", rpc.call("web3_clientVersion"))
    table.add_row("chain id", str(int(rpc.call("eth_chainId"), 16)))
    table.add_row("final block", f"{int(head['number'], 16)} ({head['hash']})")
    table.add_row("made", f"{made:%Y-%m-%d %H:%M:%S} UTC, {age_s:.0f} s ago")
    table.add_row("proposer", head["miner"])
    table.add_row("validators", f"{len(validators)}")
    table.add_row("peers", str(int(rpc.call("net_peerCount"), 16)))
    if syncing:
        progress = f"{int(syncing['currentBlock'], 16)} of {int(syncing['highestBlock'], 16)}"
        table.add_row("catching up", progress)
    Console(soft_wrap=True, highlight=False).print(table)
