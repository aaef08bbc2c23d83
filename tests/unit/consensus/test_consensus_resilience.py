"""What sets of validators survive: the sentences, and the arithmetic judged by trying all cases."""

import re
from itertools import combinations
from pathlib import Path

import pytest

from consensus.quorum import compute_quorum
from consensus.resilience import compute_resilience, describe_resilience

SENTENCES = {
    1: "1 validator, a quorum is 1. None may be away, or no block becomes final. None may break "
    "the rules: one alone could make two different blocks final.",
    2: "2 validators, a quorum is 2. None may be away, or no block becomes final. None may break "
    "the rules: one alone could stop the ledger.",
    3: "3 validators, a quorum is 2. Up to 1 may be away; while more are, no block becomes final. "
    "None may break the rules: one alone could make two different blocks final.",
    4: "4 validators, a quorum is 3. Up to 1 may be away; while more are, no block becomes final. "
    "Up to 1 may break the rules without harm; 2 together could make two different blocks final.",
    6: "6 validators, a quorum is 4. Up to 2 may be away; while more are, no block becomes final. "
    "Up to 1 may break the rules without harm; 2 together could make two different blocks final.",
    7: "7 validators, a quorum is 5. Up to 2 may be away; while more are, no block becomes final. "
    "Up to 2 may break the rules without harm; 3 together could make two different blocks final.",
}


@pytest.mark.parametrize("count", SENTENCES)
def test_resilience_is_said_plainly(count: int) -> None:
    assert describe_resilience(count) == SENTENCES[count]


@pytest.mark.parametrize("count", range(1, 11))
def test_resilience_numbers_are_those_of_every_possible_case(count: int) -> None:
    """Forking needs two quorums whose common members all lie; a stop needs too few others."""
    found = compute_resilience(count)
    validators = frozenset(range(count))
    quorums = [frozenset(each) for each in combinations(validators, compute_quorum(count))]
    assert found.fork == min(len(one & other) for one in quorums for other in quorums)

    def survives(liars: int) -> bool:
        can_go_on = count - liars >= found.quorum
        return can_go_on and liars < found.fork

    assert found.absent == max(k for k in range(count) if count - k >= found.quorum)
    assert found.faulty == max(k for k in range(count) if survives(k))
    sentence = describe_resilience(count)
    assert f"{count} validator" in sentence
    assert f"a quorum is {found.quorum}." in sentence
    assert "{" not in sentence


@pytest.mark.parametrize("count", [1, 2, 3])
def test_resilience_of_small_sets_promises_no_harmless_fault(count: int) -> None:
    assert compute_resilience(count).faulty == 0
    assert "None may break the rules" in describe_resilience(count)


def test_operators_read_the_same_numbers() -> None:
    text = (Path(__file__).parents[3] / "docs/operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    assert [tuple(map(int, row)) for row in rows] == [
        (found.validators, found.quorum, found.absent, found.faulty, found.fork)
        for found in map(compute_resilience, range(1, 11))
    ]


def test_resilience_of_nobody_is_a_bug_of_the_caller() -> None:
    with pytest.raises(AssertionError):
        describe_resilience(0)
