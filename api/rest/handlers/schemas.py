"""Schemas: registering, reading, and who may attest under them."""

import secrets
from functools import partial

from atesta_client.errors import MaterialRefused
from atesta_client.predicate_definitions import validate_predicates
from atesta_client.schemas import Schema as SchemaFields

from api.acts.parties import find_agency
from api.errors import InvalidField, NotFound, UserFault
from api.index import queries
from api.reading.named import AGENCY, check_named, list_digests
from api.records import NO_UID
from api.rest.call import Call, Reply
from api.rest.cursors import cut_page
from api.rest.models import AccreditationPage, Schema, SchemaPage
from api.rest.requests import AccreditationCreate, SchemaCreate, StateChange
from api.rest.requests import SchemaText as SchemaTextBody
from api.rest.schema_texts import SchemaText, store_text
from api.rest.values import decode_hex, encode_hex
from api.rest.views import (
    find_reason_code,
    find_state_code,
    view_accreditation,
    view_schema,
    view_schema_record,
)
from api.rest.writes import LedgerAct, claim_schema, find_earlier, submit
from contracts.addresses import SCHEMAS_NAME
from contracts.codes import Reason, Role


async def list_schemas(call: Call) -> Reply:
    """List schemas, oldest first."""
    page = call.get_page()
    index = call.services.index
    owner = call.find_party("owner")
    found = await index.read(lambda c: queries.list_schemas(c, page.and_one, owner=owner))
    rows, following = cut_page(found, page, lambda row: row.position)
    if not rows:
        await check_named(call.services, list_digests(call, {"owner": AGENCY}))
    uids = [bytes(row.uid) for row in rows]
    accredited = await index.read(lambda c: queries.get_accredited(c, uids))
    texts = await call.services.schema_texts.find_many(
        [(bytes(row.uid), bytes(row.document_hash)) for row in rows]
    )
    return Reply(
        model=SchemaPage(
            items=[
                view_schema(row, texts.get(bytes(row.uid)), accredited[bytes(row.uid)])
                for row in rows
            ],
            next=following,
            indexed_block=await call.services.index.get_block(),
        )
    )


async def get_schema(call: Call) -> Reply:
    """Read one schema."""
    return Reply(model=await _read_schema(call, call.get_digest("uid")))


async def create_schema(call: Call) -> Reply:
    """Register a schema; its text is kept with the promise."""
    earlier = await find_earlier(call)
    if earlier is not None:
        return earlier
    body: SchemaCreate = call.body
    uid = decode_hex(body.uid) if body.uid is not None else secrets.token_bytes(32)
    text = _build_text(uid, body)

    def build_args(event_time_s: int) -> tuple[object, ...]:
        return (
            uid,
            text.pointers_hash,
            text.document_hash,
            len(text.pointers),
            event_time_s,
            NO_UID,
        )

    act = LedgerAct(
        kind="schema.create",
        uid=uid,
        contract=SCHEMAS_NAME,
        function="register",
        build_args=build_args,
        record=f"/v1/schemas/{encode_hex(uid)}",
        role=Role.SCHEMA,
        event_time=None,
        claim=claim_schema(uid),
    )
    now_s = int(call.services.now())
    return await submit(call, act, also=partial(store_text, text=text, now_s=now_s))


async def change_schema_state(call: Call) -> Reply:
    """Suspend, reinstate or revoke a schema; what was attested under it keeps standing."""
    earlier = await find_earlier(call)
    if earlier is not None:
        return earlier
    uid = call.get_digest("uid")
    body: StateChange = call.body
    state, reason = find_state_code(body.state.value), find_reason_code(body.reason)
    return await submit(
        call,
        LedgerAct(
            kind="schema.state",
            uid=uid,
            contract=SCHEMAS_NAME,
            function="set_state",
            build_args=lambda event_time_s: (uid, state, reason, event_time_s),
            record=f"/v1/schemas/{encode_hex(uid)}",
            role=Role.SCHEMA,
            event_time=body.event_time,
        ),
    )


async def put_schema_text(call: Call) -> Reply:
    """Keep the text of a schema that another agency registered, if the ledger's hashes agree."""
    uid = call.get_digest("uid")
    body: SchemaTextBody = call.body
    head = await call.services.ledger.get_head()
    record = await call.services.records.get_schema(uid, head.number)
    if record is None:
        raise _schema_not_found()
    text = _build_text(uid, body)
    if text.pointers_hash != record.pointers_hash:
        raise InvalidField("pointers", "these are not the pointers that the ledger has a hash of")
    if text.document_hash != record.document_hash:
        raise InvalidField(
            "title",
            "title, reference and predicates are not those that the ledger has a hash of",
        )
    await call.services.schema_texts.put(text, int(call.services.now()))
    return Reply(model=await _read_schema(call, uid))


async def list_accreditations(call: Call) -> Reply:
    """List who may, or might, attest under a schema."""
    uid = call.get_digest("uid")
    page = call.get_page()
    index = call.services.index
    if await index.read(lambda c: queries.get_schema(c, uid)) is None:
        raise _schema_not_found()
    found = await index.read(lambda c: queries.list_accreditations(c, page.and_one, schema_uid=uid))
    rows, following = cut_page(found, page, lambda row: row.position)
    return Reply(
        model=AccreditationPage(
            items=[view_accreditation(row) for row in rows],
            next=following,
            indexed_block=await call.services.index.get_block(),
        )
    )


async def create_accreditation(call: Call) -> Reply:
    """Accredit an agency under a schema of this agency."""
    earlier = await find_earlier(call)
    if earlier is not None:
        return earlier
    uid = call.get_digest("uid")
    body: AccreditationCreate = call.body
    agency = await find_agency(call.services.ledger, body.agency, field="agency")
    return await submit(
        call,
        LedgerAct(
            kind="accreditation.create",
            uid=uid,
            contract=SCHEMAS_NAME,
            function="accredit",
            build_args=lambda event_time_s: (uid, agency, event_time_s),
            record=f"/v1/schemas/{encode_hex(uid)}/accreditations",
            role=Role.SCHEMA,
            event_time=None,
        ),
    )


async def delete_accreditation(call: Call) -> Reply:
    """Withdraw an accreditation; what was attested before keeps standing."""
    earlier = await find_earlier(call)
    if earlier is not None:
        return earlier
    uid = call.get_digest("uid")
    reference = call.get_reference("agency")
    agency = await find_agency(call.services.ledger, reference, field="agency")
    return await submit(
        call,
        LedgerAct(
            kind="accreditation.withdraw",
            uid=uid,
            contract=SCHEMAS_NAME,
            function="withdraw_accreditation",
            build_args=lambda event_time_s: (uid, agency, int(Reason.LAW), event_time_s),
            record=f"/v1/schemas/{encode_hex(uid)}/accreditations",
            role=Role.SCHEMA,
            event_time=None,
        ),
    )


async def get_text(call: Call, uid: bytes) -> SchemaText:
    """Return the text of a registered schema; raises `UserFault` that says what is missing."""
    head = await call.services.ledger.get_head()
    record = await call.services.records.get_schema(uid, head.number)
    if record is None:
        raise UserFault(
            "the ledger has no schema with this uid",
            code="schema_not_found",
            field="schema_uid",
            status=404,
            next_step="if it was registered a moment ago, wait until its operation is final",
        )
    text = await call.services.schema_texts.find(uid, record.document_hash)
    if text is None:
        raise UserFault(
            "this node does not hold the text of the schema",
            code="schema_text_missing",
            field="schema_uid",
            status=404,
            next_step="get the text from the schema's owner and PUT it to /v1/schemas/{uid}/text",
        )
    return text


async def _read_schema(call: Call, uid: bytes) -> Schema:
    """Return a schema as the contract has it, so that it is there as soon as it is final."""
    services = call.services
    head = await services.ledger.get_head()
    record = await services.records.get_schema(uid, head.number)
    if record is None:
        raise _schema_not_found()
    block = await services.ledger.get_block(record.block)
    assert block is not None, "a record's block is known"
    accredited = await services.records.get_accredited(uid, head.number)
    text = await services.schema_texts.find(uid, record.document_hash)
    return view_schema_record(record, text, accredited, time_s=block.time_s)


def _build_text(uid: bytes, body: SchemaCreate | SchemaTextBody) -> SchemaText:
    """Return a text that can serve; raises `UserFault` that names the member at fault."""
    field = "pointers"
    try:
        schema = SchemaFields(uid=uid, pointers=tuple(body.pointers))
        field = "predicates"
        predicates = tuple(predicate.to_predicate() for predicate in body.predicates)
        validate_predicates(predicates, schema)
    except MaterialRefused as refused:
        raise UserFault(
            refused.message, code=refused.code.value, field=field, status=422
        ) from refused
    text = SchemaText(
        uid=uid,
        title=body.title,
        pointers=schema.pointers,
        reference=tuple(body.reference),
        predicates=predicates,
    )
    for pointer in text.reference:
        if pointer not in schema.pointers:
            raise InvalidField("reference", "a reference is one of the schema's own pointers")
    return text


def _schema_not_found() -> NotFound:
    error = NotFound("the ledger has no such schema", field="uid", code="schema_not_found")
    error.next_step = "if it was accepted a moment ago, wait until its operation is final"
    return error
