"""`atesta attest` and `atesta verify`: the two everyday acts, through a node's REST interface."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from node.cli.rest_calls import (
    DEFAULT_URL,
    TokenFile,
    Url,
    check_absent,
    open_client,
    read_json,
    read_object,
    tell_settled,
)
from node.cli.token_files import is_token, read_text


def attest(
    document: Annotated[Path, typer.Argument(help="The certificate's content, a JSON document.")],
    schema: Annotated[str, typer.Option(help="Uid of the schema that it follows.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Where to write the holder's credential file.")
    ] = None,
    holder_key: Annotated[
        Path | None,
        typer.Option(help="The holder's public key (JSON), put into the document at /cnf."),
    ] = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Attest a document with the node's agency as issuer and wait until that is settled.

    The document stays in the agency's vault; on the chain goes a commitment to it.
    """
    from atesta_client import requests
    from rich.console import Console

    content = read_json(document)
    if holder_key is not None:
        content = _with_key(content, read_object(holder_key))
    check_absent(out)
    with open_client(url, token_file) as client:
        with Console(stderr=True).status("waiting for the ledger"):
            accepted = client.send(requests.attest_document(schema_uid=schema, document=content))
            operation = client.follow(accepted)
        if out is not None:
            answer = client.send(requests.get_credential(accepted.uid).for_purpose("issuing"))
            out.write_text(json.dumps(answer.credential, indent=1) + "\n", encoding="utf-8")
    typer.echo(f"{accepted.uid}: attested, {tell_settled(operation)}")


def _with_key(content: Any, key: dict[str, Any]) -> dict[str, Any]:
    """Return a document with the holder's key in it; raises `UserFault` if it has one already."""
    from node.errors import UserFault

    if not isinstance(content, dict) or "cnf" in content:
        raise UserFault("the document is no object, or holds a key already", field="--holder-key")
    return {**content, "cnf": key}


def verify(
    file: Annotated[
        Path,
        typer.Argument(help="A presentation or a credential (JSON), or a token of one."),
    ],
    purpose: Annotated[
        str | None, typer.Option(help="What the check is for, as the holder signed it.")
    ] = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Check a file on the last block that this node reads; exit code 0 only if it is valid."""
    from atesta_client import requests

    if is_token(file):
        request = requests.verify_token(read_text(file), purpose=purpose)
    else:
        content = read_object(file)
        make = (
            requests.verify_presentation
            if "presentation" in str(content.get("type", ""))
            else requests.verify_credential
        )
        request = make(content, purpose=purpose)
    with open_client(url, token_file) as client:
        answer = client.send(request)
    typer.echo(answer.result.replace("_", " "))
    for finding in (*answer.reasons, *answer.notices):
        where = f" ({finding.field})" if finding.field else ""
        typer.echo(f"  {finding.text}{where}")
    for shown in answer.predicates:
        said = "yes" if shown.value else "no"
        typer.echo(f"  {shown.field}: {said} on {shown.on}, says the issuer ({shown.rule})")
    typer.echo(f"block {answer.block} of {answer.block_time:%Y-%m-%d %H:%M:%S} UTC")
    typer.echo(f"next: {answer.next_step}")
    if answer.result != "valid":
        raise typer.Exit(1)
