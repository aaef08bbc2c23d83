"""Which acts can be imported, and how lines become an act."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.acts.act import Act
from api.acts.mandate_items import MAX_ENTRIES, MandateItem
from api.acts.table import ACTS
from api.errors import NotFound
from api.rest.values import Model

MANDATES: Final = "mandate.record"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportKind:
    """One act as lines of a file."""

    act: Act
    model: type[Model]
    """What one line holds."""
    group: int
    """Most lines in one transaction."""
    wrap: Callable[[Sequence[Mapping[str, Any]]], dict[str, Any]]
    """Makes the act's body of the lines of a group."""
    place: str
    """How the act names its first line in a refusal's field."""


def get_kind(name: str) -> ImportKind:
    """Return how an act is imported; raises `NotFound` for one that is not."""
    kind = KINDS.get(name)
    if kind is None:
        error = NotFound("no act with this name is imported", field="act", code="act_not_found")
        error.next_step = f"choose one of: {', '.join(KINDS)}"
        raise error
    return kind


def _wrap_one(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    (line,) = lines
    return dict(line)


def _wrap_mandates(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"mandates": [dict(line) for line in lines]}


def _list_kinds() -> dict[str, ImportKind]:
    kinds = {
        act.name: ImportKind(act=act, model=act.model, group=1, wrap=_wrap_one, place="")
        for act in ACTS.values()
        if act.is_creation and "{" not in act.path
    }
    kinds[MANDATES] = ImportKind(
        act=ACTS[MANDATES],
        model=MandateItem,
        group=MAX_ENTRIES,
        wrap=_wrap_mandates,
        place="mandates.0.",
    )
    return kinds


KINDS: Final[Mapping[str, ImportKind]] = _list_kinds()
"""Importable acts by name: those that make a record and need nothing of a path."""
