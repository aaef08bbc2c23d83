"""What the commands that speak to a node's REST interface share: options, files, tables."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from atesta_client.answers import Operation
    from atesta_client.rest import Client

Url = Annotated[str, typer.Option("--url", help="The node's API.")]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", help="File that holds a bearer token.")
]
Purpose = Annotated[
    str,
    typer.Option(
        "--purpose",
        help="What personal data is opened for; it is recorded. A purpose's uid, or a word such as"
        " service, audit, rights.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
DEFAULT_URL: Final = "http://127.0.0.1:8545"

CHOSEN_LEDGER: Final[ContextVar[str | None]] = ContextVar("chosen_ledger", default=None)
"""What `atesta --ledger` named for the command that runs; None: the node's own ledger."""


def open_client(url: str, token_file: Path | None, *, purpose: str | None = None) -> "Client":
    """Return a client of the node, for use with `with`; `purpose` goes with every request.

    It is about the ledger that `atesta --ledger` named, if any.
    """
    from atesta_client.rest import Client

    client = Client(url, token=read_token(token_file), purpose=purpose)
    ledger = CHOSEN_LEDGER.get()
    return client if ledger is None else client.ledger(ledger)


def tell_settled(operation: "Operation") -> str:
    """Return where a settled write stands, in the words of its network."""
    if operation.state == "reported":
        return f"in block {operation.block} as reported by that network"
    return f"{operation.state} in block {operation.block}"


def read_token(path: Path | None) -> str | None:
    """Read a bearer token from its file."""
    from node.keys import secret_files

    return None if path is None else secret_files.read_passphrase_file(path)


def read_json(path: Path) -> Any:
    """Read JSON as strictly as the API does: what has two readings is refused, not guessed."""
    from atesta_client.canonical import load_json
    from atesta_client.errors import DocumentRefused

    from node.errors import UserFault

    try:
        return load_json(read_bytes(path))
    except DocumentRefused as error:
        raise UserFault(
            f"is not a document with exactly one reading: {error}", field=str(path)
        ) from error


def read_object(path: Path | None) -> dict[str, Any]:
    """Read a JSON object; none at all is an empty one."""
    from node.errors import UserFault

    found = {} if path is None else read_json(path)
    if not isinstance(found, dict):
        raise UserFault("is not a JSON object", field=str(path))
    return found


def read_bytes(path: Path) -> bytes:
    """Read a file whole."""
    from node.errors import UserFault

    try:
        return path.read_bytes()
    except OSError as error:
        raise UserFault(f"cannot be read: {error.strerror}", field=str(path)) from error


def write_new(path: Path, data: Mapping[str, Any]) -> None:
    """Write JSON to a file that does not exist yet."""
    import json

    from node.errors import UserFault

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise UserFault(f"cannot be written: {error.strerror}", field=str(path)) from error


def check_absent(path: Path | None) -> None:
    """Refuse to begin what could not be written at the end."""
    from node.errors import UserFault

    if path is not None and path.exists():
        raise UserFault("already exists and is not overwritten", field=str(path))


def read_pairs(words: Iterable[str], option: str) -> dict[str, str]:
    """Read `name=value` words."""
    from node.errors import UserFault

    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value) or name in pairs:
            raise UserFault(f"takes name=value, each name once, not {word!r}", field=option)
        pairs[name] = value
    return pairs


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under headings; nothing is cut off, because identifiers are there to be copied."""
    from rich.cells import cell_len

    table = [tuple(headings), *(tuple(row) for row in rows)]
    widths = [max(cell_len(cell) for cell in column) for column in zip(*table, strict=True)]
    for row in table:
        cells = [
            cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        typer.echo("  ".join(cells).rstrip())


def print_json(data: Mapping[str, Any]) -> None:
    """Print one object on one line."""
    import json

    typer.echo(json.dumps(data, ensure_ascii=False))


def print_members(data: Mapping[str, Any], indent: str = "") -> None:
    """Print what an object says, one member a line; what is null is left out."""
    for name, value in data.items():
        if isinstance(value, dict):
            typer.echo(f"{indent}{name}:")
            print_members(value, indent + "  ")
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            for item in value:
                typer.echo(f"{indent}{name}:")
                print_members(item, indent + "  ")
        elif isinstance(value, list):
            if value:
                typer.echo(f"{indent}{name}: {', '.join(map(_write, value))}")
        elif value is not None:
            typer.echo(f"{indent}{name}: {_write(value)}")


def find_label(value: object) -> str | None:
    """Return the label that stands in 32 bytes of hexadecimal, as in an agency's id; None if none.

    Other identifiers are random or hashes: that one of them reads as a label does not happen.
    """
    from contracts.labels import decode_label

    if not isinstance(value, str) or re.fullmatch("0x[0-9a-f]{64}", value) is None:
        return None
    return decode_label(bytes.fromhex(value[2:]))


def _write(value: Any) -> str:
    """Write a value; an identifier that holds a label with it beside."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    label = find_label(value)
    return str(value) if label is None else f"{value} ({label})"
