"""Lists and single pages of every kind of record, and the page that offers the kinds."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from aiohttp import web

from api.access.callers import Role, requires
from api.errors import InvalidField, NotFound, UserFault
from api.explorer import requests
from api.explorer.law.asking import ask
from api.explorer.law.kinds import CHAPTERS, KINDS, RecordKind
from api.explorer.law.moments import Places
from api.explorer.law.naming import find_record_path, list_related, name_records
from api.explorer.law.showing import list_uids, show_members
from api.explorer.law.telling import find_event_name, name_key, tell
from api.explorer.page import show_page
from api.explorer.parameters import find_parameter, list_known, takes
from api.explorer.rendering import find_language
from api.explorer.services import SERVICES
from api.explorer.texts import Language
from contracts.labels import format_identifier

HISTORY_SIZE: Final = 200
"""Events of one record on its page."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_record_routes() -> list[web.RouteDef]:
    """Return the routes of all kinds, relative to `/explorer`."""
    routes = [
        web.get("/records", show_kinds),
        web.get("/records/{uid}", show_any_record),
    ]
    for kind in KINDS:
        routes.append(web.get(f"/{kind.path}", _bind(show_list, kind, name_parameters(kind))))
        routes.append(web.get(f"/{kind.path}/{{uid}}", _bind(show_record, kind, ("history",))))
    return routes


def name_parameters(kind: RecordKind) -> tuple[str, ...]:
    """Return what the list of a kind takes: what its form offers, and which part is wanted."""
    filters = [entry.name for entry in kind.collection.filters]
    subkinds = ["kind"] if kind.collection.subkinds else []
    return (*filters, *subkinds, "state", "from", "until", "cursor", "limit")


@requires(Role.READER)
async def show_kinds(request: web.Request) -> web.Response:
    """Show which kinds of records there are."""
    return await show_page(request, "kinds.html", json=None, chapters=_group_kinds())


@requires(Role.READER)
async def show_any_record(request: web.Request) -> web.Response:
    """Lead to the page of whatever record has a uid, on this ledger or else on another one."""
    services, uid = request.config_dict[SERVICES], requests.read_hash(request, "uid")
    for one in (services, *services.explorers.values()):
        path = await find_record_path(one.rest, uid)
        if path is not None:
            raise web.HTTPSeeOther(path)
    raise NotFound("no record has this uid", code="record_not_found")


async def show_list(kind: RecordKind, request: web.Request) -> web.Response:
    """Show the records of a kind, newest first, filtered; a filter at fault is named."""
    services = request.config_dict[SERVICES]
    registry = await services.chain.get_registry()
    chosen, limit = _read_chosen(request), requests.read_limit(request)
    invalid: str | None = None
    try:
        answer = await ask(request, kind.list_operation, query=_build_query(chosen, limit))
    except UserFault as error:
        if error.field not in chosen:
            raise
        invalid, answer = error.field, {"items": [], "next": None}
    items = answer["items"]
    model = kind.collection.model
    named = await name_records(services.rest, list_uids(model, items))
    places = Places(services.rest.deadlines, registry)
    return await show_page(
        request,
        "law_list.html",
        json=f"/{kind.path}",
        status=400 if invalid else 200,
        kind=kind,
        chapters=_group_kinds(),
        chosen=chosen,
        invalid=invalid,
        following=answer["next"],
        agencies=registry.agencies.values(),
        jurisdictions=sorted(
            {format_identifier(agency.jurisdiction) for agency in registry.agencies.values()}
        ),
        lines=[
            {
                "uid": item["uid"],
                "state": item["state"],
                "time": item["block_time"],
                "place": places.find_record(kind, item),
                "cells": show_members(model, kind.columns, item, named),
            }
            for item in items
        ],
    )


async def show_record(kind: RecordKind, request: web.Request) -> web.Response:
    """Show one record: what it says, its history, what rests on it."""
    services = request.config_dict[SERVICES]
    uid = requests.read_hash(request, "uid")
    record = await ask(request, f"get_{kind.name}", path={"uid": uid})
    model = kind.collection.model
    related = await list_related(services.rest, kind, uid)
    wanted = list_uids(model, [record])
    for member in ("previous", "superseded_by"):
        if record[member] is not None:
            wanted[record[member]] = (kind.name,)
    for _, other, uids, _ in related:
        wanted |= dict.fromkeys(uids, (other,))
    named = await name_records(services.rest, wanted)
    registry = await services.chain.get_registry()
    history, following = await _read_history(request, kind, uid)
    return await show_page(
        request,
        "law_record.html",
        json=f"/{kind.path}/{uid}",
        kind=kind,
        chapters=_group_kinds(),
        record=record,
        facts=show_members(model, kind.own_members, record, named),
        ledger=show_members(model, _list_standing(record), record, named),
        named=named,
        place=Places(services.rest.deadlines, registry).find_record(kind, record),
        related=related,
        history=history,
        history_following=following,
        is_expired=_is_expired(record, services.rest.now()),
        signer=name_key(find_language(request), registry, record["key"]),
        finality=await services.chain.find_finality(hex(record["block"]), registry),
    )


def _list_standing(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return which members that all records have are shown."""
    erased = ("erased_here", "erased_reason") if record["erased_here"] is not None else ()
    return ("uid", "late", "changed_block", *erased)


async def _read_history(
    request: web.Request, kind: RecordKind, uid: str
) -> tuple[list[dict[str, Any]], str | None]:
    """Return what happened to a record, in sentences, and where the next part begins."""
    query = {"limit": str(HISTORY_SIZE)}
    cursor = find_parameter(request, "history")
    if cursor is not None:
        query["cursor"] = cursor
    answer = await ask(request, f"get_{kind.name}_history", path={"uid": uid}, query=query)
    registry = await request.config_dict[SERVICES].chain.get_registry()
    language = find_language(request)
    lines = [
        {
            **event,
            "text": tell(language, registry, find_event_name(event["kind"]), event["details"]),
            "by": _name_actor(language, event["signed_by"]),
            "through": None
            if event["submitted_by"] == event["signed_by"]
            else _name_actor(language, event["submitted_by"]),
        }
        for event in answer["items"]
    ]
    return lines, answer["next"]


def _name_actor(language: Language, actor: Mapping[str, Any] | None) -> str | None:
    if actor is None:
        return None
    return actor["agency"] or language.say("resident_key")


def _bind(
    show: Callable[[RecordKind, web.Request], Awaitable[web.Response]],
    kind: RecordKind,
    parameters: tuple[str, ...],
) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await show(kind, request)

    requires(Role.READER)(handle)
    takes(*parameters)(handle)
    return handle


def _group_kinds() -> list[tuple[str, list[RecordKind]]]:
    return [(chapter, [kind for kind in KINDS if kind.chapter == chapter]) for chapter in CHAPTERS]


def _read_chosen(request: web.Request) -> dict[str, str]:
    """Return the filters of the query, without empty ones, and where the list is read on."""
    names = [name for name in list_known(request) if name != "limit"]
    return {name: text for name in names if (text := (find_parameter(request, name) or "").strip())}


def _build_query(chosen: Mapping[str, str], limit: int) -> dict[str, str]:
    """Return the query of REST: days become moments, the last day is meant whole."""
    query = {**chosen, "limit": str(limit)}
    for name, further in (("from", 0), ("until", 1)):
        if name in query:
            query[name] = _read_day(query[name], name, timedelta(days=further))
    return query


def _read_day(text: str, name: str, further: timedelta) -> str:
    try:
        day = date.fromisoformat(text) + further
    except (ValueError, OverflowError) as error:
        raise InvalidField(name, "expected a day such as 2026-11-22") from error
    return datetime.combine(day, time.min, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_expired(record: Mapping[str, Any], now_s: float) -> bool:
    """Tell whether a record in force by its state is past its own end."""
    end: str | None = record.get("valid_until") or record.get("until")
    is_live = record["state"] in {"active", "approved", "released"}
    return end is not None and is_live and datetime.fromisoformat(end).timestamp() <= now_s
