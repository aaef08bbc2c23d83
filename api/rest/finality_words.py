"""What REST calls final, put into the words that the network behind it bears out.

The handlers speak of a ledger of ours, where what they read has quorum seals. In front of another
network this is the one place where an answer is reworded on its way out: nothing in it says that
something is final, a settled write is `reported`, and a header of every answer says who vouches.
"""

from typing import Any, Final

from api.finality import Finality
from api.rest.answers import FinalityFacts
from api.rest.values import Model, OperationState

HEADER: Final = "Atesta-Finality"
"""Set on every answer of REST: `quorum_seals` or `as_reported`."""

_SENTENCES: Final = (
    ("has not seen a final block", "has seen no block that the network reports to stay"),
    ("may not be final yet", "may not be reported yet"),
)
"""What findings say of a ledger of ours, and what they say in front of another network."""


def restate(model: Model, finality: Finality) -> Model:
    """Return an answer in the network's words; the same object on a ledger of ours."""
    return model if finality.is_final else _restate(model)


def view_finality(finality: Finality) -> FinalityFacts:
    """Return who vouches for what was read."""
    return FinalityFacts(
        kind=finality.kind.value, block_tag=finality.tag, statement=finality.statement
    )


def read_state(state: str | None) -> str | None:
    """Return the state of an operation as the outbox stores it, for one that a caller named."""
    return OperationState.FINAL.value if state == OperationState.REPORTED.value else state


def _restate_member(name: str, value: Any) -> Any:
    if name == "final" and value is True:
        return False
    if name in {"text", "next_step"} and isinstance(value, str):
        for said, instead in _SENTENCES:
            value = value.replace(said, instead)
    return _restate(value)


def _restate(value: Any) -> Any:
    if value is OperationState.FINAL:
        return OperationState.REPORTED
    if isinstance(value, Model):
        return value.model_copy(
            update={name: _restate_member(name, inner) for name, inner in value}
        )
    if isinstance(value, list):
        return [_restate(item) for item in value]
    return value
