"""Yes/no fields: what a verifier needs to know, in place of the value that it follows from.

A verifier that asks "of age?" need not see the birth date. The issuer computes the answer when it
issues and puts it into the document as a field of its own, such as ``/over_18``; the schema has a
pointer for it like any other. So the issuer attests it, and the holder shows this field alone.

The value is ``{"on": "2026-11-22", "value": true}``: the answer, and the day of which it is true.
An age only grows, so "yes" stays yes; a "no", and every answer about an income, is of that day.
There is no "perhaps": what cannot be computed is refused, and so is a document that already says
something else than what its own values give.

A schema may declare its questions (:mod:`atesta_client.predicate_definitions`); then the ledger has
a hash of them, and whoever reads an answer knows what was asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, TypeAlias

from atesta_client.errors import DocumentRefused, ReasonCode
from atesta_client.pointers import Absent, JsonValue, get_value, parse_pointer
from atesta_client.schemas import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeAtLeast:
    """Whether so many years have passed since a birth date.

    Who was born on 29 February grows older on 1 March of other years.
    """

    pointer: str
    """Where the answer goes: a member of the document itself, such as ``/over_18``."""
    source: str
    """The birth date, a text such as ``1990-01-31``."""
    years: int
    """The age in whole years."""

    @property
    def rule(self) -> str:
        """The rule in plain words, to be read after its source."""
        return f"at least {self.years} years ago"

    def compute(self, value: JsonValue, on: date) -> bool:
        """Return the answer on a day; raises ``ValueError`` for what is no date, or a later one."""
        if not isinstance(value, str) or len(value) != len("1990-01-31"):
            raise ValueError("not a date such as 1990-01-31")
        born = date.fromisoformat(value)
        if born > on:
            raise ValueError("a date after the day of reference")
        return (on.year - born.year) - ((on.month, on.day) < (born.month, born.day)) >= self.years


@dataclass(frozen=True, slots=True, kw_only=True)
class Below:
    """Whether a number is below a limit."""

    pointer: str
    """Where the answer goes: a member of the document itself, such as ``/income_below_limit``."""
    source: str
    """The number."""
    limit: int
    """The limit; the number itself is not below it."""

    @property
    def rule(self) -> str:
        """The rule in plain words, to be read after its source."""
        return f"below {self.limit}"

    def compute(self, value: JsonValue, _on: date) -> bool:
        """Return the answer; raises ``TypeError`` for what is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError("not a number")
        return value < self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    """Whether a text is one of a few."""

    pointer: str
    """Where the answer goes: a member of the document itself, such as ``/resident_here``."""
    source: str
    """The text."""
    values: frozenset[str]
    """The texts for which the answer is yes."""

    @property
    def rule(self) -> str:
        """The rule in plain words, to be read after its source."""
        return f"one of {', '.join(sorted(self.values))}"

    def compute(self, value: JsonValue, _on: date) -> bool:
        """Return the answer; raises ``TypeError`` for what is no text."""
        if not isinstance(value, str):
            raise TypeError("not a text")
        return value in self.values


Predicate: TypeAlias = AgeAtLeast | Below | OneOf
"""A question with a yes or no that an issuer can answer from a document."""

_NO_ANSWER: Final = "is no answer of yes or no with its day"


def with_predicates(
    document: JsonValue, schema: Schema, predicates: Iterable[Predicate], *, on: date
) -> dict[str, JsonValue]:
    """Return the document with the answer to each question, true of the day ``on``.

    Call it before the credential is made. Raises :class:`DocumentRefused` with the pointer of the
    answer: the schema has no such field, the source is absent or cannot be judged, or the document
    already holds another answer. The refusal never quotes a value.
    """
    if not isinstance(document, dict):
        raise _refuse("", "is no object, so no answer can be added")
    answered = dict(document)
    for predicate in predicates:
        schema.get_index(predicate.pointer)
        tokens = parse_pointer(predicate.pointer)
        if len(tokens) != 1:
            raise _refuse(predicate.pointer, "is no member of the document itself")
        source = get_value(document, parse_pointer(predicate.source))
        if isinstance(source, Absent):
            raise _refuse(predicate.pointer, f"needs {predicate.source!r}, which is absent")
        try:
            answer = {"on": on.isoformat(), "value": predicate.compute(source, on)}
        except (TypeError, ValueError):
            raise _refuse(
                predicate.pointer, f"cannot be judged by what {predicate.source!r} holds"
            ) from None
        if tokens[0] in answered and not _is_answer(answered[tokens[0]], answer):
            raise _refuse(predicate.pointer, "contradicts what the document's own values give")
        answered[tokens[0]] = answer
    return answered


def complete_document(
    document: JsonValue, schema: Schema, predicates: Iterable[Predicate], *, today: date
) -> dict[str, JsonValue]:
    """Return the document with the answer to every question that its schema asks.

    An answer that the document already gives is computed again for its own day, which may be past,
    and kept if it is right; the others are computed for ``today``. A day to come is refused, but
    for tomorrow: east of the clock that tells ``today`` it has begun. Raises what
    :func:`with_predicates` raises.
    """
    for predicate in predicates:
        given = get_value(document, parse_pointer(predicate.pointer))
        on = today
        if not isinstance(given, Absent):
            try:
                _, on = read_answer(given)
            except DocumentRefused:
                raise _refuse(predicate.pointer, _NO_ANSWER) from None
            if on > today + timedelta(days=1):
                raise _refuse(predicate.pointer, "answers for a day to come")
        document = with_predicates(document, schema, [predicate], on=on)
    if not isinstance(document, dict):
        raise _refuse("", "is no object, so no answer can be added")
    return document


def read_answer(value: JsonValue) -> tuple[bool, date]:
    """Return a shown answer and its day; raises :class:`DocumentRefused` if it is none."""
    if isinstance(value, dict) and set(value) == {"on", "value"}:
        answer, day = value["value"], value["on"]
        if isinstance(answer, bool) and isinstance(day, str):
            try:
                return answer, date.fromisoformat(day)
            except ValueError:
                pass
    raise _refuse("", _NO_ANSWER)


def _is_answer(given: JsonValue, answer: Mapping[str, JsonValue]) -> bool:
    """Return whether a document gives exactly this answer; 1 is not true."""
    return given == answer and isinstance(given["value"], bool)


def _refuse(pointer: str, message: str) -> DocumentRefused:
    return DocumentRefused(
        ReasonCode.DOCUMENT_MALFORMED, f"the field {pointer!r} {message}", pointer=pointer
    )
