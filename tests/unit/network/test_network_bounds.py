"""Queues, memories, rates and scores: what is urgent goes first, and everything has a bound."""

import asyncio
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from node.network import NetworkHandlers
from node.network.address_book import AddressBook
from node.network.frames import Topic
from node.network.offers import OpenOffers
from node.network.ports import PeerAddress
from node.network.queues import Priority, SendQueue
from node.network.score import DROP_AT, BanList, Offence, PeerScore, TokenBucket
from node.network.seen import ByteCache, SeenSet
from node.network.service import PeerService


def test_queue_sends_urgent_frames_first() -> None:
    queue = SendQueue(max_frames=10, max_bytes=1000)
    queue.push(b"block", Priority.BULK)
    queue.push(b"tx", Priority.TRANSACTIONS)
    queue.push(b"vote1", Priority.URGENT)
    queue.push(b"vote2", Priority.URGENT)
    assert [queue.pop(1) for _ in range(5)] == [b"vote1", b"vote2", b"tx", b"block", b""]


def test_queue_joins_small_frames_in_order_of_urgency() -> None:
    queue = SendQueue(max_frames=10, max_bytes=1000)
    for frame, priority in ((b"b", Priority.BULK), (b"u", Priority.URGENT)):
        queue.push(frame, priority)
    assert queue.pop(100) == b"ub"


def test_queue_never_lets_bulk_overtake_urgent_frames_that_did_not_fit() -> None:
    queue = SendQueue(max_frames=10, max_bytes=1000)
    queue.push(b"u" * 50, Priority.URGENT)
    queue.push(b"v" * 60, Priority.URGENT)
    queue.push(b"b", Priority.BULK)
    assert queue.pop(64) == b"u" * 50
    assert queue.pop(64) == b"v" * 60 + b"b"


def test_full_queue_drops_the_oldest_urgent_and_refuses_new_bulk() -> None:
    queue = SendQueue(max_frames=2, max_bytes=1000)
    assert all(queue.push(frame, Priority.URGENT) for frame in (b"1", b"2", b"3"))
    assert [queue.push(frame, Priority.BULK) for frame in (b"a", b"b", b"c")] == [
        True,
        True,
        False,
    ]
    assert queue.pop(100) == b"23ab"
    assert queue.dropped == 2


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=40), st.sampled_from(Priority))))
def test_queue_stays_within_its_bounds(pushes: list[tuple[bytes, Priority]]) -> None:
    queue = SendQueue(max_frames=5, max_bytes=100)
    for frame, priority in pushes:
        queue.push(frame, priority)
        assert len(queue) <= 15
        assert queue.waiting_bytes <= 300
    while queue.pop(64):
        pass
    assert (len(queue), queue.waiting_bytes) == (0, 0)


def test_seen_set_forgets_the_oldest_and_the_old() -> None:
    seen = SeenSet(2, lifetime_s=10)
    assert seen.add(b"a", 0)
    assert not seen.add(b"a", 5)
    assert seen.add(b"a", 11)
    seen.add(b"b", 12)
    seen.add(b"c", 12)
    assert (seen.knows(b"a", 12), seen.knows(b"c", 12), len(seen)) == (False, True, 2)


@given(st.lists(st.tuples(st.binary(max_size=2), st.binary(max_size=30)), max_size=60))
def test_cache_stays_within_its_bytes(items: list[tuple[bytes, bytes]]) -> None:
    cache = ByteCache(64)
    for key, value in items:
        cache.put(key, value)
        assert cache.size <= 64
        assert cache.get(key) is not None


def test_rate_allows_a_burst_and_then_the_average() -> None:
    bucket = TokenBucket(rate=10, burst=20, now_s=0)
    assert sum(bucket.take(1, 0) for _ in range(50)) == 20
    assert sum(bucket.take(1, 1.0) for _ in range(50)) == 10


def test_points_fade_and_offences_add_up() -> None:
    score = PeerScore(0)
    assert not score.charge(Offence.LATE, 0)
    assert score.get_points(12) == 6
    assert score.get_points(24) == 0
    assert not any(score.charge(Offence.LATE, 30) for _ in range(8))
    assert score.charge(Offence.LATE, 30)
    assert score.get_points(30) >= DROP_AT


def test_malformed_bytes_cost_everything_at_once() -> None:
    assert PeerScore(0).charge(Offence.MALFORMED, 0)


def test_ban_doubles_when_repeated_and_is_forgiven_after_long() -> None:
    bans = BanList(10)
    assert bans.ban(b"p", 0) == 10
    assert bans.is_banned(b"p", 9)
    assert not bans.is_banned(b"p", 11)
    assert bans.ban(b"p", 12) == 20
    assert bans.ban(b"p", 1000) == 10
    bans.forget(frozenset())
    assert not bans.is_banned(b"p", 1001)


def test_offer_is_asked_late_once_and_then_of_the_next_offerer() -> None:
    offers = OpenOffers(0.05)
    offers.add(Topic.TRANSACTION, b"k", "a", 0)
    offers.add(Topic.TRANSACTION, b"k", "b", 0)
    everyone = ("a", "b")
    assert offers.take_due(0.04, everyone) == {}
    assert offers.take_due(0.06, everyone) == {("a", Topic.TRANSACTION): [b"k"]}
    assert offers.take_due(0.5, everyone) == {}
    assert offers.take_due(1.1, everyone) == {("b", Topic.TRANSACTION): [b"k"]}
    offers.settle(b"k")
    assert offers.take_due(9, everyone) == {}
    assert len(offers) == 0


def test_offer_of_a_peer_that_left_is_given_up() -> None:
    offers = OpenOffers(0)
    offers.add(Topic.CONSENSUS, b"k", "gone", 0)
    assert offers.take_due(1, ("a",)) == {}
    assert len(offers) == 0


def test_one_peer_cannot_fill_the_offers_of_others() -> None:
    offers = OpenOffers(0)
    for number in range(10_000):
        offers.add(Topic.TRANSACTION, number.to_bytes(4, "big"), "greedy", 0)
    assert len(offers) == 8192
    offers.add(Topic.TRANSACTION, b"honest", "other", 0)
    assert len(offers) == 8193


def test_redial_waits_double_with_jitter_and_stop_at_the_longest() -> None:
    book = AddressBook(base_s=1, max_s=8, rng=random.Random(7))
    waits = [book.note_failure(b"p", 0) for _ in range(6)]
    for wait, longest in zip(waits, (1, 2, 4, 8, 8, 8), strict=True):
        assert longest / 2 <= wait <= longest
    assert len(set(waits)) == 6
    book.note_success(b"p", 100)
    assert book.note_failure(b"p", 100) <= 1


def test_book_takes_turns_between_addresses_after_failures() -> None:
    book = AddressBook(base_s=0, max_s=0, rng=random.Random(7))
    first, second = PeerAddress(host="h", port=1), PeerAddress(host="h", port=2)
    book.learn(b"p", first)
    book.learn(b"p", second)
    assert book.take_due(b"p", 0) == first
    book.note_failure(b"p", 0)
    assert book.take_due(b"p", 0) == second
    book.learn(b"p", second, proven=True)
    assert book.get_addresses(b"p") == (second, first)
    book.forget([])
    assert book.get_addresses(b"p") == (second, first), "a pin may be admitted again"
    for port in range(3, 20):
        book.learn(b"p", PeerAddress(host="h", port=port))
    assert len(book.get_addresses(b"p")) == 4
    assert book.get_addresses(b"p")[0] == second


def test_book_drops_what_is_not_trusted_when_it_grows() -> None:
    book = AddressBook(base_s=1, max_s=1, rng=random.Random(7))
    address = PeerAddress(host="h", port=1)
    for number in range(300):
        book.learn(number.to_bytes(32, "big"), address)
    trusted = (299).to_bytes(32, "big")
    book.forget([trusted])
    assert book.get_addresses(trusted) == (address,)
    assert book.get_addresses(bytes(32)) == ()


async def test_large_frame_of_transactions_lets_the_loop_go_on() -> None:
    """Judging a transaction takes time, so a frame full of them is judged a few at a time."""
    raws = tuple(number.to_bytes(2, "big") for number in range(1_000))
    judged: list[bytes] = []
    longest = 0

    async def judge(group: tuple[bytes, ...], _peer_id: str) -> None:
        nonlocal longest
        longest = max(longest, len(group))
        judged.extend(group)

    unused: Any = None
    peer: Any = type("AnyPeer", (), {"peer_id": "p", "label": "p"})
    service = PeerService(
        peer,
        gossip=unused,
        sync=unused,
        block_server=unused,
        handlers=NetworkHandlers(on_transactions=judge),
        on_addresses=unused,
    )
    service._take_in(raws)
    task = asyncio.create_task(service._hand_on_transactions())
    turns = 0
    while len(judged) < len(raws):
        await asyncio.sleep(0)
        turns += 1
    task.cancel()
    assert tuple(judged) == raws
    assert longest <= 16
    assert turns >= len(raws) // 16
