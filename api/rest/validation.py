"""From what a model finds wrong to a refusal that names the field and never repeats its value.

pydantic has an error type for each way in which a value can be wrong, and a text for programmers.
Callers get a sentence of our own for each type that our models can raise; limits and words in it
are the model's, never the caller's. A fault between several members names all of them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import ValidationError

from api.errors import InvalidField, UserFault
from api.rest.faults import Contradiction

Context = Mapping[str, Any]

BODY: Final = "body"
"""Names the whole body, where no member of it is at fault."""

_PLACE: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
"""What may stand in the name of a field. A member of another name is only counted as unknown."""


def translate_validation(error: ValidationError) -> UserFault:
    """Name the first field at fault, and say in a sentence what is wrong with it."""
    first = error.errors(include_url=False, include_input=False)[0]
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
    return InvalidField(".".join(place) or BODY, describe(first["type"], context))


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


def _tell_words(context: Context) -> str:
    words = re.findall(r"'([^']*)'", str(context["expected"]))
    return "must be " + (f"`{words[0]}`" if len(words) == 1 else f"one of: {', '.join(words)}")


def _tell_value(context: Context) -> str:
    """Our own checks say in their own words what is wrong."""
    return str(context["error"])


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
    "string_pattern_mismatch": _say("this text does not have the form that the field asks for"),
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
