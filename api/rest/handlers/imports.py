"""Bulk imports: taking a file in, telling how far it is."""

import asyncio

from api.access.callers import check_roles
from api.errors import NotFound
from api.imports.kinds import KINDS, MANDATES, get_kind
from api.imports.parsing import FileFormat, parse_file
from api.imports.queries import StoredImport
from api.rest import import_models as models
from api.rest.call import Call, Reply, Upload
from api.rest.cursors import cut_page
from api.rest.values import encode_hex, parse_time

_FORMATS = {models.NDJSON_TYPE: FileFormat.NDJSON, models.CSV_TYPE: FileFormat.CSV}


async def create_import(call: Call) -> Reply:
    """Take a file in; its lines are durable when this returns."""
    store = call.services.imports
    kind = get_kind(call.find_choice("act", tuple(KINDS)) or MANDATES)
    check_roles(call.caller, kind.act.roles)
    known = await store.find_by_key(call.idempotency_key, call.body_fingerprint)
    if known is None:
        upload: Upload = call.body
        lines = await asyncio.to_thread(
            parse_file, upload.raw, _FORMATS[upload.content_type], kind.model, kind.make_scale()
        )
        known = await store.create(
            kind.act.name,
            lines,
            idempotency_key=call.idempotency_key,
            body_fingerprint=call.body_fingerprint,
            now_s=int(call.services.now()),
        )
    return Reply(model=_view(known), headers={"Location": f"/v1/imports/{known.id}"})


async def list_imports(call: Call) -> Reply:
    """List imports, newest first."""
    page = call.get_page()
    found = await call.services.imports.get_page(limit=page.and_one.limit, before=page.after)
    items, following = cut_page(found, page, lambda item: item.sequence)
    return Reply(
        model=models.ImportPage(
            items=[_view(stored) for stored in items],
            next=following,
        )
    )


async def get_import(call: Call) -> Reply:
    """Read how far an import is."""
    return Reply(model=_view(await _get(call)))


async def list_import_rejects(call: Call) -> Reply:
    """List the lines that made nothing."""
    page = call.get_page()
    stored = await _get(call)
    found = await call.services.imports.get_rejected(
        stored.id, limit=page.and_one.limit, after=page.after
    )
    items, following = cut_page(found, page, lambda item: item.line)
    return Reply(
        model=models.RejectedPage(
            items=[
                models.RejectedLine(
                    line=rejected.line,
                    uid=None if rejected.uid is None else encode_hex(rejected.uid),
                    field=rejected.fault.field,
                    code=rejected.fault.code,
                    reason=rejected.fault.reason,
                    rule=rejected.fault.rule,
                )
                for rejected in items
            ],
            next=following,
        )
    )


async def _get(call: Call) -> StoredImport:
    stored = await call.services.imports.find(call.path["id"])
    if stored is None:
        raise NotFound("there is no import with this id", field="id", code="import_not_found")
    return stored


def _view(stored: StoredImport) -> models.Import:
    follow = f"/v1/imports/{stored.id}"
    return models.Import(
        id=stored.id,
        act=stored.act,
        state=models.ImportState(stored.state),
        lines=stored.lines,
        waiting=stored.waiting,
        promised=stored.promised,
        done=stored.done,
        rejected=stored.rejected,
        problem=stored.problem,
        created=parse_time(stored.created_s),
        finished=None if stored.finished_s is None else parse_time(stored.finished_s),
        follow=follow,
        rejects=f"{follow}/rejects",
    )
