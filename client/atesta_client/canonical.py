"""JSON as the commitments understand it: strict reading, RFC 8785 writing.

A commitment must mean the same to every reader, so a document is accepted only if it has exactly
one reading: UTF-8 without a byte order mark, no member name twice in one object, no NaN or
infinity, no integer that a double cannot hold exactly, no lone surrogate, a bounded size and depth.
It is hashed in the canonical form of RFC 8785, whose member order and number format leave nothing
to choose.
"""

import json
import re
from typing import Any, Final, NoReturn

import rfc8785

from atesta_client.errors import DocumentRefused, ReasonCode
from atesta_client.pointers import JsonValue

MAX_DOCUMENT_SIZE: Final = 1 << 20
"""Largest document accepted, in bytes of UTF-8."""

MAX_DEPTH: Final = 32
"""Deepest nesting of objects and arrays accepted."""

_TOO_LARGE: Final = "an integer lies beyond 2^53 - 1; write it as a string"
# RFC 8785 writes numbers from here on with an exponent.
_LEAST_WITH_EXPONENT = 1e21

# A string, whose brackets do not count (one that is not closed runs to the end), or a bracket.
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


def load_json(data: bytes | str, *, max_bytes: int = MAX_DOCUMENT_SIZE) -> JsonValue:
    """Decode strict JSON; raise :class:`DocumentRefused` with what is wrong with it."""
    if len(data) > max_bytes:
        raise _refuse(f"longer than {max_bytes} bytes")
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        if is_nested_deeper(text, MAX_DEPTH):
            raise _refuse(f"nested deeper than {MAX_DEPTH} levels")
        value = json.loads(text, object_pairs_hook=_build_object, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise _refuse("not UTF-8") from error
    except json.JSONDecodeError as error:
        raise _refuse(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except ValueError as error:
        # ValueError: an integer of thousands of digits, which the interpreter refuses to convert.
        raise _refuse("holds an oversized number") from error
    dump_canonical(value)
    return value


def is_nested_deeper(text: str, levels: int) -> bool:
    """Tell whether a text, read as JSON, opens more than so many objects and arrays in each other.

    The interpreter's own reader recurses as deeply as the text asks for, and where a library has
    raised the recursion limit (py-evm does) it overruns the stack and ends the process. So depth is
    judged before reading.
    """
    if text.count("[") + text.count("{") <= levels:
        return False
    depth = 0
    for match in _STRUCTURE.finditer(text):
        mark = match.group()
        if mark in "[{":
            depth += 1
            if depth > levels:
                return True
        elif mark in "]}":
            depth -= 1
    return False


def dump_canonical(value: JsonValue) -> bytes:
    """Return the RFC 8785 form; raise :class:`DocumentRefused` where the value has none."""
    _check_depth(value, MAX_DEPTH)
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise _refuse(f"no canonical form: {_describe(error)}") from error
    except UnicodeEncodeError as error:
        raise _refuse("no canonical form: a member name holds a lone surrogate") from error


def _describe(error: rfc8785.CanonicalizationError) -> str:
    # The library quotes the offending number, which may be a person's identifier.
    if isinstance(error, rfc8785.IntegerDomainError):
        return _TOO_LARGE
    if isinstance(error, rfc8785.FloatDomainError):
        return "a number is not finite"
    return "a text holds a lone surrogate, or a value is not JSON"


def _check_depth(value: JsonValue, allowed: int) -> None:
    if isinstance(value, float) and 2**53 <= abs(value) < _LEAST_WITH_EXPONENT:
        # It would be written in digits, which every reader takes for an integer beyond its range.
        raise _refuse(f"no canonical form: {_TOO_LARGE}")
    if not isinstance(value, dict | list | tuple):
        return
    if allowed == 0:
        raise _refuse(f"nested deeper than {MAX_DEPTH} levels")
    for member in value.values() if isinstance(value, dict) else value:
        _check_depth(member, allowed - 1)


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _refuse("an object names the same member twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise _refuse(f"{name} is not JSON")


def _refuse(message: str) -> DocumentRefused:
    return DocumentRefused(ReasonCode.DOCUMENT_MALFORMED, f"the document is refused: {message}")
