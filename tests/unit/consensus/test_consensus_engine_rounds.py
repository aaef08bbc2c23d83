"""How one engine leaves a round, follows others into theirs, and what it takes along."""

from consensus.events import TimerKind
from consensus.header import compute_block_hash
from consensus.messages import Proposal, RoundChange, get_round
from consensus.payloads import compute_digest
from consensus.types import Round
from tests.simulation.forge import (
    make_block,
    make_certificate,
    make_prepare,
    make_proposal,
    make_round_change,
)
from tests.simulation.solo import (
    Solo,
    builds,
    sent,
    timers,
    validations,
)


def test_engine_times_out_into_the_next_round_and_tells() -> None:
    solo = Solo(me=3)
    effects = solo.expire(TimerKind.ROUND)
    (message,) = sent(effects)
    assert isinstance(message, RoundChange)
    assert get_round(message) == 1
    assert message.signed.payload.prepared is None
    assert timers(effects)[TimerKind.ROUND] == 2_000


def test_engine_alone_in_a_round_repeats_its_wish_instead_of_running_away() -> None:
    solo = Solo(me=3)
    solo.expire(TimerKind.ROUND)
    for _ in range(5):
        (message,) = sent(solo.expire(TimerKind.ROUND))
        assert get_round(message) == 1
    solo.receive(make_round_change(solo.keys[0], 1, 1))
    solo.receive(make_round_change(solo.keys[3], 1, 1))
    (message,) = sent(solo.expire(TimerKind.ROUND))
    assert get_round(message) == 2


def test_engine_follows_f_plus_one_to_the_lowest_of_their_rounds() -> None:
    solo = Solo(me=3)
    assert sent(solo.receive(make_round_change(solo.keys[0], 1, 7))) == []
    (message,) = sent(solo.receive(make_round_change(solo.keys[1], 1, 4)))
    assert get_round(message) == 4
    assert solo.place == (1, 4)


def test_engine_proposer_of_a_later_round_waits_for_a_quorum_then_builds() -> None:
    solo = Solo(me=2)
    solo.expire(TimerKind.ROUND)
    assert builds(solo.receive(make_round_change(solo.keys[0], 1, 1))) == []
    (request,) = builds(solo.receive(make_round_change(solo.keys[3], 1, 1)))
    assert request.round == 1
    block = make_block(solo.genesis, coinbase=solo.key, round_number=1)
    proposal = sent(solo.built(block))[0]
    assert isinstance(proposal, Proposal)
    assert len(proposal.round_changes) == 3
    assert proposal.prepares == ()


def test_engine_proposes_the_prepared_block_again_with_its_coinbase() -> None:
    solo = Solo(me=2)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    certificate = make_certificate(solo.keys[:3], block, 0)
    solo.expire(TimerKind.ROUND)
    solo.receive(make_round_change(solo.keys[0], 1, 1))
    effects = solo.receive(make_round_change(solo.keys[3], 1, 1, certificate))
    proposal = sent(effects)[0]
    assert isinstance(proposal, Proposal)
    again = proposal.signed.payload.block
    assert again.header.coinbase == solo.keys[0].address
    assert compute_block_hash(again.header) == compute_block_hash(block.header)
    assert proposal.prepares == certificate.prepares
    (request,) = validations(effects)
    assert request.digest == compute_digest(block, Round(1))


def test_engine_carries_its_certificate_into_every_later_round() -> None:
    solo = Solo(me=4)
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    digest = compute_digest(block, Round(0))
    solo.receive(make_proposal(solo.keys[0], block, 0))
    solo.validated(digest)
    solo.receive(*(make_prepare(solo.keys[i], 1, 0, digest) for i in (0, 1)))
    for target in (1, 2):
        (message,) = [m for m in sent(solo.expire(TimerKind.ROUND)) if isinstance(m, RoundChange)]
        assert message.signed.payload.round == target
        assert message.signed.payload.prepared is not None
        assert message.signed.payload.prepared.digest == digest
        assert message.block == block
        solo.receive(*(make_round_change(solo.keys[i], 1, target) for i in (0, 1)))


def test_engine_enters_the_round_of_a_justified_proposal() -> None:
    solo = Solo(me=4)
    block = make_block(solo.genesis, coinbase=solo.keys[2], round_number=2)
    wishes = [make_round_change(solo.keys[i], 1, 2) for i in (0, 1, 2)]
    effects = solo.receive(make_proposal(solo.keys[2], block, 2, wishes))
    assert solo.place == (1, 2)
    assert len(validations(effects)) == 1
