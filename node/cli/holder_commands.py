"""What passes between a holder and a verifier: the holder's key, a challenge, some fields shown.

The commands stand under `atesta credential`. Only `challenge` speaks to a node, the verifier's; key
and signature are made where the holder is.
"""

import json
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.cli.rest_calls import (
    DEFAULT_URL,
    TokenFile,
    Url,
    check_absent,
    open_client,
    read_bytes,
    read_object,
    write_new,
)
from node.cli.token_files import is_token, read_text, write_text

if TYPE_CHECKING:
    from atesta_client.holder_keys import HolderKey
    from atesta_client.presentations import Occasion

Passphrase = Annotated[
    Path | None, typer.Option("--passphrase-file", help="File that holds the key's passphrase.")
]


class Curve(StrEnum):
    """A curve of a holder's key."""

    P_256 = "p-256"
    SECP256K1 = "secp256k1"


def make_key(
    *,
    out: Annotated[Path, typer.Option(help="Where to write the private key (PEM); it stays.")],
    public: Annotated[
        Path, typer.Option(help="Where to write the public key (JSON), for the issuer.")
    ],
    curve: Annotated[Curve, typer.Option(help="Phones' secure hardware knows P-256.")] = (
        Curve.P_256
    ),
    passphrase_file: Passphrase = None,
) -> None:
    """Make a holder's key: the issuer puts its public half into the document, at /cnf."""
    from atesta_client.holder_keys import HolderKey, KeyKind

    from node.keys import secret_files

    check_absent(out)
    check_absent(public)
    made = HolderKey.generate(KeyKind.P_256 if curve is Curve.P_256 else KeyKind.SECP256K1)
    secret_files.write_secret_file(out, made.to_pem(_read_phrase(passphrase_file)))
    write_new(public, made.public_key.to_field())
    typer.echo(f"{out}: private, keep it; {public}: public, for the issuer")


def challenge(
    purpose: Annotated[str, typer.Argument(help="A short code, such as border-crossing.")],
    *,
    out: Annotated[Path, typer.Option(help="Where to write it for the holder (JSON).")],
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Ask this verifier's node for a nonce that a holder signs, good for one check."""
    from atesta_client import requests

    check_absent(out)
    with open_client(url, token_file) as client:
        made = client.send(requests.create_challenge(purpose))
    write_new(out, {"verifier": made.verifier, "purpose": made.purpose, "nonce": made.nonce})
    typer.echo(f"{made.purpose}: good until {made.expires:%Y-%m-%d %H:%M:%S} UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """An occasion as the command line gives it."""

    challenge: Path | None
    verifier: str | None
    purpose: str | None
    nonce: str | None


def present(
    file: Annotated[Path, typer.Argument(help="The credential file, or an SD-JWT VC of one.")],
    fields: Annotated[list[str], typer.Argument(help="The fields to show, such as /name /born.")],
    *,
    out: Annotated[Path, typer.Option(help="Where to write the presentation.")],
    challenge_file: Annotated[
        Path | None, typer.Option("--challenge", help="The verifier's challenge (JSON).")
    ] = None,
    verifier: Annotated[
        str | None, typer.Option(help="Without a challenge file: the verifier's agency id.")
    ] = None,
    purpose: Annotated[str | None, typer.Option(help="For what, as the challenge says.")] = None,
    nonce: Annotated[str | None, typer.Option(help="The challenge's nonce.")] = None,
    key: Annotated[
        Path | None, typer.Option(help="The holder's private key (PEM), where there is one.")
    ] = None,
    passphrase_file: Passphrase = None,
) -> None:
    """Show some fields of a credential, signed for one verifier and one occasion."""
    check_absent(out)
    occasion = _read_occasion(
        _Words(challenge=challenge_file, verifier=verifier, purpose=purpose, nonce=nonce)
    )
    holder = None if key is None else _read_key(key, passphrase_file)
    show = _show_token if is_token(file) else _show_file
    typer.echo(show(file, fields, occasion, holder, out))


def _show_file(
    file: Path, fields: list[str], occasion: "Occasion", holder: "HolderKey | None", out: Path
) -> str:
    from atesta_client.credentials import decode_credential
    from atesta_client.presentations import encode_presentation
    from atesta_client.presentations import present as make_presentation

    credential = decode_credential(read_bytes(file))
    _check_key(needed=credential.holder_key is not None, holder=holder)
    made = make_presentation(
        credential, fields, occasion=occasion, now_s=int(time.time()), key=holder
    )
    content: dict[str, Any] = json.loads(encode_presentation(made))
    write_new(out, content)
    return f"fields shown: {', '.join(field.pointer for field in made.fields)}"


def _show_token(
    file: Path, fields: list[str], occasion: "Occasion", holder: "HolderKey | None", out: Path
) -> str:
    from atesta_client.formats.jose import read_token
    from atesta_client.formats.named import TokenFormat, find_format
    from atesta_client.formats.sd_jwt import decode_sd_jwt
    from atesta_client.formats.showing import show_sd_jwt_vc

    from node.errors import UserFault

    text = read_text(file)
    if find_format(text) is not TokenFormat.SD_JWT_VC:
        raise UserFault("is always shown whole; show fields of an SD-JWT VC", field=str(file))
    claims = read_token(decode_sd_jwt(text).token).claims
    _check_key(needed="cnf" in claims, holder=holder)
    shown = show_sd_jwt_vc(text, fields, occasion=occasion, now_s=int(time.time()), key=holder)
    write_text(out, shown)
    return f"fields shown: {', '.join(fields)}"


def _check_key(*, needed: bool, holder: "HolderKey | None") -> None:
    from node.errors import UserFault

    if needed and holder is None:
        raise UserFault("is needed: the document has a holder's key", field="--key")


def _read_occasion(words: _Words) -> "Occasion":
    from atesta_client.presentations import Occasion

    from node.errors import UserFault

    given: dict[str, Any] = {
        "verifier": words.verifier,
        "purpose": words.purpose,
        "nonce": words.nonce,
    }
    if words.challenge is not None:
        if any(value is not None for value in given.values()):
            raise UserFault("says whom, what for and the nonce itself", field="--challenge")
        given = read_object(words.challenge)
    for name in ("verifier", "purpose", "nonce"):
        if not isinstance(given.get(name), str):
            raise UserFault("is needed, or --challenge with the verifier's file", field=f"--{name}")
    return Occasion(verifier=given["verifier"], purpose=given["purpose"], nonce=given["nonce"])


def _read_key(path: Path, passphrase_file: Path | None) -> "HolderKey":
    from atesta_client.holder_keys import HolderKey

    return HolderKey.from_pem(read_bytes(path), _read_phrase(passphrase_file))


def _read_phrase(passphrase_file: Path | None) -> bytes | None:
    from node.keys import secret_files

    if passphrase_file is None:
        return None
    return secret_files.read_passphrase_file(passphrase_file).encode()
