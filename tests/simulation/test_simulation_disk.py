"""The simulated disk and thread: what a crash in the middle of a write leaves, and what waits."""

import pytest

from consensus.sign_state import SignIdentity, SignRecord, make_floor
from consensus.types import Hash32, Height
from node.validator.errors import SignStateUnusable
from tests.simulation.clockwork import Clockwork
from tests.simulation.cluster import Cluster
from tests.simulation.keys import KEYS
from tests.simulation.node_loop import NodeLoop
from tests.simulation.simulated_disk import TORN_MOMENTS, Crashed, SimDisk

IDENTITY = SignIdentity(chain_id=7, genesis_hash=Hash32(bytes(32)), validator=KEYS[0].address)
WRITE_MS = 300


def make_disk(clockwork: Clockwork) -> SimDisk:
    disk = SimDisk(clockwork)
    disk.create_sign_state(IDENTITY)
    disk.open_sign_store(IDENTITY).load()
    return disk


def make_record(number: int) -> SignRecord:
    return make_floor(IDENTITY, number=number, height=Height(number))


def write_and_crash(disk: SimDisk, clockwork: Clockwork, after_ms: int) -> None:
    """Begin to write record 1, and lose power after a time."""
    with disk.taking(clockwork.now_ms, WRITE_MS):
        disk.open_sign_store(IDENTITY).persist(make_record(1))
    clockwork.run_until(clockwork.now_ms + after_ms)
    disk.crash()


@pytest.mark.parametrize(("after_ms", "number"), [(0, 0), (99, 0), (100, 1), (200, 1), (300, 1)])
def test_disk_that_is_slow_has_what_arrived_before_the_crash(after_ms: int, number: int) -> None:
    clockwork = Clockwork(1)
    disk = make_disk(clockwork)
    write_and_crash(disk, clockwork, after_ms)
    assert disk.open_sign_store(IDENTITY).load().record == make_record(number)
    assert not disk.torn


@pytest.mark.parametrize("seed", range(20))
def test_disk_that_tears_leaves_a_record_that_the_codec_refuses(seed: int) -> None:
    clockwork = Clockwork(seed)
    disk = make_disk(clockwork)
    disk.tears = True
    write_and_crash(disk, clockwork, 50 if seed % 2 else 150)
    if disk.torn:
        with pytest.raises(SignStateUnusable, match="damaged"):
            disk.open_sign_store(IDENTITY).load()
    else:
        disk.open_sign_store(IDENTITY).load()


@pytest.mark.parametrize("moment", TORN_MOMENTS)
def test_disk_torn_in_a_quick_write_is_resumed_above_what_can_be_read(moment: str) -> None:
    clockwork = Clockwork(5)
    disk = make_disk(clockwork)
    store = disk.open_sign_store(IDENTITY)
    store.persist(make_record(1))
    disk.crash_at = moment
    with pytest.raises(Crashed):
        store.persist(make_record(2))
    assert disk.torn
    with pytest.raises(SignStateUnusable):
        store.load()
    known = store.get_highest_known()
    assert known is not None, "one copy is whole"
    store.reset(Height(known + 2))
    assert not disk.torn
    assert store.load().record.height >= 3


def test_loop_keeps_the_order_of_what_was_written_sent_and_arrived() -> None:
    clockwork = Clockwork(1)
    loop = NodeLoop(clockwork)
    log: list[tuple[int, str]] = []

    def note(text: str) -> None:
        log.append((clockwork.now_ms, text))

    def duty() -> None:
        loop.wait(100)
        loop.then(lambda: note("sent"))
        loop.wait(50)
        loop.then(lambda: note("sent after it"))

    loop.enter(duty)
    clockwork.call_later(40, loop.enter, lambda: note("arrived"))
    clockwork.call_later(150, loop.enter, lambda: note("arrived at the end"))
    clockwork.run_until(1_000)
    assert log == [
        (100, "sent"),
        (150, "sent after it"),
        (150, "arrived"),
        (150, "arrived at the end"),
    ]


def test_loop_that_dies_sends_nothing_more() -> None:
    clockwork = Clockwork(1)
    loop = NodeLoop(clockwork)
    log: list[str] = []
    loop.wait(100)
    loop.then(lambda: log.append("sent"))
    loop.enter(lambda: log.append("arrived"))
    loop.later(10, lambda: log.append("timer"))
    clockwork.run_until(99)
    loop.die()
    clockwork.run_until(1_000)
    assert log == []


@pytest.mark.parametrize("moment", TORN_MOMENTS)
@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_cluster_with_one_torn_disk_goes_on_and_takes_it_back(count: int, moment: str) -> None:
    cluster = Cluster(validators=count, seed=1)
    cluster.start()
    assert cluster.run_until_height(2)
    victim = cluster.nodes[f"v{count}"]
    victim.temper.crash_in_persist = moment
    cluster.run_for(2_000)
    assert not victim.is_up
    assert victim.disk.torn
    victim.start()
    assert victim.must_resume
    assert cluster.run_until_height(cluster.height + 5)
    assert not victim.must_resume
    assert not victim.disk.torn
