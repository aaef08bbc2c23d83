"""The record of reads, told to auditors and to those who answer residents."""

import re

from api.access.purposes import PATTERN, RECORD
from api.access.reads import LABEL_PATTERN, LOOKED, MAX_UIDS, Read, ReadFilter
from api.acts.subjects import SUBJECT_ROLE
from api.errors import InvalidField
from api.records import NO_UID
from api.rest import read_models as models
from api.rest.call import Call, Reply
from api.rest.cursors import cut_page
from api.rest.values import decode_hex, encode_hex, parse_time
from api.vault.witness import Opened


async def list_reads(call: Call) -> Reply:
    """List openings, newest first; that somebody looked is written down too."""
    record = call.find_digest("record")
    wanted = ReadFilter(
        uids=None if record is None else (record,),
        caller=_find_text(call, "caller", LABEL_PATTERN),
        purpose=_find_text(call, "purpose", rf"{RECORD}|{PATTERN[1:-1]}"),
        operation=_find_text(call, "operation", r"[a-z_.]{1,64}"),
        what=_find_text(call, "what", r"[a-z_0-9-]{1,32}"),
        from_s=call.find_time("from"),
        until_s=call.find_time("until"),
    )
    return await _answer(call, wanted, NO_UID if record is None else record)


async def list_subject_reads(call: Call) -> Reply:
    """List openings of what the vault holds of a person."""
    body: models.SubjectReads = call.body
    handle = decode_hex(body.handle)
    services = call.services
    place = services.subjects.get_place(handle)
    records = await services.materials.list_by_reference(
        SUBJECT_ROLE, handle.hex(), limit=MAX_UIDS - 1
    )
    return await _answer(call, ReadFilter(uids=(place, *records)), place)


async def _answer(call: Call, wanted: ReadFilter, looked_at: bytes) -> Reply:
    page = call.get_page()
    found = await call.services.reads.get_page(wanted, limit=page.and_one.limit, before=page.after)
    call.services.witness.note([Opened(looked_at, LOOKED)])
    items, following = cut_page(found, page, lambda item: item.sequence)
    return Reply(
        model=models.ReadPage(
            items=[_view(read) for read in items],
            next=following,
        )
    )


def _find_text(call: Call, name: str, pattern: str) -> str | None:
    text = call.query.get(name)
    if text is not None and not re.fullmatch(pattern, text):
        raise InvalidField(name, "nothing in the record can have this")
    return text.lower() if text is not None and text.startswith("0x") else text


def _view(read: Read) -> models.Read:
    return models.Read(
        number=read.sequence,
        time=parse_time(read.read_s),
        caller=read.caller,
        method=read.method,
        operation=read.operation,
        purpose=read.purpose,
        uid=encode_hex(read.uid),
        what=read.what,
        request_id=read.request_id,
    )
