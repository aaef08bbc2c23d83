"""The tests' own proxy does to plain sockets what it says."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.integration.faulty_links import FaultyLinks

ONE, OTHER = 1, 2


@pytest.fixture
def target() -> Iterator[int]:
    """A port that sends back, in capitals, whatever it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(line: socket.socket) -> None:
        with line:
            while data := line.recv(4096):
                line.sendall(data.upper())

    def accept() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=guard, args=(line,), daemon=True).start()

    def guard(line: socket.socket) -> None:
        with contextlib.suppress(OSError):
            serve(line)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(timeout=60)


@pytest.fixture
def links(target: int) -> Iterator[FaultyLinks]:
    with FaultyLinks() as links:
        links.add_node(ONE, 1, b"pin of one")
        links.add_node(OTHER, target, b"pin of the other")
        yield links


def call(links: FaultyLinks, timeout_s: float = 5.0) -> socket.socket:
    return socket.create_connection(("127.0.0.1", links.get_port(ONE, OTHER)), timeout=timeout_s)


def ask(line: socket.socket, question: bytes) -> bytes:
    line.sendall(question)
    return line.recv(4096)


def test_healthy_line_carries_both_ways_and_counts(links: FaultyLinks) -> None:
    with call(links) as line:
        assert ask(line, b"hello") == b"HELLO"
        assert links.count_open(ONE, OTHER) == links.count_open(OTHER, ONE) == 1
    counters = links.get_counters(ONE, OTHER)
    assert (counters.connections, counters.carried_bytes) == (1, 10)
    assert links.get_counters(OTHER, ONE).connections == 0


def test_cut_line_resets_what_is_open_and_what_is_tried(links: FaultyLinks) -> None:
    with call(links) as line:
        assert ask(line, b"hello") == b"HELLO"
        links.cut(OTHER, ONE)
        with pytest.raises(ConnectionResetError):
            ask(line, b"again")
    with pytest.raises(ConnectionResetError), call(links) as line:
        ask(line, b"anybody?")
    assert links.get_counters(ONE, OTHER).refused == 1
    links.heal(ONE, OTHER)
    with call(links) as line:
        assert ask(line, b"back") == b"BACK"


def test_frozen_line_is_silent_and_a_connection_with_a_hole_stays_so(links: FaultyLinks) -> None:
    with call(links) as line, call(links) as lucky:
        assert ask(line, b"hello") == ask(lucky, b"hello") == b"HELLO"
        links.freeze(ONE, OTHER)
        line.sendall(b"lost")
        line.settimeout(0.3)
        with pytest.raises(TimeoutError):
            line.recv(1)
        with call(links, 0.3) as late, pytest.raises(TimeoutError):
            ask(late, b"swallowed")
        links.heal(ONE, OTHER)
        assert ask(lucky, b"nothing lost") == b"NOTHING LOST"
        line.sendall(b"still lost")
        with pytest.raises(TimeoutError):
            line.recv(1)
    assert links.get_counters(ONE, OTHER).swallowed_bytes >= len(b"lost" + b"swallowed")


def test_stalled_line_loses_nothing(links: FaultyLinks) -> None:
    with call(links) as line:
        links.stall(ONE, OTHER)
        line.sendall(b"late")
        line.settimeout(0.3)
        with pytest.raises(TimeoutError):
            line.recv(1)
        links.heal_all()
        line.settimeout(5)
        assert line.recv(4096) == b"LATE"


def test_slow_line_takes_at_least_its_time(links: FaultyLinks) -> None:
    with call(links) as line:
        assert ask(line, b"fast") == b"FAST"
        links.slow(ONE, OTHER, latency_ms=100, bytes_per_s=10_000)
        began_s = time.monotonic()
        assert ask(line, b"x" * 1000) == b"X" * 1000
        assert time.monotonic() - began_s >= 2 * 0.1 + 2 * 0.1


def test_groups_that_overlap_part_those_who_share_none(links: FaultyLinks) -> None:
    links.add_node(3, 1, b"pin of the third")
    links.partition([(ONE, 3), (3, OTHER)])
    with pytest.raises(ConnectionResetError), call(links) as line:
        ask(line, b"apart")
    links.heal_all()
    links.partition([(ONE, OTHER)], how="stall")
    with call(links) as line:
        assert ask(line, b"together") == b"TOGETHER"


def test_door_of_a_node_is_closed_to_strangers(links: FaultyLinks) -> None:
    door = socket.create_connection(("127.0.0.1", links.get_door(OTHER)), timeout=5)
    with door, pytest.raises(ConnectionResetError):
        ask(door, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


def test_stop_closes_everything_and_may_be_repeated(target: int) -> None:
    links = FaultyLinks()
    links.add_node(ONE, 1, b"pin of one")
    links.add_node(OTHER, target, b"pin of the other")
    with call(links) as line:
        assert ask(line, b"hello") == b"HELLO"
        links.stop()
        links.stop()
        assert line.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        call(links)
