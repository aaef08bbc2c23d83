"""All acts by name."""

from collections.abc import Mapping
from typing import Final

from api.acts.act import Act
from api.acts.bases import BASIS_ACTS
from api.acts.catalogue import CATALOGUE_ACTS
from api.acts.consents import CONSENT_ACTS
from api.acts.exchange_request import REQUEST_ACTS
from api.acts.exchanges import EXCHANGE_ACTS
from api.acts.governance import GOVERNANCE_ACTS
from api.acts.key_bindings import KEY_BINDING_ACTS
from api.acts.mandates import MANDATE_ACTS
from api.acts.periods import PERIOD_ACTS
from api.acts.policies import POLICY_ACTS
from api.acts.posts import POST_ACTS
from api.acts.stops import STOP_ACTS
from api.acts.withdrawals import WITHDRAWAL_ACTS
from api.errors import NotFound
from api.near_names import ask_whether

_LISTED: Final[tuple[Act, ...]] = (
    *CATALOGUE_ACTS,
    *BASIS_ACTS,
    *STOP_ACTS,
    *MANDATE_ACTS,
    *POLICY_ACTS,
    *KEY_BINDING_ACTS,
    *CONSENT_ACTS,
    *WITHDRAWAL_ACTS,
    *REQUEST_ACTS,
    *EXCHANGE_ACTS,
    *PERIOD_ACTS,
    *POST_ACTS,
    *GOVERNANCE_ACTS,
)

ACTS: Final[Mapping[str, Act]] = {act.name: act for act in _LISTED}
"""Every act that goes through the framework, in the order of the documentation."""

assert len(ACTS) == len(_LISTED), "two acts share a name"


def get_act(name: str) -> Act:
    """Return an act by name; raises `NotFound`."""
    act = ACTS.get(name)
    if act is None:
        error = NotFound("there is no act with this name", field="act", code="act_not_found")
        error.next_step = f"GET /v1/acts lists the names{ask_whether(name, ACTS)}"
        raise error
    return act


def find_acts(contract: str, function: str) -> tuple[Act, ...]:
    """Return the acts that call a function of a contract."""
    return tuple(
        act for act in ACTS.values() if (act.contract, act.function) == (contract, function)
    )
