"""What REST calls final, put into the words that the network behind it bears out.

The handlers speak of a ledger of ours, where what they read has quorum seals. In front of another
network this is the one place where an answer or a refusal is reworded on its way out: nothing in it
says that something is final, a settled write is `reported`, and a header of every answer says who
vouches.

Only sentences of this program are reworded. What agencies wrote, in a document or a public text,
leaves as it is.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from api.finality import Finality
from api.rest.answers import FinalityFacts
from api.rest.values import Model, OperationState

HEADER: Final = "Atesta-Finality"
"""Set on every answer of REST: `quorum_seals` or `as_reported`."""

_SENTENCES: Final = (
    (
        re.compile(r"has not seen a final block"),
        "has seen no block that the network reports to stay",
    ),
    (re.compile(r"may not be final yet"), "may not be reported yet"),
    (re.compile(r"\bfinal (block|one)\b"), r"\1 as reported by that network"),
    # A record's state is final where the contract lets it change no more: no word about blocks.
    (re.compile(r"(?<!state is )\bfinal\b"), "reported by that network"),
)
"""What is said of a ledger of ours, and what in front of another network; in this order."""

_SPOKEN: Final = frozenset({"detail", "next_step", "problem"})
"""Members that hold a sentence of this program in every model."""

_SPOKEN_BESIDE: Final = frozenset({"text", "reason"})
"""Members that do so in findings, and hold words of people elsewhere."""

_OF_FINDINGS: Final = frozenset({"code", "next_step", "rule"})
"""A model with one of these is a finding."""


def restate(model: Model, finality: Finality) -> Model:
    """Return an answer in the network's words; the same object on a ledger of ours."""
    return model if finality.is_final else _restate(model)


def restate_problem(problem: Mapping[str, Any], finality: Finality) -> dict[str, Any]:
    """Return a problem document in the network's words."""
    return dict(problem) if finality.is_final else _restate_problem(problem)


def view_finality(finality: Finality) -> FinalityFacts:
    """Return who vouches for what was read."""
    return FinalityFacts(
        kind=finality.kind.value, block_tag=finality.tag, statement=finality.statement
    )


def read_state(state: str | None) -> str | None:
    """Return the state of an operation as the outbox stores it, for one that a caller named."""
    return OperationState.FINAL.value if state == OperationState.REPORTED.value else state


def _restate_problem(problem: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _reword(value) if name in _SPOKEN and isinstance(value, str) else value
        for name, value in problem.items()
    }


def _restate_member(name: str, value: Any, spoken: frozenset[str]) -> Any:
    if name == "final" and value is True:
        return False
    # A word of an enumeration is a string too, and no sentence.
    if name in spoken and type(value) is str:
        return _reword(value)
    if name == "refusal" and isinstance(value, Mapping):
        return _restate_problem(value)
    return _restate(value)


def _restate(value: Any) -> Any:
    if value is OperationState.FINAL:
        return OperationState.REPORTED
    if isinstance(value, Model):
        known = type(value).model_fields.keys()
        spoken = _SPOKEN | _SPOKEN_BESIDE if known & _OF_FINDINGS else _SPOKEN
        return value.model_copy(
            update={name: _restate_member(name, inner, spoken) for name, inner in value}
        )
    if isinstance(value, list):
        return [_restate(item) for item in value]
    return value


def _reword(sentence: str) -> str:
    for said, instead in _SENTENCES:
        sentence = said.sub(instead, sentence)
    return sentence
