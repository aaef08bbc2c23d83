"""Signed messages of all lives of all nodes are held against each other."""

from pathlib import Path

from consensus.messages import Message, encode_message
from consensus.payloads import MessageCode
from consensus.types import Hash32
from node.network.frames import LENGTH_BYTES, Consensus, Frame, Ping, encode_frame
from node.network.tap import RECEIVED, SENT, FrameTap
from tests.simulation.forge import make_commit, make_prepare
from tests.simulation.keys import KEYS
from tests.soak.findings import Kind
from tests.soak.signatures import TAP_FILE, keep_sent, list_taps, read_signed_words

ONE, OTHER = (Hash32(bytes([number]) * 32) for number in (1, 2))
PEER = bytes(32)


def wrap(code: MessageCode, message: Message, stamp: bytes = bytes(8)) -> Frame:
    return Consensus(stamp=stamp, code=int(code), payload=encode_message(message))


def live(folder: Path, *frames: Frame, direction: str = SENT) -> None:
    """Write what a node said in one life."""
    keep_sent(folder)
    tap = FrameTap(folder / TAP_FILE)
    for frame in frames:
        tap.write(direction, PEER, encode_frame(frame)[LENGTH_BYTES:])
    tap.close()


def test_signing_again_and_at_other_places_is_no_finding(tmp_path: Path) -> None:
    prepare = make_prepare(KEYS[0], 5, 0, ONE)
    live(
        tmp_path,
        Ping(token=1, clock_ms=1),
        wrap(MessageCode.PREPARE, prepare),
        wrap(MessageCode.PREPARE, prepare, stamp=bytes([1]) * 8),
        wrap(MessageCode.COMMIT, make_commit(KEYS[0], 5, 0, ONE)),
        wrap(MessageCode.PREPARE, make_prepare(KEYS[0], 5, 1, OTHER)),
        wrap(MessageCode.PREPARE, make_prepare(KEYS[1], 5, 0, OTHER)),
    )
    live(tmp_path, wrap(MessageCode.PREPARE, prepare))
    words = read_signed_words(list_taps(tmp_path))
    assert words.findings == []
    assert len(words.said) == 4


def test_signing_two_things_for_one_place_in_two_lives_is_found(tmp_path: Path) -> None:
    live(tmp_path, wrap(MessageCode.PREPARE, make_prepare(KEYS[0], 5, 0, ONE)))
    live(tmp_path)
    live(tmp_path, wrap(MessageCode.PREPARE, make_prepare(KEYS[0], 5, 0, OTHER)))
    assert len(list_taps(tmp_path)) == 3
    (finding,) = read_signed_words(list_taps(tmp_path)).findings
    assert finding.kind is Kind.FORKED
    assert "PREPARE at height 5, round 0" in finding.text


def test_what_was_only_received_is_read_where_it_was_sent(tmp_path: Path) -> None:
    frame = wrap(MessageCode.PREPARE, make_prepare(KEYS[0], 5, 0, ONE))
    live(tmp_path, frame, direction=RECEIVED)
    assert read_signed_words(list_taps(tmp_path)).said == {}


def test_message_that_cannot_be_read_is_found(tmp_path: Path) -> None:
    live(tmp_path, Consensus(stamp=bytes(8), code=int(MessageCode.PREPARE), payload=b"no message"))
    (finding,) = read_signed_words(list_taps(tmp_path)).findings
    assert "cannot be read" in finding.text
