"""`atesta tokens`: the bearer tokens of an API, made, listed, ended and revoked."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from api.access.limits import Limits
    from api.access.tokens import TokenRecord

tokens = typer.Typer(
    help="Make, list, end and revoke the API's bearer tokens; a running API notices at once.",
    no_args_is_help=True,
)

TokenFile = Annotated[
    Path, typer.Option("--file", help="The token file, as `api.token_file` names it.")
]
Name = Annotated[str, typer.Argument(help="The token's name.")]


@tokens.command("new")
def new(
    name: Annotated[str, typer.Argument(help="A label for logs: a program or office, no person.")],
    *,
    role: Annotated[list[str], typer.Option("--role", help="A role; may be given several times.")],
    file: TokenFile,
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="Days until it ends; absent: no end.")
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(
            "--person",
            help="Who acts by it, as the agency numbers its staff; where two officers must act,"
            " all tokens of one person count as one.",
        ),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            help="How often it may ask, such as reads=200/s, writes=600/min, exports=5/h.",
        ),
    ] = None,
) -> None:
    """Make a token and print it, once; the file keeps only its hash."""
    from datetime import UTC, datetime, timedelta

    from api.access.callers import Role
    from api.access.persons import read_person
    from api.access.tokens import create_token
    from api.errors import InvalidField
    from api.near_names import ask_whether
    from node.errors import UserFault

    try:
        person = read_person(person, "--person")
    except InvalidField as refused:
        raise UserFault(refused.reason, field=refused.field) from refused
    for text in role:
        if text not in set(Role):
            near = ask_whether(text, Role)
            raise UserFault(f"is one of: {', '.join(Role)}{near}", field="--role")
    roles = [Role(text) for text in role]
    limits = _read_limits(limit or ())
    now = datetime.now(UTC).replace(microsecond=0)
    token, made = create_token(
        name,
        roles,
        expires_at=None if days is None else now + timedelta(days=days),
        created_at=now,
        limits=limits,
        person=person,
    )

    def add(records: "tuple[TokenRecord, ...]") -> "Iterable[TokenRecord]":
        if any(record.name == name for record in records):
            raise UserFault("is the name of another token", field="NAME")
        return (*records, made)

    _change(file, add)
    typer.echo(token)


@tokens.command("list")
def show(file: TokenFile) -> None:
    """List the tokens by name, with their roles, limits, ends and last days of use."""
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.table import Table

    from api.access.limits import write_limits
    from api.access.token_usage import load_usage

    now, used = datetime.now(UTC), load_usage(file)
    records = _load(file)
    has_persons = any(record.person for record in records)
    table = Table(
        "name", *["person"] * has_persons, "roles", "limits", "made", "ends", "last used", box=None
    )
    for record in records:
        end = "never" if record.expires_at is None else f"{record.expires_at:%Y-%m-%d %H:%M} UTC"
        if record.expires_at is not None and record.expires_at <= now:
            end += " (ended)"
        day = used.get(record.id)
        table.add_row(
            record.name,
            *[record.person or ""] * has_persons,
            ", ".join(sorted(record.roles)),
            ", ".join(f"{name}={quota}" for name, quota in write_limits(record.limits).items()),
            "" if record.created_at is None else f"{record.created_at:%Y-%m-%d}",
            end,
            "never" if day is None else day.isoformat(),
        )
    Console(soft_wrap=True, highlight=False).print(table)


@tokens.command("expire")
def expire(
    name: Name,
    file: TokenFile,
    days: Annotated[
        int, typer.Option("--days", min=0, help="Days from now until it ends; 0: at once.")
    ] = 0,
) -> None:
    """Set a token's end; the entry stays, so that the list shows that there was one."""
    from dataclasses import replace
    from datetime import UTC, datetime, timedelta

    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)

    def change(records: "tuple[TokenRecord, ...]") -> "Iterable[TokenRecord]":
        _check_known(records, name)
        return tuple(
            replace(record, expires_at=end) if record.name == name else record for record in records
        )

    _change(file, change)
    typer.echo(f"{name} ends at {end:%Y-%m-%d %H:%M:%S} UTC" if days else f"{name} has ended")


@tokens.command("revoke")
def revoke(name: Name, file: TokenFile) -> None:
    """Remove a token; a running API refuses it from the next request on."""

    def change(records: "tuple[TokenRecord, ...]") -> "Iterable[TokenRecord]":
        _check_known(records, name)
        return tuple(record for record in records if record.name != name)

    _change(file, change)
    typer.echo(f"{name} is revoked and no longer in {file}")


def _change(
    file: Path, change: "Callable[[tuple[TokenRecord, ...]], Iterable[TokenRecord]]"
) -> None:
    from api.access.tokens import lock_tokens, save_tokens

    with lock_tokens(file):
        save_tokens(file, change(_load(file)))


def _load(file: Path) -> "tuple[TokenRecord, ...]":
    from api.access.tokens import load_tokens

    return load_tokens(file) if file.exists() else ()


def _check_known(records: "Iterable[TokenRecord]", name: str) -> None:
    from node.errors import UserFault

    if all(record.name != name for record in records):
        raise UserFault("is the name of no token in this file", field="NAME")


def _read_limits(words: Iterable[str]) -> "Limits":
    from api.access.limits import parse_limits
    from api.errors import InvalidField
    from node.cli.rest_calls import read_pairs
    from node.errors import UserFault

    try:
        return parse_limits(read_pairs(words, "--limit"), "--limit")
    except InvalidField as refused:
        raise UserFault(refused.reason, field=refused.field) from refused
