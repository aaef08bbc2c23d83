"""What a field of a body wants, shown by an example, and which members an object has.

Both come from the model: whoever describes a field there gives the example for the documentation,
and a refusal of the field shows the same one.
"""

import json
from collections.abc import Iterator, Sequence
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from api.openapi.examples import build_example

_MOST_LETTERS: Final = 160
"""What is longer than this is not put into a sentence."""


def find_example(model: type[BaseModel], place: Sequence[str]) -> Any:
    """Return an example of the member at a place, such as `("scopes", "0", "dataset")`.

    None where the model has no such member, or none to show.
    """
    kinds: list[Any] = [model]
    field: FieldInfo | None = None
    for part in place:
        found = next(_step(kinds, part), None)
        if found is None:
            return None
        field, kinds = found
    if field is not None and field.examples:
        return field.examples[0]
    return next((example for kind in kinds if (example := _show(kind)) is not None), None)


def list_members(model: type[BaseModel], place: Sequence[str]) -> tuple[str, ...]:
    """Return the members of the object at a place; none where it is no object of known members."""
    kinds: list[Any] = [model]
    for part in place:
        found = next(_step(kinds, part), None)
        if found is None:
            return ()
        kinds = found[1]
    return tuple(name for kind in kinds if is_model(kind) for name in kind.model_fields)


def write_example(example: Any) -> str | None:
    """Return an example as a caller writes it; None if there is none, or it is long."""
    if example is None:
        return None
    text = json.dumps(example, ensure_ascii=False)
    return text if len(text) <= _MOST_LETTERS else None


def list_kinds(kind: Any) -> Iterator[Any]:
    """Yield the types that a value may have, without what is said about them."""
    origin = get_origin(kind)
    if origin is Annotated:
        yield from list_kinds(get_args(kind)[0])
    elif origin in {Union, UnionType}:
        for option in get_args(kind):
            yield from list_kinds(option)
    elif kind is not NoneType:
        yield kind


def is_model(kind: Any) -> bool:
    """Tell whether a type is an object of known members."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _show(kind: Any) -> Any:
    """Return an example of a type that shows itself: an object, a list of objects, a word."""
    if is_model(kind):
        return build_example(kind, is_request=True)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind)).value
    if get_origin(kind) is list:
        (item,) = get_args(kind)
        return None if (inner := _show(item)) is None else [inner]
    return None


def _step(kinds: Sequence[Any], part: str) -> Iterator[tuple[FieldInfo | None, list[Any]]]:
    """Yield what a part of a place leads to: a member of an object, or an item of a list."""
    for kind in kinds:
        if is_model(kind) and part in kind.model_fields:
            field = kind.model_fields[part]
            yield field, list(list_kinds(field.annotation))
        elif get_origin(kind) is list and part.isdigit():
            yield None, list(list_kinds(get_args(kind)[0]))
