"""`atesta governance code`: what the agencies vote on to let code onto their ledger."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eth_typing import Address, Hash32


def code(
    create: Annotated[
        Path | None,
        typer.Option("--create", help="A file with creation code in hex, arguments appended."),
    ] = None,
    open_address: Annotated[
        str | None, typer.Option("--open", help="A contract that shall be open to calls.")
    ] = None,
    close_address: Annotated[
        str | None, typer.Option("--close", help="A contract that shall be called no more.")
    ] = None,
    url: Annotated[str, typer.Option("--url", help="The node's API.")] = "http://127.0.0.1:8545",
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File that holds a bearer token (reader).")
    ] = None,
) -> None:
    """Print the subject to resolve on before code is created, opened to calls, or closed.

    Whoever votes computes it anew: from the same creation code, or from the same address and the
    code that their own node has there.
    """
    from node.chain.code_votes import (
        compute_closing_subject,
        compute_creation_subject,
        compute_opening_subject,
    )
    from node.errors import UserFault

    given = [item for item in (create, open_address, close_address) if item is not None]
    if len(given) != 1:
        raise UserFault("give exactly one of --create, --open and --close", field="code")
    if create is not None:
        subject = compute_creation_subject(_read_code(create))
    elif open_address is not None:
        subject = compute_opening_subject(*_find_code(open_address, url, token_file))
    else:
        assert close_address is not None, "one of the three is given"
        subject = compute_closing_subject(*_find_code(close_address, url, token_file))
    typer.echo(f"0x{subject.hex()}")
    typer.echo(
        "Put it to the vote: atesta governance propose resolve subject=0x"
        f"{subject.hex()} --config node.toml",
        err=True,
    )


def _read_code(path: Path) -> bytes:
    from node.errors import UserFault

    try:
        data = bytes.fromhex(path.read_text(encoding="ascii").strip().removeprefix("0x"))
    except OSError as error:
        raise UserFault(f"cannot be read: {error.strerror}", field=str(path)) from error
    except ValueError as error:
        raise UserFault("holds no hexadecimal code", field=str(path)) from error
    if not data:
        raise UserFault("holds no code", field=str(path))
    return data


def _find_code(text: str, url: str, token_file: Path | None) -> tuple["Address", "Hash32"]:
    from eth_hash.auto import keccak
    from eth_typing import Address, Hash32
    from eth_utils.address import is_hex_address, to_canonical_address

    from node.cli.devnet.rpc import NodeRpc
    from node.errors import UserFault

    if not is_hex_address(text):
        raise UserFault("is no address", field="address")
    rpc = NodeRpc(url.rstrip("/"), token_file=token_file)
    deployed = bytes.fromhex(rpc.call("eth_getCode", text, "latest")[2:])
    if not deployed:
        raise UserFault("has no code at the last block", field=text)
    return Address(to_canonical_address(text)), Hash32(keccak(deployed))
