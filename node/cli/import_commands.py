"""`atesta import`: thousands of acts from one file, with progress, going on where it was."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from node.cli.rest_calls import DEFAULT_URL, TokenFile, Url, open_client, print_table, read_bytes

if TYPE_CHECKING:
    from atesta_client.answers import Import
    from atesta_client.rest import Client

_POLL_S: Final = 0.5
_SHOWN: Final = 50


def import_file(
    file: Annotated[Path, typer.Argument(help="NDJSON (one object a line) or CSV with a header.")],
    *,
    act: Annotated[str, typer.Option(help="The act that each line is one of.")] = "mandate.record",
    rejects: Annotated[
        Path | None, typer.Option(help="Where to write the rejected lines, as CSV.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Import a file that was imported before once more.")
    ] = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Import acts from a file and wait until all are settled; exit code 1 if lines were rejected.

    The node keeps the file's lines before it answers, and goes on by itself. This command may be
    stopped at any time: given the same file again, it shows the same import and does nothing twice.
    """
    import hashlib
    import secrets

    from atesta_client import requests

    from node.cli.rest_calls import check_absent

    check_absent(rejects)
    data = read_bytes(file)
    content_type = requests.CSV if file.suffix.lower() == ".csv" else requests.NDJSON
    # The same file is the same import, also for another process or after a lost answer.
    key = f"file:{act}:{hashlib.sha256(data).hexdigest()}"
    if again:
        key = f"{key}:{secrets.token_hex(8)}"
    with open_client(url, token_file) as client:
        made = client.send(
            requests.create_import(data, content_type=content_type, act=act, idempotency_key=key)
        )
        made = _watch(client, made)
        typer.echo(f"{made.id}: {made.done} of {made.lines} lines are on the ledger")
        if made.rejected == 0:
            return
        typer.echo(f"{made.rejected} lines were rejected:")
        rows = [
            (str(line.line), line.field or "", line.reason, line.rule or "")
            for line in client.list_all(requests.list_import_rejects(made.id, limit=200))
        ]
    headings = ("line", "field", "reason", "rule")
    print_table(headings, rows[:_SHOWN])
    if len(rows) > _SHOWN:
        typer.echo(f"and {len(rows) - _SHOWN} more; `--rejects FILE` writes all of them")
    if rejects is not None:
        _write_rejects(rejects, [headings, *rows])
    raise typer.Exit(1)


def _watch(client: "Client", made: "Import") -> "Import":
    """Show how far an import is until no line is open."""
    from atesta_client import requests
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("lines", total=made.lines)
        while made.state != "done":
            description = "lines" if made.problem is None else f"waits: {made.problem}"
            progress.update(bar, completed=made.done + made.rejected, description=description)
            time.sleep(_POLL_S)
            made = client.send(requests.get_import(made.id))
        progress.update(bar, completed=made.done + made.rejected, description="lines")
    return made


def _write_rejects(path: Path, rows: list[tuple[str, ...]]) -> None:
    import csv

    from node.errors import UserFault

    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    except OSError as error:
        raise UserFault(f"cannot be written: {error.strerror}", field=str(path)) from error
