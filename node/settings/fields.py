"""How one table of the settings file becomes one frozen dataclass.

The dataclass is the whole truth about its table: the name of a field is the key, its type what the
key must be, its default what holds when the key is absent, and its `Rule` the bounds and the one
sentence for the documentation. This module reads all of that by introspection, so that a setting is
written down in exactly one place.
"""

import types
import typing
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from node.errors import UserFault


class SettingsError(UserFault):
    """A settings file that cannot be used; `field` is the dotted name, such as `api.port`."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason, field=key, next_step="See docs/settings.md")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a setting decides and within which bounds; annotates the field that holds it."""

    text: str
    """One sentence for docs/settings.md."""
    low: int | None = None
    """Least value of a number."""
    high: int | None = None
    """Greatest value of a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One key of a table."""

    name: str
    hint: Any
    rule: Rule
    default: Any


def read_fields(kind: Any) -> dict[str, Field]:
    """Return the keys of the table that a dataclass stands for, by name, in order."""
    hints = typing.get_type_hints(kind, include_extras=True)
    found: dict[str, Field] = {}
    for item in fields(kind):
        hint, rule = typing.get_args(hints[item.name])
        if typing.get_origin(hint) is types.UnionType:  # optional: absent, or of the other type
            hint = next(part for part in typing.get_args(hint) if part is not type(None))
        found[item.name] = Field(name=item.name, hint=hint, rule=rule, default=item.default)
    return found


def parse_table(table: str, kind: Any, values: Any, folder: Path) -> Any:
    """Make a dataclass of a decoded table; raises SettingsError naming the key."""
    if not isinstance(values, dict):
        raise SettingsError(table, f"must be a table, written [{table}]")
    known = read_fields(kind)
    parsed: dict[str, Any] = {}
    for name, value in values.items():
        key = f"{table}.{name}"
        if name not in known:
            raise SettingsError(key, f"is an unknown key; known are {', '.join(known)}")
        parsed[name] = _parse_value(key, known[name], value, folder)
    for name, item in known.items():
        if name not in parsed:
            if item.default is MISSING:
                raise SettingsError(f"{table}.{name}", "is needed")
            parsed[name] = _resolve(item.default, folder)
    return kind(**parsed)


def find_table_kind(hint: Any) -> Any:
    """Return the dataclass of the tables that a key is a list of; None for any other key."""
    if typing.get_origin(hint) is not tuple:
        return None
    kind = typing.get_args(hint)[0]
    return kind if is_dataclass(kind) else None


def name_kind(hint: Any) -> str:
    """Return the TOML type in words."""
    if find_table_kind(hint) is not None:
        return "list of tables"
    if typing.get_origin(hint) is tuple:
        return "list of paths"
    return {bool: "true or false", int: "number", str: "text", Path: "path"}[hint]


def show_default(value: Any) -> str:
    """Return a default as it would be written in TOML, or `absent`."""
    if value is None:
        return "absent"
    if value is MISSING:
        return "needed"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:_}" if value >= 100_000 else str(value)
    if isinstance(value, tuple):
        return "[]"
    return f'"{value}"'


def _parse_value(key: str, item: Field, value: Any, folder: Path) -> Any:
    hint = item.hint
    if hint is bool:
        if not isinstance(value, bool):
            raise SettingsError(key, "must be true or false")
        return value
    if hint is int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise SettingsError(key, "must be a whole number")
        low, high = item.rule.low, item.rule.high
        assert low is not None
        assert high is not None
        if not low <= value <= high:
            raise SettingsError(key, f"must be between {low} and {high}, not {value}")
        return value
    kind = find_table_kind(hint)
    if kind is not None:
        if not isinstance(value, list):
            raise SettingsError(key, f"must be a list of tables, each written [[{key}]]")
        return tuple(parse_table(key, kind, part, folder) for part in value)
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list) or not all(isinstance(part, str) and part for part in value):
            raise SettingsError(key, "must be a list of texts")
        return tuple(_resolve(Path(part), folder) for part in value)
    if not isinstance(value, str) or not value:
        raise SettingsError(key, "must be a text that is not empty")
    return _resolve(Path(value), folder) if hint is Path else value


def _resolve(value: Any, folder: Path) -> Any:
    return folder / value if isinstance(value, Path) else value
