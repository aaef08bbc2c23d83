"""`atesta house`: an agency's own keys and TLS pins, which it enters and ends without a vote.

Each command is signed by the first of `api.account_key_files`, which needs the role ADMIN. No key
ends itself, so an agency always keeps one: to end an old key, name the new one first in the
settings. A key or pin that was lost together with all others takes the vote of all agencies
(`governance propose add-key`, `add-pin`).
"""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from node.cli.governance_commands import Config, choose_node, open_registry

if TYPE_CHECKING:
    from node.cli.governing import Registry
    from node.settings import Settings

app = typer.Typer(
    help="This agency's own keys and TLS pins: see, add and end them, without a vote.",
    no_args_is_help=True,
    callback=choose_node,
)

_DAY_S: Final = 86_400
_NO_END: Final = 0

Account = Annotated[str, typer.Argument(help="The key's address: 0x and 40 digits.")]
Pin = Annotated[
    str, typer.Argument(help="0x and 64 digits, as `atesta keys tls` and `keys list` print it.")
]
Days = Annotated[int, typer.Option(help="Days until it ends by itself; 0: no end.", min=0)]


@app.command("show")
def show(
    config: Config,
    agency: Annotated[
        str | None, typer.Option(help="Another agency's label, or 0x and 64 digits.")
    ] = None,
) -> None:
    """List the agency's keys with their roles, and its TLS pins, and until when each counts."""
    from node.cli.governing import format_parameter, parse_agency
    from node.cli.rest_calls import print_table

    registry = open_registry(config, signing=False)
    if agency is None:
        from node.settings import load_settings

        owner = _find_own_agency(registry, load_settings(config))
    else:
        owner = parse_agency(agency)
    now_s = int(time.time())
    rows = []
    for address, key in _list_keys(registry, owner):
        roles = format_parameter("roles", key["roles"])
        rows.append(("key", address, _describe_interval(key, now_s), roles))
    for fingerprint, pin in _list_pins(registry, owner):
        rows.append(("pin", fingerprint, _describe_interval(pin, now_s), ""))
    print_table(("what", "address or pin", "counts", "roles"), rows)


@app.command("add-key")
def add_key(
    account: Account,
    config: Config,
    roles: Annotated[
        str | None,
        typer.Option(help="Such as ISSUE,EXCHANGE; absent: those of the key that signs this."),
    ] = None,
    days: Days = 0,
) -> None:
    """Enter a further key of this agency, made with `atesta keys new`; it counts at once."""
    from node.cli.governing import format_parameter, parse_bytes, parse_roles

    address = parse_bytes("account", account, 20)
    registry = open_registry(config)
    if roles is None:
        granted = int(registry.ask("key", registry.account)["roles"])
    else:
        granted = parse_roles("--roles", roles)
    registry.act("add_own_key", address, granted, 0, _end_after(days))
    typer.echo(f"{account} is a key of this agency: {format_parameter('roles', granted)}")
    typer.echo("Name its file in api.account_key_files and start the node anew to sign with it.")


@app.command("revoke-key")
def revoke_key(account: Account, config: Config) -> None:
    """End a key of this agency at once and for good; what it signed before stays valid."""
    from node.cli.governing import parse_bytes
    from node.errors import UserFault

    address = parse_bytes("account", account, 20)
    registry = open_registry(config)
    if address == registry.account:
        raise UserFault(
            "is the key that signs this command, and no key ends itself",
            field=account,
            next_step="Put the file of another key with ADMIN first in api.account_key_files",
        )
    registry.act("revoke_own_key", address)
    typer.echo(f"{account} has ended")


@app.command("add-pin")
def add_pin(pin: Pin, config: Config, days: Days = 0) -> None:
    """Enter a further TLS key for this agency's nodes, beside those that there are."""
    from node.cli.governing import parse_bytes

    fingerprint = parse_bytes("pin", pin, 32)
    open_registry(config).act("add_own_pin", fingerprint, 0, _end_after(days))
    typer.echo(f"{pin} is a pin of this agency")


@app.command("withdraw-pin")
def withdraw_pin(
    pin: Pin,
    config: Config,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask, even if this node is cut off by it.")
    ] = False,
) -> None:
    """End a TLS key of this agency at once: no node talks to whoever shows it."""
    from node.cli.governing import parse_bytes
    from node.settings import load_settings

    fingerprint = parse_bytes("pin", pin, 32)
    if not yes and fingerprint == _read_pin_in_use(load_settings(config)):
        typer.confirm(
            "The settings name this very certificate: others will cut this node off. Go on?",
            abort=True,
        )
    open_registry(config).act("withdraw_own_pin", fingerprint)
    typer.echo(f"{pin} has ended")


def _find_own_agency(registry: "Registry", settings: "Settings") -> bytes:
    from node.errors import UserFault
    from node.keys import read_key_file_info

    for file in settings.api.account_key_files:
        owner = bytes(registry.ask("key", read_key_file_info(file).address)["agency"])
        if any(owner):
            return owner
    raise UserFault(
        "names no key that the ledger knows",
        field="api.account_key_files",
        next_step="Name an agency with --agency",
    )


def _list_keys(registry: "Registry", owner: bytes) -> Iterator[tuple[str, Any]]:
    for index in range(registry.ask("key_count", owner)):
        address = registry.ask("key_at", owner, index)
        yield "0x" + bytes(address).hex(), registry.ask("key", address)


def _list_pins(registry: "Registry", owner: bytes) -> Iterator[tuple[str, Any]]:
    for index in range(registry.ask("pin_count")):
        fingerprint = bytes(registry.ask("pin_at", index))
        pin = registry.ask("pin", fingerprint)
        if bytes(pin["agency"]) == owner:
            yield "0x" + fingerprint.hex(), pin


def _read_pin_in_use(settings: "Settings") -> bytes | None:
    """Return the pin of this node's own certificate; None where there is none, as for an API."""
    from node.errors import NodeError
    from node.keys import load_tls_identity

    network = settings.network
    try:
        return load_tls_identity(network.tls_key_file, network.tls_certificate_file).pin
    except NodeError:
        return None


def _describe_interval(row: Any, now_s: int) -> str:
    start, end = row["valid_from"], row["valid_until"]
    if end != _NO_END and end <= now_s:
        return f"ended {_format_time(end)}"
    if start > now_s:
        return f"from {_format_time(start)}"
    return "now" if end == _NO_END else f"until {_format_time(end)}"


def _format_time(seconds: int) -> str:
    import datetime as dt

    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d %H:%M} UTC"


def _end_after(days: int) -> int:
    return int(time.time()) + days * _DAY_S if days else _NO_END
