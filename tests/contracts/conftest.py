import pytest

from tests.contracts.contract_harness import Ledger


@pytest.fixture
def ledger() -> Ledger:
    """A new ledger, on which nothing was recorded."""
    return Ledger()
