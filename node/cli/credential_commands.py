"""`atesta credential`: credential files, other formats of them, and showing some fields of one."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli import holder_commands
from node.cli.rest_calls import (
    DEFAULT_URL,
    Purpose,
    TokenFile,
    Url,
    check_absent,
    open_client,
    read_object,
    write_new,
)
from node.cli.token_files import read_text, write_text

if TYPE_CHECKING:
    from atesta_client.formats.jose import Token
    from atesta_client.holder_keys import HolderPublicKey

app = typer.Typer(
    help="Hand out credentials, write and read other formats, show some fields of one.",
    no_args_is_help=True,
)


app.command("key")(holder_commands.make_key)
app.command("challenge")(holder_commands.challenge)
app.command("present")(holder_commands.present)


class Format(StrEnum):
    """A format that others read."""

    SD_JWT_VC = "sd-jwt-vc"
    VC_JWT = "vc-jwt"


FormatOption = Annotated[
    Format, typer.Option("--format", help="SD-JWT VC, or W3C Verifiable Credential 2.0.")
]


@app.command("get")
def get_credential(
    uid: Annotated[str, typer.Argument(help="The credential's uid.")],
    *,
    out: Annotated[Path, typer.Option(help="Where to write the credential file for the holder.")],
    purpose: Purpose = "issuing",
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Take a credential file out of the vault; of a batch's member, with its path to the root."""
    from atesta_client import requests

    from node.errors import UserFault

    check_absent(out)
    with open_client(url, token_file, purpose=purpose) as client:
        made = client.send(requests.get_credential(uid))
    if made.credential is None:
        raise UserFault("the node tells of this credential without its file", field="uid")
    write_new(out, made.credential)
    typer.echo(f"{made.uid}: {'attested' if made.attested else 'not attested yet'}")


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


def _find_key(token: "Token", account: str) -> "HolderPublicKey":
    """Return the key in the header if it is the account's."""
    from atesta_client.formats.jose import compute_address

    from node.errors import UserFault

    key = token.find_key()
    address = None if key is None else compute_address(key)
    if key is None or address is None or "0x" + address.hex() != account.lower():
        raise UserFault("the token was not signed with this account's key", field="--account")
    return key
