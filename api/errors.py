"""Every refusal and failure of the API, under one root, with one mapping to each wire format.

Three branches tell a caller whose turn it is to act:

- `UserFault`: the request cannot be served as it stands; its `next_step` says what to change;
- `UpstreamFault`: the ledger node behind the API is out of reach or behind; trying later helps;
- `ApiBug`: our own mistake; the caller can do nothing but report the time and the request id.

A surface never formats an error itself. HTTP surfaces answer with the problem document of RFC 9457
(`as_problem`), JSON-RPC with its error object (`as_rpc_error`). Neither repeats a value the caller
sent: it names the field, so that personal data cannot leak into an answer or a log by this way.
"""

from collections.abc import Mapping
from typing import Any, Final

from api.next_steps import find_next_step

PROBLEM_CONTENT_TYPE: Final = "application/problem+json"
"""The media type of RFC 9457."""

PROBLEM_TYPE_PREFIX: Final = "urn:atesta:problem:"
"""A problem's `type` is this prefix and its stable code: a name, not a page to fetch."""

RPC_PARSE_ERROR: Final = -32700
RPC_INVALID_REQUEST: Final = -32600
RPC_METHOD_NOT_FOUND: Final = -32601
RPC_INVALID_PARAMS: Final = -32602
RPC_INTERNAL_ERROR: Final = -32603
RPC_SERVER_ERROR: Final = -32000
RPC_RESOURCE_NOT_FOUND: Final = -32001
RPC_RESOURCE_UNAVAILABLE: Final = -32002
RPC_TRANSACTION_REJECTED: Final = -32003
RPC_METHOD_NOT_SUPPORTED: Final = -32004
RPC_LIMIT_EXCEEDED: Final = -32005
RPC_METHOD_NOT_ENABLED: Final = -32604
"""Besu's code for a method that exists but is switched off in this configuration."""
RPC_EXECUTION_REVERTED: Final = 3
"""The code under which Ethereum clients return the revert data of a call."""


class ApiError(Exception):
    """The root: something the API can put into words for its caller.

    `code` is stable and never translated; `reason` is one sentence in English; `field` names the
    part of the request at fault, as a dotted path; `next_step` says what the caller does now;
    `extra` holds further public, typed values (never echoed input).
    """

    status: int = 500
    rpc_code: int = RPC_INTERNAL_ERROR

    def __init__(
        self,
        reason: str,
        *,
        code: str,
        field: str | None = None,
        next_step: str | None = None,
        status: int | None = None,
        rpc_code: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.field = field
        self.next_step = next_step
        self.extra: Mapping[str, Any] = extra or {}
        if status is not None:
            self.status = status
        if rpc_code is not None:
            self.rpc_code = rpc_code


class UserFault(ApiError):
    """The request cannot be served as it stands."""

    status = 400
    rpc_code = RPC_INVALID_PARAMS


class UpstreamFault(ApiError):
    """The ledger node behind this API cannot answer now."""

    status = 503
    rpc_code = RPC_RESOURCE_UNAVAILABLE


class ApiBug(ApiError):
    """Our own mistake, named so that it can be found in the log by its request id."""

    def __init__(self, reason: str = "the server failed on this request") -> None:
        super().__init__(
            reason,
            code="internal_error",
            next_step="try again later; if it persists, report the request id to the operator",
        )


class InvalidField(UserFault):
    """A field is missing, unknown, of the wrong type or out of its range."""

    def __init__(
        self,
        field: str,
        reason: str,
        *,
        next_step: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            reason, code="invalid_field", field=field, next_step=next_step, extra=extra
        )


class MalformedBody(UserFault):
    """The body cannot be read as what its content type says."""

    rpc_code = RPC_PARSE_ERROR

    def __init__(self, reason: str = "the body is not valid JSON") -> None:
        super().__init__(reason, code="malformed_body", next_step="send one JSON document in UTF-8")


class NotFound(UserFault):
    """The named thing is not known to this node (yet)."""

    status = 404
    rpc_code = RPC_RESOURCE_NOT_FOUND

    def __init__(self, reason: str, *, field: str | None = None, code: str = "not_found") -> None:
        super().__init__(reason, code=code, field=field)


class IdempotencyKeyReused(UserFault):
    """The key was used before, with another body."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "this Idempotency-Key was used before with another request",
            code="idempotency_key_reused",
            field="Idempotency-Key",
            next_step="use a new random key for each new request; repeat a key only to retry",
        )


class Unauthorized(UserFault):
    """No token, or one this server does not know."""

    status = 401

    def __init__(self, reason: str = "a bearer token is required") -> None:
        super().__init__(
            reason,
            code="unauthorized",
            next_step="send 'Authorization: Bearer <token>' with a token the operator issued",
        )


class Forbidden(UserFault):
    """The caller is known, but lacks the role."""

    status = 403

    def __init__(self, reason: str, *, needed: tuple[str, ...] = ()) -> None:
        super().__init__(
            reason,
            code="forbidden",
            next_step="ask the operator for a token with one of the needed roles",
            extra={"needed_roles": list(needed)} if needed else None,
        )


class TransactionRefused(UserFault):
    """The node does not take this transaction; nothing was stored."""

    status = 422
    rpc_code = RPC_TRANSACTION_REJECTED

    def __init__(
        self,
        reason: str,
        *,
        field: str | None = None,
        code: str = "transaction_refused",
        next_step: str | None = None,
    ) -> None:
        super().__init__(reason, code=code, field=field, next_step=next_step)


class ExecutionReverted(UserFault):
    """A call or a gas estimate reverted; `data` is the revert payload."""

    status = 422
    rpc_code = RPC_EXECUTION_REVERTED

    def __init__(self, reason: str, data: bytes) -> None:
        super().__init__(reason, code="execution_reverted", extra={"data": "0x" + data.hex()})
        self.data = data


class LimitExceeded(UserFault):
    """The request is well formed but asks for more than one answer may cost."""

    status = 413
    rpc_code = RPC_LIMIT_EXCEEDED

    def __init__(
        self, reason: str, *, field: str | None = None, next_step: str | None = None
    ) -> None:
        super().__init__(reason, code="limit_exceeded", field=field, next_step=next_step)


class MethodNotEnabled(UserFault):
    """The method exists, but this chain or this node has it switched off."""

    status = 409
    rpc_code = RPC_METHOD_NOT_ENABLED

    def __init__(self, reason: str, *, next_step: str | None = None) -> None:
        super().__init__(reason, code="method_not_enabled", next_step=next_step)


def as_problem(error: ApiError, *, instance: str | None = None) -> dict[str, Any]:
    """Return the RFC 9457 problem document of `error`.

    `instance` is the request id, which also stands in the server's log.
    """
    problem: dict[str, Any] = {
        "type": PROBLEM_TYPE_PREFIX + error.code,
        "title": error.code.replace("_", " "),
        "status": error.status,
        "detail": error.reason,
        "code": error.code,
    }
    if error.field is not None:
        problem["field"] = error.field
    problem["next_step"] = error.next_step or find_next_step(error.code, error.status)
    if instance is not None:
        problem["instance"] = f"urn:atesta:request:{instance}"
    for key, value in error.extra.items():
        problem.setdefault(key, value)
    return problem


def as_rpc_error(error: ApiError) -> dict[str, Any]:
    """Return the JSON-RPC 2.0 error object of `error`.

    A revert carries its payload as a hex string in `data`, as every Ethereum library expects;
    all others carry an object with the stable code, the field and the next step.
    """
    if isinstance(error, ExecutionReverted):
        return {
            "code": error.rpc_code,
            "message": error.reason,
            "data": "0x" + error.data.hex(),
        }
    data: dict[str, Any] = {"code": error.code}
    if error.field is not None:
        data["field"] = error.field
    data["next_step"] = error.next_step or find_next_step(error.code, error.status)
    data.update(error.extra)
    return {"code": error.rpc_code, "message": error.reason, "data": data}
