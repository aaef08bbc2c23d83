"""A proposer that is away costs less than a block period and a timeout, however often its turn is.

On the virtual clock, messages take 10 ms. Without faults a height takes one period and the few
messages of agreeing. Each turn of a proposer that is away adds the first round's timeout; the next
height begins with round 0 again, so the costs never add up, and as long as no two in a row are
away, no second timeout is ever waited for.
"""

import pytest

from consensus.genesis_config import QbftConfig
from consensus.proposer import select_proposer
from consensus.types import Round
from tests.simulation.cluster import Cluster
from tests.simulation.keys import CONTRACT

MESSAGE_MS = 10
AGREEING_MS = 100
"""More than a proposal, its execution, two votes and a round change take together."""


def make_cluster(validators: int, config: QbftConfig) -> Cluster:
    cluster = Cluster(validators=validators, config=config)
    quality = cluster.network.quality
    quality.min_delay_ms = quality.max_delay_ms = MESSAGE_MS
    cluster.start()
    return cluster


def make_config(
    period_s: int = 1, timeout_s: int = 1, *, empty_s: int = 0, period_ms: int | None = None
) -> QbftConfig:
    return QbftConfig(
        validator_contract=CONTRACT,
        block_period_s=period_s,
        block_period_ms=period_ms,
        empty_block_period_s=empty_s,
        request_timeout_s=timeout_s,
    )


def measure_heights(cluster: Cluster, count: int) -> list[tuple[int, int]]:
    """Return, for each of the next heights, the turns that were missed and how long it took (ms).

    A turn is missed if the validator that should propose in that round is down.
    """
    down = {node.key.address for node in cluster.honest if node.key and not node.is_up}
    found = []
    for _ in range(count):
        node = next(node for node in cluster.honest if node.is_up)
        parent, validators = node.chain.head, node.chain.validators
        missed = 0
        while select_proposer(parent.coinbase, validators, Round(missed)) in down:
            missed += 1
        before_ms = cluster.clockwork.now_ms
        assert cluster.run_until_height(parent.number + 1, limit_ms=600_000)
        found.append((missed, cluster.clockwork.now_ms - before_ms))
        assert node.rounds_seen[parent.number + 1] == missed, "no round beyond the missed turns"
    return found


@pytest.mark.parametrize("absent", [1, 2, 3, 4])
@pytest.mark.parametrize(("period_s", "timeout_s"), [(1, 1), (1, 4), (2, 1), (5, 10)])
def test_missing_proposer_costs_less_than_a_period_and_a_timeout(
    absent: int, period_s: int, timeout_s: int
) -> None:
    cluster = make_cluster(4, make_config(period_s, timeout_s))
    assert cluster.run_until_height(3)
    cluster.nodes[f"v{absent}"].crash()
    heights = measure_heights(cluster, 90)
    turns = [took_ms for missed, took_ms in heights if missed]
    assert len(turns) >= 29, "its turn comes every third height: the repetition is real"
    assert all(missed <= 1 for missed, _ in heights)
    period_ms, timeout_ms = period_s * 1_000, timeout_s * 1_000
    assert max(turns) - period_ms < period_ms + timeout_ms, "the promise"
    assert max(turns) <= period_ms + timeout_ms + AGREEING_MS, "what it costs in fact"
    others = [took_ms for missed, took_ms in heights if not missed]
    assert max(others) <= period_ms + AGREEING_MS, "the other heights pay nothing"
    assert max(turns[-5:]) <= max(turns[:5]) + AGREEING_MS, "repetition makes it no dearer"


def test_missing_proposer_costs_the_same_with_periods_below_a_second() -> None:
    cluster = make_cluster(4, make_config(period_ms=300))
    assert cluster.run_until_height(3)
    cluster.nodes["v2"].crash()
    heights = measure_heights(cluster, 60)
    turns = [took_ms for missed, took_ms in heights if missed]
    assert len(turns) >= 19
    assert max(turns) <= 300 + 1_000 + AGREEING_MS
    assert max(took_ms for missed, took_ms in heights if not missed) <= 300 + AGREEING_MS


@pytest.mark.parametrize("count", [3, 4, 5, 6, 7, 8, 9, 10])
def test_missing_proposer_costs_one_timeout_in_every_size_that_survives_it(count: int) -> None:
    cluster = make_cluster(count, make_config())
    assert cluster.run_until_height(2)
    cluster.nodes["v1"].crash()
    heights = measure_heights(cluster, 3 * count)
    assert sum(missed for missed, _ in heights) >= 2
    for missed, took_ms in heights:
        assert took_ms <= 1_000 + missed * 1_000 + AGREEING_MS


def test_missing_proposers_in_a_row_cost_the_doubling_timeouts_and_no_more() -> None:
    """Two of seven: when both turns come one after the other, rounds of 1 s and 2 s are lost."""
    cluster = make_cluster(7, make_config())
    assert cluster.run_until_height(2)
    cluster.nodes["v3"].crash()
    cluster.nodes["v4"].crash()
    heights = measure_heights(cluster, 60)
    assert {missed for missed, _ in heights} == {0, 2}
    for missed, took_ms in heights:
        assert took_ms <= 1_000 + (2**missed - 1) * 1_000 + AGREEING_MS


def test_missing_proposer_delays_a_transaction_by_one_timeout_while_blocks_are_rare() -> None:
    """With an empty-block period nobody waits for the dead proposer until there is work to do."""
    cluster = make_cluster(4, make_config(empty_s=30, timeout_s=2))
    cluster.submit(b"first")
    assert cluster.run_until_height(1)
    cluster.nodes["v1"].crash()
    waits = []
    for number in range(12):
        cluster.run_for(5_000)
        before_ms, height = cluster.clockwork.now_ms, cluster.height
        cluster.submit(b"work %d" % number)
        assert cluster.run_until_height(height + 1)
        waits.append(cluster.clockwork.now_ms - before_ms)
    gossip_ms = 50
    assert max(waits) <= 2_000 + gossip_ms + AGREEING_MS
    assert sum(wait > 2_000 for wait in waits) >= 3, "the dead one's turns came"
    assert min(waits) <= gossip_ms + AGREEING_MS
