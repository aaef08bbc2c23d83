"""From what a model finds wrong to a refusal that names the field and never repeats its value.

pydantic has an error type for each way in which a value can be wrong, and a text for programmers.
Callers get a sentence of our own for each type that our models can raise; limits and words in it
are the model's, never the caller's. A fault between several members names all of them. With the
sentence go an example of what the field wants, and, for a name or a word that is not known, those
that are and the nearest of them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from api.errors import InvalidField, UserFault
from api.near_names import ask_whether, find_near
from api.rest.faults import Contradiction
from api.rest.field_examples import find_example, list_members, write_example
from api.rest.references import REFERENCE_PATTERN

Context = Mapping[str, Any]

BODY: Final = "body"
"""Names the whole body, where no member of it is at fault."""

_PLACE: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
"""What may stand in the name of a field. A member of another name is only counted as unknown."""


def translate_validation(error: ValidationError, model: type[BaseModel]) -> UserFault:
    """Name the first field at fault, and say in a sentence what is wrong with it."""
    first = _choose(error.errors(include_url=False))
    place = [str(part) for part in first["loc"]]
    context: Context = first.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, Contradiction):
        fields = [".".join([*place, name]) for name in cause.fields]
        return InvalidField(
            fields[0],
            cause.reason,
            next_step="correct these fields together; the document says what each is for",
            extra={"fields": fields},
        )
    if first["type"] == "extra_forbidden":
        return _refuse_member(place, model)
    sentence = describe(first["type"], context)
    if first["type"] in _OF_WORDS:
        words = _list_words(context)
        return _refuse(place, sentence + ask_whether(first["input"], words), None, words)
    return _refuse(place, sentence, find_example(model, place), ())


def _choose(errors: Sequence[ErrorDetails]) -> ErrorDetails:
    """Return the error to tell: of a mistyped name, not that the right one is missing."""
    first = errors[0]
    if first["type"] != "missing":
        return first
    names = [str(one["loc"][-1]) for one in errors if one["type"] == "missing"]
    return next(
        (
            one
            for one in errors
            if one["type"] == "extra_forbidden" and find_near(one["loc"][-1], names)
        ),
        first,
    )


def _refuse_member(place: Sequence[str], model: type[BaseModel]) -> InvalidField:
    """Refuse a member that the object does not have, with those that it has."""
    known = list_members(model, place[:-1])
    told = describe("extra_forbidden", {}) + ask_whether(place[-1], known)
    step = f"use one of: {', '.join(known)}" if known else None
    extra = {"known": list(known)} if known else None
    return InvalidField(".".join(place), told, next_step=step, extra=extra)


def _refuse(
    place: Sequence[str], sentence: str, example: object, words: Sequence[str]
) -> InvalidField:
    written = write_example(example)
    extra = ({} if example is None else {"example": example}) | (
        {"known": list(words)} if words else {}
    )
    return InvalidField(
        ".".join(place) or BODY,
        sentence,
        next_step=None if written is None else f"give it like this: {written}",
        extra=extra,
    )


def describe(kind: str, context: Context) -> str:
    """Return a sentence for pydantic's error type and its context."""
    tell = SENTENCES.get(kind)
    return UNKNOWN if tell is None else tell(context)


UNKNOWN: Final = "this value does not fit the field"
"""For an error type that this version does not know."""


def _say(sentence: str) -> Callable[[Context], str]:
    return lambda _context: sentence


def _fill(sentence: str) -> Callable[[Context], str]:
    return lambda context: sentence.format(**context)


def _count(sentence: str, name: str, noun: str) -> Callable[[Context], str]:
    """Return a sentence with a limit, and its noun in the right number."""

    def tell(context: Context) -> str:
        limit = int(context[name])
        return sentence.format(f"{limit} {noun}" + ("" if limit == 1 else "s"))

    return tell


def _list_words(context: Context) -> list[str]:
    return re.findall(r"'([^']*)'", str(context["expected"]))


def _tell_words(context: Context) -> str:
    words = _list_words(context)
    return "must be " + (f"`{words[0]}`" if len(words) == 1 else f"one of: {', '.join(words)}")


def _tell_pattern(context: Context) -> str:
    """Say in words what the commonest patterns ask for."""
    pattern = str(context.get("pattern"))
    digits = re.fullmatch(r"\^0x\[0-9a-fA-F\]\{([0-9]+)\}\$", pattern)
    if digits is not None:
        return f"must be 0x and {digits[1]} hexadecimal digits"
    return _PATTERNS.get(pattern, "this text does not have the form that the field asks for")


_PATTERNS: Final = {
    REFERENCE_PATTERN: "must be a label, or 0x and 64 hexadecimal digits",
    r"^(/[^/]*)+$": "must be a JSON pointer, each step with a slash before it",
    r"^[a-z0-9][a-z0-9._:-]{0,99}$": "must be a code of small letters, digits and . _ : -",
    r"^[a-z0-9][a-z0-9-]{0,63}$": "must be a name of small letters, digits and hyphens",
    r"^https?://": "must be an address that begins with https://",
}


def _tell_value(context: Context) -> str:
    """Our own checks say in their own words what is wrong."""
    return str(context["error"])


_OF_WORDS: Final = frozenset({"enum", "literal_error"})

_TIME: Final = _say("this is not a time such as 2026-11-22T08:00:00Z")
_NUMBER: Final = _say("must be a whole number, without quotes")

SENTENCES: Final[Mapping[str, Callable[[Context], str]]] = {
    "bool_type": _say("must be true or false, without quotes"),
    "datetime_from_date_parsing": _TIME,
    "datetime_object_invalid": _TIME,
    "datetime_parsing": _TIME,
    "datetime_type": _TIME,
    "dict_type": _say("must be a JSON object"),
    "enum": _tell_words,
    "extra_forbidden": _say("this field is not known here"),
    "greater_than": _fill("must be more than {gt}"),
    "greater_than_equal": _fill("must be at least {ge}"),
    "int_from_float": _NUMBER,
    "int_parsing": _NUMBER,
    "int_parsing_size": _NUMBER,
    "int_type": _NUMBER,
    "invalid_key": _say("the names of its members must be texts"),
    "less_than": _fill("must be less than {lt}"),
    "less_than_equal": _fill("must be at most {le}"),
    "list_type": _say("must be a JSON array"),
    "literal_error": _tell_words,
    "missing": _say("this field is needed"),
    "model_type": _say("must be a JSON object"),
    "string_pattern_mismatch": _tell_pattern,
    "string_too_long": _count("must have at most {}", "max_length", "character"),
    "string_too_short": _count("must have at least {}", "min_length", "character"),
    "string_type": _say("must be a text, in quotes"),
    "string_unicode": _say("this text holds characters that are none"),
    "timezone_aware": _say("a time needs its zone, for UTC a Z"),
    "too_long": _count("must have at most {}", "max_length", "item"),
    "too_short": _count("must have at least {}", "min_length", "item"),
    "tuple_type": _say("must be a JSON array"),
    "value_error": _tell_value,
}
"""A sentence for each of pydantic's error types that a body of REST can meet."""
