"""Which acts can be imported, and how lines become an act."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.acts.act import Act
from api.acts.mandate_items import MAX_ENTRIES, MandateItem
from api.acts.table import ACTS
from api.errors import NotFound
from api.imports.parsing import Weigh
from api.rest.values import Model

MANDATES: Final = "mandate.record"

BUDGET_GAS: Final = 2_880_000
"""What the lines of one transaction may weigh together.

A node admits 3,000,000; the call itself takes 60,000, and a proxy holds back a 64th part.
"""

POWER_GAS: Final = 235_000
OFFICE_GAS: Final = 240_000
FIRST_OFFICE_GAS: Final = 290_000
"""The first office of a body also enters the body."""
DELEGATION_GAS: Final = 45_000
"""What a mandate that is handed on costs besides, three steps down."""


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
    make_scale: Callable[[], Weigh]
    """Makes what weighs the lines of one file."""
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


def _weigh_nothing(_line: Mapping[str, Any]) -> int:
    return 0


def _make_mandate_scale() -> Weigh:
    """Weigh mandates by what `mandates.record` uses for each, measured, with some room."""
    bodies: set[tuple[str, str]] = set()

    def weigh(line: Mapping[str, Any]) -> int:
        weight = POWER_GAS
        if line.get("kind") == "office" and line.get("body") is not None:
            body = (str(line["body"]["register_name"]), str(line["body"]["number"]))
            weight = OFFICE_GAS if body in bodies else FIRST_OFFICE_GAS
            bodies.add(body)
        return weight + (DELEGATION_GAS if line.get("parent") is not None else 0)

    return weigh


def _list_kinds() -> dict[str, ImportKind]:
    kinds = {
        act.name: ImportKind(
            act=act,
            model=act.model,
            group=1,
            wrap=_wrap_one,
            make_scale=lambda: _weigh_nothing,
            place="",
        )
        for act in ACTS.values()
        if act.is_creation and "{" not in act.path
    }
    kinds[MANDATES] = ImportKind(
        act=ACTS[MANDATES],
        model=MandateItem,
        group=MAX_ENTRIES,
        wrap=_wrap_mandates,
        make_scale=_make_mandate_scale,
        place="mandates.0.",
    )
    return kinds


KINDS: Final[Mapping[str, ImportKind]] = _list_kinds()
"""Importable acts by name: those that make a record and need nothing of a path."""
