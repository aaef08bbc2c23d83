"""Every machine of random histories again, over more and longer histories; with --long only."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.contracts.test_contracts_catalogue import CatalogueHistories
from tests.contracts.test_contracts_histories import LedgerHistories
from tests.contracts.test_contracts_law_histories import WholeLawHistories
from tests.contracts.test_contracts_mandates import MandateHistories
from tests.contracts.test_contracts_periods import ExchangeHistories
from tests.contracts.test_contracts_policies import PolicyHistories
from tests.contracts.test_contracts_stops import LawHistories
from tests.contracts.test_contracts_withdrawals import ConsentHistories

MACHINES: tuple[type[RuleBasedStateMachine], ...] = (
    CatalogueHistories,
    ConsentHistories,
    ExchangeHistories,
    LawHistories,
    LedgerHistories,
    MandateHistories,
    PolicyHistories,
    WholeLawHistories,
)
LONG = settings(max_examples=30, stateful_step_count=100, deadline=None)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("machine", MACHINES)
def test_invariants_hold_over_long_histories(machine: Any) -> None:
    run_state_machine_as_test(machine, settings=LONG)
