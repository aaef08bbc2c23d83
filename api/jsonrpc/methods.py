"""The table of methods: what a method is, and what a family of them looks like.

A family is a class whose public coroutines are marked with `rpc`. The mark carries the wire name,
its arguments and the role a caller over HTTP needs; the coroutine's docstring is the method's
documentation. Collecting a family's marks gives the dispatcher's table, and a test compares the
same table with `docs/json-rpc.md`.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from api.access.callers import Role
from api.jsonrpc.params import Params

RpcHandler = Callable[[Params], Awaitable[Any]]
"""Takes the arguments, returns JSON-ready values, raises `ApiError`."""

_MARK = "_atesta_rpc"


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcMark:
    """What a family says about one of its coroutines."""

    name: str
    arguments: str
    """The arguments as documentation, e.g. "address, block = latest"."""
    summary: str
    """What it does, as one paragraph."""
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcMethod:
    """One callable method."""

    mark: RpcMark
    handler: RpcHandler


def rpc(name: str, arguments: str, *, role: Role = Role.READER) -> Callable[[Any], Any]:
    """Mark a family's coroutine as the JSON-RPC method `name`."""

    def mark(function: Any) -> Any:
        summary = " ".join((inspect.getdoc(function) or "").split())
        assert summary, "a method's docstring is its documentation"
        setattr(
            function, _MARK, RpcMark(name=name, arguments=arguments, summary=summary, role=role)
        )
        return function

    return mark


def collect_methods(family: object) -> Iterator[RpcMethod]:
    """Yield the marked methods of a family, in the order of their definition."""
    for attribute in vars(type(family)):
        bound = getattr(family, attribute)
        mark = getattr(bound, _MARK, None)
        if isinstance(mark, RpcMark):
            yield RpcMethod(mark=mark, handler=bound)
