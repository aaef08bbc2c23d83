"""`atesta credential`: credentials in other formats, and showing some fields of one."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.cli.rest_calls import (
    DEFAULT_URL,
    Purpose,
    TokenFile,
    Url,
    check_absent,
    open_client,
    read_bytes,
    read_object,
    write_new,
)
from node.cli.token_files import read_text, write_text

if TYPE_CHECKING:
    from atesta_client.formats.jose import Token
    from atesta_client.holder_keys import HolderKey, HolderPublicKey

app = typer.Typer(
    help="Write credentials in other formats, read them, and show some fields of one.",
    no_args_is_help=True,
)


class Format(StrEnum):
    """A format that others read."""

    SD_JWT_VC = "sd-jwt-vc"
    VC_JWT = "vc-jwt"


FormatOption = Annotated[
    Format, typer.Option("--format", help="SD-JWT VC, or W3C Verifiable Credential 2.0.")
]


@app.command("export")
def export_credential(
    uid: Annotated[str, typer.Argument(help="The credential's uid.")],
    *,
    out: Annotated[Path, typer.Option(help="Where to write the token for the holder.")],
    form: FormatOption = Format.SD_JWT_VC,
    purpose: Purpose = "issuing",
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Write a credential of the vault in another format, signed by the agency's account key."""
    from atesta_client import requests

    check_absent(out)
    with open_client(url, token_file, purpose=purpose) as client:
        made = client.send(requests.export_credential(uid, format_name=form.value))
    write_text(out, made.token)
    typer.echo(f"{made.uid}: {made.media_type}, signed by {made.key_id}")


@app.command("import")
def import_credential(
    file: Annotated[Path, typer.Argument(help="The token, with everything disclosed.")],
    *,
    schema: Annotated[
        str | None,
        typer.Option(help="Of another issuer's: uid of a schema with a field for every claim."),
    ] = None,
    issuer_key: Annotated[
        Path | None,
        typer.Option(help="Of another issuer's: its public key, a JWK (crv, kty, x, y)."),
    ] = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Make a credential of a token and print its uid; nothing is attested by it.

    An export of this agency's own becomes again what it was made of. Of another issuer's token the
    whole content becomes a document of a schema.
    """
    from atesta_client import requests

    key = None if issuer_key is None else read_object(issuer_key)
    request = requests.import_credential(token=read_text(file), schema_uid=schema, issuer_key=key)
    with open_client(url, token_file) as client:
        made = client.send(request)
    typer.echo(made.uid)


@app.command("convert")
def convert(
    file: Annotated[Path, typer.Argument(help="An export of this ledger's: a whole token.")],
    *,
    out: Annotated[Path, typer.Option(help="Where to write the credential file.")],
    account: Annotated[
        str, typer.Option(help="Address of the issuer's account key, from the registry.")
    ],
    form: FormatOption = Format.SD_JWT_VC,
) -> None:
    """Turn an export back into the credential file that it was made of; no node is asked."""
    import json

    from atesta_client.credentials import encode_credential
    from atesta_client.formats.sd_jwt_vc import import_sd_jwt_vc
    from atesta_client.formats.vc_jwt import import_vc_jwt

    check_absent(out)
    read = import_sd_jwt_vc if form is Format.SD_JWT_VC else import_vc_jwt
    credential = read(read_text(file), lambda token, _record: _find_key(token, account))
    write_new(out, json.loads(encode_credential(credential)))
    typer.echo(f"0x{credential.record.uid.hex()}: {credential.record.schema.size} fields")


@app.command("present")
def present(
    file: Annotated[Path, typer.Argument(help="The credential file.")],
    fields: Annotated[list[str], typer.Argument(help="The fields to show, such as /name /born.")],
    *,
    verifier: Annotated[str, typer.Option(help="For whom: the agency's id in its challenge.")],
    purpose: Annotated[str, typer.Option(help="For what, as the challenge says.")],
    nonce: Annotated[str, typer.Option(help="The challenge's nonce.")],
    out: Annotated[Path, typer.Option(help="Where to write the presentation.")],
    key: Annotated[
        Path | None, typer.Option(help="The holder's private key (PEM), where there is one.")
    ] = None,
    passphrase_file: Annotated[
        Path | None, typer.Option(help="File that holds the key's passphrase.")
    ] = None,
) -> None:
    """Show some fields of a credential, signed for one verifier and one occasion."""
    import json
    import time

    from atesta_client.credentials import decode_credential
    from atesta_client.presentations import Occasion, encode_presentation
    from atesta_client.presentations import present as make_presentation

    from node.errors import UserFault

    check_absent(out)
    credential = decode_credential(read_bytes(file))
    holder = None if key is None else _read_key(key, passphrase_file)
    if credential.holder_key is not None and holder is None:
        raise UserFault("is needed: the document has a holder's key", field="--key")
    made = make_presentation(
        credential,
        fields,
        occasion=Occasion(verifier=verifier, purpose=purpose, nonce=nonce),
        now_s=int(time.time()),
        key=holder,
    )
    content: dict[str, Any] = json.loads(encode_presentation(made))
    write_new(out, content)
    typer.echo(f"{len(made.fields)} of {credential.record.schema.size} fields shown")


def _find_key(token: "Token", account: str) -> "HolderPublicKey":
    """Return the key in the header if it is the account's."""
    from atesta_client.formats.jose import compute_address

    from node.errors import UserFault

    key = token.find_key()
    address = None if key is None else compute_address(key)
    if key is None or address is None or "0x" + address.hex() != account.lower():
        raise UserFault("the token was not signed with this account's key", field="--account")
    return key


def _read_key(path: Path, passphrase_file: Path | None) -> "HolderKey":
    from atesta_client.holder_keys import HolderKey

    from node.keys import secret_files

    phrase = None if passphrase_file is None else secret_files.read_passphrase_file(passphrase_file)
    return HolderKey.from_pem(read_bytes(path), None if phrase is None else phrase.encode())
