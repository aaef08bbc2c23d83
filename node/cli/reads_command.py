"""`atesta reads`: who opened what of the agency's vault, when, and what for."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from node.cli.rest_calls import (
    DEFAULT_URL,
    AsJson,
    TokenFile,
    Url,
    check_absent,
    open_client,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from atesta_client.answers import Read

_HEADINGS: Final = ("time (UTC)", "caller", "what for", "operation", "what", "record")


def reads(
    *,
    record: Annotated[str | None, typer.Option(help="Only of this record, by uid.")] = None,
    handle: Annotated[
        str | None, typer.Option(help="Only of one person, by the handle with another agency.")
    ] = None,
    caller: Annotated[str | None, typer.Option(help="Only by this caller.")] = None,
    purpose: Annotated[str | None, typer.Option(help="Only for this purpose.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only from this time (UTC) on.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Only before this time (UTC).")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most lines on the screen.")] = 100,
    out: Annotated[
        Path | None, typer.Option(help="Write all of it to this new file, one JSON object a line.")
    ] = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """List who opened what of the vault, newest first; needs the role auditor.

    With `--handle` it answers a resident's question who used their data. The look itself is
    recorded as well.
    """
    import itertools

    from atesta_client import requests

    from node.errors import UserFault

    check_absent(out)
    if handle is not None:
        if any(value is not None for value in (record, caller, purpose, since, until)):
            raise UserFault("goes with no other filter", field="--handle")
        wanted = requests.list_subject_reads(handle=handle, limit=500)
    else:
        wanted = requests.list_reads(
            record=record,
            caller=caller,
            purpose=purpose,
            since=_as_utc(since),
            until=_as_utc(until),
            limit=500 if out is not None else min(limit, 500),
        )
    with open_client(url, token_file) as client:
        found = client.list_all(wanted)
        if out is not None:
            typer.echo(f"{_write(out, found)} openings written to {out}")
            return
        lines = list(itertools.islice(found, limit))
    if as_json:
        for read in lines:
            print_json(_encode(read))
        return
    print_table(
        _HEADINGS,
        [
            (
                f"{read.time:%Y-%m-%d %H:%M:%S}",
                f"{read.caller} ({read.method})",
                read.purpose,
                read.operation,
                read.what,
                read.uid,
            )
            for read in lines
        ],
    )


def _write(path: Path, found: Any) -> int:
    """Write lines to a file that does not exist yet; return how many."""
    from node.errors import UserFault

    count = 0
    try:
        with path.open("x", encoding="utf-8") as file:
            for read in found:
                file.write(json.dumps(_encode(read), ensure_ascii=False) + "\n")
                count += 1
    except OSError as error:
        raise UserFault(f"cannot be written: {error.strerror}", field=str(path)) from error
    return count


def _encode(read: "Read") -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(read) | {"time": f"{read.time:%Y-%m-%dT%H:%M:%SZ}"}


def _as_utc(moment: datetime | None) -> datetime | None:
    from datetime import UTC

    return None if moment is None else moment.replace(tzinfo=UTC)
