"""What one engine does with each event of an undisturbed height."""

import pytest

from consensus.block import Block
from consensus.buffers import MAX_HEIGHTS_AHEAD
from consensus.effects import Broadcast, PersistSignState, ReportEvidence, SigningSkipped
from consensus.events import ImportFailed, NewHead, TimerKind, TransactionsPending
from consensus.evidence import validate_evidence
from consensus.genesis_config import QbftConfig
from consensus.header_rules import validate_sealed_header
from consensus.height_state import Phase
from consensus.messages import Commit, Prepare, Proposal, get_author
from consensus.payloads import compute_digest
from consensus.round_state import Verdict
from consensus.types import Height, Round
from tests.simulation.forge import (
    make_block,
    make_certificate,
    make_commit,
    make_prepare,
    make_proposal,
    make_round_change,
)
from tests.simulation.keys import CONTRACT
from tests.simulation.solo import (
    START_MS,
    Solo,
    builds,
    imports,
    pick,
    rejections,
    sent,
    timers,
    validations,
)


def test_engine_waits_for_the_period_before_it_sends() -> None:
    solo = Solo(me=1, is_started=False)
    solo.now_ms = START_MS + 400
    effects = solo.new_head(solo.genesis)
    assert sent(effects) == []
    assert builds(effects) == []
    assert timers(effects)[TimerKind.BLOCK] == 600
    assert solo.engine.phase is Phase.WAITING


def test_engine_counts_milliseconds_from_the_import() -> None:
    config = QbftConfig(validator_contract=CONTRACT, block_period_ms=250)
    solo = Solo(me=1, config=config, is_started=False)
    solo.now_ms = START_MS + 90_000
    assert timers(solo.new_head(solo.genesis))[TimerKind.BLOCK] == 250
    request = builds(solo.expire(TimerKind.BLOCK))[0]
    assert request.timestamp == solo.now_ms // 1000
    assert request.budget_ms == 125


def test_engine_proposer_builds_proposes_and_prepares() -> None:
    solo = Solo(me=1, is_started=False)
    solo.new_head(solo.genesis)
    solo.now_ms = START_MS + 3_700
    effects = solo.expire(TimerKind.BLOCK)
    (request,) = builds(effects)
    assert request.timestamp == START_MS // 1000 + 3
    assert request.coinbase == solo.key.address
    assert timers(effects)[TimerKind.ROUND] == 1_000
    block = make_block(solo.genesis, coinbase=solo.key)
    proposal, prepare = sent(solo.built(block))
    assert isinstance(proposal, Proposal)
    assert proposal.signed.payload.block == block
    assert isinstance(prepare, Prepare)
    assert prepare.signed.payload.digest == compute_digest(block, Round(0))


def test_engine_writes_its_record_before_it_sends() -> None:
    solo = Solo(me=1)
    effects = solo.built(make_block(solo.genesis, coinbase=solo.key))
    kinds = [type(e) for e in effects if isinstance(e, PersistSignState | Broadcast)]
    assert kinds == [PersistSignState, Broadcast, PersistSignState, Broadcast]
    pairs = zip(pick(effects, PersistSignState), pick(effects, Broadcast), strict=True)
    assert all(written.record.message == said.payload for written, said in pairs)


def test_engine_validates_then_prepares_then_commits_then_imports() -> None:
    solo = Solo(me=2)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    digest = compute_digest(block, Round(0))
    effects = solo.receive(make_proposal(solo.keys[0], block, 0))
    assert [request.digest for request in validations(effects)] == [digest]
    assert sent(effects) == []
    (prepare,) = sent(solo.validated(digest))
    assert isinstance(prepare, Prepare)
    assert sent(solo.receive(make_prepare(solo.keys[0], 1, 0, digest))) == []
    (commit,) = sent(solo.receive(make_prepare(solo.keys[2], 1, 0, digest)))
    assert isinstance(commit, Commit)
    assert sent(solo.receive(make_prepare(solo.keys[3], 1, 0, digest))) == []
    assert imports(solo.receive(make_commit(solo.keys[3], 1, 0, digest))) == []
    (final,) = imports(solo.receive(make_commit(solo.keys[0], 1, 0, digest)))
    validate_sealed_header(
        final.header,
        solo.genesis,
        solo.chain.validators,
        now_s=solo.now_ms / 1000,
        rules=solo.rules,
    )
    sealers = [get_author(m) for m in (make_commit(k, 1, 0, digest) for k in solo.keys)]
    assert sealers == sorted(sealers)
    assert solo.engine.phase is Phase.SEALED


def test_engine_imports_a_sealed_block_that_it_has_not_validated_yet() -> None:
    solo = Solo(me=2)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    digest = compute_digest(block, Round(0))
    solo.receive(make_proposal(solo.keys[0], block, 0))
    votes = [make_commit(solo.keys[i], 1, 0, digest) for i in (0, 2, 3)]
    assert len(imports(solo.receive(*votes))) == 1
    assert sent(solo.log) == []


def test_engine_sends_no_prepare_when_validation_is_cut_off_or_fails() -> None:
    for verdict in (Verdict.CUT_OFF, Verdict.INVALID):
        solo = Solo(me=2)
        block = make_block(solo.genesis, coinbase=solo.keys[0])
        digest = compute_digest(block, Round(0))
        solo.receive(make_proposal(solo.keys[0], block, 0))
        assert sent(solo.validated(digest, verdict)) == []
        others = [make_prepare(solo.keys[i], 1, 0, digest) for i in (0, 2, 3)]
        assert sent(solo.receive(*others)) == []


def test_engine_ignores_a_late_verdict_of_an_earlier_round() -> None:
    solo = Solo(me=2)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    solo.receive(make_proposal(solo.keys[0], block, 0))
    solo.expire(TimerKind.ROUND)
    assert sent(solo.validated(compute_digest(block, Round(0)))) == []


def test_engine_counts_votes_that_come_before_the_proposal() -> None:
    solo = Solo(me=2)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    digest = compute_digest(block, Round(0))
    solo.receive(*(make_prepare(solo.keys[i], 1, 0, digest) for i in (2, 3)))
    solo.receive(make_proposal(solo.keys[0], block, 0))
    prepare, commit = sent(solo.validated(digest))
    assert isinstance(prepare, Prepare)
    assert isinstance(commit, Commit)


def test_engine_does_not_count_votes_for_another_block() -> None:
    solo = Solo(me=2)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    other = compute_digest(make_block(solo.genesis, coinbase=solo.keys[3]), Round(0))
    digest = compute_digest(block, Round(0))
    solo.receive(make_proposal(solo.keys[0], block, 0))
    solo.validated(digest)
    assert sent(solo.receive(*(make_prepare(solo.keys[i], 1, 0, other) for i in (0, 2, 3)))) == []


def test_engine_rejects_a_commit_whose_seal_is_by_another() -> None:
    solo = Solo(me=2)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    digest = compute_digest(block, Round(0))
    effects = solo.receive(make_commit(solo.keys[2], 1, 0, digest, sealer=solo.keys[3]))
    assert rejections(effects) == ["commit: the seal is not by the author of the message"]


def test_engine_rejects_what_is_not_by_a_validator() -> None:
    solo = Solo(me=2, count=4)
    stranger = Solo(me=5, count=5).key
    effects = solo.receive(make_round_change(stranger, 1, 1))
    assert rejections(effects) == ["the author is not a validator of this height"]
    assert not solo.engine.is_relevant(make_round_change(stranger, 1, 1))


def test_engine_keeps_what_a_validator_says_that_joins_at_the_next_height() -> None:
    solo = Solo(me=2, count=4)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    joiner, nobody = (Solo(me=number, count=6).key for number in (5, 6))
    early = [make_round_change(key, 2, 1) for key in (joiner, nobody)]
    assert all(solo.engine.is_relevant(message) for message in early)
    assert not any(solo.engine.is_worth_passing_on(message) for message in early)
    assert solo.receive(*early) == ()
    validators = tuple(sorted((*solo.chain.validators, joiner.address)))
    effects = solo.step(NewHead(now_ms=solo.now_ms, header=block.header, validators=validators))
    assert rejections(effects) == ["the author is not a validator of this height"]
    assert solo.engine.is_worth_passing_on(early[0])
    # Two of five ask for round 1: with the joiner, one more than can be faulty.
    solo.now_ms += 5_000
    solo.expire(TimerKind.BLOCK)
    solo.receive(make_round_change(solo.keys[0], 2, 1))
    assert solo.place == (2, 1)


def test_engine_takes_in_nothing_of_strangers_beyond_the_heights_that_it_keeps() -> None:
    solo = Solo(me=2, count=4)
    stranger = Solo(me=5, count=5).key
    heights = [h for h in range(15) if solo.engine.is_relevant(make_round_change(stranger, h, 1))]
    assert heights == list(range(2, 2 + MAX_HEIGHTS_AHEAD))


def test_engine_rejects_a_proposal_out_of_turn_or_off_the_head() -> None:
    solo = Solo(me=2)
    block = make_block(solo.genesis, coinbase=solo.keys[2])
    assert rejections(solo.receive(make_proposal(solo.keys[2], block, 0))) == [
        "proposal: its author is not the proposer of the round"
    ]
    child = make_block(block.header, coinbase=solo.keys[0])
    effects = solo.receive(make_proposal(solo.keys[0], child, 0))
    assert rejections(effects) == []  # it is for height 2, and kept for later
    assert validations(solo.log) == []


def test_engine_round_zero_needs_the_author_as_coinbase() -> None:
    solo = Solo(me=2)
    block = make_block(solo.genesis, coinbase=solo.keys[3])
    (reason,) = rejections(solo.receive(make_proposal(solo.keys[0], block, 0)))
    assert "another coinbase" in reason


def test_engine_keeps_messages_of_the_next_height_until_it_is_there() -> None:
    solo = Solo(me=3)
    first = make_block(solo.genesis, coinbase=solo.keys[0])
    second = make_block(first.header, coinbase=solo.keys[1])
    digest = compute_digest(second, Round(0))
    solo.receive(
        make_prepare(solo.keys[0], 2, 0, digest),
        make_proposal(solo.keys[1], second, 0),
    )
    solo.now_ms += 1_000
    solo.new_head(first.header)
    effects = solo.expire(TimerKind.BLOCK)
    assert [request.digest for request in validations(effects)] == [digest]


def test_engine_holds_a_proposal_that_is_slightly_ahead_of_the_clock() -> None:
    solo = Solo(me=2)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    solo.now_ms = block.header.timestamp * 1000 - 1_300
    effects = solo.receive(make_proposal(solo.keys[0], block, 0))
    assert validations(effects) == []
    assert timers(effects)[TimerKind.EARLY_PROPOSAL] == 300
    solo.now_ms += 300
    assert len(validations(solo.expire(TimerKind.EARLY_PROPOSAL))) == 1


def test_engine_rejects_a_proposal_that_is_far_ahead_of_the_clock() -> None:
    solo = Solo(me=2)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    solo.now_ms = block.header.timestamp * 1000 - 2_001
    (reason,) = rejections(solo.receive(make_proposal(solo.keys[0], block, 0)))
    assert reason.startswith("timestamp")


def test_engine_reports_contradictions_as_evidence() -> None:
    solo = Solo(me=2)
    one = make_block(solo.genesis, coinbase=solo.keys[0])
    two = Block(header=one.header, transactions=(b"\x01another",), withdrawals=())
    other = make_block(solo.genesis, coinbase=solo.keys[1])
    digests = [compute_digest(block, Round(0)) for block in (one, other)]
    effects = (
        *solo.receive(make_proposal(solo.keys[0], one, 0), make_proposal(solo.keys[0], two, 0)),
        *solo.receive(*(make_prepare(solo.keys[2], 1, 0, digest) for digest in digests)),
        *solo.receive(*(make_commit(solo.keys[3], 1, 0, digest) for digest in digests)),
        *solo.receive(
            make_round_change(solo.keys[3], 1, 2),
            make_round_change(solo.keys[3], 1, 2, make_certificate(solo.keys[:3], one, 0)),
        ),
    )
    found = [effect.evidence for effect in pick(effects, ReportEvidence)]
    assert [evidence.code for evidence in found] == [0x12, 0x13, 0x14, 0x15]
    for evidence in found:
        validate_evidence(evidence)


def test_engine_repeats_what_it_said_in_the_round() -> None:
    solo = Solo(me=1)
    said = sent(solo.built(make_block(solo.genesis, coinbase=solo.key)))
    effects = solo.expire(TimerKind.REBROADCAST, round_number=0)
    assert sent(effects) == said
    assert TimerKind.REBROADCAST in timers(effects)


def test_engine_goes_on_when_a_sealed_block_cannot_be_imported() -> None:
    solo = Solo(me=2)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    digest = compute_digest(block, Round(0))
    solo.receive(make_proposal(solo.keys[0], block, 0))
    solo.receive(*(make_commit(solo.keys[i], 1, 0, digest) for i in (0, 2, 3)))
    effects = solo.step(ImportFailed(now_ms=solo.now_ms, height=Height(1)))
    assert TimerKind.ROUND in timers(effects)
    assert len(sent(solo.expire(TimerKind.ROUND))) == 1


def test_engine_without_a_key_never_speaks() -> None:
    from consensus.engine import Engine
    from consensus.events import NewHead

    solo = Solo(me=2)
    follower = Engine(rules=solo.rules)
    effects = follower.step(
        NewHead(now_ms=solo.now_ms, header=solo.genesis, validators=solo.chain.validators)
    )
    assert effects == ()
    assert not follower.is_validating


def test_engine_that_left_the_set_is_silent() -> None:
    from consensus.events import NewHead

    solo = Solo(me=2, is_started=False)
    others = [key.address for key in solo.keys if key is not solo.key]
    assert solo.step(NewHead(now_ms=solo.now_ms, header=solo.genesis, validators=others)) == ()
    assert solo.expire(TimerKind.BLOCK) == ()


EMPTY = QbftConfig(validator_contract=CONTRACT, empty_block_period_s=10)


def test_engine_waits_with_an_empty_block_until_it_is_due() -> None:
    solo = Solo(me=1, config=EMPTY, is_started=False)
    solo.new_head(solo.genesis)
    effects = solo.expire(TimerKind.BLOCK, has_transactions=False)
    assert builds(effects) == []
    assert TimerKind.ROUND not in timers(effects)
    assert solo.engine.phase is Phase.IDLE
    solo.now_ms = START_MS + 10_000
    assert len(builds(solo.expire(TimerKind.BLOCK, has_transactions=False))) == 1


def test_engine_ends_the_wait_when_a_transaction_comes() -> None:
    solo = Solo(me=3, config=EMPTY, is_started=False)
    solo.new_head(solo.genesis)
    solo.expire(TimerKind.BLOCK, has_transactions=False)
    effects = solo.step(TransactionsPending(now_ms=solo.now_ms))
    assert timers(effects)[TimerKind.ROUND] == 1_000


def test_engine_puts_an_unexpectedly_empty_block_off() -> None:
    solo = Solo(me=1, config=EMPTY)
    effects = solo.built(make_block(solo.genesis, coinbase=solo.key))
    assert sent(effects) == []
    assert solo.engine.phase is Phase.IDLE


def test_engine_that_idles_accepts_a_proposal() -> None:
    solo = Solo(me=2, config=EMPTY, is_started=False)
    solo.new_head(solo.genesis)
    solo.expire(TimerKind.BLOCK, has_transactions=False)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    assert len(validations(solo.receive(make_proposal(solo.keys[0], block, 0)))) == 1


def test_engine_never_signs_below_its_floor() -> None:
    from consensus.sign_state import make_floor

    identity = Solo(me=3).record.identity
    solo = Solo(me=3, record=make_floor(identity, number=9, height=Height(1)))
    effects = solo.expire(TimerKind.ROUND)
    assert sent(effects) == []
    assert len(pick(effects, SigningSkipped)) == 1


@pytest.mark.parametrize("count", [1, 2, 3])
def test_engine_makes_blocks_in_small_sets(count: int) -> None:
    solo = Solo(me=1, count=count)
    block = make_block(solo.genesis, coinbase=solo.key)
    digest = compute_digest(block, Round(0))
    solo.built(block)
    for key in solo.keys[1:]:
        solo.receive(make_prepare(key, 1, 0, digest))
        solo.receive(make_commit(key, 1, 0, digest))
    assert len(imports(solo.log)) == 1
