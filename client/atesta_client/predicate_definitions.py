"""How a schema declares its yes/no fields: written down, registered, and read back.

A schema's text may hold a list of definitions. Each says under which pointer the answer stands,
which value of the document it follows from, and by which rule::

    {"kind": "age_at_least", "pointer": "/over_18", "source": "/born", "years": 18}
    {"kind": "below", "pointer": "/income_below_limit", "source": "/income", "limit": 10000}
    {"kind": "one_of", "pointer": "/local", "source": "/place", "values": ["MO", "ZH"]}

The ledger keeps a hash of the text, so the rule is as fixed as the fields are: every issuer answers
the same question, and every verifier knows which one it was.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from atesta_client.errors import CredentialRefused, PointerMalformed, SchemaInvalid
from atesta_client.holder_keys import HOLDER_KEY_POINTER
from atesta_client.pointers import JsonValue, parse_pointer
from atesta_client.predicates import AgeAtLeast, Below, OneOf, Predicate
from atesta_client.schemas import Schema
from atesta_client.wire import ObjectReader

MAX_PREDICATES: Final = 64
"""Most questions that one schema asks."""

MAX_YEARS: Final = 150
"""Greatest age asked for."""

MAX_LIMIT: Final = 2**53 - 1
"""Greatest limit of a number, either side of zero; JSON numbers are exact up to it."""

MAX_VALUES: Final = 64
"""Most texts in a ``one_of``."""

MAX_VALUE_LENGTH: Final = 256
"""Longest of these texts, in characters."""

AGE_AT_LEAST: Final = "age_at_least"
"""The kind of :class:`AgeAtLeast`."""

BELOW: Final = "below"
"""The kind of :class:`Below`."""

ONE_OF: Final = "one_of"
"""The kind of :class:`OneOf`."""

_MAX_POINTER = 1024


def format_predicate(predicate: Predicate) -> dict[str, JsonValue]:
    """Return a definition as it stands in a schema's text."""
    where: dict[str, JsonValue] = {"pointer": predicate.pointer, "source": predicate.source}
    match predicate:
        case AgeAtLeast():
            return {"kind": AGE_AT_LEAST, **where, "years": predicate.years}
        case Below():
            return {"kind": BELOW, **where, "limit": predicate.limit}
        case OneOf():
            return {"kind": ONE_OF, **where, "values": sorted(predicate.values)}


def read_predicate(value: JsonValue) -> Predicate:
    """Read a definition; raises :class:`SchemaInvalid` for anything but one of the three forms."""
    try:
        return _read(ObjectReader(value, "predicate"))
    except CredentialRefused as error:
        raise SchemaInvalid(error.message.removeprefix("the file is refused: ")) from error


def validate_predicates(predicates: Sequence[Predicate], schema: Schema) -> None:
    """Check that a schema can ask these questions.

    Each answer needs a field of its own that is a member of the document itself, each source a
    field that holds it and is no answer. Raises :class:`SchemaInvalid` with the pointer at fault.
    """
    if len(predicates) > MAX_PREDICATES:
        raise SchemaInvalid(f"a schema asks at most {MAX_PREDICATES} questions")
    answers: set[str] = set()
    for predicate in predicates:
        pointer = predicate.pointer
        if pointer not in schema.pointers or pointer == HOLDER_KEY_POINTER:
            raise SchemaInvalid(f"the schema has no field {pointer!r} to answer", pointer=pointer)
        if len(parse_pointer(pointer)) != 1:
            raise SchemaInvalid(f"{pointer!r} is no member of the document itself", pointer=pointer)
        if pointer in answers:
            raise SchemaInvalid(f"{pointer!r} answers two questions", pointer=pointer)
        answers.add(pointer)
        _validate_rule(predicate)
    for predicate in predicates:
        covering = _find_covering(predicate.source, schema.pointers)
        if covering is None or covering in answers:
            raise SchemaInvalid(
                f"{predicate.source!r} lies in no field from which an answer can follow",
                pointer=predicate.pointer,
            )


def _read(reader: ObjectReader) -> Predicate:
    kind = reader.get_text("kind")
    pointer = reader.get_text("pointer", longest=_MAX_POINTER)
    source = reader.get_text("source", longest=_MAX_POINTER)
    predicate: Predicate
    if kind == AGE_AT_LEAST:
        years = reader.get_integer("years", largest=MAX_YEARS)
        predicate = AgeAtLeast(pointer=pointer, source=source, years=years)
    elif kind == BELOW:
        predicate = Below(pointer=pointer, source=source, limit=_read_limit(reader.get("limit")))
    elif kind == ONE_OF:
        values = _read_values(reader.get_list("values", longest=MAX_VALUES))
        predicate = OneOf(pointer=pointer, source=source, values=values)
    else:
        raise SchemaInvalid(f"a question is {AGE_AT_LEAST}, {BELOW} or {ONE_OF}, not {kind!r}")
    reader.finish()
    _validate_rule(predicate)
    return predicate


def _read_limit(value: JsonValue) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise SchemaInvalid("a limit is a whole number")
    return value


def _read_values(values: Iterable[JsonValue]) -> frozenset[str]:
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) != len(list(values)) or len(set(texts)) != len(texts):
        raise SchemaInvalid("the values of a question are texts, each named once")
    return frozenset(texts)


def _validate_rule(predicate: Predicate) -> None:
    match predicate:
        case AgeAtLeast() if not 0 < predicate.years <= MAX_YEARS:
            message = f"an age is 1 to {MAX_YEARS} years"
        case Below() if abs(predicate.limit) > MAX_LIMIT:
            message = f"a limit is at most {MAX_LIMIT}"
        case OneOf() if not 0 < len(predicate.values) <= MAX_VALUES or not all(
            0 < len(value) <= MAX_VALUE_LENGTH for value in predicate.values
        ):
            message = f"a question names 1 to {MAX_VALUES} texts of 1 to {MAX_VALUE_LENGTH}"
        case _:
            return
    raise SchemaInvalid(message, pointer=predicate.pointer)


def _find_covering(source: str, pointers: Iterable[str]) -> str | None:
    """Return the field of a schema that holds a source, which may lie deeper in it."""
    try:
        tokens = parse_pointer(source)
    except PointerMalformed:
        return None
    for pointer in pointers:
        field = parse_pointer(pointer)
        if tokens[: len(field)] == field:
            return pointer
    return None
