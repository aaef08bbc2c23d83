"""Credentials: made into the vault, handed out, attested when the resident asks."""

import json
from dataclasses import replace

from atesta_client.credentials import Credential as CredentialFile
from atesta_client.credentials import encode_credential

from api.errors import NotFound
from api.reading.named import SCHEMA, check_named, list_digests
from api.rest.call import Call, Reply
from api.rest.cursors import cut_page
from api.rest.handlers.certificates import is_promised
from api.rest.handlers.erasing import refuse_erased
from api.rest.handlers.issuing import attest_kept, keep_document
from api.rest.kept_ledgers import check_kept, list_kept_ledgers
from api.rest.models import Credential, CredentialPage
from api.rest.requests import Attest, CredentialCreate
from api.rest.values import decode_hex, encode_hex, encode_time, parse_optional_time, parse_time
from api.rest.views import view_algorithm, view_uid
from api.rest.writes import claim_attestation, find_earlier
from api.vault.vault import StoredCredential


async def list_credentials(call: Call) -> Reply:
    """List this vault's credentials on the ledger, newest first, without their contents."""
    page = call.get_page()
    found = await call.services.vault.get_page(
        limit=page.and_one.limit,
        before=page.after,
        schema_uid=call.find_digest("schema"),
        ledgers=await list_kept_ledgers(call.services),
    )
    items, following = cut_page(found, page, lambda item: item.sequence)
    if not items:
        await check_named(call.services, list_digests(call, {"schema": SCHEMA}))
    attested = await _find_attested(call, items)
    return Reply(
        model=CredentialPage(
            items=[
                _view(stored, attested=stored.uid in attested, has_batch=stored.batch in attested)
                for stored in items
            ],
            next=following,
            indexed_block=await call.services.index.get_block(),
        )
    )


async def create_credential(call: Call) -> Reply:
    """Make a credential; nothing goes on the chain."""
    body: CredentialCreate = call.body
    stored = await keep_document(
        call,
        schema_uid=decode_hex(body.schema_uid),
        document=body.document,
        holder_key=body.holder_key,
        uid=None if body.uid is None else decode_hex(body.uid),
        alg=body.alg,
        valid_until_s=encode_time(body.valid_until),
        previous=None if body.previous is None else decode_hex(body.previous),
    )
    model = await open_credential(call, stored.uid)
    return Reply(model=model, headers={"Location": f"/v1/credentials/{model.uid}"})


async def get_credential(call: Call) -> Reply:
    """Read one credential with its file."""
    return Reply(model=await open_credential(call, call.get_digest("uid")))


async def attest_credential(call: Call) -> Reply:
    """Attest a credential: its holder asks to carry it."""
    earlier = await find_earlier(call)
    if earlier is not None:
        return earlier
    body: Attest = call.body
    stored = await call.services.vault.find(call.get_digest("uid"))
    await refuse_erased(call, call.get_digest("uid"))
    if stored is None:
        raise _credential_not_found()
    await check_kept(call.services, stored)
    return await attest_kept(call, stored, event_time=body.event_time)


async def open_credential(call: Call, uid: bytes) -> Credential:
    """Read one credential with its file; raises `NotFound`."""
    model, credential = await open_file(call, uid)
    return model.model_copy(update={"credential": json.loads(encode_credential(credential))})


async def open_file(call: Call, uid: bytes) -> tuple[Credential, CredentialFile]:
    """Read what is known of a credential, and the file for its holder; raises `NotFound`."""
    await refuse_erased(call, uid)
    stored = await call.services.vault.find(uid)
    credential = None if stored is None else await call.services.vault.open(uid)
    if stored is None or credential is None:
        raise _credential_not_found()
    await check_kept(call.services, stored)
    has_batch = stored.batch is not None and await is_promised(call, stored.batch)
    if not has_batch:
        # A path to a root that never went on the chain would only mislead.
        credential = replace(credential, record=replace(credential.record, batch=None))
    model = _view(stored, attested=await is_promised(call, uid), has_batch=has_batch)
    return model, credential


async def _find_attested(call: Call, items: list[StoredCredential]) -> set[bytes | None]:
    """Return which of these records and their batches this node has promised or created."""
    uids = {stored.uid for stored in items} | {stored.batch for stored in items if stored.batch}
    claims = {claim_attestation(uid): uid for uid in uids}
    found = await call.services.outbox.find_creations(list(claims))
    return {claims[claim] for claim in found}


def _view(stored: StoredCredential, *, attested: bool, has_batch: bool) -> Credential:
    return Credential(
        uid=encode_hex(stored.uid),
        schema_uid=encode_hex(stored.schema_uid),
        commitment=encode_hex(stored.commitment),
        alg=view_algorithm(stored.algorithm),
        valid_until=parse_optional_time(stored.valid_until_s),
        previous=view_uid(stored.previous),
        created=parse_time(stored.created_s),
        attested=attested or has_batch,
        batch=view_uid(stored.batch) if has_batch else None,
        credential=None,
    )


def _credential_not_found() -> NotFound:
    return NotFound(
        "this vault has no credential with this uid", field="uid", code="credential_not_found"
    )
