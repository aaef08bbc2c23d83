"""From REST's answer to values that a page lays out, by the types of REST's models.

The type of a member says how it is shown: a party links to its agency, a time is written in two
zones, a word is translated, a nested record becomes a list of its own, a list of them a table. Only
what no type tells stands in tables here: which uids name records, and what an absent value means.
"""

import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, Final, Literal

from pydantic import BaseModel

from api.reading.models import Party
from api.rest.values import AddressText, Pointer, Time, Uid

Form = Literal[
    "absent",
    "account",
    "block",
    "duration",
    "flag",
    "hash",
    "items",
    "jurisdiction",
    "moment",
    "number",
    "object",
    "party",
    "parts",
    "record",
    "state",
    "table",
    "text",
    "word",
]
"""How a value is laid out."""

RECORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "basis": ("basis",),
    "body": ("body",),
    "cross_border": ("consent",),
    "dataset": ("dataset",),
    "exchange": ("exchange",),
    "general": ("consent",),
    "instrument": ("instrument",),
    "mandate": ("mandate",),
    "notice": ("notice",),
    "onward_of": ("exchange",),
    "parent": ("mandate",),
    "purpose": ("purpose",),
    "schema_uid": ("schema",),
    "sensitive": ("consent",),
    "subject": ("dataset", "basis"),
}
"""Members that name records, and of which kinds; other uids are commitments and hashes."""

_JURISDICTIONS: Final = frozenset({"from_jurisdiction", "to_jurisdiction", "suspended_by"})
_WORDS: Final = frozenset({"given_by", "confirmation"})
"""Members that are words although their type is text."""

_BLOCKS: Final = frozenset({"block", "changed_block"})
_NUMBERS: Final = frozenset({"period", "board", "seat", "version"})
"""Members that number something; their digits are not grouped."""

_LABELS: Final[Mapping[str, str]] = {
    "Consent.subject": "person",
    "KeyBinding.commitment": "person",
}
"""Members whose name means something else in other models."""

_ABSENT: Final[Mapping[str, str]] = {
    **dict.fromkeys(("valid_until", "until"), "no_end"),
    "valid_from": "at_once",
    **dict.fromkeys(
        ("quota", "limit", "max_age_s", "from_jurisdiction", "to_jurisdiction", "issuers"), "any"
    ),
    **dict.fromkeys(("Scope.provider", "Scope.recipient"), "any"),
    **dict.fromkeys(
        (
            "title", "fields", "law", "scope_list", "agreement", "duties", "text", "Stop.decision",
            "notice_version",
        ),
        "record.text_missing",
    ),
    **dict.fromkeys(
        (
            "decided_by", "response", "received", "equal", "stated_by_provider",
            "stated_by_requester", "outcome", "begun",
        ),
        "not_yet",
    ),
}  # fmt: skip
"""What it means if a member is absent, by its name or by `Model.name`; else `none`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a model, by its type."""

    name: str
    label: str
    """Its name among the texts."""
    form: Form
    model: type[BaseModel] | None = None
    """Of a nested record, or of each of a list."""
    is_list: bool = False
    absent: str = "none"
    """Key of the text that stands for null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A record that another one names."""

    kind: str
    path: str
    """Of its page."""
    title: str | None = None
    """Name for people, where a public text gives one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One value, ready to be laid out."""

    name: str
    """Of the member, for its label."""
    form: Form
    value: Any
    named: Named | None = None
    """Of a uid that names a record of the ledger."""
    parts: tuple["Shown", ...] = ()
    """Members of a nested record; items of a list."""
    rows: tuple[tuple["Shown", ...], ...] = ()
    """Of a list of records."""


def show_members(
    model: type[BaseModel],
    names: Iterable[str],
    values: Mapping[str, Any],
    named: Mapping[str, Named],
) -> tuple[Shown, ...]:
    """Return members of an answer to lay out, in the order of `names`."""
    shape = read_shape(model)
    return tuple(_show(shape[name], values[name], named) for name in names)


def list_uids(
    model: type[BaseModel], answers: Sequence[Mapping[str, Any]]
) -> dict[str, tuple[str, ...]]:
    """Return every uid that may name a record, with the kinds that it may be of."""
    found: dict[str, tuple[str, ...]] = {}
    for answer in answers:
        for member in read_shape(model).values():
            value = answer[member.name]
            if value is None:
                continue
            if member.model is not None:
                found |= list_uids(member.model, value if member.is_list else [value])
            elif member.form == "record":
                found[value] = RECORDS[member.name]
    return found


@cache
def read_shape(model: type[BaseModel]) -> Mapping[str, Member]:
    """Return a model's members by name, in its order."""
    hints = typing.get_type_hints(model, include_extras=True)
    return {name: _read_member(model, name, hints[name]) for name in model.model_fields}


def _read_member(model: type[BaseModel], name: str, hint: Any) -> Member:
    bare = _strip_null(hint)
    is_list = typing.get_origin(bare) is list
    inner = _strip_null(typing.get_args(bare)[0]) if is_list else bare
    nested = inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None
    return Member(
        name=name,
        label=_LABELS.get(f"{model.__name__}.{name}", name),
        form=_find_form(name, inner),
        model=nested,
        is_list=is_list,
        absent=_ABSENT.get(f"{model.__name__}.{name}", _ABSENT.get(name, "none")),
    )


def _strip_null(hint: Any) -> Any:
    if typing.get_origin(hint) in {typing.Union, UnionType}:
        (hint,) = (one for one in typing.get_args(hint) if one is not type(None))
    return hint


def _find_form(name: str, hint: Any) -> Form:
    if hint == Party:
        return "jurisdiction" if name in _JURISDICTIONS else "party"
    if hint == Uid:
        return "record" if name in RECORDS else "hash"
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return "word"
    if name == "state":
        return "state"
    if name in _WORDS:
        return "word"
    if name in _BLOCKS:
        return "block"
    if name in _NUMBERS:
        return "text"
    if hint is int and name.endswith("_s"):
        return "duration"
    if name.endswith("_mask"):
        return "hash"
    by_type: tuple[tuple[Any, Form], ...] = (
        (Time, "moment"),
        (AddressText, "account"),
        (Pointer, "text"),
        (bool, "flag"),
        (int, "number"),
        (str, "text"),
    )
    for known, form in by_type:
        if hint == known:
            return form
    return "text" if typing.get_origin(hint) is not dict and _is_text(hint) else "object"


def _is_text(hint: Any) -> bool:
    return str in typing.get_args(hint)[:1]


def _show(member: Member, value: Any, named: Mapping[str, Named]) -> Shown:
    name = member.label
    if value is None or value == []:
        absent = "none" if value == [] and member.absent != "any" else member.absent
        return Shown(name=name, form="absent", value=absent)
    if member.model is not None:
        names = tuple(member.model.model_fields)
        if not member.is_list:
            parts = show_members(member.model, names, value, named)
            return Shown(name=name, form="parts", value=None, parts=parts)
        rows = tuple(show_members(member.model, names, row, named) for row in value)
        return Shown(name=name, form="table", value=None, rows=rows)
    if member.is_list:
        items = tuple(_show_one(member, item, named) for item in value)
        return Shown(name=name, form="items", value=None, parts=items)
    return _show_one(member, value, named)


def _show_one(member: Member, value: Any, named: Mapping[str, Named]) -> Shown:
    if member.form == "object" and isinstance(value, Mapping):
        parts = tuple(_open_text(value))
        return Shown(name=member.label, form="object", value=None, parts=parts)
    if member.form == "record":
        found = named.get(value)
        form: Form = "hash" if found is None else "record"
        return Shown(name=member.label, form=form, value=value, named=found)
    return Shown(name=member.label, form=member.form, value=value)


def _open_text(body: Mapping[str, Any], prefix: str = "") -> Iterator[Shown]:
    """Yield what a public text says, flattened; names in it are the author's own."""
    for name, value in body.items():
        here = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _open_text(value, f"{here} ")
        elif isinstance(value, list):
            for number, item in enumerate(value, start=1):
                inner = item if isinstance(item, Mapping) else {str(number): item}
                place = f"{here} {number} " if isinstance(item, Mapping) else f"{here} "
                yield from _open_text(inner, place)
        elif value is not None:
            yield Shown(name=here, form="text", value=str(value))
