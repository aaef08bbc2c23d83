"""Small networks on a virtual clock, and a thousand schedules of faults."""

import pytest

from consensus.extra_data import VoteType, decode_extra_data
from consensus.genesis_config import QbftConfig
from consensus.quorum import compute_quorum
from contracts.addresses import REGISTRY
from tests.simulation.cluster import Cluster
from tests.simulation.keys import CONTRACT, KEYS
from tests.simulation.model_chain import ADD_VALIDATOR, DROP_VALIDATOR
from tests.simulation.schedule import PROFILES, make_schedule
from tests.simulation.simulator import simulate

SCHEDULES = 1_000
CHUNK = 50


@pytest.mark.parametrize("count", range(1, 8))
def test_cluster_makes_a_block_a_period(count: int) -> None:
    cluster = Cluster(validators=count, seed=count)
    cluster.start()
    assert cluster.run_until_height(5)
    assert cluster.clockwork.now_ms < 6_000
    assert all(number == 0 for node in cluster.honest for number in node.rounds_seen.values())


@pytest.mark.parametrize("count", [4, 5, 6, 7])
def test_cluster_goes_on_without_f_validators(count: int) -> None:
    cluster = Cluster(validators=count, seed=count)
    cluster.start()
    for number in range(1, (count - 1) // 3 + 1):
        cluster.nodes[f"v{number}"].crash()
    assert cluster.run_until_height(6)


@pytest.mark.parametrize("count", [4, 5, 6, 7])
def test_cluster_stands_still_without_a_quorum_and_then_goes_on(count: int) -> None:
    cluster = Cluster(validators=count, seed=count)
    cluster.start()
    assert cluster.run_until_height(2)
    gone = [f"v{number}" for number in range(1, count - compute_quorum(count) + 2)]
    height = cluster.height
    for name in gone:
        cluster.nodes[name].crash()
    cluster.run_for(60_000)
    assert cluster.height <= height + 1
    cluster.nodes[gone[0]].start()
    assert cluster.run_until_height(cluster.height + 2, limit_ms=30_000)


def test_cluster_twin_proposer_cannot_split_it_and_leaves_evidence() -> None:
    cluster = Cluster(validators=4, seed=4, byzantine=[1])
    cluster.network.has_relays = True
    cluster.make_traitor(1, frozenset({"twin"}))
    cluster.start()
    assert cluster.run_until_height(6)
    accused = {proof.author for node in cluster.honest for proof in node.evidence}
    assert accused == {KEYS[0].address}


def test_cluster_contract_changes_the_set_without_a_restart() -> None:
    cluster = Cluster(validators=4, spares=1, seed=9)
    cluster.start()
    cluster.submit(b"\x02" + KEYS[4].address)
    cluster.run_for(5_000)
    spare = cluster.nodes["v5"]
    assert spare.chain.validators == tuple(key.address for key in KEYS[:5])
    assert spare.core is not None
    assert spare.core.engine.is_validating
    proposers = {entry.block.header.coinbase for entry in spare.chain.entries[1:]}
    cluster.run_for(6_000)
    proposers |= {entry.block.header.coinbase for entry in spare.chain.entries[1:]}
    assert KEYS[4].address in proposers
    cluster.submit(DROP_VALIDATOR + KEYS[0].address)
    cluster.run_for(5_000)
    assert KEYS[0].address not in spare.chain.validators
    first = cluster.nodes["v1"]
    assert first.core is not None
    assert not first.core.engine.is_validating
    assert first.head >= spare.head - 1, "it follows by sync"


def test_cluster_elects_validators_by_header_votes() -> None:
    config = QbftConfig(epoch_length=1_000)
    cluster = Cluster(validators=4, spares=1, seed=10, config=config)
    for node in cluster.honest:
        node.votes.propose(KEYS[4].address, VoteType.ADD)
    cluster.start()
    assert cluster.run_until_height(5)
    header = cluster.nodes["v1"].chain.head
    assert decode_extra_data(header.extra_data).validators == tuple(key.address for key in KEYS[:5])
    for node in cluster.honest:
        node.votes.propose(KEYS[1].address, VoteType.DROP)
    assert cluster.run_until_height(10)
    assert KEYS[1].address not in cluster.nodes["v1"].chain.validators


def test_cluster_missing_proposer_costs_at_most_a_period_and_a_timeout() -> None:
    config = QbftConfig(validator_contract=CONTRACT)
    cluster = Cluster(validators=4, seed=11, config=config)
    cluster.start()
    cluster.nodes["v2"].crash()
    assert cluster.run_until_height(21, limit_ms=60_000)
    missed = 21 // 3  # the turn comes back to it after the three others
    assert cluster.clockwork.now_ms < 1_000 * (21 + missed + 1)


def test_cluster_follower_follows() -> None:
    cluster = Cluster(validators=4, observers=1, seed=12)
    cluster.start()
    assert cluster.run_until_height(5)
    assert cluster.nodes["o1"].head >= 5


@pytest.mark.parametrize("first", range(0, SCHEDULES, CHUNK))
def test_simulated_schedules_break_no_property(first: int) -> None:
    for seed in range(first, first + CHUNK):
        outcome = simulate(make_schedule(seed))
        assert outcome.is_good, f"{outcome.failure}\n{outcome.schedule.describe()}"


@pytest.mark.parametrize("profile", PROFILES)
def test_simulated_profile_breaks_no_property(profile: str) -> None:
    for seed in range(10_000, 10_006):
        outcome = simulate(make_schedule(seed, profile))
        assert outcome.is_good, f"{outcome.failure}\n{outcome.schedule.describe()}"


def test_simulated_schedule_is_the_same_every_time() -> None:
    traces: list[list[str]] = [[], []]
    for trace in traces:
        simulate(make_schedule(7), trace.append)
    assert traces[0] == traces[1]
    assert len(traces[0]) > 100


def test_cluster_real_registry_changes_the_set_by_vote_of_the_agencies() -> None:
    config = QbftConfig(validator_contract=REGISTRY)
    cluster = Cluster(validators=4, spares=1, seed=3, config=config, is_real=True)
    cluster.start()
    cluster.submit(ADD_VALIDATOR + KEYS[4].address)
    cluster.submit(DROP_VALIDATOR + KEYS[0].address)
    assert cluster.run_until_height(6)
    sets = [len(entry.validators) for entry in cluster.nodes["v2"].chain.entries]
    assert sets[0] == 4
    assert 5 in sets
    assert cluster.nodes["v5"].chain.validators == tuple(key.address for key in KEYS[1:5])
    spare = cluster.nodes["v5"]
    assert spare.core is not None
    assert spare.core.engine.is_validating


def test_simulated_schedules_run_on_the_real_chain_now_and_then() -> None:
    schedules = [make_schedule(seed) for seed in range(SCHEDULES)]
    real = [schedule for schedule in schedules if schedule.is_real]
    assert len(real) >= SCHEDULES // 100
    for is_contract_mode in (True, False):
        changed = [s for s in real if s.config.is_contract_mode is is_contract_mode and s.spares]
        assert len(changed) >= SCHEDULES // 500, "the set changes in either way"
    busy = next(s for s in real if any(fault.kind == "submit" for fault in s.faults))
    cluster = Cluster(validators=busy.validators, config=busy.config, seed=busy.seed, is_real=True)
    cluster.start()
    cluster.submit(b"\x01work")
    assert cluster.run_until_height(3)
    blocks = [entry.block for entry in cluster.nodes["v1"].chain.entries]
    assert sum(len(block.transactions) for block in blocks) == 1
    assert max(block.header.gas_used for block in blocks) > 21_000
