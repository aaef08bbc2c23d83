"""The aiohttp sub-application of REST: the route table bound to its handlers.

The root application (`api.app`) authenticates, limits the body, assigns request ids and turns every
error into a problem document; this one checks the call against its route, runs the handler, records
what it opened of the vault, and writes the answer with its ETag.
"""

import hashlib
from dataclasses import replace
from functools import partial
from typing import Any

from aiohttp import web

from api.access.callers import Handler, requires
from api.access.purposes import PURPOSE_HEADER
from api.app import Surface
from api.rest.call import Reply, Stream, read_call
from api.rest.finality_words import HEADER
from api.rest.handlers import HANDLERS, Handle
from api.rest.ledger_words import HEADER as LEDGER_HEADER
from api.rest.ledger_words import place_path
from api.rest.ledgers import PREFIX, LedgerUnknown, build_prefix
from api.rest.purposes import check_purpose, name_reading
from api.rest.route import ALWAYS_VOLATILE, Route
from api.rest.routes import ROUTES
from api.rest.services import RestServices
from api.rest.wording import refuse, word_answer

SERVICES = web.AppKey("rest_services", RestServices)
"""The services behind this application."""


def build_rest_surface(services: RestServices) -> Surface:
    """Return REST on the own ledger as a surface of the root application."""
    app = build_rest(services)
    app.router.add_route("*", "/ledgers/{ledger}/{rest:.*}", requires()(_refuse_ledger))
    return Surface(name="rest", prefix=PREFIX, app=app, render_error=partial(refuse, services))


def build_ledger_surfaces(services: RestServices) -> tuple[Surface, ...]:
    """Return REST on every ledger of an API by its name, the own one included."""
    return tuple(
        Surface(
            name="rest",
            prefix=build_prefix(one.ledger_name),
            app=build_rest(one),
            render_error=partial(refuse, one),
        )
        for one in services.ledgers
    )


def build_rest(services: RestServices) -> web.Application:
    """Return the application to mount under `/v1`.

    The services belong to the caller, who keeps `services.run()` entered while it serves and closes
    them afterwards.
    """
    unbound = {route.name for route in ROUTES} ^ set(HANDLERS)
    assert not unbound, f"routes and handlers differ in {sorted(unbound)}"
    app = web.Application()
    app[SERVICES] = services
    for route in ROUTES:
        app.router.add_route(route.method, route.path, _bind(route, HANDLERS[route.name]))
    return app


def _bind(route: Route, handle: Handle) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        services = request.app[SERVICES]
        purpose = await check_purpose(request.headers.get(PURPOSE_HEADER), route, services.purposes)
        # On leaving the block, what was opened in it is written down: before anything goes out.
        async with services.read_as(name_reading(request, route, purpose)) as named:
            answer = await handle(await read_call(request, route, named, purpose=purpose))
        if isinstance(answer, Stream):
            return await answer.serve(request)
        return _write(request, route, answer, services)

    requires(*route.roles, operation=route.operation)(serve)
    return serve


def _write(
    request: web.Request, route: Route, reply: Reply, services: RestServices
) -> web.Response:
    finality, name = services.ledger.network.finality, services.ledger_name
    headers = {HEADER: finality.kind.value, LEDGER_HEADER: name, **reply.headers}
    if "Location" in headers:
        headers["Location"] = place_path(headers["Location"], services.prefix)
    reply = replace(reply, model=word_answer(reply.model, services))
    if route.has_etag:
        headers["ETag"] = f'W/"{_compute_etag(route, reply)}"'
        headers["Cache-Control"] = "private, no-cache"
        if _matches(request, headers["ETag"]):
            return web.Response(status=304, headers=headers)
    return web.Response(
        status=route.status,
        body=reply.model.model_dump_json().encode(),
        content_type="application/json",
        headers=headers,
    )


async def _refuse_ledger(_request: web.Request) -> web.StreamResponse:
    raise LedgerUnknown


def _compute_etag(route: Route, reply: Reply) -> str:
    """Name what was read, not when: a record that did not change keeps its ETag."""
    names = dict.fromkeys((*ALWAYS_VOLATILE, *route.volatile), True)
    left_out: dict[str, Any] = {**names}
    if isinstance(getattr(reply.model, "items", None), list):
        left_out["items"] = {"__all__": names}
    stable = reply.model.model_dump_json(exclude=left_out)
    return hashlib.sha256(stable.encode()).hexdigest()[:32]


def _matches(request: web.Request, etag: str) -> bool:
    given = request.headers.get("If-None-Match", "")
    wanted = etag.removeprefix("W/")
    return any(part.strip().removeprefix("W/") in {wanted, "*"} for part in given.split(","))
