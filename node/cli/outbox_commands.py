"""`atesta outbox`: moving what the API has promised and was handed to another database."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.options import Config
from node.cli.progress import show_rows

if TYPE_CHECKING:
    from node.settings import Settings

app = typer.Typer(
    help="Look after the outbox: writes under way, public texts, webhooks.",
    no_args_is_help=True,
)


@app.callback()
def group() -> None:
    """Keep `copy` a name of its own, although it is alone."""


@app.command("copy")
def copy(
    target: Annotated[
        str, typer.Argument(help="A file to write, or the address of an empty database.")
    ],
    config: Config,
    source: Annotated[
        str | None,
        typer.Option(
            "--from", help="File or address to copy instead of the outbox that the settings name."
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="For a backup: the API may go on serving meanwhile.")
    ] = False,
) -> None:
    """Copy the outbox to another database or to a file: to change the engine, or as a backup.

    To move it, stop the node and every `atesta api`, copy, and name the new place in the settings
    (`api.outbox_url`, `api.database_url`). `atesta --ledger NAME outbox copy` copies that of a
    further ledger of the settings.
    """
    from api.outbox.copying import copy_outbox
    from node.settings import load_settings

    place = _find_outbox(load_settings(config)) if source is None else _read_place(source, "--from")
    with show_rows("copying rows") as progress:
        copied = copy_outbox(place, _read_place(target, "TARGET"), is_live=live, progress=progress)
    typer.echo(f"{target}: {copied.rows:,} rows")
    if copied.is_served:
        typer.echo("An API serves from the source: what it takes from now on is not in the copy.")


def _find_outbox(settings: "Settings") -> Path | str:
    """Return where the outbox of the chosen ledger is; raises UserFault for an unknown one."""
    from node.cli.rest_calls import CHOSEN_LEDGER
    from node.daemon.api_service import make_rest_settings
    from node.daemon.further_ledgers import find_outbox
    from node.errors import UserFault

    chosen = CHOSEN_LEDGER.get()
    if chosen in {None, settings.api.ledger_name}:
        return make_rest_settings(settings).outbox
    for ledger in settings.api.ledgers:
        if ledger.name == chosen:
            return find_outbox(settings, ledger)
    raise UserFault(f"{chosen} is no ledger of the settings", field="--ledger")


def _read_place(text: str, field: str) -> Path | str:
    from api.database_addresses import check_setting

    return check_setting(text, field=field) if "://" in text else Path(text)
