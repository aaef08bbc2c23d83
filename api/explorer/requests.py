"""Reading paths and queries of the explorer; every refusal names the parameter."""

import re
from typing import Final

from aiohttp import web

from api.errors import InvalidField
from api.explorer.parameters import find_parameter
from api.index.queries import RecordFilter
from contracts.codes import RecordState
from contracts.labels import LABEL_PATTERN, encode_label

MAX_LIMIT: Final = 200
DEFAULT_LIMIT: Final = 25

_HASH: Final = re.compile(r"0x[0-9a-fA-F]{64}\Z")
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}\Z")


RECORD_LIST: Final = ("issuer", "schema", "state", "after", "limit")
"""What a list of attestations or batches takes."""


def read_block_ref(request: web.Request) -> int | str:
    """Return the path's block: a height or a `0x` hash."""
    text = request.match_info["block"]
    if text.isascii() and text.isdecimal() and len(text) < 16:
        return int(text)
    if _HASH.match(text):
        return text.lower()
    raise InvalidField("block", "expected a height or 0x and 64 hexadecimal digits")


def read_hash(request: web.Request, name: str) -> str:
    """Return the path's 32 bytes as `0x` text."""
    text = request.match_info[name]
    if not _HASH.match(text):
        raise InvalidField(name, "expected 0x and 64 hexadecimal digits")
    return text.lower()


def read_uid(request: web.Request) -> bytes:
    """Return the path's uid."""
    return bytes.fromhex(read_hash(request, "uid")[2:])


def read_agency(request: web.Request) -> bytes:
    """Return the path's agency, by id or by label."""
    text = request.match_info["agency"]
    if _HASH.match(text):
        return bytes.fromhex(text[2:])
    if LABEL_PATTERN.fullmatch(text):
        return encode_label(text)
    raise InvalidField("agency", "expected a label, or 0x and 64 hexadecimal digits")


def read_address(request: web.Request) -> str:
    """Return the path's account."""
    text = request.match_info["address"]
    if not _ADDRESS.match(text):
        raise InvalidField("address", "expected 0x and 40 hexadecimal digits")
    return text.lower()


def read_number(request: web.Request, name: str) -> int | None:
    """Return a number of the query; None if absent."""
    text = find_parameter(request, name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise InvalidField(name, "expected a number, 0 or greater")
    return int(text)


def read_limit(request: web.Request) -> int:
    """Return how many items are wanted."""
    limit = read_number(request, "limit")
    if limit is None:
        return DEFAULT_LIMIT
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidField("limit", f"expected 1 to {MAX_LIMIT}")
    return limit


def read_filter(request: web.Request) -> RecordFilter:
    """Return the filters `issuer`, `schema` and `state` of the query."""
    state = find_parameter(request, "state")
    if state is not None and state.upper() not in RecordState.__members__:
        names = ", ".join(member.lower() for member in RecordState.__members__)
        raise InvalidField("state", f"expected one of: {names}")
    return RecordFilter(
        issuer=_read_optional_id(request, "issuer"),
        schema_uid=_read_optional_id(request, "schema"),
        state=None if state is None else RecordState[state.upper()],
    )


def _read_optional_id(request: web.Request, name: str) -> bytes | None:
    text = find_parameter(request, name)
    if text is None:
        return None
    if _HASH.match(text):
        return bytes.fromhex(text[2:])
    if LABEL_PATTERN.fullmatch(text):
        return encode_label(text)
    raise InvalidField(name, "expected a label, or 0x and 64 hexadecimal digits")
