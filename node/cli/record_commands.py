"""`atesta attest` and `atesta verify`: the two everyday acts, through a node's REST interface."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

Url = Annotated[str, typer.Option("--url", help="The node's API.")]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", help="File that holds a bearer token.")
]
_DEFAULT_URL = "http://127.0.0.1:8545"


def attest(
    document: Annotated[Path, typer.Argument(help="The certificate's content, a JSON document.")],
    schema: Annotated[str, typer.Option(help="Uid of the schema that it follows.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write the holder's credential file.")
    ] = None,
    url: Url = _DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Attest a document with the node's agency as issuer and wait until that is final.

    The document stays in the agency's vault; on the chain goes a commitment to it.
    """
    from atesta_client import requests
    from atesta_client.rest import Client
    from rich.console import Console

    content = _read_json(document)
    if out is not None and out.exists():
        from node.errors import UserFault

        raise UserFault("already exists and is not overwritten", field=str(out))
    with Client(url, token=_read_token(token_file)) as client:
        with Console(stderr=True).status("waiting for a final block"):
            accepted = client.send(requests.attest_document(schema_uid=schema, document=content))
            operation = client.follow(accepted)
        if out is not None:
            answer = client.send(requests.get_credential(accepted.uid))
            out.write_text(json.dumps(answer.credential, indent=1) + "\n", encoding="utf-8")
    typer.echo(f"{accepted.uid}: attested, final in block {operation.block}")


def verify(
    file: Annotated[Path, typer.Argument(help="A presentation or a credential file (JSON).")],
    purpose: Annotated[
        str | None, typer.Option(help="What the check is for, as the holder signed it.")
    ] = None,
    url: Url = _DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Check a file on this node's last final block; exit code 0 only if it is valid."""
    from atesta_client import requests
    from atesta_client.rest import Client

    content = _read_json(file)
    is_presentation = isinstance(content, dict) and "presentation" in str(content.get("type", ""))
    make = requests.verify_presentation if is_presentation else requests.verify_credential
    with Client(url, token=_read_token(token_file)) as client:
        answer = client.send(make(content, purpose=purpose))
    typer.echo(answer.result.replace("_", " "))
    for finding in (*answer.reasons, *answer.notices):
        where = f" ({finding.field})" if finding.field else ""
        typer.echo(f"  {finding.text}{where}")
    typer.echo(f"block {answer.block} of {answer.block_time:%Y-%m-%d %H:%M:%S} UTC")
    typer.echo(f"next: {answer.next_step}")
    if answer.result != "valid":
        raise typer.Exit(1)


def _read_json(path: Path) -> Any:
    """Read JSON as strictly as the API does: what has two readings is refused, not guessed."""
    from atesta_client.canonical import load_json
    from atesta_client.errors import DocumentRefused

    from node.errors import UserFault

    try:
        return load_json(path.read_bytes())
    except OSError as error:
        raise UserFault(f"cannot be read: {error.strerror}", field=str(path)) from error
    except DocumentRefused as error:
        raise UserFault(
            f"is not a document with exactly one reading: {error}", field=str(path)
        ) from error


def _read_token(path: Path | None) -> str | None:
    from node.keys import secret_files

    return None if path is None else secret_files.read_passphrase_file(path)
