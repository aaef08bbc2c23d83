"""`atesta run` and `atesta status`: a node's process, and how it is doing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.options import Config

if TYPE_CHECKING:
    from node.cli.devnet.rpc import NodeRpc


def run(
    config: Config,
) -> None:
    """Run a node until SIGTERM or Ctrl-C; it finishes what it does and closes its stores."""
    from node.errors import UserFault
    from node.settings import load_settings

    settings = load_settings(config)  # most mistakes are there, and the daemon's imports take long
    if settings.foreign.contracts_file is not None:
        raise UserFault(
            "says that the ledger is on another network, where no node of ours runs",
            field="foreign.contracts_file",
            next_step="Start `atesta api` with these settings, or take the line out",
        )
    from node.daemon.daemon import run_daemon

    run_daemon(settings)


def status(
    url: Annotated[str, typer.Option("--url", help="The node's API.")] = "http://127.0.0.1:8545",
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File that holds a bearer token.")
    ] = None,
) -> None:
    """Show a node's final block, what its validators survive, its peers and mempool."""
    import datetime as dt

    from consensus.resilience import describe_resilience
    from node.cli.devnet.rpc import NodeRpc

    rpc = NodeRpc(url.rstrip("/"), token_file=token_file)
    answer = rpc.call("atesta_status")
    head, consensus, pool = answer["head"], answer["consensus"], answer["pool"]
    made = dt.datetime.fromtimestamp(int(head["timestamp"], 16), dt.UTC)
    age_s = (dt.datetime.now(dt.UTC) - made).total_seconds()
    number = int(head["number"], 16)
    lines = {
        "program": answer["clientVersion"],
        "chain": f"{int(answer['chainId'], 16)}, genesis {answer['genesisHash']}",
        "final block": f"{number}, {age_s:.0f} s old ({made:%Y-%m-%d %H:%M:%S} UTC)",
        "block hash": head["hash"],
        "validators": describe_resilience(len(consensus["validators"])),
        "this node": _describe(answer["validator"], consensus["signing"]),
        "round": f"{int(consensus['round'], 16)}, proposer {consensus['proposer']}",
        "waiting": f"{int(pool['pending'], 16)} transactions ready, "
        f"{int(pool['queued'], 16)} not yet",
        "peers": str(answer["peers"]),
    }
    syncing = answer["syncing"]
    if syncing:
        target = int(syncing["highestBlock"], 16)
        lines["catching up"] = f"block {int(syncing['currentBlock'], 16)} of {target}"
    if consensus["note"]:
        lines["note"] = consensus["note"]
    warning = _find_warning(rpc)
    if warning is not None:
        lines["warning"] = warning
    for name, value in lines.items():
        typer.echo(f"{name + ':':12} {value}")


def _find_warning(rpc: "NodeRpc") -> str | None:
    """Return what is unwise about the validators; None also where no registry answers."""
    from contracts.errors import CodecError
    from node.cli.devnet.rpc import RpcError
    from node.cli.foresight import warn_now
    from node.cli.governing import Registry

    try:
        return warn_now(Registry(rpc))
    except (CodecError, RpcError):
        return None


def _describe(validator: str | None, is_signing: bool) -> str:
    if validator is None:
        return "observes"
    return f"validator {validator}, {'signing' if is_signing else 'not signing'}"
