"""Frames: round trip, and every body is a frame or a fault."""

import contextlib
from collections.abc import Callable

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.network.frames import (
    MAX_UINT,
    Blocks,
    Consensus,
    Frame,
    FrameSplitter,
    GetBlocks,
    Goodbye,
    Hello,
    MalformedFrame,
    Offer,
    Peers,
    Ping,
    Pong,
    Proof,
    Status,
    Topic,
    Transactions,
    Want,
    decode_frame,
    encode_frame,
)

pack: Callable[[object], bytes] = msgpack.dumps
uints = st.integers(0, MAX_UINT)
hashes = st.binary(min_size=32, max_size=32)
texts = st.text(max_size=200)
blobs = st.lists(st.binary(max_size=300), max_size=5).map(tuple)
keys = st.lists(hashes, max_size=5).map(tuple)
topics = st.sampled_from(Topic)

frames: st.SearchStrategy[Frame] = st.one_of(
    st.builds(
        Hello,
        version=uints,
        chain_id=uints,
        genesis_hash=hashes,
        nonce=hashes,
        instance=st.binary(min_size=16, max_size=16),
        client=texts,
        host=texts,
        port=st.integers(0, 65_535),
        head_number=uints,
        head_hash=hashes,
    ),
    st.builds(Proof, signature=st.binary(min_size=65, max_size=65)),
    st.builds(Ping, token=uints, clock_ms=uints),
    st.builds(Pong, token=uints, clock_ms=uints),
    st.builds(Goodbye, reason=texts),
    st.builds(Status, number=uints, block_hash=hashes),
    st.builds(
        Peers,
        peers=st.lists(st.tuples(hashes, texts, st.integers(0, 65_535)), max_size=4).map(tuple),
    ),
    st.builds(
        Consensus,
        stamp=st.binary(min_size=8, max_size=8),
        code=uints,
        payload=st.binary(max_size=2000),
    ),
    st.builds(Offer, topic=topics, keys=keys),
    st.builds(Want, topic=topics, keys=keys),
    st.builds(Transactions, raws=blobs),
    st.builds(GetBlocks, request=uints, start=uints, count=uints),
    st.builds(Blocks, request=uints, blocks=blobs),
)


@given(frames)
def test_frame_survives_the_wire(frame: Frame) -> None:
    encoded = encode_frame(frame)
    assert int.from_bytes(encoded[:4], "big") == len(encoded) - 4
    assert decode_frame(encoded[4:]) == frame


@given(st.lists(frames, max_size=5), st.data())
def test_splitter_cuts_any_chunks_into_the_same_frames(
    sent: list[Frame], data: st.DataObject
) -> None:
    wire = b"".join(encode_frame(frame) for frame in sent)
    splitter = FrameSplitter(1_000_000)
    got: list[Frame] = []
    at = 0
    while at < len(wire):
        size = data.draw(st.integers(1, len(wire) - at))
        got += [decode_frame(body) for body in splitter.feed(wire[at : at + size])]
        at += size
    assert got == sent


@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_a_fault(body: bytes) -> None:
    try:
        frame = decode_frame(body)
    except MalformedFrame:
        return
    assert decode_frame(encode_frame(frame)[4:]) == frame


@given(frames, st.integers(0, 500), st.integers(0, 255))
def test_a_changed_byte_never_raises_anything_but_a_fault(
    frame: Frame, at: int, value: int
) -> None:
    body = bytearray(encode_frame(frame)[4:])
    body[at % len(body)] = value
    with contextlib.suppress(MalformedFrame):
        decode_frame(bytes(body))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], "begins with a kind"),
        ({}, "begins with a kind"),
        ([99], "unknown kind 99"),
        ([True, 1], "begins with a kind"),
        ([3, 1], "Ping has 1 fields, not 2"),
        ([3, -1, 0], "token: not a number"),
        ([3, True, 0], "token: not a number"),
        ([3, 2**63, 0], "token: not a number"),
        ([6, 1, b"short"], "block_hash: not 32 bytes"),
        ([17, 3, []], "topic: unknown topic"),
        ([17, 1, b""], "keys: not a list"),
        ([19, ["text"]], "raws: not bytes"),
        ([5, "x" * 201], "reason: not a text of at most 200"),
        ([7, [[b"\0" * 32, "h", 65_536]]], "peers: not a port"),
        ([7, [[b"\0" * 32, "h"]]], "peers: not (pin, host, port)"),
    ],
)
def test_malformed_frame_names_what_is_wrong(values: object, expected: str) -> None:
    with pytest.raises(MalformedFrame) as caught:
        decode_frame(pack(values))
    assert expected in str(caught.value)


def test_frame_with_too_many_items_is_refused() -> None:
    body = pack([17, 1, [b"\0" * 32] * 16_385])
    with pytest.raises(MalformedFrame):
        decode_frame(body)


def test_deeply_nested_body_is_refused() -> None:
    with pytest.raises(MalformedFrame):
        decode_frame(b"\x91" * 5000 + b"\xc0")


def test_oversize_frame_is_refused_by_its_length_alone() -> None:
    splitter = FrameSplitter(100)
    assert list(splitter.feed((100).to_bytes(4, "big")[:3])) == []
    with pytest.raises(MalformedFrame, match="101 bytes exceeds the limit of 100"):
        list(FrameSplitter(100).feed((101).to_bytes(4, "big")))


def test_frame_of_exactly_the_limit_is_accepted() -> None:
    body = b"x" * 100
    assert list(FrameSplitter(100).feed((100).to_bytes(4, "big") + body)) == [body]
