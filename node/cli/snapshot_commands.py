"""`atesta snapshot`: a new node's start without replaying history."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.options import Config

if TYPE_CHECKING:
    from eth_typing import Hash32
    from rich.progress import Progress, TaskID

    from node.settings import Settings
    from node.snapshot.exporter import ExportedSnapshot
    from node.snapshot.reader import SnapshotSummary

_EXPORT_TIMEOUT_S = 3_600.0

app = typer.Typer(
    help="Write, check and import snapshots: the state at a final block, with its proof.",
    no_args_is_help=True,
)

File = Annotated[Path, typer.Argument(help="The snapshot file.")]
CheckpointOption = Annotated[
    str | None,
    typer.Option("--checkpoint", help="Hash of a final block that the snapshot must contain."),
]


@app.command("export")
def export(
    config: Config,
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("ledger.snapshot"),
    height: Annotated[
        int | None, typer.Option(min=1, help="Final block; absent: the last one.")
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", help="File that holds an admin token, if the node runs."),
    ] = None,
) -> None:
    """Write a snapshot of the ledger; the node may run meanwhile."""
    from node.daemon.opening import DataFolder
    from node.errors import UserFault
    from node.settings import load_settings
    from node.storage.errors import StoreBusy

    settings = load_settings(config)
    folder = DataFolder(root=settings.node.data_dir).chain
    if not folder.exists():
        raise UserFault("there is no chain in it", field=str(folder))
    if out.exists():
        raise UserFault("already exists and is not overwritten", field=str(out))
    try:
        made = _export_stopped(settings, folder, out, height)
    except StoreBusy:
        made = _ask_running(settings, out, height, token_file)
    typer.echo(f"{out}: block {made.number}, {made.parts:,} parts, {made.size_bytes:,} bytes")
    typer.echo(f"block hash: 0x{made.block_hash.hex()}")
    typer.echo(f"seal:       {made.seal.hex()}")
    typer.echo("Who imports it compares the block hash with another agency's node, and pins it:")
    typer.echo(f"  atesta snapshot import {out.name} --checkpoint 0x{made.block_hash.hex()} …")


def _export_stopped(
    settings: "Settings", folder: Path, out: Path, height: int | None
) -> "ExportedSnapshot":
    """Read the database of a node that does not run; raises StoreBusy if it does."""
    from node.chain.blockchain import Blockchain
    from node.chain.genesis import load_genesis
    from node.snapshot.exporter import export_snapshot
    from node.storage.level import LevelStore

    genesis = load_genesis(settings.node.genesis)
    store = LevelStore(folder)
    try:
        chain = Blockchain.open(store, genesis)
        try:
            with _show_progress("writing the state") as (bar, task):
                return export_snapshot(
                    store,
                    chain,
                    out,
                    height=height,
                    progress=lambda parts, size: bar.update(
                        task, description=f"{parts:,} parts", completed=size
                    ),
                )
        finally:
            chain.close()
    finally:
        store.close()


def _ask_running(
    settings: "Settings", out: Path, height: int | None, token_file: Path | None
) -> "ExportedSnapshot":
    """Have a running node write the file beside its database, and take it from there."""
    import shutil

    from eth_typing import Hash32

    from node.cli.devnet.rpc import NodeRpc
    from node.errors import OperationalFault, UserFault
    from node.snapshot.exporter import ExportedSnapshot

    api = settings.api
    if not api.enabled:
        raise UserFault(
            "is off, and another process uses the database",
            field="api.enabled",
            next_step="Stop the node for the export",
        )
    scheme = "http" if api.tls_certificate is None else "https"
    url = f"{scheme}://{api.host}:{api.port}"
    rpc = NodeRpc(url, token_file=token_file, timeout_s=_EXPORT_TIMEOUT_S)
    with _show_progress("the running node writes the state"):
        answer = rpc.call("atesta_exportSnapshot", *([] if height is None else [hex(height)]))
    try:
        shutil.move(answer["file"], out)
    except OSError as error:
        raise OperationalFault(
            f"cannot be taken to {out}: {error.strerror}", field=answer["file"]
        ) from error
    return ExportedSnapshot(
        number=int(answer["number"], 16),
        block_hash=Hash32(bytes.fromhex(answer["hash"][2:])),
        parts=answer["parts"],
        size_bytes=answer["bytes"],
        seal=bytes.fromhex(answer["seal"][2:]),
    )


@app.command("inspect")
def inspect(
    file: File,
    genesis: Annotated[
        Path | None, typer.Option(help="Genesis file to check it against, whole.")
    ] = None,
    checkpoint: CheckpointOption = None,
) -> None:
    """Say what a snapshot holds; with --genesis, check all of it as an import does."""
    from node.chain.genesis import load_genesis
    from node.errors import UserFault
    from node.snapshot.reader import Trust, describe_snapshot, read_snapshot

    if genesis is None and checkpoint is not None:
        raise UserFault("is needed with --checkpoint", field="--genesis")
    size = _get_size(file)
    with _show_progress("checking", size) as (bar, task), file.open("rb") as stream:

        def show(done: int) -> None:
            bar.update(task, completed=done)

        if genesis is None:
            summary = describe_snapshot(stream, show)
        else:
            trust = Trust(genesis=load_genesis(genesis), pinned=_read_pins(checkpoint))
            summary = read_snapshot(stream, trust, progress=show)
    _print(file, summary)
    if genesis is None:
        typer.echo("not checked: only its checksums; give --genesis to check what it says")
    else:
        typer.echo(f"checked:    against {genesis}{_name_pin(checkpoint)}")


@app.command("import")
def import_(
    file: File,
    config: Config,
    checkpoint: CheckpointOption = None,
) -> None:
    """Check a snapshot whole and make an empty node's database from it.

    Without --checkpoint it is believed as far as genesis and the agencies' old keys are.
    """
    from node.chain.genesis import load_genesis
    from node.daemon.opening import DataFolder
    from node.network.invite import load_invite
    from node.settings import load_settings
    from node.snapshot.importer import import_snapshot
    from node.snapshot.reader import Trust

    settings = load_settings(config)
    genesis = load_genesis(settings.node.genesis)
    invites = [
        load_invite(path, chain_id=genesis.chain_id, genesis_hash=genesis.genesis_hash)
        for path in settings.network.bootstrap_peers
    ]
    trust = Trust(
        genesis=genesis,
        pinned=_read_pins(checkpoint),
        known={int(item.checkpoint.number): item.checkpoint.block_hash for item in invites},
    )
    folder = DataFolder(root=settings.node.data_dir).chain
    with _show_progress("checking and writing", _get_size(file)) as (bar, task):
        summary = import_snapshot(
            file, folder, trust, progress=lambda size: bar.update(task, completed=size)
        )
    _print(file, summary)
    typer.echo(f"checked:    against genesis{_name_pin(checkpoint)}")
    if checkpoint is None:
        typer.echo(
            "Compare the block hash with another agency's node before this node is relied on: "
            "without --checkpoint, keys stolen after their time could have made this history."
        )
    typer.echo(f"Next: atesta run --config {config}; it goes on from block {_get_number(summary)}.")


def _print(file: Path, summary: "SnapshotSummary") -> None:
    import datetime as dt

    manifest = summary.manifest
    made = dt.datetime.fromtimestamp(manifest.header.timestamp, dt.UTC)
    typer.echo(f"{file}: {summary.size_bytes:,} bytes, {summary.parts:,} parts")
    typer.echo(f"chain:      {manifest.chain_id}, genesis 0x{manifest.genesis_hash.hex()}")
    typer.echo(f"block:      {_get_number(summary)}, {made:%Y-%m-%d %H:%M:%S} UTC")
    typer.echo(f"block hash: 0x{manifest.block_hash.hex()}")
    typer.echo(
        f"validators: {len(summary.validators)}, after {summary.changes} changes since genesis"
    )
    typer.echo(f"seal:       {summary.seal.hex()}")


def _get_number(summary: "SnapshotSummary") -> int:
    return int(summary.manifest.header.number)


def _name_pin(checkpoint: str | None) -> str:
    return "" if checkpoint is None else f" and the checkpoint {checkpoint}"


def _read_pins(checkpoint: str | None) -> "frozenset[Hash32]":
    from eth_typing import Hash32

    from node.errors import UserFault

    if checkpoint is None:
        return frozenset()
    try:
        data = bytes.fromhex(checkpoint.removeprefix("0x"))
    except ValueError:
        data = b""
    if len(data) != 32:
        raise UserFault("is not a block hash, 32 bytes in hex", field="--checkpoint")
    return frozenset((Hash32(data),))


def _get_size(file: Path) -> int:
    from node.errors import UserFault

    try:
        return file.stat().st_size
    except OSError as error:
        raise UserFault(f"cannot be read: {error.strerror}", field=str(file)) from error


@contextmanager
def _show_progress(text: str, total: int | None = None) -> "Iterator[tuple[Progress, TaskID]]":
    """Show a bar of bytes on standard error while the block lasts."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield progress, progress.add_task(text, total=total)
