"""Files that hold a token: a credential in a format that others read."""

from pathlib import Path

from node.cli.rest_calls import read_bytes


def is_token(path: Path) -> bool:
    """Return whether a file holds a token; a file of this ledger's own form is a JSON object."""
    return not read_bytes(path).lstrip().startswith(b"{")


def read_text(path: Path) -> str:
    """Read a token."""
    from node.errors import UserFault

    try:
        return read_bytes(path).decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise UserFault("is not a token: it holds more than ASCII", field=str(path)) from error


def write_text(path: Path, text: str) -> None:
    """Write a token to a file that does not exist yet."""
    from node.errors import UserFault

    try:
        with path.open("x", encoding="ascii") as file:
            file.write(text + "\n")
    except OSError as error:
        raise UserFault(f"cannot be written: {error.strerror}", field=str(path)) from error
