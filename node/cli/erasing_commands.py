"""`atesta erase`: erase a credential on the ledger's side and in the vault, through a node."""

import time
from typing import TYPE_CHECKING, Annotated, Final

import typer

from node.cli.rest_calls import DEFAULT_URL, AsJson, TokenFile, Url, open_client, print_json

if TYPE_CHECKING:
    from atesta_client.answers import Erasure
    from atesta_client.rest import Client

REASONS: Final = ("error", "superseded", "ended_by_law", "holder_request", "security")
"""The neutral codes that may stand on the chain."""

_PAUSE_S: Final = 0.5


def erase(
    *,
    uid: Annotated[str, typer.Argument(help="The credential's uid, 32 bytes in hex.")],
    reason: Annotated[str, typer.Option(help=f"One of: {', '.join(REASONS)}.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it is done.")] = False,
    wait_s: Annotated[
        float, typer.Option("--wait", min=0, help="Most seconds to wait until it is erased.")
    ] = 60.0,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Erase a credential: the ledger says so, then no copy of it opens again.

    Needs the role issuer. Once it is ordered it is carried out, also if this command ends first.
    """
    from dataclasses import asdict

    from atesta_client import requests
    from rich.console import Console

    from node.errors import UserFault

    if reason not in REASONS:
        raise UserFault(f"is one of: {', '.join(REASONS)}", field="--reason")
    if not yes:
        typer.confirm("Erase it? No backup brings it back.", abort=True)
    with open_client(url, token_file) as client:
        answer = client.send(requests.erase_credential(uid, reason=reason))
        with Console(stderr=True).status("waiting for the ledger's tombstone"):
            answer = _follow(client, answer, wait_s)
    if as_json:
        times = {
            name: None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
            for name, moment in (
                ("ordered", answer.ordered),
                ("block_time", answer.block_time),
                ("erased", answer.erased),
            )
        }
        print_json(asdict(answer) | times)
    elif answer.state != "erased":
        typer.echo(f"{uid}: ordered; {answer.problem or 'the tombstone is not final yet'}")
        typer.echo(f"next: atesta erase {uid} again, which only asks how far it has come")
    elif answer.block is None:
        typer.echo(f"{uid}: erased; it was never attested")
    else:
        typer.echo(f"{uid}: erased; the ledger says so since block {answer.block}")


def _follow(client: "Client", answer: "Erasure", wait_s: float) -> "Erasure":
    from atesta_client import requests

    until = time.monotonic() + wait_s
    while answer.state != "erased" and time.monotonic() < until:
        time.sleep(_PAUSE_S)
        answer = client.send(requests.get_erasure(answer.uid))
    return answer
