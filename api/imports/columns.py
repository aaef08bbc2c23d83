"""The header of a CSV file, checked against what an act takes before any line is read.

A column that the act does not know would be refused once on every line, and one that it needs would
be missing on every line. So the file is refused as a whole, by the place of the column: what stands
in the header of a file without one is somebody's data, and is not repeated.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel

from api.errors import InvalidField
from api.near_names import ask_whether
from api.rest.field_examples import is_model, list_kinds

_HEADER: Final = 1
"""Number of the line that holds the names of the columns."""

_FREE: Final = "…"
"""Ends the name of a column whose last part the caller chooses, as in `grantee.…`."""


def check_header(header: Sequence[str], model: type[BaseModel]) -> None:
    """Raise `InvalidField` for a column that is empty, double, unknown, or needed and missing."""
    known = tuple(list_columns(model))
    for number, name in enumerate(header, start=1):
        if not name or name in header[: number - 1]:
            raise _refuse(f"column {number} needs a name of its own", known, number)
        if not _is_column([model], name.split(".")):
            named = ask_whether(name, known)
            raise _refuse(f"column {number} is none that this act takes{named}", known, number)
    given = {name.partition(".")[0] for name in header}
    missing = [
        name
        for name, field in model.model_fields.items()
        if field.is_required() and name not in given
    ]
    for name in missing:
        if not any(column.partition(".")[0] == name for column in known):
            told = f"{name} is a list of objects, which a cell cannot hold; send NDJSON"
            raise _refuse(told, known, None)
    if missing:
        raise _refuse(f"there is no column {', '.join(missing)}", known, None)


def list_columns(model: type[BaseModel]) -> Iterator[str]:
    """Yield the columns that a file may have, dotted for members of members."""
    for name, field in model.model_fields.items():
        kinds = list(list_kinds(field.annotation))
        for kind in kinds:
            if is_model(kind):
                yield from (f"{name}.{column}" for column in list_columns(kind))
        if any(_is_free(kind) for kind in kinds):
            yield f"{name}.{_FREE}"
        elif any(_is_cell(kind) for kind in kinds):
            yield name


def _is_column(kinds: Sequence[Any], path: Sequence[str]) -> bool:
    """Tell whether a dotted name leads to a member that a cell can hold."""
    if not path:
        return any(_is_cell(kind) for kind in kinds)
    return any(
        _is_free(kind)
        or (
            is_model(kind)
            and path[0] in kind.model_fields
            and _is_column(list(list_kinds(kind.model_fields[path[0]].annotation)), path[1:])
        )
        for kind in kinds
    )


def _is_cell(kind: Any) -> bool:
    """Tell whether one cell holds a value of a type: no object, and no list of objects."""
    if get_origin(kind) is list:
        return all(_is_cell(item) for item in list_kinds(get_args(kind)[0]))
    return not is_model(kind) and not _is_free(kind)


def _is_free(kind: Any) -> bool:
    """Tell whether a type is an object whose members the caller names."""
    return (get_origin(kind) or kind) is dict


def _refuse(reason: str, known: Sequence[str], column: int | None) -> InvalidField:
    place = {"line": _HEADER} | ({} if column is None else {"column": column})
    return InvalidField(
        "body",
        f"line {_HEADER}, the header: {reason}",
        next_step=f"the columns of this act are: {', '.join(known)}",
        extra={**place, "known": list(known)},
    )
