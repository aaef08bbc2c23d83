"""Yes/no fields in a command line: `/over_18=age_at_least(/born, 18)`."""

import re
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from atesta_client.pointers import JsonValue
    from atesta_client.predicates import Predicate

OPTION: Final = "--predicate"

PredicateOption = Annotated[
    list[str] | None,
    typer.Option(
        OPTION,
        help="A yes/no field, computed when a document is issued; several times."
        " '/over_18=age_at_least(/born, 18)', '/poor=below(/income, 10000)',"
        " '/local=one_of(/place, MO, ZH)'.",
    ),
]

_WORDS: Final = re.compile(
    r"(?P<pointer>/[^=]*)=(?P<kind>age_at_least|below|one_of)"
    r"\((?P<source>/[^,]*),(?P<rest>.+)\)"
)
_MEMBERS: Final = {"age_at_least": "years", "below": "limit"}


def read_predicates(words: list[str] | None) -> "list[Predicate]":
    """Read yes/no fields; raises `UserFault` that shows the form."""
    return [_read(text) for text in words or ()]


def _read(text: str) -> "Predicate":
    from atesta_client.errors import SchemaInvalid
    from atesta_client.predicate_definitions import read_predicate

    from node.errors import UserFault

    found = _WORDS.fullmatch(text.strip())
    if found is None:
        raise UserFault(
            f"is a field, a rule and its source, as in '/over_18=age_at_least(/born, 18)',"
            f" not {text!r}",
            field=OPTION,
        )
    kind, rest = found["kind"], [word.strip() for word in found["rest"].split(",")]
    members: dict[str, JsonValue] = {
        "kind": kind,
        "pointer": found["pointer"].strip(),
        "source": found["source"].strip(),
    }
    try:
        if kind in _MEMBERS:
            members[_MEMBERS[kind]] = int(",".join(rest))
        else:
            members["values"] = [*rest]
        return read_predicate(members)
    except (SchemaInvalid, ValueError) as error:
        reason = error.message if isinstance(error, SchemaInvalid) else "needs a whole number"
        raise UserFault(f"{text!r}: {reason}", field=OPTION) from None
