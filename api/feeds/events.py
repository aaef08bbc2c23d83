"""The events of the whole ledger: a list to poll, and a stream of server-sent events.

A stream is resumed as the standard says: the client sends the id of the last event that it has seen
as `Last-Event-ID`; the ids are the cursors of the list, so a reader may change between both.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web
from pydantic import Field
from sqlalchemy import Row

from api.errors import InvalidField, LimitExceeded
from api.feeds.kinds import read_kinds
from api.feeds.streams import MAX_STREAMS
from api.index import law_queries, queries
from api.index.law_queries import EventFilter
from api.reading.events import LawEvent, view_law_events
from api.reading.named import AGENCY, Named, check_named
from api.rest.call import Call, Reply, Stream
from api.rest.cursors import decode_cursor, encode_cursor
from api.rest.services import RestServices
from api.rest.values import Model

HEARTBEAT_S: Final = 15.0
"""A silent stream says so often that it is alive, or proxies would cut it."""

_POLL_S: Final = 0.25
_BATCH: Final = 200


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
            items=await _view(call.services, found),
            next=encode_cursor(last),
            indexed_block=block,
        )
    )


async def stream_events(call: Call) -> Stream:
    """Tell events as they become final."""
    wanted = read_event_filter(call)
    await _check_agency(call, wanted)
    if call.services.streams.is_full:
        raise LimitExceeded(
            f"this server streams to {MAX_STREAMS} readers at most",
            next_step="try again later, or poll GET /v1/events",
        )
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
    return EventFilter(
        kinds=read_kinds(call.query.get("kinds")),
        uid=call.find_digest("uid"),
        agency=call.find_party("agency"),
    )


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
    loop = asyncio.get_running_loop()
    with services.streams.open():
        await response.prepare(request)
        await response.write(b"retry: 2000\n\n")
        spoken = loop.time()
        # A reader that went away ends the stream; whatever it missed, its cursor still names.
        with contextlib.suppress(ConnectionResetError):
            while request.transport is not None and not request.transport.is_closing():
                rows = await read_next(services, wanted, after)
                for row, event in zip(rows, await _view(services, rows), strict=True):
                    await response.write(_write_event(event))
                    after = row.position
                if rows:
                    spoken = loop.time()
                elif loop.time() - spoken >= HEARTBEAT_S:
                    await response.write(b": nothing new\n\n")
                    spoken = loop.time()
                if len(rows) < _BATCH:
                    await asyncio.sleep(_POLL_S)
    return response


async def _view(services: RestServices, rows: Sequence[Row[Any]]) -> list[LawEvent]:
    return await view_law_events(rows, registry=services.index.registry)


def _write_event(event: LawEvent) -> bytes:
    return f"id: {event.cursor}\nevent: {event.kind}\ndata: {event.model_dump_json()}\n\n".encode()


def _decode_last_id(text: str) -> int:
    try:
        return decode_cursor(text)
    except InvalidField as error:
        raise InvalidField("Last-Event-ID", error.reason) from error
