"""Schemas: the ordered fields of a kind of document, and cutting a document along them.

A schema is an ordered list of JSON pointers. The commitment to a document has exactly one leaf per
pointer, at the pointer's place in the list, whatever the document holds there: a value, a whole
array or object that the schema does not split, or nothing. So every document of a schema has a tree
of the same size and shape, and a verifier knows from the schema alone at which index a field must
stand.

The cut loses nothing: what no pointer covers is refused, and so is an empty array or object above a
pointer, because the leaves could not tell it from a missing one. Two pointers must not overlap (one
leading through the other), or a value would be committed to twice.

On chain a schema is its uid and the hash of its list:
``SHA-256("atesta-schema-1" ‖ RFC 8785(list of pointers))``, the tag being 15 bytes of ASCII.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from atesta_client.canonical import dump_canonical
from atesta_client.errors import DocumentRefused, ReasonCode, SchemaInvalid
from atesta_client.hashing import DIGEST_SIZE
from atesta_client.pointers import Absent, JsonValue, format_pointer, get_value, parse_pointer

MAX_POINTERS: Final = 1024
"""Most pointers in one schema."""

_TAG = b"atesta-schema-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A kind of document: its uid on the ledger and its fields in order.

    Raises :class:`SchemaInvalid` when the pointers cannot serve: none, too many, one twice, one
    malformed, or one leading through another.
    """

    uid: bytes
    """The uid of the schema on the ledger, 32 bytes."""
    pointers: tuple[str, ...]
    """The JSON pointers of the fields, in the order of their leaves."""
    _tokens: tuple[tuple[str, ...], ...] = field(init=False, repr=False, compare=False)
    _places: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.uid) != DIGEST_SIZE:
            raise SchemaInvalid(f"a schema uid is {DIGEST_SIZE} bytes, not {len(self.uid)}")
        object.__setattr__(self, "_tokens", validate_pointers(self.pointers))
        places = {pointer: place for place, pointer in enumerate(self.pointers)}
        object.__setattr__(self, "_places", places)

    @property
    def size(self) -> int:
        """Number of leaves that every document of this schema has."""
        return len(self.pointers)

    @property
    def pointers_hash(self) -> bytes:
        """The hash of the list of pointers, as the ledger stores it."""
        return compute_pointers_hash(self.pointers)

    def get_index(self, pointer: str) -> int:
        """Return a field's place; raise :class:`DocumentRefused` if it is outside the schema."""
        place = self._places.get(pointer)
        if place is None:
            raise _refuse_outside(pointer)
        return place

    def split(self, document: JsonValue) -> tuple[JsonValue | Absent, ...]:
        """Cut a document into one value per pointer, ``ABSENT`` where it has none.

        Raises :class:`DocumentRefused` when the document holds anything that no pointer covers.
        """
        for tokens in _iterate_uncovered(document, frozenset(self._tokens)):
            raise _refuse_outside(format_pointer(tokens))
        return tuple(get_value(document, tokens) for tokens in self._tokens)


def validate_pointers(pointers: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the tokens of each pointer; raise :class:`SchemaInvalid` if the list cannot serve."""
    if not 1 <= len(pointers) <= MAX_POINTERS:
        raise SchemaInvalid(f"a schema has 1 to {MAX_POINTERS} pointers, not {len(pointers)}")
    tokens_of: dict[tuple[str, ...], str] = {}
    for pointer in pointers:
        if not isinstance(pointer, str):
            raise SchemaInvalid("a schema is a list of texts")
        tokens = parse_pointer(pointer)
        if tokens in tokens_of:
            raise SchemaInvalid(f"the schema names {pointer!r} twice", pointer=pointer)
        tokens_of[tokens] = pointer
    for tokens, pointer in tokens_of.items():
        for length in range(len(tokens)):
            if tokens[:length] in tokens_of:
                upper = tokens_of[tokens[:length]]
                raise SchemaInvalid(f"{pointer!r} leads through {upper!r}", pointer=pointer)
    return tuple(tokens_of)


def compute_pointers_hash(pointers: Sequence[str]) -> bytes:
    """Compute the hash of an ordered list of pointers, as the ledger stores it; 32 bytes."""
    return hashlib.sha256(_TAG + dump_canonical(list(pointers))).digest()


def _iterate_uncovered(
    value: JsonValue, covered: frozenset[tuple[str, ...]], at: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    if at in covered:
        return
    members: Sequence[tuple[str, Any]] = ()
    if isinstance(value, dict):
        members = tuple(value.items())
    elif isinstance(value, list):
        members = tuple((str(place), member) for place, member in enumerate(value))
    if not members:
        yield at
    for token, member in members:
        yield from _iterate_uncovered(member, covered, (*at, token))


def _refuse_outside(pointer: str) -> DocumentRefused:
    return DocumentRefused(
        ReasonCode.FIELD_OUTSIDE_SCHEMA,
        f"the field {pointer!r} is outside the schema",
        pointer=pointer,
    )
