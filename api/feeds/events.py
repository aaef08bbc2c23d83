"""The events of the whole ledger: a list to poll, and a stream of server-sent events.

A stream is resumed as the standard says: the client sends the id of the last event that it has seen
as `Last-Event-ID`; the ids are the cursors of the list, so a reader may change between both.
"""

import asyncio
import contextlib
import re
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web
from pydantic import Field
from sqlalchemy import Row

from api.errors import InvalidField, LimitExceeded
from api.index import law_queries, queries
from api.index.law_queries import EventFilter
from api.reading.handlers import find_party
from api.reading.models import LawEvent, view_law_event
from api.reading.named import AGENCY, Named, check_named
from api.rest.call import Call, Reply, Stream
from api.rest.cursors import decode_cursor, encode_cursor
from api.rest.services import RestServices
from api.rest.values import Model

HEARTBEAT_S: Final = 15.0
"""A silent stream says so often that it is alive, or proxies would cut it."""

MAX_STREAMS: Final = 64
"""Most streams at once."""

_KIND: Final = r"[a-z_]{1,24}(\.[a-z_]{1,24})?"
KINDS_PATTERN: Final = f"^{_KIND}(,{_KIND}){{0,31}}$"
"""Up to 32 kinds, with commas between."""

_POLL_S: Final = 0.25
_BATCH: Final = 200

_open_streams: Final[set[object]] = set()


class EventPage(Model):
    """Events of the whole ledger, oldest first."""

    items: list[LawEvent] = Field(description="The events.")
    next: str | None = Field(
        description=(
            "Cursor to go on from, also at the end: ask with it again for what comes later; null"
            " only while there was no event at all."
        ),
        examples=["AAAAAAAAAAE"],
    )
    indexed_block: int = Field(description="Block that this rests on.", examples=[1201])


async def list_events(call: Call) -> Reply:
    """List events, oldest first."""
    page, wanted = call.get_page(), read_event_filter(call)
    found, block = await call.services.index.read(
        lambda c: (law_queries.list_events(c, page, wanted), queries.get_block(c))
    )
    if not found:
        await _check_agency(call, wanted)
    last = found[-1].position if found else page.after
    return Reply(
        model=EventPage(
            items=[view_law_event(row) for row in found],
            next=encode_cursor(last),
            indexed_block=block,
        )
    )


async def stream_events(call: Call) -> Stream:
    """Tell events as they become final."""
    wanted = read_event_filter(call)
    await _check_agency(call, wanted)
    if len(_open_streams) >= MAX_STREAMS:
        raise LimitExceeded(f"this server streams to {MAX_STREAMS} readers at most")
    cursor = call.query.get("cursor")
    start = None if cursor is None else decode_cursor(cursor)

    async def serve(request: web.Request) -> web.StreamResponse:
        sent = request.headers.get("Last-Event-ID")
        after = start if not sent else _decode_last_id(sent)
        if after is None:
            after = await find_end(call.services)
        return await _serve(request, call.services, wanted, after)

    return Stream(serve=serve)


def read_event_filter(call: Call) -> EventFilter:
    """Return which events a call asks for."""
    text = call.query.get("kinds")
    kinds = () if text is None else tuple(text.split(","))
    if text is not None and not re.fullmatch(KINDS_PATTERN, text):
        raise InvalidField(
            "kinds", "must be kinds such as consent or consent.withdrawn, with commas between"
        )
    return EventFilter(kinds=kinds, uid=call.find_digest("uid"), agency=find_party(call, "agency"))


async def read_next(
    services: RestServices, wanted: EventFilter, after: int, *, limit: int = _BATCH
) -> Sequence[Row[Any]]:
    """Return the events after a position, oldest first."""
    page = queries.Page(limit=limit, after=after)
    return await services.index.read(lambda c: law_queries.list_events(c, page, wanted))


async def find_end(services: RestServices) -> int:
    """Return the position after all events there are."""
    block = await services.index.get_block()
    return queries.get_first_position(block + 1) - 1


async def _check_agency(call: Call, wanted: EventFilter) -> None:
    """Refuse an agency that nobody admitted, of whom no event would ever tell."""
    if wanted.agency is not None:
        named = Named(parameter="agency", kind=AGENCY, id=wanted.agency)
        await check_named(call.services, [named])


async def _serve(
    request: web.Request, services: RestServices, wanted: EventFilter, after: int
) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    marker = object()
    _open_streams.add(marker)
    loop = asyncio.get_running_loop()
    try:
        await response.prepare(request)
        await response.write(b"retry: 2000\n\n")
        spoken = loop.time()
        # A reader that went away ends the stream; whatever it missed, its cursor still names.
        with contextlib.suppress(ConnectionResetError):
            while request.transport is not None and not request.transport.is_closing():
                rows = await read_next(services, wanted, after)
                for row in rows:
                    await response.write(_write_event(row))
                    after = row.position
                if rows:
                    spoken = loop.time()
                elif loop.time() - spoken >= HEARTBEAT_S:
                    await response.write(b": nothing new\n\n")
                    spoken = loop.time()
                if len(rows) < _BATCH:
                    await asyncio.sleep(_POLL_S)
    finally:
        _open_streams.discard(marker)
    return response


def _write_event(row: Row[Any]) -> bytes:
    event = view_law_event(row)
    return f"id: {event.cursor}\nevent: {event.kind}\ndata: {event.model_dump_json()}\n\n".encode()


def _decode_last_id(text: str) -> int:
    try:
        return decode_cursor(text)
    except InvalidField as error:
        raise InvalidField("Last-Event-ID", error.reason) from error
