"""Which members the texts have that programs read: lists of fields and of acts.

All other kinds are for people, and any JSON object will do.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.texts.act_lists import MAX_ACTS
from api.texts.fields import MAX_FIELDS
from api.texts.text import PublicText, TextKind

_Words = Annotated[str, Field(min_length=1, max_length=200)]


class TextMalformed(Exception):
    """A text does not have the members of its kind; `place` is a dotted path."""

    def __init__(self, place: str) -> None:
        super().__init__(f"the text lacks what its kind needs at {place}")
        self.place = place


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


class _FieldEntry(_Shape):
    pointer: Annotated[str, Field(pattern=r"^(/[^/]*)+$", max_length=200)]
    title: _Words


class _FieldsBody(_Shape):
    title: _Words
    fields: Annotated[list[_FieldEntry], Field(min_length=1, max_length=MAX_FIELDS)]


class _ActEntry(_Shape):
    code: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._:-]{0,99}$")]
    title: _Words


class _ActListBody(_Shape):
    title: _Words
    acts: Annotated[list[_ActEntry], Field(min_length=1, max_length=MAX_ACTS)]


_SHAPES: Final[Mapping[TextKind, type[_Shape]]] = {
    TextKind.FIELDS: _FieldsBody,
    TextKind.ACT_LIST: _ActListBody,
}


def validate_shape(text: PublicText) -> None:
    """Raise `TextMalformed` unless the text has the members of its kind."""
    shape = _SHAPES.get(text.kind)
    if shape is None:
        return
    try:
        checked: Any = shape.model_validate(dict(text.body))
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise TextMalformed(place) from None
    names = (
        [entry.pointer for entry in checked.fields]
        if text.kind is TextKind.FIELDS
        else [entry.code for entry in checked.acts]
    )
    if len(set(names)) != len(names):
        raise TextMalformed("fields" if text.kind is TextKind.FIELDS else "acts")
