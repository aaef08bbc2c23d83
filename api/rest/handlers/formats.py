"""Credentials in the formats that others read: handed out, and taken over."""

import asyncio
import secrets
from functools import partial
from typing import Final

from atesta_client.errors import MaterialRefused
from atesta_client.formats.foreign import (
    ForeignDocument,
    import_foreign_sd_jwt_vc,
    import_foreign_vc_jwt,
)
from atesta_client.formats.named import TokenFormat, find_format, is_export
from atesta_client.formats.sd_jwt_vc import MEDIA_TYPE as SD_JWT_VC
from atesta_client.formats.sd_jwt_vc import export_sd_jwt_vc
from atesta_client.formats.vc_jwt import MEDIA_TYPE as VC_JWT
from atesta_client.formats.vc_jwt import export_vc_jwt
from atesta_client.holder_keys import HolderPublicKey
from atesta_client.schemas import Schema

from api.errors import InvalidField, UserFault
from api.rest.call import Call, Reply
from api.rest.format_models import CredentialExport, CredentialImport, CredentialToken
from api.rest.handlers.credentials import open_credential, open_file
from api.rest.handlers.issuing import keep_document, refuse_document
from api.rest.handlers.schemas import get_text
from api.rest.handlers.taking_back import take_back
from api.rest.values import Algorithm, decode_hex, encode_hex
from contracts.codes import Role

_MEDIA_TYPES: Final = {TokenFormat.SD_JWT_VC: SD_JWT_VC, TokenFormat.VC_JWT: VC_JWT}


async def export_credential(call: Call) -> Reply:
    """Write a credential of the vault in another format; its holder gets it."""
    body: CredentialExport = call.body
    services = call.services
    key = services.issuer_keys[await services.identity.get_account(Role.ISSUE)]
    _, credential = await open_file(call, call.get_digest("uid"))
    now_s = int(services.now())
    if body.format is TokenFormat.SD_JWT_VC:
        write = partial(
            export_sd_jwt_vc, credential, key, now_s=now_s, random_bytes=secrets.token_bytes
        )
    else:
        write = partial(export_vc_jwt, credential, key, now_s=now_s)
    try:
        token = await asyncio.to_thread(write)
    except MaterialRefused as refused:
        raise refuse_document(refused) from None
    return Reply(
        model=CredentialToken(
            uid=encode_hex(credential.record.uid),
            format=body.format,
            media_type=f"application/{_MEDIA_TYPES[body.format]}",
            key_id=key.key_id,
            token=token,
        )
    )


async def import_credential(call: Call) -> Reply:
    """Make a credential of a token: this agency's own as it was, or another issuer's."""
    body: CredentialImport = call.body
    try:
        is_own = is_export(body.token)
    except MaterialRefused as refused:
        raise refuse_document(refused, place="token") from None
    return await (take_back(call) if is_own else _take_over(call, body))


async def _take_over(call: Call, body: CredentialImport) -> Reply:
    """Make a credential of another issuer's token; nothing goes on the chain."""
    if body.schema_uid is None:
        raise InvalidField("schema_uid", "another issuer's token needs a schema of this ledger")
    if body.issuer_key is None:
        raise InvalidField("issuer_key", "another issuer's token needs that issuer's public key")
    if body.format not in {None, find_format(body.token)}:
        raise InvalidField("format", "the token is of the other format")
    schema_uid = decode_hex(body.schema_uid)
    text = await get_text(call, schema_uid)
    made = await asyncio.to_thread(_read, body, text.schema, int(call.services.now()))
    stored = await keep_document(
        call,
        schema_uid=schema_uid,
        document=made.document,
        holder_key=None,
        uid=None,
        alg=Algorithm.SHA_256,
        valid_until_s=made.valid_until_s,
        previous=None,
    )
    model = await open_credential(call, stored.uid)
    return Reply(model=model, headers={"Location": f"/v1/credentials/{model.uid}"})


def _read(body: CredentialImport, schema: Schema, now_s: int) -> ForeignDocument:
    try:
        key = HolderPublicKey.from_field({"jwk": body.issuer_key})
    except MaterialRefused as refused:
        raise UserFault(
            "this is no public key of P-256 or secp256k1 with crv, kty, x and y only",
            code=refused.code.value,
            field="issuer_key",
            status=422,
        ) from None
    read = (
        import_foreign_sd_jwt_vc
        if find_format(body.token) is TokenFormat.SD_JWT_VC
        else import_foreign_vc_jwt
    )
    try:
        return read(body.token, key, schema=schema, now_s=now_s)
    except MaterialRefused as refused:
        raise refuse_document(refused, place="token") from None
