"""`atesta api` and `atesta tokens`: the API beside a node, and who may use it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from api.auth import TokenRecord

tokens = typer.Typer(
    help="Make, list and revoke the API's bearer tokens; a running API notices at once.",
    no_args_is_help=True,
)

TokenFile = Annotated[
    Path, typer.Option("--file", help="The token file, as `api.token_file` names it.")
]


def api(
    config: Annotated[Path, typer.Option("--config", help="The settings file (TOML).")],
    rpc_url: Annotated[str, typer.Option("--rpc-url", help="JSON-RPC of the node, http or https.")],
    rpc_token_file: Annotated[
        Path | None,
        typer.Option("--rpc-token-file", help="File with the bearer token that the node asks for."),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65_535, help="In place of `api.port`.")
    ] = None,
) -> None:
    """Serve REST and explorer in front of a node, in a process of their own."""
    from node.daemon.api_process import run_api_process
    from node.settings import load_settings

    run_api_process(
        load_settings(config),
        rpc_url=rpc_url,
        rpc_token_file=rpc_token_file,
        port=port,
        on_ready=lambda url: typer.echo(f"The API is ready at {url}"),
    )


@tokens.command("new")
def new(
    name: Annotated[str, typer.Argument(help="A label for logs: a program or office, no person.")],
    role: Annotated[list[str], typer.Option("--role", help="A role; may be given several times.")],
    file: TokenFile,
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="Days until it ends; absent: no end.")
    ] = None,
) -> None:
    """Make a token and print it, once; the file keeps only its hash."""
    from datetime import UTC, datetime, timedelta

    from api.auth import Role, create_token, save_tokens
    from node.errors import UserFault

    try:
        roles = [Role(text) for text in role]
    except ValueError:
        known = ", ".join(Role)
        raise UserFault(f"is one of: {known}", field="--role") from None
    records = _load(file)
    if any(record.name == name for record in records):
        raise UserFault("is the name of another token", field="NAME")
    end = None if days is None else datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    token, record = create_token(name, roles, expires_at=end)
    file.parent.mkdir(parents=True, exist_ok=True)
    save_tokens(file, [*records, record])
    typer.echo(token)


@tokens.command("list")
def show(file: TokenFile) -> None:
    """List the tokens by name, with their roles and ends."""
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "roles", "ends", box=None)
    for record in _load(file):
        end = "never" if record.expires_at is None else f"{record.expires_at:%Y-%m-%d %H:%M} UTC"
        table.add_row(record.name, ", ".join(sorted(record.roles)), end)
    Console(soft_wrap=True, highlight=False).print(table)


@tokens.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(help="The token's name.")],
    file: TokenFile,
) -> None:
    """Remove a token; a running API refuses it from the next request on."""
    from api.auth import save_tokens
    from node.errors import UserFault

    records = _load(file)
    kept = [record for record in records if record.name != name]
    if len(kept) == len(records):
        raise UserFault("is the name of no token in this file", field="NAME")
    save_tokens(file, kept)


def _load(file: Path) -> "tuple[TokenRecord, ...]":
    from api.auth import load_tokens

    return load_tokens(file) if file.exists() else ()
