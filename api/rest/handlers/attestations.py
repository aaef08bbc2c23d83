"""Attestations: create from a document, a credential file or a commitment; read; change."""

import secrets
from datetime import UTC, datetime

from atesta_client.credentials import Credential, decode_credential
from atesta_client.errors import DocumentRefused, MaterialRefused, ReasonCode
from atesta_client.predicates import Predicate, complete_document

from api.access.callers import Role
from api.errors import Forbidden, InvalidField, NotFound, UserFault
from api.firewall.chance import validate_bare_commitment
from api.index import queries
from api.reading.named import AGENCY, SCHEMA, check_named, list_digests
from api.records import AttestationRecord
from api.rest.call import Call, Reply
from api.rest.cursors import cut_page
from api.rest.handlers.certificates import is_promised
from api.rest.handlers.issuing import (
    CommittedRecord,
    attest_kept,
    attest_unkept,
    get_algorithm,
    keep_document,
    refuse_document,
)
from api.rest.models import Attestation, AttestationPage, History
from api.rest.requests import AttestationCreate, StateChange
from api.rest.values import (
    State,
    decode_hex,
    encode_hex,
    encode_time,
    parse_optional_time,
    parse_time,
)
from api.rest.views import (
    find_reason_code,
    find_state_code,
    view_algorithm,
    view_attestation,
    view_event,
    view_reason,
    view_state,
    view_uid,
)
from api.rest.writes import LedgerAct, claim_attestation, find_earlier, submit
from contracts.addresses import ATTESTATIONS_NAME
from contracts.codes import Role as KeyRole


async def list_attestations(call: Call) -> Reply:
    """List attestations, newest first."""
    page = call.get_page()
    state = call.find_choice("state", tuple(State))
    from_s, until_s = call.find_period()
    wanted = queries.RecordFilter(
        issuer=call.find_party("issuer"),
        schema_uid=call.find_digest("schema"),
        state=None if state is None else find_state_code(state),
        previous=call.find_digest("previous"),
        from_s=from_s,
        until_s=until_s,
    )
    found, block = await call.services.index.read(
        lambda c: (queries.list_attestations(c, page.and_one, wanted), queries.get_block(c))
    )
    rows, following = cut_page(found, page, lambda row: row.position)
    if not rows:
        await check_named(call.services, list_digests(call, {"issuer": AGENCY, "schema": SCHEMA}))
    unopened = await find_unopened(call, [bytes(row.uid) for row in rows])
    return Reply(
        model=AttestationPage(
            items=[
                view_attestation(row, unopened=unopened.get(bytes(row.uid)), read_at_block=block)
                for row in rows
            ],
            next=following,
            indexed_block=block,
        )
    )


async def create_attestation(call: Call) -> Reply:
    """Attest a document, a credential file or a bare commitment."""
    earlier = await find_earlier(call)
    if earlier is not None:
        return earlier
    body: AttestationCreate = call.body
    if body.document is not None:
        assert body.schema_uid is not None, "checked by the model"
        stored = await keep_document(
            call,
            schema_uid=decode_hex(body.schema_uid),
            document=body.document,
            holder_key=None,
            uid=None if body.uid is None else decode_hex(body.uid),
            alg=body.alg,
            valid_until_s=encode_time(body.valid_until),
            previous=None if body.previous is None else decode_hex(body.previous),
        )
        try:
            return await attest_kept(call, stored, event_time=body.event_time)
        except UserFault:
            # Whoever is refused must find nothing changed. No file was handed out for it yet.
            if not await is_promised(call, stored.uid):
                await call.services.vault.discard(stored.uid)
            raise
    if body.credential is not None:
        return await _attest_opened(call, body)
    return await attest_unkept(call, _take_commitment(call, body))


async def get_attestation(call: Call) -> Reply:
    """Read one attestation at the last final block."""
    uid = call.get_digest("uid")
    services = call.services
    head = await services.ledger.get_head()
    record = await services.records.get_attestation(uid, head.number)
    made = await services.outbox.find_creation(claim_attestation(uid))
    if record is None:
        error = NotFound(
            "the ledger has no attestation with this uid", field="uid", code="record_not_found"
        )
        if made is not None:
            error.next_step = f"it is accepted but not final yet: follow /v1/operations/{made.id}"
        raise error
    row = await services.index.read(lambda c: queries.get_attestation(c, uid))
    block = await services.ledger.get_block(record.block)
    assert block is not None, "a record's block is known"
    return Reply(
        model=_view_record(
            record,
            key=None if row is None else bytes(row.key),
            unopened=None if made is None else made.unopened,
            block_time_s=block.time_s,
            read_at_block=head.number,
        )
    )


async def change_attestation_state(call: Call) -> Reply:
    """Suspend, reinstate or revoke an attestation."""
    return await change_state(call, kind="attestation.state", collection="attestations")


async def change_state(call: Call, *, kind: str, collection: str) -> Reply:
    """Promise a change of state of an attestation or a batch."""
    earlier = await find_earlier(call)
    if earlier is not None:
        return earlier
    uid = call.get_digest("uid")
    body: StateChange = call.body
    state, reason = find_state_code(body.state.value), find_reason_code(body.reason)
    return await submit(
        call,
        LedgerAct(
            kind=kind,
            uid=uid,
            contract=ATTESTATIONS_NAME,
            function="set_state",
            build_args=lambda event_time_s: (uid, state, reason, event_time_s),
            record=f"/v1/{collection}/{encode_hex(uid)}",
            role=KeyRole.ISSUE,
            event_time=body.event_time,
        ),
    )


async def get_attestation_history(call: Call) -> Reply:
    """List everything that happened to one attestation."""
    return await read_history(call, "attestation")


async def read_history(call: Call, kind: str) -> Reply:
    """List the events of the record of a kind in the path, oldest first."""
    uid = call.get_digest("uid")
    page = call.get_page()
    found, block = await call.services.index.read(
        lambda c: (queries.list_history(c, page.and_one, uid=uid, kind=kind), queries.get_block(c))
    )
    if not found and page.after is None:
        raise NotFound("the ledger has no such record", field="uid", code="record_not_found")
    rows, following = cut_page(found, page, lambda row: row.position)
    return Reply(
        model=History(
            items=[view_event(row) for row in rows],
            next=following,
            indexed_block=block,
        )
    )


async def _attest_opened(call: Call, body: AttestationCreate) -> Reply:
    """Check and attest a credential file that the caller opened to this node.

    Nothing of it is kept but, where its schema names a reference, the keyed fingerprint of that.
    """
    services = call.services
    assert body.credential is not None, "checked by the caller"
    try:
        credential = decode_credential(body.credential)
        credential.commit()
    except MaterialRefused as refused:
        raise refuse_document(refused, place="credential") from None
    record = credential.record
    head = await services.ledger.get_head()
    schema = await services.records.get_schema(record.schema.uid, head.number)
    here = (await services.ledger.get_chain_id(), await services.ledger.get_genesis_hash())
    if (record.ledger.chain_id, record.ledger.genesis_hash) != here:
        raise InvalidField("credential.ledger", "the credential was made for another ledger")
    if record.issuer != await services.identity.get_agency():
        raise InvalidField("credential.issuer", "the credential names another agency as issuer")
    if schema is None or schema.pointers_hash != record.schema.pointers_hash:
        raise InvalidField("credential.schema", "the ledger has no schema with these pointers")
    text = await services.schema_texts.find(record.schema.uid, schema.document_hash)
    if text is not None:
        _check_answers(call, credential, text.predicates)
    for name, given, found in (
        ("uid", body.uid, encode_hex(record.uid)),
        ("schema_uid", body.schema_uid, encode_hex(record.schema.uid)),
    ):
        if given is not None and given != found:
            raise InvalidField(name, "this is not what the credential says")
    if body.valid_until is not None and encode_time(body.valid_until) != record.valid_until_s:
        raise InvalidField("valid_until", "this is not what the credential says")
    committed = CommittedRecord(
        uid=record.uid,
        schema_uid=record.schema.uid,
        commitment=record.commitment,
        algorithm=int(record.algorithm),
        valid_until_s=record.valid_until_s,
        previous=None if body.previous is None else decode_hex(body.previous),
        event_time=body.event_time,
    )
    return await attest_unkept(
        call,
        committed,
        document=credential.document,
        reference=() if text is None else text.reference,
    )


def _check_answers(call: Call, credential: Credential, predicates: tuple[Predicate, ...]) -> None:
    """Refuse a file that answers its schema's questions wrongly, or leaves one out.

    Only where this node holds the schema's text: the pointers, which are in the file, do not tell.
    """
    if not predicates:
        return
    schema = credential.record.schema
    today = datetime.fromtimestamp(call.services.now(), UTC).date()
    try:
        completed = complete_document(credential.document, schema, predicates, today=today)
        for predicate in predicates:
            name = predicate.pointer.removeprefix("/")
            if credential.document.get(name) != completed[name]:
                raise DocumentRefused(
                    ReasonCode.FIELD_MISSING,
                    "the schema asks this question, and the document does not answer it",
                    pointer=predicate.pointer,
                )
    except MaterialRefused as refused:
        raise refuse_document(refused, place="credential/document") from None


def _take_commitment(call: Call, body: AttestationCreate) -> CommittedRecord:
    """Take a bare commitment from a caller who may, if it can be one."""
    assert body.commitment is not None, "checked by the caller"
    assert body.schema_uid is not None, "checked by the model"
    require_unopened(call)
    commitment = decode_hex(body.commitment)
    validate_bare_commitment(commitment)
    return CommittedRecord(
        uid=secrets.token_bytes(32) if body.uid is None else decode_hex(body.uid),
        schema_uid=decode_hex(body.schema_uid),
        commitment=commitment,
        algorithm=int(get_algorithm(body.alg)),
        valid_until_s=encode_time(body.valid_until),
        previous=None if body.previous is None else decode_hex(body.previous),
        event_time=body.event_time,
        unopened=True,
    )


async def find_unopened(call: Call, uids: list[bytes]) -> dict[bytes, bool]:
    """Return, for the records that this node created, whether they were sent unopened."""
    claims = {claim_attestation(uid): uid for uid in uids}
    made = await call.services.outbox.find_creations(list(claims))
    return {claims[claim]: operation.unopened for claim, operation in made.items()}


def require_unopened(call: Call) -> None:
    """Raise `Forbidden` unless the caller may commit what this node has not seen."""
    if call.caller is None or not call.caller.has_any(Role.UNOPENED):
        raise Forbidden("a bare commitment needs the role unopened", needed=(Role.UNOPENED.value,))


def _view_record(
    record: AttestationRecord,
    *,
    key: bytes | None,
    unopened: bool | None,
    block_time_s: int,
    read_at_block: int,
) -> Attestation:
    return Attestation(
        uid=encode_hex(record.uid),
        issuer=encode_hex(record.issuer),
        schema_uid=encode_hex(record.schema_uid),
        commitment=encode_hex(record.commitment),
        alg=view_algorithm(record.algorithm),
        state=view_state(record.state),
        reason=view_reason(record.reason),
        valid_until=parse_optional_time(record.valid_until_s),
        previous=view_uid(record.previous),
        superseded_by=view_uid(record.successor),
        key=view_uid(key),
        event_time=parse_time(record.event_time_s),
        block=record.block,
        block_time=parse_time(block_time_s),
        unopened=unopened,
        final=True,
        read_at_block=read_at_block,
    )
