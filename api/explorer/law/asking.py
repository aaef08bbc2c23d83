"""Asking REST on behalf of whoever reads a page.

The explorer has no second way to the records: it calls the handler that answers the same question
under `/v1`, for a caller who holds that route's roles. What REST's reader may not see, no page can
show.
"""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from api.access.callers import CALLER, check_roles
from api.access.purposes import PURPOSE_HEADER
from api.explorer.services import SERVICES
from api.rest.call import Call, Reply, read_call
from api.rest.handlers import HANDLERS
from api.rest.purposes import check_purpose, name_reading
from api.rest.route import Route
from api.rest.routes import ROUTES
from api.rest.wording import word_answer

_ROUTES: Final[Mapping[str, Route]] = {route.name: route for route in ROUTES}


def list_parameters(operation: str) -> tuple[str, ...]:
    """Return which parameters of the query REST's operation takes."""
    return tuple(parameter.name for parameter in _ROUTES[operation].query)


async def ask(
    request: web.Request,
    operation: str,
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    purpose: str | None = None,
) -> dict[str, Any]:
    """Return REST's answer to an operation that only reads, as its JSON.

    `purpose` says what personal data is opened for, where the operation hands some out. Raises what
    the handler raises, and `Unauthorized` or `Forbidden` as the route would.
    """
    route = _ROUTES[operation]
    assert not route.writes, f"{operation} writes"
    caller = request.get(CALLER)
    check_roles(caller, route.roles)
    services = request.config_dict[SERVICES].rest
    stated = await check_purpose(purpose, route, services.purposes)
    async with services.read_as(name_reading(request, route, stated)) as named:
        call = Call(
            services=named,
            route=route,
            caller=caller,
            path=dict(path or {}),
            query=dict(query or {}),
            body=None,
            idempotency_key="",
            body_fingerprint=b"",
            purpose=stated,
        )
        reply = await HANDLERS[operation](call)
    assert isinstance(reply, Reply), f"{operation} answers once"
    answer: dict[str, Any] = word_answer(reply.model, services).model_dump(mode="json")
    return answer


async def send(operation: str, request: web.Request) -> web.Response:
    """Send REST's answer to a request as it came: path, query and roles are those of the route.

    For browsers, which show their password to `/explorer` and not to `/v1`.
    """
    route = _ROUTES[operation]
    check_roles(request.get(CALLER), route.roles)
    services = request.config_dict[SERVICES].rest
    stated = await check_purpose(request.headers.get(PURPOSE_HEADER), route, services.purposes)
    async with services.read_as(name_reading(request, route, stated)) as named:
        reply = await HANDLERS[operation](await read_call(request, route, named, purpose=stated))
    assert isinstance(reply, Reply), f"{operation} answers once"
    return web.Response(
        body=word_answer(reply.model, services).model_dump_json().encode(),
        content_type="application/json",
    )
