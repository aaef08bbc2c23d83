"""The web application: one root that composes a sub-application per surface.

The root owns what no surface should do twice: request ids, the log line, the body limit,
authentication and the single place where an error becomes an answer. A surface is a prefix and an
`aiohttp` sub-application; it raises `ApiError` and marks its handlers with `requires`.

    build_app
      /            POST: JSON-RPC (api.jsonrpc.http); GET leads to the explorer
      /v1          REST (api.rest)
      /explorer    pages, and /explorer/v1 as JSON (api.explorer)
      /health /ready /metrics

Start-up and shutdown belong to each surface through `cleanup_ctx`, so that whatever a surface
opened is closed even when another one fails to start.
"""

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog
from aiohttp import web

from api.access.admission import ACCESS, ALLOWANCE, Access, build_access_middleware
from api.access.callers import CALLER, Handler, Role, requires
from api.access.refusals import build_refusal_headers
from api.errors import (
    PROBLEM_CONTENT_TYPE,
    ApiBug,
    ApiError,
    LimitExceeded,
    NotFound,
    UpstreamFault,
    UserFault,
    as_problem,
)
from api.metrics import PROMETHEUS_CONTENT_TYPE, HttpCounters, render_prometheus
from api.ports import Metric
from api.settings import ApiSettings

log = structlog.get_logger(__name__)

REQUEST_ID: Final = web.RequestKey("request_id", str)
"""A random name for the request: in the answer's X-Request-Id, in problems and in the log."""

MetricSource = Callable[[], Awaitable[tuple[Metric, ...]]]
"""Returns samples when asked."""

ErrorRenderer = Callable[[web.Request, ApiError], web.Response]
"""Turns an error into a surface's own format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """One sub-application and where it is mounted."""

    name: str
    """A short name for logs and metrics."""
    prefix: str
    """The path it serves, e.g. "/v1"; "" mounts its routes on the root."""
    app: web.Application
    render_error: ErrorRenderer | None = None
    """Used instead of the problem document, e.g. by pages for people or by JSON-RPC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """One condition of being ready to serve."""

    name: str
    check: Callable[[], Awaitable[str | None]]
    """Returns None when met, otherwise one sentence (without personal data)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the root needs besides its surfaces' own state."""

    surfaces: tuple[Surface, ...]
    readiness: tuple[Readiness, ...] = ()
    metrics: tuple[MetricSource, ...] = ()
    """Sources of samples beside the HTTP counters."""


def build_app(services: Services, settings: ApiSettings) -> web.Application:
    """Return the root application, ready for `api.server.serve`.

    Raises `InvalidField` if the files of tokens or of access cannot be read.
    """
    access = Access(settings)
    counters = HttpCounters()
    app = web.Application(
        client_max_size=settings.max_body_bytes,
        middlewares=[
            _build_outer_middleware(services.surfaces, counters),
            build_access_middleware(access),
        ],
    )
    app[ACCESS] = access
    app.cleanup_ctx.append(access.run)
    _add_operations(app, services, counters)
    for surface in services.surfaces:
        if surface.prefix:
            app.add_subapp(surface.prefix, surface.app)
        else:
            _merge(app, surface.app)
    return app


def problem_response(
    request: web.Request,
    error: ApiError,
    *,
    word: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> web.Response:
    """Return `error` as an RFC 9457 answer; `word` puts it into the words of a surface."""
    headers = {}
    if "allowed_methods" in error.extra:
        headers["Allow"] = ", ".join(error.extra["allowed_methods"])
    return web.Response(
        status=error.status,
        body=orjson.dumps(word(as_problem(error, instance=request.get(REQUEST_ID)))),
        content_type=PROBLEM_CONTENT_TYPE,
        headers=headers,
    )


def json_response(value: Any, *, status: int = 200) -> web.Response:
    """Return `value` as JSON."""
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")


def _build_outer_middleware(surfaces: tuple[Surface, ...], counters: HttpCounters) -> Any:
    """Return the outermost middleware: request id, errors, log line, counters."""

    @web.middleware
    async def serve_request(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.monotonic()
        request[REQUEST_ID] = secrets.token_hex(8)
        surface = _find_surface(surfaces, request.path)
        render = (surface.render_error if surface else None) or problem_response
        try:
            response = await handler(request)
        except ApiError as error:
            response = _refuse(render, request, error)
        except web.HTTPException as error:
            response = (
                _redirect(error) if error.status < 400 else render(request, _translate(error))
            )
        except Exception:
            log.exception("request failed", request_id=request[REQUEST_ID])
            response = render(request, ApiBug())
        if not response.prepared:
            _add_headers(request, response)
        duration_s = time.monotonic() - started
        name = surface.name if surface else "root"
        counters.count(name, response.status, duration_s)
        _log_request(request, name, response.status, duration_s)
        return response

    return serve_request


def _add_operations(app: web.Application, services: Services, counters: HttpCounters) -> None:
    @requires()
    async def health(_request: web.Request) -> web.Response:
        return json_response({"status": "ok"})

    @requires()
    async def ready(_request: web.Request) -> web.Response:
        problems = {}
        for readiness in services.readiness:
            try:
                problem = await readiness.check()
            except UpstreamFault as error:
                problem = error.reason
            if problem is not None:
                problems[readiness.name] = problem
        if problems:
            return json_response({"status": "not ready", "problems": problems}, status=503)
        return json_response({"status": "ready"})

    @requires(Role.READER)
    async def metrics(_request: web.Request) -> web.Response:
        samples = [*counters.samples(), *app[ACCESS].samples()]
        for source in services.metrics:
            samples.extend(await source())
        return web.Response(
            body=render_prometheus(samples).encode(),
            headers={"Content-Type": PROMETHEUS_CONTENT_TYPE},
        )

    @requires()
    async def home(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/explorer")

    if any(surface.name == "explorer" for surface in services.surfaces):
        app.router.add_get("/", home)
    app.router.add_get("/health", health)
    app.router.add_get("/ready", ready)
    app.router.add_get("/metrics", metrics)


def _merge(app: web.Application, surface: web.Application) -> None:
    """Serve a root-level surface's routes from the root itself (aiohttp mounts only prefixes)."""
    for route in surface.router.routes():
        resource = route.resource
        assert resource is not None, "surfaces register routes on resources"
        if route.method != "HEAD":
            app.router.add_route(route.method, resource.canonical, route.handler)
    app.cleanup_ctx.extend(surface.cleanup_ctx)


def _find_surface(surfaces: tuple[Surface, ...], path: str) -> Surface | None:
    """Return the surface with the longest prefix of `path`; "" stands for the path "/" alone."""
    found: Surface | None = None
    for surface in surfaces:
        if surface.prefix:
            matches = path == surface.prefix or path.startswith(surface.prefix + "/")
        else:
            matches = path == "/"
        if matches and (found is None or len(surface.prefix) > len(found.prefix)):
            found = surface
    return found


def _redirect(error: web.HTTPException) -> web.Response:
    """Return a raised redirection as a response; aiohttp's exceptions are not meant to be both."""
    headers = {name: value for name, value in error.headers.items() if name != "Content-Type"}
    return web.Response(status=error.status, headers=headers)


def _translate(error: web.HTTPException) -> ApiError:
    """Put aiohttp's own refusals into our words."""
    match error:
        case web.HTTPRequestEntityTooLarge():
            return LimitExceeded("the request body is too large", field="body")
        case web.HTTPNotFound():
            return NotFound("no such path", code="path_not_found")
        case web.HTTPMethodNotAllowed():
            return UserFault(
                "this path does not take this method",
                code="method_not_allowed",
                status=405,
                extra={"allowed_methods": sorted(error.allowed_methods)},
            )
        case _:
            return UserFault(error.reason, code="http_error", status=error.status)


def _refuse(render: ErrorRenderer, request: web.Request, error: ApiError) -> web.Response:
    response = render(request, error)
    for name, value in build_refusal_headers(error).items():
        # A surface for browsers has asked for a password in its own way.
        response.headers.setdefault(name, value)
    return response


def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    headers = response.headers
    headers["X-Request-Id"] = request[REQUEST_ID]
    if (allowance := request.get(ALLOWANCE)) is not None:
        for name, value in allowance.build_headers().items():
            headers.setdefault(name, value)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Cache-Control", "no-store")


def _log_request(request: web.Request, surface: str, status: int, duration_s: float) -> None:
    """Write one line: the route's template, never the path, the query or the body."""
    resource = request.match_info.route.resource
    caller = request.get(CALLER)
    # JSON-RPC is read many times a second and its route says nothing; it is logged when it fails.
    write = log.debug if surface == "json-rpc" and status < 400 else log.info
    write(
        "request",
        request_id=request[REQUEST_ID],
        surface=surface,
        method=request.method,
        route=resource.canonical if resource is not None else None,
        status=status,
        duration_ms=round(duration_s * 1000, 1),
        caller=caller.name if caller is not None else None,
    )
