"""A pytest plugin that plants one bug for a whole run, to see which tests notice it.

ATESTA_MUTANT=no-jump python -m pytest -p tests.simulation.plant tests/unit/consensus -x
"""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def _planted_bug() -> Iterator[None]:
    from tests.simulation.mutants import MUTANTS

    with MUTANTS[os.environ["ATESTA_MUTANT"]].in_force():
        yield
