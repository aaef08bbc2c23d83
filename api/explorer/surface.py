"""The explorer as surfaces of the API: pages at `/explorer`, JSON at `/explorer/v1`.

Each further ledger has the same below `/explorer/ledgers/{name}`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from aiohttp import web

from api.access.callers import requires
from api.app import REQUEST_ID, Surface
from api.errors import ApiError, Forbidden, NotFound, Unauthorized, UpstreamFault, UserFault
from api.explorer.json_surface import build_json_app
from api.explorer.ledgers import PREFIX
from api.explorer.pages import build_page_routes
from api.explorer.parameters import build_parameter_check, find_meant, takes_any
from api.explorer.rendering import render
from api.explorer.services import SERVICES, ExplorerServices
from api.index.index import IndexMismatch
from api.rest.call import UnknownParameter
from api.rest.ledger_words import HEADER as LEDGER_HEADER
from api.rest.ledgers import LedgerUnknown
from api.rest.wording import refuse

_JSON: Final = "/v1"
"""Where the JSON is below a ledger's first page."""


def build_explorers(services: Sequence[ExplorerServices]) -> tuple[Surface, ...]:
    """Return the surface of each ledger."""
    return tuple(build_explorer(one) for one in services)


def build_explorer(services: ExplorerServices) -> Surface:
    """Return the surface; it needs the index to follow the chain, which another surface may run."""
    app = web.Application(middlewares=[build_parameter_check(f"{services.root}{_JSON}/")])
    app[SERVICES] = services
    app.add_subapp(_JSON, build_json_app())
    app.add_routes(build_page_routes())
    if services.root == PREFIX:
        # Further ledgers have surfaces of their own here, which are found first.
        app.router.add_get("/ledgers/{ledger}{rest:(/.*)?}", _lead_home)
    app.on_response_prepare.append(_name_ledger)
    return Surface(
        name="explorer",
        prefix=services.root,
        app=app,
        render_error=partial(render_error, services),
    )


@requires()
@takes_any
async def _lead_home(request: web.Request) -> web.StreamResponse:
    """Lead from the own ledger's name to where it is shown; no other name is left here."""
    if request.match_info["ledger"] != request.config_dict[SERVICES].rest.ledger_name:
        raise LedgerUnknown
    place = request.rel_url.with_path(PREFIX + request.match_info["rest"])
    raise web.HTTPSeeOther(place.with_query(request.query))


async def _name_ledger(request: web.Request, response: web.StreamResponse) -> None:
    response.headers[LEDGER_HEADER] = request.config_dict[SERVICES].rest.ledger_name


def render_error(services: ExplorerServices, request: web.Request, error: ApiError) -> web.Response:
    """Return an error as a page for people, or as a problem document below `/v1`."""
    if request.path.startswith(f"{services.root}{_JSON}/"):
        return refuse(services.rest, request, error)
    known, meant = "", None
    match error:
        case Unauthorized():
            key = "error.unauthorized"
        case Forbidden():
            key = "error.forbidden"
        case NotFound():
            key = "error.not_found"
        case UnknownParameter():
            key, known = "error.parameter", ", ".join(error.extra["known"])
            meant = find_meant(request, error)
        case UserFault():
            key = "error.invalid"
        case IndexMismatch():
            key = "error.index"
        case UpstreamFault() if error.code == "index_behind":
            key = "error.behind"
        case UpstreamFault():
            key = "error.upstream"
        case _:
            key = "error.other"
    response = render(
        request,
        services.rest,
        "error.html",
        {
            "message_key": key,
            "field": error.field or "",
            "known": known,
            "meant": meant,
            "request_id": request.get(REQUEST_ID, ""),
        },
        status=error.status,
    )
    if isinstance(error, Unauthorized):
        # A browser asks for a name and a password; the password is the token.
        response.headers["WWW-Authenticate"] = 'Basic realm="Atesta", charset="UTF-8"'
    return response
