"""A validator that was away catches up with the others, follows them, and proposes again.

The history is made offline: 120 blocks of 20 attestations. ATESTA_SYNC_BLOCKS asks for another
length, such as the 10,000 of docs/benchmarks.md; how fast it is, `scripts/bench sync` judges.
"""

import os

import pytest

from scripts.benchmarks.sync import measure

pytestmark = pytest.mark.processes

BLOCKS = int(os.environ.get("ATESTA_SYNC_BLOCKS", "120"))


def test_validator_that_was_away_catches_up_and_proposes_again() -> None:
    measured = measure(BLOCKS, print, is_indexed=False)
    assert measured.head > BLOCKS
    assert measured.followed_blocks >= 1
