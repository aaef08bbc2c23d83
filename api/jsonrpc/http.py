"""JSON-RPC over HTTP: one POST to `/`, serialised by orjson, bounded in and out."""

from typing import Any, Final

import orjson
from aiohttp import web

from api.access.admission import count_call
from api.access.callers import CALLER, Role, check_roles, requires
from api.access.limits import Operation
from api.access.refusals import TooManyRequests
from api.app import Surface
from api.errors import ApiError, LimitExceeded, MalformedBody, UserFault, as_rpc_error
from api.jsonrpc.dispatcher import Dispatcher
from api.jsonrpc.methods import RpcMethod

JSON_TYPE: Final = "application/json"


def build_rpc_surface(dispatcher: Dispatcher) -> Surface:
    """Return the surface that serves `dispatcher` at the root path."""
    app = web.Application()

    @requires(counts_itself=True)
    async def post(request: web.Request) -> web.Response:
        return await _serve(request, dispatcher)

    app.router.add_post("/", post)
    return Surface(name="json-rpc", prefix="", app=app, render_error=render_rpc_error)


def render_rpc_error(_request: web.Request, error: ApiError) -> web.Response:
    """Return an error that hit the whole request, with its HTTP status, as a JSON-RPC response."""
    body = {"jsonrpc": "2.0", "id": None, "error": as_rpc_error(error)}
    return web.Response(status=error.status, body=orjson.dumps(body), content_type=JSON_TYPE)


async def _serve(request: web.Request, dispatcher: Dispatcher) -> web.Response:
    # Browsers send this type across origins only after asking: a form cannot forge a call.
    if request.content_type != JSON_TYPE:
        raise UserFault(
            "JSON-RPC takes application/json", code="unsupported_media_type", status=415
        )
    body = await request.read()
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody from error
    caller = request.get(CALLER)
    counted = 0
    refused: TooManyRequests | None = None

    def gate(method: RpcMethod) -> None:
        nonlocal counted, refused
        counted += 1
        is_write = method.mark.role is Role.WRITER
        try:
            count_call(request, Operation.WRITES if is_write else Operation.READS)
        except TooManyRequests as refusal:
            refused = refusal
            raise
        check_roles(caller, (method.mark.role,))

    answer = await dispatcher.handle(payload, gate=gate)
    if refused is not None and not isinstance(payload, list):
        raise refused
    if counted == 0:
        # What holds no call that there is costs something too.
        count_call(request, Operation.READS)
    if answer is None:
        return web.Response(status=204)
    content = serialise(answer, dispatcher.limits.max_response_bytes)
    return web.Response(body=content, content_type=JSON_TYPE)


def serialise(answer: Any, max_bytes: int) -> bytes:
    """Return an answer as bytes; what does not fit into `max_bytes` becomes an error in place."""
    if not isinstance(answer, list):
        return _serialise_one(answer, max_bytes)
    parts: list[bytes] = []
    left = max_bytes
    for item in answer:
        part = _serialise_one(item, left)
        parts.append(part)
        left = max(0, left - len(part))
    return b"[" + b",".join(parts) + b"]"


def _serialise_one(answer: dict[str, Any], max_bytes: int) -> bytes:
    content = orjson.dumps(answer)
    if len(content) <= max_bytes or "error" in answer:
        return content
    error = LimitExceeded("the answer is too large", next_step="ask for less in one request")
    return orjson.dumps({"jsonrpc": "2.0", "id": answer["id"], "error": as_rpc_error(error)})
