"""A clock that jumps costs time at worst: no word is taken back, no correction waits for hours."""

from dataclasses import replace

import pytest

from consensus.agreement import CLOCK_CHECK_MS
from consensus.events import TimerKind
from consensus.genesis_config import QbftConfig
from consensus.messages import Message, Prepare, Proposal, get_height, get_round
from tests.simulation.forge import make_block, make_proposal
from tests.simulation.keys import CONTRACT, KEYS
from tests.simulation.solo import START_MS, Solo, builds, sent, timers

HOUR_MS = 3_600_000


def start(*, clock_ms: int) -> tuple[Solo, int]:
    """Return a proposer that began with its clock off, and how long it means to wait."""
    solo = Solo(me=1, is_started=False)
    solo.now_ms = START_MS + clock_ms
    return solo, timers(solo.new_head(solo.genesis))[TimerKind.BLOCK]


def test_clock_far_behind_is_looked_at_again_before_the_hour_is_over() -> None:
    solo, wait_ms = start(clock_ms=-HOUR_MS)
    assert wait_ms == CLOCK_CHECK_MS + 1_000
    solo.now_ms += wait_ms
    effects = solo.expire(TimerKind.BLOCK)
    assert builds(effects) == []
    assert sent(effects) == []
    assert timers(effects)[TimerKind.BLOCK] == CLOCK_CHECK_MS + 1_000
    solo.now_ms = START_MS + 5_000  # the clock has been set right
    assert timers(solo.expire(TimerKind.BLOCK))[TimerKind.BLOCK] == 0
    (request,) = builds(solo.expire(TimerKind.BLOCK))
    assert request.timestamp == START_MS // 1_000 + 5


def test_clock_a_little_behind_waits_exactly_until_the_block_is_due() -> None:
    solo, wait_ms = start(clock_ms=-CLOCK_CHECK_MS - 4_000)
    solo.now_ms += wait_ms
    assert timers(solo.expire(TimerKind.BLOCK))[TimerKind.BLOCK] == 4_000
    solo.now_ms += 4_000
    assert builds(solo.expire(TimerKind.BLOCK))[0].timestamp == START_MS // 1_000 + 1


def test_clock_that_jumps_back_does_not_delay_periods_in_milliseconds() -> None:
    config = QbftConfig(validator_contract=CONTRACT, block_period_ms=250)
    solo = Solo(me=1, config=config, is_started=False)
    assert timers(solo.new_head(solo.genesis))[TimerKind.BLOCK] == 250
    solo.now_ms -= HOUR_MS
    assert len(builds(solo.expire(TimerKind.BLOCK))) == 1


@pytest.mark.parametrize("jump_ms", [-HOUR_MS, -1, 1, HOUR_MS])
def test_clock_jump_after_a_proposal_makes_nobody_propose_or_prepare_twice(jump_ms: int) -> None:
    solo, wait_ms = start(clock_ms=0)
    solo.now_ms += wait_ms
    said: list[Message] = []
    solo.expire(TimerKind.BLOCK)
    said += sent(solo.built(make_block(solo.genesis, coinbase=solo.key)))
    solo.now_ms += jump_ms
    said += sent(solo.expire(TimerKind.BLOCK))
    said += sent(solo.new_head(solo.genesis))
    block = make_block(solo.genesis, coinbase=solo.key)
    other = replace(block, header=replace(block.header, timestamp=block.header.timestamp + 8))
    said += sent(solo.built(other))
    said += sent(solo.receive(make_proposal(KEYS[1], other, 0)))
    first: dict[tuple[type, int, int], bytes] = {}
    for message in said:
        if isinstance(message, Proposal | Prepare):
            place = (type(message), int(get_height(message)), int(get_round(message)))
            signed = message.signed.payload_rlp
            assert first.setdefault(place, signed) == signed
    assert len(first) == 2
