"""The yes/no fields among what is shown: who says so, of which day, and which question it was.

The field is attested like any other; its schema registered the question. Where the source is shown
too, the answer is computed again, so that an issuer's slip does not stand. This needs the schema's
text, which a node may not hold; then the fields are shown as fields only.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from atesta_client.errors import DocumentRefused
from atesta_client.pointers import ABSENT, Absent, JsonValue, get_value, parse_pointer
from atesta_client.predicates import Predicate, read_answer

from api.verification.answer import ShownAnswer
from api.verification.check import Check
from api.verification.findings import get_finding

FindPredicates = Callable[[bytes, bytes], Awaitable[tuple[Predicate, ...]]]
"""Returns the questions of a schema by its uid and the ledger's hash of its text."""


def check_answers(check: Check, predicates: tuple[Predicate, ...]) -> tuple[ShownAnswer, ...]:
    """Return the answers among the fields shown, and add what is wrong with one to the check."""
    tomorrow = datetime.fromtimestamp(check.now_s, UTC).date() + timedelta(days=1)
    shown = []
    for predicate in predicates:
        if predicate.pointer not in check.values:
            continue
        try:
            value, on = read_answer(check.values[predicate.pointer])
        except DocumentRefused:
            _refuse(check, "predicate_malformed", predicate)
            continue
        if on > tomorrow:
            _refuse(check, "predicate_malformed", predicate)
        elif _is_contradicted(predicate, check.values, value=value, on=on):
            _refuse(check, "predicate_contradicted", predicate)
        else:
            shown.append(
                ShownAnswer(pointer=predicate.pointer, value=value, on=on, predicate=predicate)
            )
    return tuple(shown)


def _is_contradicted(
    predicate: Predicate, values: dict[str, JsonValue], *, value: bool, on: date
) -> bool:
    """Return whether the source is shown too and gives another answer, or none."""
    source = _find_source(predicate.source, values)
    if isinstance(source, Absent):
        return False
    try:
        return predicate.compute(source, on) is not value
    except (TypeError, ValueError):
        return True


def _find_source(source: str, values: dict[str, JsonValue]) -> JsonValue | Absent:
    tokens = parse_pointer(source)
    for pointer, value in values.items():
        field = parse_pointer(pointer)
        if tokens[: len(field)] == field:
            return get_value(value, tokens[len(field) :])
    return ABSENT


def _refuse(check: Check, code: str, predicate: Predicate) -> None:
    check.reasons.append(replace(get_finding(code), field=predicate.pointer))
