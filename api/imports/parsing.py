"""Taking a file apart: NDJSON, one JSON object a line, or CSV with a header.

A line holds the members of the act's body. In CSV a column's name is the member's name, dotted for
members of members (`grantee.name`); a list is written with semicolons; an empty cell is an absent
member. What a cell holds, a number, a truth value or a text, follows from the act's model.
"""

import csv
import io
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from atesta_client.canonical import load_json
from atesta_client.errors import MaterialRefused
from pydantic import BaseModel, ValidationError

from api.errors import InvalidField, MalformedBody, UserFault
from api.imports.columns import check_header
from api.rest.validation import translate_validation

Weigh = Callable[[Mapping[str, Any]], int]
"""Tells what a line costs in gas, about; asked for each line in the order of the file."""

MAX_LINES: Final = 100_000
"""Most lines of one import."""

_MAX_CELL: Final = 100_000
_MAX_FIELD: Final = 200
_TRUTH: Final = {"true": True, "false": False}


class FileFormat(StrEnum):
    """How the file is written."""

    NDJSON = "ndjson"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a line."""

    field: str | None
    code: str
    reason: str
    rule: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedLine:
    """One line: either its content or what is wrong with it."""

    line: int
    """Its number in the file, from 1."""
    body: Mapping[str, Any] | None
    fault: Fault | None
    uid: bytes | None = None
    depends: bytes | None = None
    """The uid of another line of the file that must be on the ledger first."""
    weight: int = 0
    """What it costs in gas, about."""


def parse_file(
    raw: bytes, file_format: FileFormat, model: type[BaseModel], weigh: Weigh | None = None
) -> list[ParsedLine]:
    """Take a file apart and check each line; raises `UserFault` for a file that has no lines."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MalformedBody("the file is not UTF-8") from None
    read = _read_ndjson(text) if file_format is FileFormat.NDJSON else _read_csv(text, model)
    lines: list[ParsedLine] = []
    taken: set[bytes] = set()
    for number, found in read:
        if len(lines) >= MAX_LINES:
            raise InvalidField("body", f"an import has at most {MAX_LINES} lines")
        lines.append(_check_line(number, found, model, taken))
    if not lines:
        raise InvalidField("body", "the file has no lines")
    return [_link(line, taken, weigh) for line in lines]


def describe(error: UserFault) -> Fault:
    """Return a refusal as the fault of a line."""
    rule = error.extra.get("rule")
    return Fault(
        field=None if error.field is None else error.field[:_MAX_FIELD],
        code=error.code,
        reason=error.reason,
        rule=None if rule is None else str(rule),
    )


def _check_line(
    number: int, found: dict[str, Any] | Fault, model: type[BaseModel], taken: set[bytes]
) -> ParsedLine:
    if isinstance(found, Fault):
        return ParsedLine(line=number, body=None, fault=found)
    if "uid" in model.model_fields and found.get("uid") is None:
        found["uid"] = "0x" + secrets.token_hex(32)
    try:
        checked = model.model_validate_json(json.dumps(found))
    except ValidationError as error:
        return ParsedLine(
            line=number, body=None, fault=describe(translate_validation(error, model))
        )
    uid = bytes.fromhex(found["uid"][2:]) if getattr(checked, "uid", None) else None
    if uid is not None and uid in taken:
        fault = Fault(field="uid", code="uid_exists", reason="an earlier line has this uid")
        return ParsedLine(line=number, body=None, fault=fault)
    if uid is not None:
        taken.add(uid)
    return ParsedLine(line=number, body=found, fault=None, uid=uid)


def _link(line: ParsedLine, uids: set[bytes], weigh: Weigh | None) -> ParsedLine:
    if line.body is None:
        return line
    parent = line.body.get("parent")
    depends = None if parent is None else bytes.fromhex(parent[2:])
    return replace(
        line,
        depends=depends if depends in uids else None,
        weight=0 if weigh is None else weigh(line.body),
    )


def _read_ndjson(text: str) -> Iterator[tuple[int, dict[str, Any] | Fault]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = load_json(line)
        except MaterialRefused as refused:
            yield number, Fault(field=None, code="malformed_body", reason=refused.message)
            continue
        if isinstance(found, dict):
            yield number, found
        else:
            yield (
                number,
                Fault(field=None, code="malformed_body", reason="the line is not a JSON object"),
            )


def _read_csv(text: str, model: type[BaseModel]) -> Iterator[tuple[int, dict[str, Any] | Fault]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    schema = model.model_json_schema()
    try:
        header = [name.strip() for name in next(reader, [])]
        check_header(header, model)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, _build_object(header, cells, schema)
    except csv.Error as error:
        raise MalformedBody(f"the file is no CSV near line {reader.line_num}: {error}") from None


def _build_object(
    header: list[str], cells: list[str], schema: Mapping[str, Any]
) -> dict[str, Any] | Fault:
    if len(cells) != len(header):
        told = f"the line has {len(cells)} cells, and the header {len(header)} columns"
        return Fault(field=None, code="malformed_body", reason=told)
    found: dict[str, Any] = {}
    for name, cell in zip(header, cells, strict=True):
        text = cell.strip()
        if not text:
            continue
        if len(text) > _MAX_CELL:
            return Fault(
                field=name[:_MAX_FIELD], code="invalid_field", reason="the cell is too long"
            )
        path = name.split(".")
        members = found
        for part in path[:-1]:
            members = members.setdefault(part, {})
            if not isinstance(members, dict):
                return _refuse_cell(name, "the column contradicts another one")
        members[path[-1]] = _read_cell(text, _find_types(schema, schema, path))
    return found


def _refuse_cell(column: str, reason: str) -> Fault:
    return Fault(field=column[:_MAX_FIELD], code="invalid_field", reason=reason)


def _read_cell(text: str, types: set[str]) -> Any:
    """Read a cell as the model wants it; what does not fit stays a text, which is refused there."""
    if "array" in types:
        return [item.strip() for item in text.split(";") if item.strip()]
    if "boolean" in types and text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    digits = text.removeprefix("-")
    if "integer" in types and digits.isascii() and digits.isdigit() and len(digits) <= 40:
        return int(text)
    return text


def _find_types(root: Mapping[str, Any], schema: Mapping[str, Any], path: list[str]) -> set[str]:
    """Return the JSON types that a member may have; empty where the model does not say."""
    if "$ref" in schema:
        return _find_types(root, root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], path)
    found: set[str] = set()
    for option in schema.get("anyOf", ()):
        found |= _find_types(root, option, path)
    if not path:
        return found | ({schema["type"]} if isinstance(schema.get("type"), str) else set())
    inner = schema.get("properties", {}).get(path[0])
    return found if inner is None else found | _find_types(root, inner, path[1:])
