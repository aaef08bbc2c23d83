"""`atesta acts`, `explain`, `act`, `prepare` and `submit`: any act by its name.

Whatever an agency can do on the ledger is an act with a name, such as `exchange.request`. Its
content is a JSON file, as REST takes it (docs/openapi.json); the parts of its path are given with
`--path`. So the command line needs no new command for a new act.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.cli.rest_calls import (
    DEFAULT_URL,
    AsJson,
    TokenFile,
    Url,
    check_absent,
    open_client,
    print_json,
    print_members,
    print_table,
    read_object,
    read_pairs,
    tell_settled,
    write_new,
)

if TYPE_CHECKING:
    from atesta_client.answers import Accepted
    from atesta_client.requests import Request
    from atesta_client.rest import Client

Name = Annotated[str, typer.Argument(metavar="ACT", help="Its name; `atesta acts` lists them.")]
Content = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="Its content, a JSON object.")
]
PathParts = Annotated[
    list[str] | None,
    typer.Option("--path", help="A part of its path: `uid=0x…`; may be given several times."),
]


def acts(
    word: Annotated[str, typer.Argument(help="Only acts whose name has this in it.")] = "",
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """List what can be done on the ledger, by name, and the roles that a token needs for it."""
    from atesta_client import requests

    from api.near_names import ask_whether
    from node.errors import UserFault

    with open_client(url, token_file) as client:
        known = client.send(requests.list_acts()).items
    found = [act for act in known if word in act.act]
    if not found:
        parts = {part for act in known for part in (act.act, *act.act.split("."))}
        near = ask_whether(word, sorted(parts))
        raise UserFault(f"is in the name of no act, `atesta acts` lists all{near}", field=word)
    if as_json:
        for act in found:
            print_json({"act": act.act, "path": act.path, "roles": act.roles})
        return
    rows = [(act.act, act.summary, _list_parts(act.path), ", ".join(act.roles)) for act in found]
    print_table(("act", "what it does", "--path", "roles"), rows)


def explain(
    name: Name,
    file: Content = None,
    *,
    path: PathParts = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Try an act without doing it: would it be taken, and if not, why; exit code 1 if not."""
    from atesta_client import requests

    with open_client(url, token_file) as client:
        told = client.send(requests.explain(_build(client, name, file, path)))
    if as_json:
        print_json({"allowed": told.allowed, "refusal": told.refusal, "facts": told.facts})
    else:
        typer.echo("allowed" if told.allowed else "refused")
        refusal = told.refusal or {}
        for member in ("field", "detail", "rule", "legal_reference", "next_step"):
            if refusal.get(member):
                print_members({member.replace("_", " "): refusal[member]}, "  ")
        print_members(told.facts, "  ")
        typer.echo(f"tried on block {told.block} of {told.block_time:%Y-%m-%d %H:%M:%S} UTC")
    if not told.allowed:
        raise typer.Exit(1)


def act(
    name: Name,
    file: Content = None,
    *,
    path: PathParts = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write the envelope for the other side.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Idempotency key: the same key never does it twice.")
    ] = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Do an act for this node's agency and wait until it is settled."""
    check_absent(out)
    with open_client(url, token_file) as client:
        accepted = _settle(client, _build(client, name, file, path, key))
    if accepted.envelope is not None and out is not None:
        write_new(out, accepted.envelope)
    elif accepted.envelope is not None:
        typer.echo("envelope:")
        print_members(accepted.envelope, "  ")


def prepare(
    name: Name,
    file: Content = None,
    *,
    signer: Annotated[str, typer.Option(help="Address of the key that will sign.")],
    out: Annotated[Path, typer.Option(help="Where to write the message to sign.")],
    path: PathParts = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Prepare an act for a key that signs elsewhere (`eth_signTypedData_v4`)."""
    from atesta_client import requests

    check_absent(out)
    with open_client(url, token_file) as client:
        wanted = _build(client, name, file, path)
        prepared = client.send(requests.create_prepared_act(wanted, signer=signer))
    write_new(out, prepared.typed_data)
    typer.echo(f"{prepared.id}: sign by {prepared.deadline:%Y-%m-%d %H:%M} UTC")
    typer.echo(f"record: {prepared.uid}")
    typer.echo(f"digest: {prepared.digest}")


def submit(
    prepared: Annotated[str, typer.Argument(help="What `atesta prepare` printed first.")],
    signature: Annotated[str, typer.Argument(help="0x and 130 hexadecimal digits: r, s, v.")],
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Hand in an act that was signed elsewhere and wait until it is settled."""
    from atesta_client import requests

    with open_client(url, token_file) as client:
        _settle(client, requests.create_signed_act(prepared=prepared, signature=signature))


def _build(
    client: "Client",
    name: str,
    file: Path | None,
    path: list[str] | None,
    key: str | None = None,
) -> "Request[Accepted]":
    """Return the request of an act by its name; `UserFault` names what is wrong or missing."""
    from atesta_client import requests

    from api.near_names import ask_whether
    from node.errors import UserFault

    body: dict[str, Any] = read_object(file)
    known = {act.act: act for act in client.send(requests.list_acts()).items}
    if name not in known:
        near = ask_whether(name, known)
        raise UserFault(f"is no act, `atesta acts` lists them{near}", field=name)
    parts = read_pairs(path or (), "--path")
    try:
        return requests.build_act(known[name], body, parts, idempotency_key=key)
    except ValueError as error:
        raise UserFault(f"{error}, as in --path uid=0x…", field="--path") from error


def _settle(client: "Client", request: "Request[Accepted]") -> "Accepted":
    from rich.console import Console

    with Console(stderr=True).status("waiting for the ledger"):
        accepted = client.send(request)
        operation = client.follow(accepted)
    typer.echo(f"{accepted.uid}: {operation.kind}, {tell_settled(operation)}")
    return accepted


def _list_parts(path: str) -> str:
    from string import Formatter

    return " ".join(f"{name}=" for _, name, _, _ in Formatter().parse(path) if name)
