"""Which kinds of events a reader can ask for: one kind, or all of a kind of record.

`consent.withdrawn` is a kind of event, `consent` stands for all whose name begins so. What is not
among them is refused: a reader who waits for `consnt` would wait for ever.
"""

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import AfterValidator, WithJsonSchema

from api.errors import InvalidField
from api.index.events import EVENT_KINDS

RECORD_KINDS: Final = tuple(sorted({kind.partition(".")[0] for kind in EVENT_KINDS}))
"""Kinds of records that events are about."""

KINDS: Final = (*RECORD_KINDS, *EVENT_KINDS)
"""All that can be asked for."""

MAX_KINDS: Final = 32
"""Most kinds of one reader."""


def read_kinds(text: str | None) -> tuple[str, ...]:
    """Return the kinds of a query, with commas between; raises `InvalidField`."""
    if text is None:
        return ()
    kinds = tuple(text.split(","))
    if len(kinds) > MAX_KINDS:
        raise InvalidField("kinds", f"at most {MAX_KINDS} kinds are asked for at once")
    for place, kind in enumerate(kinds, start=1):
        if kind not in KINDS:
            raise InvalidField(
                "kinds",
                f"number {place} of the kinds is none; {_tell_known(kind)}",
                next_step="take the kinds from this list, with commas between",
                extra={"known": list(KINDS)},
            )
    return kinds


def _check_kind(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"this is no kind of event; {_tell_known(kind)}")
    return kind


EventKind = Annotated[
    str, AfterValidator(_check_kind), WithJsonSchema({"type": "string", "enum": list(KINDS)})
]
"""A kind of event, such as `consent.withdrawn`, or of record, such as `consent`."""


def _tell_known(kind: str) -> str:
    """Name the kinds that come near: those of the same record, or else the kinds of records."""
    record = kind.partition(".")[0]
    near: Sequence[str] = [one for one in EVENT_KINDS if one.partition(".")[0] == record]
    return f"there are: {', '.join(near or RECORD_KINDS)}"
