"""What has gone wrong in other implementations; each case names the report that it comes from."""

import pytest

from consensus.buffers import MAX_HEIGHTS_AHEAD, MAX_MESSAGES, FutureBuffer
from consensus.effects import Effect
from consensus.errors import InvalidHeader, InvalidMessage
from consensus.events import TimerKind
from consensus.genesis_config import QbftConfig
from consensus.header import compute_block_hash, with_seals
from consensus.header_rules import HeaderRules, validate_proposed_header, validate_seals
from consensus.justification import (
    validate_proposal,
    validate_round_change,
    validate_round_changes,
)
from consensus.messages import RoundChange, get_round
from consensus.payloads import compute_digest
from consensus.quorum import compute_faulty, compute_quorum
from consensus.timeouts import MAX_DOUBLINGS, compute_round_timeout_ms
from consensus.types import Height, Round
from tests.simulation.cluster import Cluster
from tests.simulation.forge import (
    make_block,
    make_certificate,
    make_commit,
    make_prepare,
    make_proposal,
    make_round_change,
)
from tests.simulation.keys import CONTRACT, KEYS
from tests.simulation.model_chain import ModelChain, in_round
from tests.simulation.solo import CONFIG, Solo, imports, rejections, sent, validations

V = [key.address for key in KEYS[:4]]


def finish_height_one(solo: Solo) -> None:
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    digest = compute_digest(block, Round(0))
    solo.receive(make_proposal(solo.keys[0], block, 0))
    solo.validated(digest)
    (final,) = imports(solo.receive(*(make_commit(solo.keys[i], 1, 0, digest) for i in (0, 2, 3))))
    solo.chain.import_block(final, now_s=solo.now_ms / 1000)
    solo.new_head(solo.chain.head)


def test_besu_1734_a_round_timer_that_fires_after_the_import_does_nothing() -> None:
    solo = Solo(me=2)
    finish_height_one(solo)
    effects: tuple[Effect, ...] = solo.expire(TimerKind.ROUND, height=1, round_number=0)
    effects += solo.expire(TimerKind.BLOCK, height=1, round_number=0)
    effects += solo.expire(TimerKind.REBROADCAST, height=1, round_number=0)
    assert effects == ()


def test_besu_1734_a_timer_that_fires_while_the_block_is_imported_does_nothing() -> None:
    solo = Solo(me=2)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    digest = compute_digest(block, Round(0))
    solo.receive(make_proposal(solo.keys[0], block, 0))
    solo.receive(*(make_commit(solo.keys[i], 1, 0, digest) for i in (0, 2, 3)))
    assert solo.expire(TimerKind.ROUND) == ()
    assert solo.receive(make_round_change(solo.keys[0], 1, 1)) == ()


def test_besu_1734_round_changes_for_a_final_height_are_ignored() -> None:
    solo = Solo(me=2)
    finish_height_one(solo)
    assert solo.receive(*(make_round_change(key, 1, 1) for key in solo.keys)) == ()
    assert solo.place == (2, 0)


@pytest.mark.parametrize("duplicated", ["prepare", "commit", "round change"])
def test_besu_827_duplicate_authors_do_not_fill_a_quorum(duplicated: str) -> None:
    solo = Solo(me=2)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    digest = compute_digest(block, Round(0))
    solo.receive(make_proposal(solo.keys[0], block, 0))
    solo.validated(digest)
    twice = solo.keys[2]
    if duplicated == "prepare":
        messages = [make_prepare(twice, 1, 0, digest)] * 3
        assert sent(solo.receive(*messages)) == []
    elif duplicated == "commit":
        messages_ = [make_commit(twice, 1, 0, digest)] * 3
        assert imports(solo.receive(*messages_)) == []
    else:
        wishes = [make_round_change(twice, 1, 1)] * 3
        assert sent(solo.receive(*wishes)) == []
        assert solo.place == (1, 0)


def test_besu_1671_duplicate_prepares_in_a_certificate_are_refused() -> None:
    solo = Solo(me=2)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    certificate = make_certificate([KEYS[0], KEYS[1], KEYS[1]], block, 0)
    with pytest.raises(InvalidMessage, match="prepares: one author is listed twice"):
        validate_round_change(
            make_round_change(KEYS[3], 1, 1, certificate), height=Height(1), validators=V
        )


def test_besu_989_duplicate_round_changes_in_a_proposal_are_refused() -> None:
    wishes = [make_round_change(KEYS[i], 1, 1).signed for i in (0, 1, 1)]
    with pytest.raises(InvalidMessage, match="round changes: one author is listed twice"):
        validate_round_changes(wishes, height=Height(1), target=Round(1), validators=V)


def test_besu_2449_duplicate_seals_do_not_fill_a_quorum() -> None:
    solo = Solo(me=2)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    digest = compute_digest(block, Round(0))
    seals = [KEYS[i].sign(digest) for i in (0, 1, 1)]
    with pytest.raises(InvalidHeader, match="a validator sealed twice"):
        validate_seals(with_seals(block.header, seals), V)


def test_besu_7875_a_block_proposed_again_is_judged_in_both_rounds() -> None:
    solo = Solo(me=3)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    certificate = make_certificate(solo.keys[:3], block, 0)
    wishes = [
        make_round_change(solo.keys[0], 1, 1, certificate),
        *(make_round_change(solo.keys[i], 1, 1) for i in (1, 3)),
    ]
    good = make_proposal(solo.keys[1], block, 1, wishes, certificate.prepares)
    assert compute_digest(in_round(block, Round(1)), Round(1)) != certificate.digest
    (request,) = validations(solo.receive(good))
    assert request.digest == compute_digest(block, Round(1))
    assert compute_block_hash(request.block.header) == compute_block_hash(block.header)


def test_besu_7875_a_block_that_names_another_round_is_refused() -> None:
    block = make_block(Solo(me=1).genesis, coinbase=KEYS[0], round_number=1)
    payload_round_0 = make_proposal(KEYS[0], block, 0)
    from dataclasses import replace

    from consensus.messages import Proposal
    from consensus.payloads import sign_payload

    payload = replace(payload_round_0.signed.payload, block=block)
    with pytest.raises(InvalidMessage, match="its block names round 1"):
        validate_proposal(
            Proposal(signed=sign_payload(payload, KEYS[0])),
            height=Height(1),
            validators=V,
            parent_coinbase=None,
        )


@pytest.mark.parametrize("target", [1, 2, 3])
def test_anchor_549_the_certificate_is_checked_from_the_first_later_round_on(target: int) -> None:
    solo = Solo(me=4 if target != 3 else 3)
    proposer = solo.keys[target % 4]
    block = make_block(solo.genesis, coinbase=proposer, round_number=target)
    effects = solo.receive(make_proposal(proposer, block, target))
    assert rejections(effects) == ["round changes: 0 authors where 3 are needed"]
    few = [make_round_change(solo.keys[i], 1, target) for i in (0, 1)]
    effects = solo.receive(make_proposal(proposer, block, target, few))
    assert rejections(effects) == ["round changes: 2 authors where 3 are needed"]


def test_anchor_549_a_prepared_block_cannot_be_passed_over() -> None:
    solo = Solo(me=3)
    prepared = make_block(solo.genesis, coinbase=solo.keys[0])
    certificate = make_certificate(solo.keys[:3], prepared, 0)
    fresh = make_block(solo.genesis, coinbase=solo.keys[1], round_number=1)
    wishes = [
        make_round_change(solo.keys[0], 1, 1, certificate),
        *(make_round_change(solo.keys[i], 1, 1) for i in (1, 3)),
    ]
    (reason,) = rejections(solo.receive(make_proposal(solo.keys[1], fresh, 1, wishes)))
    assert reason == "proposal: not the block of the highest prepared round"


def test_anchor_592_round_changes_may_name_different_blocks() -> None:
    solo = Solo(me=1)
    one = make_block(solo.genesis, coinbase=solo.keys[0])
    two = make_block(solo.genesis, coinbase=solo.keys[1], round_number=1)
    lower = make_certificate(solo.keys[:3], one, 0)
    higher = make_certificate(solo.keys[1:], two, 1)
    wishes = [
        make_round_change(solo.keys[0], 1, 2, lower),
        make_round_change(solo.keys[1], 1, 2, higher),
        make_round_change(solo.keys[3], 1, 2),
    ]
    again = make_proposal(solo.keys[2], two, 2, wishes, higher.prepares)
    assert len(validations(solo.receive(again))) == 1


def test_ibft_quorum_of_six_cannot_be_two_disjoint_halves() -> None:
    assert compute_quorum(6) == 4
    for count in range(1, 65):
        quorum, faulty = compute_quorum(count), compute_faulty(count)
        assert 2 * quorum - count > faulty, "two quorums share an honest validator"
        assert count - faulty >= quorum, "the honest validators are a quorum"


def test_ibft_a_final_block_is_not_made_final_again_with_other_seals() -> None:
    solo = Solo(me=2)
    finish_height_one(solo)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    digest = compute_digest(block, Round(0))
    votes = [make_commit(solo.keys[i], 1, 0, digest) for i in (1, 2, 3)]
    assert solo.receive(make_proposal(solo.keys[0], block, 0), *votes) == ()


def test_ibft_the_name_of_a_block_does_not_depend_on_its_seals() -> None:
    block = make_block(Solo(me=1).genesis, coinbase=KEYS[0])
    digest = compute_digest(block, Round(0))
    sealed = [
        with_seals(block.header, [KEYS[i].sign(digest) for i in sealers])
        for sealers in ((0, 1, 2), (1, 2, 3))
    ]
    assert sealed[0] != sealed[1]
    assert compute_block_hash(sealed[0]) == compute_block_hash(sealed[1])


def test_quorum_1681_an_outage_does_not_use_up_rounds_or_patience() -> None:
    cluster = Cluster(validators=4, seed=3)
    cluster.start()
    assert cluster.run_until_height(2)
    for name in ("v3", "v4"):
        cluster.nodes[name].crash()
    cluster.run_for(3_600_000)
    assert cluster.height <= 3
    assert max(node.rounds_seen.get(cluster.height + 1, 0) for node in cluster.honest) <= 3
    for name in ("v3", "v4"):
        cluster.nodes[name].start()
    assert cluster.run_until_height(cluster.height + 1, limit_ms=20_000)


def test_quorum_1692_timeouts_are_capped() -> None:
    config = QbftConfig(request_timeout_s=10)
    cap_ms = compute_round_timeout_ms(config, Round(MAX_DOUBLINGS))
    assert compute_round_timeout_ms(config, Round(15)) == cap_ms == 640_000


def test_besu_8307_consensus_restarts_above_a_synced_block() -> None:
    cluster = Cluster(validators=4, seed=8)
    cluster.start()
    cluster.network.partition([["v1", "v2", "v3"], ["v4"]])
    assert not cluster.run_until_height(30, limit_ms=40_000)
    cluster.network.heal()
    assert cluster.run_until_height(cluster.height + 2, limit_ms=15_000)
    reached = cluster.nodes["v4"].head
    cluster.nodes["v1"].crash()  # now nothing becomes final without v4
    assert cluster.run_until_height(reached + 2, limit_ms=20_000)


def test_besu_2241_timestamp_bounds_are_exact_to_the_second() -> None:
    rules = HeaderRules(config=CONFIG)
    chain = ModelChain.create(rules, V)
    genesis = chain.head
    header = make_block(genesis, coinbase=KEYS[0]).header
    from dataclasses import replace

    def is_valid(timestamp: int, now_s: float) -> bool:
        try:
            validate_proposed_header(
                replace(header, timestamp=timestamp), genesis, V, now_s=now_s, rules=rules
            )
        except InvalidHeader as fault:
            return not str(fault).startswith("timestamp")
        return True

    due = genesis.timestamp + 1
    assert is_valid(due, now_s=due)
    assert is_valid(due, now_s=due - 1)
    assert not is_valid(due, now_s=due - 1.001)
    assert not is_valid(due - 1, now_s=due)


def test_besu_2777_a_builder_never_goes_below_parent_plus_period() -> None:
    from consensus.timeouts import compute_timestamp

    genesis = Solo(me=1).genesis
    for now_ms in (0, genesis.timestamp * 1000 + 1_999, genesis.timestamp * 1000 + 2_000):
        timestamp = compute_timestamp(CONFIG, genesis, now_ms)
        assert timestamp >= genesis.timestamp + CONFIG.block_period_s
        assert timestamp <= max(now_ms // 1000, genesis.timestamp + 1)


@pytest.mark.parametrize("lag_ms", [150, 300, 900])
def test_celo_1285_a_lagging_clock_misses_no_block(lag_ms: int) -> None:
    cluster = Cluster(validators=4, seed=lag_ms)
    for name in ("v2", "v3"):
        cluster.nodes[name].temper.clock_offset_ms = -lag_ms
    cluster.start()
    assert cluster.run_until_height(8, limit_ms=60_000)
    assert all(number == 0 for node in cluster.honest for number in node.rounds_seen.values())


def test_besu_10897_floods_of_future_messages_stay_bounded() -> None:
    solo = Solo(me=2)
    digest = compute_digest(make_block(solo.genesis, coinbase=solo.keys[0]), Round(0))
    buffer = FutureBuffer()
    for height in range(1, MAX_HEIGHTS_AHEAD + 1):
        for number in range(60):
            buffer.add(make_prepare(solo.keys[3], height, number, digest), 200, V)
    assert len(buffer) == MAX_MESSAGES // 5
    assert buffer.add(make_prepare(solo.keys[0], 2, 0, digest), 200, V)
    assert buffer.take(Height(1), Round(0))  # the nearest messages are those that stay


def test_besu_11102_messages_far_ahead_are_not_kept() -> None:
    solo = Solo(me=2)
    digest = compute_digest(make_block(solo.genesis, coinbase=solo.keys[0]), Round(0))
    far = make_prepare(solo.keys[3], 1 + MAX_HEIGHTS_AHEAD + 1, 0, digest)
    assert solo.receive(far) == ()
    assert not solo.engine.is_relevant(far)


def test_celo_182_one_validator_cannot_drag_us_through_rounds() -> None:
    solo = Solo(me=3)
    for target in range(1, 1_000, 37):
        solo.receive(make_round_change(solo.keys[0], 1, target))
    assert solo.place == (1, 0)
    assert sent(solo.log) == []
    (reason,) = rejections(solo.receive(make_round_change(solo.keys[0], 1, 1_001)))
    assert "target round 1001" in reason


def test_besu_6398_a_dead_proposer_is_replaced_under_an_empty_block_period() -> None:
    config = QbftConfig(validator_contract=CONTRACT, empty_block_period_s=30)
    cluster = Cluster(validators=5, seed=5, config=config)
    cluster.start()
    cluster.nodes["v1"].crash()
    cluster.run_for(3_000)
    assert cluster.height == 0, "nothing to do yet"
    cluster.submit(b"\x01work")
    assert cluster.run_until_height(1, limit_ms=8_000)


def test_besu_8425_one_of_five_down_and_a_second_validator_joins() -> None:
    config = QbftConfig(validator_contract=CONTRACT, empty_block_period_s=5)
    cluster = Cluster(validators=5, spares=1, seed=6, config=config)
    cluster.start()
    cluster.nodes["v5"].crash()
    cluster.submit(b"\x02" + KEYS[5].address)
    assert cluster.run_until_height(1, limit_ms=30_000)
    for number in range(4):
        cluster.submit(b"\x01work%d" % number)
        assert cluster.run_until_height(cluster.height + 1, limit_ms=60_000)
    assert KEYS[5].address in cluster.nodes["v1"].chain.validators
    assert cluster.nodes["v6"].core is not None
    assert cluster.nodes["v6"].core.engine.is_validating


def test_besu_10917_an_idle_network_makes_its_empty_blocks_with_one_dead() -> None:
    config = QbftConfig(validator_contract=CONTRACT, empty_block_period_s=4)
    cluster = Cluster(validators=4, seed=7, config=config)
    cluster.start()
    cluster.nodes["v2"].crash()
    assert cluster.run_until_height(6, limit_ms=60_000)


def test_restarted_proposer_does_not_propose_another_block() -> None:
    solo = Solo(me=1)
    block = make_block(solo.genesis, coinbase=solo.key)
    said = sent(solo.built(block))
    again = Solo(me=1, record=solo.record, is_started=False)
    assert sent(again.new_head(again.genesis)) == [said[-1]]
    assert sent(again.expire(TimerKind.BLOCK)) == []
    other = make_block(solo.genesis, coinbase=solo.key)
    from dataclasses import replace

    other = replace(other, transactions=(b"\x01else",))
    assert sent(again.built(other)) == []


def test_restarted_validator_keeps_its_certificate() -> None:
    solo = Solo(me=4)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    digest = compute_digest(block, Round(0))
    solo.receive(make_proposal(solo.keys[0], block, 0))
    solo.validated(digest)
    solo.receive(*(make_prepare(solo.keys[i], 1, 0, digest) for i in (0, 1)))
    again = Solo(me=4, record=solo.record, is_started=False)
    again.new_head(again.genesis)
    (message,) = sent(again.expire(TimerKind.ROUND))
    assert isinstance(message, RoundChange)
    assert get_round(message) == 1
    assert message.block == block
    assert again.record.prepared == solo.record.prepared
