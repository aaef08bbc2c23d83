"""Sets of a dataset's fields: a word on the ledger, a list of JSON pointers for people.

The dataset's public text lists its fields in order; bit `i` of the word stands for the field at
place `i`, beginning with zero.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.texts.text import PublicText, TextKind

MAX_FIELDS: Final = 256
"""A set of fields is one word of the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a dataset."""

    pointer: str
    """JSON pointer (RFC 6901) into the answer that a provider releases."""
    title: str
    """Name for people."""


class FieldUnknown(Exception):
    """A dataset has no field with this pointer; `place` is its place in the list given."""

    def __init__(self, place: int) -> None:
        super().__init__(f"the dataset has no such field: number {place} of the list")
        self.place = place


def build_fields_text(title: str, fields: Sequence[Field], *, language: str) -> PublicText:
    """Return the public text of a dataset."""
    listed = [{"pointer": field.pointer, "title": field.title} for field in fields]
    return PublicText(
        kind=TextKind.FIELDS, language=language, body={"title": title, "fields": listed}
    )


def list_fields(text: PublicText) -> tuple[Field, ...]:
    """Return a dataset's fields in their order."""
    listed: list[dict[str, Any]] = text.body["fields"]
    return tuple(Field(pointer=entry["pointer"], title=entry["title"]) for entry in listed)


def build_mask(text: PublicText, pointers: Iterable[str]) -> int:
    """Return the word of a set of fields; raises `FieldUnknown`."""
    places = {field.pointer: place for place, field in enumerate(list_fields(text))}
    mask = 0
    for number, pointer in enumerate(pointers):
        if pointer not in places:
            raise FieldUnknown(number)
        mask |= 1 << places[pointer]
    return mask


def list_pointers(text: PublicText, mask: int) -> list[str]:
    """Return the pointers of a set of fields, in the dataset's order."""
    return [field.pointer for place, field in enumerate(list_fields(text)) if mask >> place & 1]
