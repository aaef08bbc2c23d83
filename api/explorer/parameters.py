"""Which query parameters a page or a path of the JSON takes; all others are refused.

Who mistypes a filter would otherwise believe a list that is not filtered. Each handler says once
what it takes, and can read nothing else: reading another name is our bug, and an assertion.
"""

from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from api.access.callers import Handler
from api.errors import InvalidField
from api.near_names import find_near
from api.rest.call import UnknownParameter

LANGUAGE: Final = "lang"
"""What every page takes: the language that the reader chooses."""

_ATTRIBUTE: Final = "query_parameters"


def takes(*names: str) -> Callable[[Any], Any]:
    """Mark a handler as taking these parameters of the query; without a mark it takes none."""

    def mark(handler: Any) -> Any:
        setattr(handler, _ATTRIBUTE, names)
        return handler

    return mark


def takes_any(handler: Any) -> Any:
    """Mark a handler that leads elsewhere with the query as it came; what is there checks it."""
    setattr(handler, _ATTRIBUTE, None)
    return handler


def list_known(request: web.Request) -> tuple[str, ...]:
    """Return what the request's handler takes besides the language."""
    names: tuple[str, ...] | None = getattr(request.match_info.handler, _ATTRIBUTE, ())
    return names or ()


def find_parameter(request: web.Request, name: str) -> str | None:
    """Return a parameter of the query that the handler takes; None if absent or empty."""
    assert name in list_known(request), f"{name} is not among what {request.path} takes"
    return request.query.get(name) or None


def find_meant(request: web.Request, error: UnknownParameter) -> str | None:
    """Return the name that a refused one was probably meant to be."""
    return find_near(error.field, list_known(request))


def build_parameter_check(json_prefix: str) -> Any:
    """Return the middleware; paths below `json_prefix` are for programs and take no language.

    Raises `UnknownParameter`, and `InvalidField` for a parameter that is given twice.
    """

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        found = request.match_info
        if found.http_exception is None and getattr(found.handler, _ATTRIBUTE, ()) is not None:
            known = list(list_known(request))
            accepted = known if request.path.startswith(json_prefix) else [*known, LANGUAGE]
            for name in request.query:
                if name not in accepted:
                    raise UnknownParameter(name, known)
                if len(request.query.getall(name)) > 1:
                    raise InvalidField(name, "this query parameter is given twice")
        return await handler(request)

    return check
