"""JSON pointers (RFC 6901): how a schema names the fields of a document.

A pointer is a text of reference tokens, each led by a slash: ``/nam/fn`` is the member ``fn`` of
the member ``nam``; ``/v/0`` the first element of the array ``v``. Inside a token ``~1`` stands for
a slash and ``~0`` for a tilde. The empty pointer names the whole document.

Only the string form is used here, never the URI fragment form, and the token ``-`` (the element
after the last) is refused, because a field that does not exist yet cannot be committed to.
"""

import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from atesta_client.errors import PointerMalformed

JsonValue: TypeAlias = Any
"""A decoded JSON value: ``None``, ``bool``, ``int``, ``float``, ``str``, ``list`` or ``dict``."""

MAX_POINTER_LENGTH: Final = 512
"""Longest pointer accepted, in characters."""

_ARRAY_INDEX = re.compile(r"0|[1-9][0-9]*")
_TOKEN_FAULT = re.compile(r"~(?![01])")


class Absent:
    """The type of :data:`ABSENT`: no value stands where a pointer points."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()
"""What :func:`get_value` returns where the document has no value; distinct from JSON null."""


def parse_pointer(pointer: str) -> tuple[str, ...]:
    """Return the unescaped reference tokens; raise :class:`PointerMalformed` for anything else."""
    if len(pointer) > MAX_POINTER_LENGTH:
        raise PointerMalformed(f"a pointer is longer than {MAX_POINTER_LENGTH} characters")
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise PointerMalformed(f"the pointer {pointer!r} does not begin with a slash")
    if _TOKEN_FAULT.search(pointer):
        raise PointerMalformed(f"the pointer {pointer!r} has a tilde without 0 or 1 after it")
    tokens = tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/"))
    if "-" in tokens:
        raise PointerMalformed(f"the pointer {pointer!r} names an element that does not exist")
    return tokens


def format_pointer(tokens: Iterable[str]) -> str:
    """Return the pointer of these unescaped reference tokens."""
    return "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in tokens)


def is_array_index(token: str) -> bool:
    """Tell whether a token can name an array element: digits without a leading zero."""
    return _ARRAY_INDEX.fullmatch(token) is not None


def get_value(document: JsonValue, tokens: Iterable[str]) -> JsonValue | Absent:
    """Return what the tokens point at in the document, or :data:`ABSENT`."""
    value = document
    for token in tokens:
        if isinstance(value, dict):
            if token not in value:
                return ABSENT
            value = value[token]
        elif isinstance(value, list):
            if not is_array_index(token) or int(token) >= len(value):
                return ABSENT
            value = value[int(token)]
        else:
            return ABSENT
    return value
