"""Every setting in words: key, type, default and meaning, as docs/settings.md lists them."""

import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from node.settings.fields import find_table_kind, name_kind, read_fields, show_default
from node.settings.tables import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingDescription:
    """One key as docs/settings.md lists it."""

    key: str
    """Dotted name: table and key."""
    kind: str
    """The TOML type in words."""
    default: str
    """The default as it would be written in TOML, or `absent`."""
    text: str
    """What it decides."""


def describe_settings() -> Iterator[SettingDescription]:
    """Yield every setting there is, in the order of the tables."""
    for table, kind in typing.get_type_hints(Settings).items():
        yield from _describe_table(table, kind)


def _describe_table(table: str, kind: Any) -> Iterator[SettingDescription]:
    for item in read_fields(kind).values():
        key = f"{table}.{item.name}"
        yield SettingDescription(
            key=key,
            kind=name_kind(item.hint),
            default=show_default(item.default),
            text=item.rule.text,
        )
        inner = find_table_kind(item.hint)
        if inner is not None:
            yield from _describe_table(key, inner)
