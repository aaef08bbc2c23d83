"""Publishing on this ledger what its holder asks to carry, and answering for it later."""

from atesta_client.credentials import Credential, RecordReference
from atesta_client.errors import MaterialRefused
from atesta_client.holder_keys import HolderPublicKey
from atesta_client.publishing import PublishRequest, validate_publish_request

from api.errors import NotFound, UserFault
from api.publishing.evidence import KeptRequest, find_request, keep_request, list_published
from api.rest.call import Call, Reply
from api.rest.handlers.certificates import is_promised
from api.rest.handlers.erasing import refuse_erased
from api.rest.handlers.issuing import (
    attest_kept,
    keep_document,
    refuse_document,
)
from api.rest.ledgers import build_prefix, read_reference
from api.rest.publishing_models import Publication, PublicationCreate
from api.rest.services import RestServices
from api.rest.values import Algorithm, decode_hex, encode_hex, parse_time
from api.rest.writes import find_earlier
from contracts.codes import RecordState


async def create_publication(call: Call) -> Reply:
    """Make the document a credential of this ledger, keep the request, and attest it."""
    earlier = await find_earlier(call)
    if earlier is not None:
        return earlier
    body: PublicationCreate = call.body
    uid = decode_hex(body.credential)
    await refuse_erased(call, uid)
    credential = await call.services.vault.open(uid)
    if credential is None:
        raise NotFound(
            "this vault has no credential with this uid",
            field="credential",
            code="credential_not_found",
        )
    source = await _find_source(call.services, credential)
    request = await _check_request(call, credential, body.request)
    await _check_live(source, credential.record)
    await _check_unused(call, uid, request)
    stored = await keep_document(
        call,
        schema_uid=decode_hex(body.schema_uid),
        document=credential.document,
        holder_key=None,
        uid=None,
        alg=Algorithm(credential.record.algorithm.label),
        valid_until_s=credential.record.valid_until_s,
        previous=None,
    )
    kept = KeptRequest(
        published=stored.uid,
        credential=uid,
        token=body.request,
        nonce=request.nonce,
        kept_s=int(call.services.now()),
        issuer=credential.record.issuer,
        commitment=credential.record.commitment,
        origin=credential.record.ledger,
    )
    await keep_request(call.services, kept)
    try:
        return await attest_kept(call, stored, event_time=body.event_time, is_published=True)
    except UserFault:
        # Whoever is refused must find nothing changed.
        if not await is_promised(call, stored.uid):
            await call.services.materials.discard(stored.uid)
            await call.services.vault.discard(stored.uid)
        raise


async def get_publication(call: Call) -> Reply:
    """Read the request behind a published credential, and check it as if it came now."""
    uid = call.get_digest("uid")
    kept = await find_request(call.services, uid)
    if kept is None:
        raise NotFound(
            "no credential with this uid was published at a request",
            field="uid",
            code="publication_not_found",
        )
    published = await call.services.vault.open(uid)
    key = None if published is None else published.holder_key
    record = await _find_record(call.services, kept, published)
    source = None
    request: PublishRequest | None = None
    if record is not None and key is not None:
        source = await call.services.ledgers.find(record.ledger)
        try:
            request = await _validate(call.services, key, record, kept.token, now_s=None)
        except MaterialRefused:
            request = None
    return Reply(
        model=Publication(
            uid=encode_hex(uid),
            credential=encode_hex(kept.credential),
            origin=None if source is None else source.ledger_name,
            request=kept.token,
            holder_key=None if key is None else key.to_field(),
            signed=None if request is None else parse_time(request.signed_at_s),
            kept=parse_time(kept.kept_s),
            holds=request is not None,
        )
    )


async def _find_record(
    services: RestServices, kept: KeptRequest, published: Credential | None
) -> RecordReference | None:
    """Return what a request is about; None if neither that nor what was published is here."""
    if published is not None and (record := kept.find_record(published.record)) is not None:
        return record
    credential = await services.vault.open(kept.credential)
    return None if credential is None else credential.record


async def _find_source(services: RestServices, credential: Credential) -> RestServices:
    source = await services.ledgers.find(credential.record.ledger)
    if source is None:
        raise UserFault(
            "the credential stands on a ledger that this API does not serve",
            code="ledger_not_held",
            field="credential",
            status=409,
            next_step="the operator adds that ledger to `api.ledgers`",
        )
    if source.ledger_name == services.ledger_name:
        raise UserFault(
            "the credential stands on this very ledger",
            code="ledger_same",
            field="credential",
            status=409,
            next_step="name another ledger: POST /v1/ledgers/{name}/publications",
        )
    return source


async def _check_request(call: Call, credential: Credential, token: str) -> PublishRequest:
    holder = credential.holder_key
    if holder is None:
        raise UserFault(
            "the document has no holder's key, so nobody can ask for it",
            code="holder_key_missing",
            field="credential",
            status=409,
            next_step="issue it anew with the holder's key, or seal it in a batch of that ledger",
        )
    now_s = int(call.services.now())
    try:
        return await _validate(call.services, holder, credential.record, token, now_s=now_s)
    except MaterialRefused as refused:
        raise refuse_document(refused, place="request") from None


async def _validate(
    services: RestServices,
    holder: HolderPublicKey,
    record: RecordReference,
    token: str,
    *,
    now_s: int | None,
) -> PublishRequest:
    target = await read_reference(services)
    return validate_publish_request(token, holder, record=record, target=target, now_s=now_s)


async def _check_live(source: RestServices, record: RecordReference) -> None:
    """Raise unless the credential is in force on its own ledger at the last final block."""
    head = (await source.ledger.get_head()).number
    state: RecordState | None = None
    if record.batch is not None:
        leaf = await source.records.get_leaf(record.batch.uid, record.batch.index, head)
        state = None if leaf is None else leaf.state
    else:
        found = await source.records.get_attestation(record.uid, head)
        state = None if found is None else found.state
    if state is not RecordState.ACTIVE:
        raise UserFault(
            f"the credential is not in force on {source.ledger_name}",
            code="credential_not_in_force",
            field="credential",
            status=409,
            next_step=(
                f"attest it at {build_prefix(source.ledger_name)} and follow its operation to the "
                "end, or ask for the one that replaced it"
            ),
        )


async def _check_unused(call: Call, uid: bytes, request: PublishRequest) -> None:
    """Raise if this very request was followed before, other than by this call before a crash."""
    mine = await call.services.vault.find_by_key(call.idempotency_key, call.body_fingerprint)
    for published in await list_published(call.services, uid):
        if mine is not None and published == mine.uid:
            continue
        kept = await find_request(call.services, published)
        if kept is not None and kept.nonce == request.nonce:
            raise UserFault(
                "this request was followed before",
                code="publish_request_used",
                field="request",
                status=409,
                next_step="ask the holder to sign a new one",
                extra={"uid": encode_hex(published)},
            )
