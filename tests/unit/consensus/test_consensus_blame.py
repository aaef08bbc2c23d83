"""Who is named when a message breaks a rule, and what is passed on in one's own name."""

from dataclasses import replace

from consensus.effects import RejectMessage
from consensus.events import MessageReceived
from consensus.types import Hash32
from tests.simulation.forge import make_block, make_commit, make_proposal, make_round_change
from tests.simulation.solo import Solo


def test_engine_names_who_brought_a_rejected_message_unless_only_our_clock_rejects_it() -> None:
    solo = Solo(me=2, count=4)
    wrong = make_commit(solo.keys[2], 1, 0, Hash32(bytes(32)), sealer=solo.keys[3])
    block = make_block(solo.genesis, coinbase=solo.keys[0])
    early = replace(block, header=replace(block.header, timestamp=block.header.timestamp + 60))
    found = []
    for message in (wrong, make_proposal(solo.keys[0], early, 0)):
        (rejected,) = [
            effect
            for effect in solo.step(
                MessageReceived(
                    now_ms=solo.now_ms, message=message, size_bytes=100, source="the peer"
                )
            )
            if isinstance(effect, RejectMessage)
        ]
        found.append((rejected.source, rejected.author, rejected.reason.split(":")[0]))
    assert found == [
        ("the peer", solo.keys[2].address, "commit"),
        (None, solo.keys[0].address, "timestamp"),
    ]


def test_engine_passes_on_what_others_say_and_never_its_own_words() -> None:
    solo = Solo(me=2, count=4)
    assert solo.engine.is_worth_passing_on(make_round_change(solo.keys[0], 1, 1))
    assert not solo.engine.is_worth_passing_on(make_round_change(solo.key, 1, 1))
