"""The words of states by kind of record: what lists filter by, and what events tell."""

from collections.abc import Mapping
from typing import Final

from api.index.law_events import POLICY_PROPOSED
from api.rest.values import State
from api.rest.views import find_state_code
from api.rest.words import ExchangeStatus, encode_word
from contracts.codes import AgencyStatus, PeriodState, ProposalStatus

RECORD_STATES: Final[Mapping[str, int]] = {
    state.value: find_state_code(state) for state in State if state is not State.ERASED
}
"""Of most records; only what is attested is ever erased."""

EXCHANGE_STATES: Final[Mapping[str, int]] = {
    status.value: encode_word(status)
    for status in ExchangeStatus
    if status is not ExchangeStatus.VOID_SIGNED
}
POLICY_STATES: Final[Mapping[str, int]] = {**RECORD_STATES, "proposed": POLICY_PROPOSED}
PERIOD_STATES: Final[Mapping[str, int]] = {state.name.lower(): int(state) for state in PeriodState}

_ATTESTED: Final[Mapping[str, int]] = {state.value: find_state_code(state) for state in State}
_BY_KIND: Final[Mapping[str, Mapping[str, int]]] = {
    "agency": {status.name.lower(): int(status) for status in AgencyStatus},
    "attestation": _ATTESTED,
    "batch": _ATTESTED,
    "leaf": _ATTESTED,
    "exchange": EXCHANGE_STATES,
    "period": PERIOD_STATES,
    "policy": POLICY_STATES,
    "proposal": {status.name.lower(): int(status) for status in ProposalStatus},
}


def name_state(kind: str, state: int | None) -> str | None:
    """Return the word of a state of a kind of record; None for none.

    A number that this version does not know is told as such.
    """
    if state is None:
        return None
    words = _BY_KIND.get(kind, RECORD_STATES)
    return next((word for word, code in words.items() if code == state), str(state))
