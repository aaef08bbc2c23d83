"""Reading answers as frozen dataclasses.

Answers are read leniently, unlike files: a member that this version does not know is ignored, so
that a newer node can add members without breaking an integrator. A member that it needs and does
not find, or finds with another type, raises :class:`RestAnswerMalformed`.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

from atesta_client.errors import RestAnswerMalformed

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """A part of a list."""

    items: tuple[T, ...]
    """The items, in the order of the list."""
    next: str | None
    """Cursor for what follows; ``None`` at the end."""
    indexed_block: int | None = None
    """Last settled block that the list rests on, where the node says it."""


def read_answer(kind: type[T], data: Any) -> T:
    """Read a decoded JSON object as one of the dataclasses above."""
    value = _read(kind, data, kind.__name__)
    assert isinstance(value, kind)
    return value


def read_object(data: Any) -> dict[str, Any]:
    """Return a decoded JSON object as it is, for answers that are files."""
    if not isinstance(data, dict):
        raise RestAnswerMalformed("the node's answer is not understood: it is not an object")
    return data


def read_page(kind: type[T], data: Any) -> Page[T]:
    """Read a decoded JSON page whose items are of one kind."""
    if not isinstance(data, Mapping) or not isinstance(data.get("items"), list):
        raise RestAnswerMalformed("a page has no items")
    cursor, block = data.get("next"), data.get("indexed_block")
    return Page(
        items=tuple(read_answer(kind, item) for item in data["items"]),
        next=cursor if isinstance(cursor, str) else None,
        indexed_block=block if isinstance(block, int) else None,
    )


def _read(expected: Any, value: Any, where: str) -> Any:
    origin = get_origin(expected)
    if origin in {Union, types.UnionType}:
        if value is None and type(None) in get_args(expected):
            return None
        (inner,) = (option for option in get_args(expected) if option is not type(None))
        return _read(inner, value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise _refuse(where, "an array")
        return tuple(_read(get_args(expected)[0], item, where) for item in value)
    if origin is dict:
        if not isinstance(value, dict):
            raise _refuse(where, "an object")
        return value
    if expected is datetime:
        return _read_time(value, where)
    if hasattr(expected, "__dataclass_fields__"):
        return _read_dataclass(expected, value, where)
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        raise _refuse(where, f"of type {expected.__name__}")
    return value


def _read_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise _refuse(where, "an object")
    hints = _get_hints(kind)
    members = {}
    for member in fields(kind):
        if member.name in value:
            members[member.name] = _read(
                hints[member.name], value[member.name], f"{where}.{member.name}"
            )
        elif member.default_factory is not MISSING:
            continue
        elif member.default is MISSING and type(None) in get_args(hints[member.name]):
            members[member.name] = None
        elif member.default is MISSING:
            raise _refuse(f"{where}.{member.name}", "there")
    return kind(**members)


@cache
def _get_hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _read_time(value: Any, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise _refuse(where, "a time") from error
    if moment.tzinfo is None:
        raise _refuse(where, "a time with its zone")
    return moment


def _refuse(where: str, expected: str) -> RestAnswerMalformed:
    return RestAnswerMalformed(f"the node's answer is not understood: {where} is not {expected}")
