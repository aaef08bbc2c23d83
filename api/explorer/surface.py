"""The explorer as a surface of the API: pages at `/explorer`, JSON at `/explorer/v1`."""

from typing import Final

from aiohttp import web

from api.app import REQUEST_ID, Surface, problem_response
from api.errors import ApiError, Forbidden, NotFound, Unauthorized, UpstreamFault, UserFault
from api.explorer.json_surface import build_json_app
from api.explorer.pages import build_page_routes
from api.explorer.rendering import render
from api.explorer.services import SERVICES, ExplorerServices
from api.index.index import IndexMismatch

PREFIX: Final = "/explorer"
JSON_PREFIX: Final = "/explorer/v1"


def build_explorer(services: ExplorerServices) -> Surface:
    """Return the surface; it needs the index to follow the chain, which another surface may run."""
    app = web.Application()
    app[SERVICES] = services
    app.add_subapp("/v1", build_json_app())
    app.add_routes(build_page_routes())
    return Surface(name="explorer", prefix=PREFIX, app=app, render_error=render_error)


def render_error(request: web.Request, error: ApiError) -> web.Response:
    """Return an error as a page for people, or as a problem document under `/explorer/v1`."""
    if request.path.startswith(JSON_PREFIX + "/"):
        return problem_response(request, error)
    match error:
        case Unauthorized():
            key = "error.unauthorized"
        case Forbidden():
            key = "error.forbidden"
        case NotFound():
            key = "error.not_found"
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
        "error.html",
        {
            "message_key": key,
            "field": error.field or "",
            "request_id": request.get(REQUEST_ID, ""),
        },
        status=error.status,
    )
    if isinstance(error, Unauthorized):
        # A browser asks for a name and a password; the password is the token.
        response.headers["WWW-Authenticate"] = 'Basic realm="Atesta", charset="UTF-8"'
    return response
