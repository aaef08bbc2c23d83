"""An export of this agency's own, taken back into the vault as the credential that it was made of.

What the vault still has is compared; what it has lost, for instance because its backup is older
than the export, is kept again under the same uid, with the same salts. Nothing may come back that
was erased: the vault's own list forbids it, and so does the ledger's tombstone.
"""

import asyncio
from dataclasses import replace

from atesta_client.credentials import Credential as CredentialFile
from atesta_client.credentials import RecordReference
from atesta_client.errors import MaterialRefused
from atesta_client.formats.named import NamedToken, read_named_token

from api.errors import InvalidField, UserFault
from api.rest.call import Call, Reply
from api.rest.format_models import CredentialImport
from api.rest.handlers.credentials import open_credential
from api.rest.handlers.erasing import refuse_erased
from api.rest.handlers.issuing import refuse_document
from api.rest.handlers.schemas import get_text
from api.rest.values import encode_hex
from api.vault.vault import NewCredential
from api.verification.tokens import IssuerKeys, read_export
from contracts.codes import RecordState


async def take_back(call: Call) -> Reply:
    """Keep again what this agency exported; raises `UserFault` that names the claim at fault."""
    body: CredentialImport = call.body
    vault = call.services.vault
    earlier = await vault.find_by_key(call.idempotency_key, call.body_fingerprint)
    uid = await _keep(call, body) if earlier is None else earlier.uid
    model = await open_credential(call, uid)
    return Reply(model=model, headers={"Location": f"/v1/credentials/{model.uid}"})


async def _keep(call: Call, body: CredentialImport) -> bytes:
    services = call.services
    try:
        named = await asyncio.to_thread(read_named_token, body.token)
        await _check_origin(call, body, named)
        credential = await asyncio.to_thread(read_export, body.token, named)
    except MaterialRefused as refused:
        raise refuse_document(refused, place="token") from None
    record = credential.record
    await refuse_erased(call, record.uid)
    await _refuse_tombstone(call, record)
    alone = replace(credential, record=replace(record, batch=None))
    if await services.vault.find(record.uid) is not None:
        await _compare(call, alone)
    else:
        text = await get_text(call, record.schema.uid)
        await services.vault.put(
            NewCredential(
                credential=alone,
                previous=None,
                reference=text.reference,
                idempotency_key=call.idempotency_key,
                body_fingerprint=call.body_fingerprint,
                created_s=int(services.now()),
            )
        )
        # It stands on the ledger, so nothing else may be attested beside it.
        await services.vault.claim(record.uid, int(services.now()))
    if record.batch is not None:
        await services.vault.seal_batch({record.uid: record.batch})
    return record.uid


async def _check_origin(call: Call, body: CredentialImport, named: NamedToken) -> None:
    """Refuse what this agency did not issue on this ledger, or did not sign."""
    services, record = call.services, named.record
    for name in ("schema_uid", "issuer_key"):
        if getattr(body, name) is not None:
            raise InvalidField(name, "an export of a ledger's record says this itself")
    here = (await services.ledger.get_chain_id(), await services.ledger.get_genesis_hash())
    if (record.ledger.chain_id, record.ledger.genesis_hash) != here:
        raise _refuse("token/atesta/ledger", "the record stands on another ledger")
    if record.issuer != await services.identity.get_agency():
        raise _refuse(
            "token/atesta/issuer", "another agency issued it; this vault keeps this agency's own"
        )
    head = await services.ledger.get_head()
    if not await IssuerKeys(services.records).is_issuers(
        named, block=head.number, now_s=int(services.now())
    ):
        raise UserFault(
            "the registry does not list the key that signed as this agency's at that time",
            code="issuer_signature_invalid",
            field="token",
            status=422,
            next_step="export the credential anew where its file still is",
        )


async def _refuse_tombstone(call: Call, record: RecordReference) -> None:
    """Refuse what the ledger calls erased, in case the vault's own list was lost."""
    records, head = call.services.records, await call.services.ledger.get_head()
    state = None
    if record.batch is not None:
        leaf = await records.get_leaf(record.batch.uid, record.batch.index, head.number)
        state = None if leaf is None else leaf.state
    else:
        found = await records.get_attestation(record.uid, head.number)
        state = None if found is None else found.state
    if state is RecordState.ERASED:
        raise UserFault(
            "the credential was erased, says the ledger",
            code="credential_erased",
            field="token/atesta/uid",
            status=410,
            next_step="keep nothing of it; issue a new credential if there is a reason to",
        )


async def _compare(call: Call, credential: CredentialFile) -> None:
    kept = await call.services.vault.open(credential.record.uid)
    if kept is None or replace(kept, record=replace(kept.record, batch=None)) != credential:
        raise UserFault(
            "this vault has another credential under the same uid",
            code="uid_exists",
            field="token/atesta/uid",
            status=409,
            next_step=f"read it: GET /v1/credentials/{encode_hex(credential.record.uid)}",
        )


def _refuse(field: str, message: str) -> UserFault:
    return UserFault(
        message,
        code="format_unmappable",
        field=field,
        status=422,
        next_step="POST it to /v1/verify to have it checked; its holder keeps it",
    )
