"""What may be signed next, and records on disk."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.errors import SigningRefused
from consensus.sign_state import (
    DamagedRecord,
    SignIdentity,
    SignRecord,
    SignState,
    Step,
    decode_record,
    encode_record,
    make_floor,
)
from consensus.types import Hash32, Height, Round
from tests.simulation.forge import make_block, make_certificate
from tests.simulation.keys import KEYS
from tests.simulation.solo import Solo

IDENTITY = SignIdentity(
    chain_id=7, genesis_hash=Hash32(bytes(31) + b"\x07"), validator=KEYS[0].address
)
CERTIFICATE = make_certificate(
    KEYS[:3], make_block(Solo(me=1, is_started=False).genesis, coinbase=KEYS[1]), 2
)
ONE, TWO = Hash32(b"\x01" * 32), Hash32(b"\x02" * 32)


def make_state() -> SignState:
    return SignState(make_floor(IDENTITY, number=0, height=Height(0)))


def sign(
    state: SignState, height: int, number: int, step: Step, digest: Hash32 = ONE
) -> SignRecord:
    return state.advance(
        height=Height(height),
        round_number=Round(number),
        step=step,
        digest=digest,
        message=b"message %d %d %d" % (height, number, step),
        prepared=None,
    )


def test_sign_state_goes_through_a_height_in_order() -> None:
    state = make_state()
    places = sorted(product((1, 2), (0, 1, 2), Step))
    records = [sign(state, *place) for place in places]
    assert [record.number for record in records] == list(range(1, len(places) + 1))
    assert [record.place for record in records] == sorted(record.place for record in records)


def test_sign_state_returns_the_stored_message_for_the_same_bytes() -> None:
    state = make_state()
    record = sign(state, 3, 1, Step.PREPARE)
    stored = state.find_stored(
        height=Height(3), round_number=Round(1), step=Step.PREPARE, digest=ONE
    )
    assert stored == record.message
    assert state.record is record


@given(
    st.tuples(st.integers(1, 3), st.integers(0, 3), st.sampled_from(Step)),
    st.tuples(st.integers(1, 3), st.integers(0, 3), st.sampled_from(Step)),
    st.sampled_from([ONE, TWO]),
)
def test_sign_state_allows_only_what_is_later_or_the_same(
    first: tuple[int, int, Step], second: tuple[int, int, Step], digest: Hash32
) -> None:
    state = make_state()
    sign(state, *first)
    if second > first:
        assert sign(state, *second, digest).place == second
    elif second == first and digest == ONE:
        assert state.find_stored(
            height=Height(second[0]), round_number=Round(second[1]), step=second[2], digest=digest
        )
    else:
        with pytest.raises(SigningRefused):
            sign(state, *second, digest)


def test_sign_state_floor_refuses_its_height_whole() -> None:
    state = SignState(make_floor(IDENTITY, number=4, height=Height(10)))
    for place in product((9, 10), (0, 1_000), Step):
        with pytest.raises(SigningRefused):
            sign(state, *place)
    assert sign(state, 11, 0, Step.PREPARE).number == 5


records = st.builds(
    SignRecord,
    identity=st.just(IDENTITY),
    number=st.integers(0, 2**60),
    height=st.integers(0, 2**60).map(Height),
    round=st.integers(0, 2**31).map(Round),
    step=st.sampled_from(Step),
    digest=st.just(TWO),
    message=st.binary(max_size=200),
    prepared=st.none() | st.just(CERTIFICATE),
)


@given(records)
def test_sign_record_decodes_to_itself(record: SignRecord) -> None:
    assert decode_record(encode_record(record)) == record


@given(st.data())
def test_sign_record_with_any_flipped_bit_or_cut_is_damaged(data: st.DataObject) -> None:
    state = make_state()
    encoded = bytearray(encode_record(sign(state, 3, 1, Step.COMMIT)))
    if data.draw(st.booleans()):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del encoded[data.draw(st.integers(0, len(encoded) - 1)) :]
    with pytest.raises(DamagedRecord):
        decode_record(bytes(encoded))


def test_sign_state_of_another_key_is_never_taken() -> None:
    from consensus.speaker import Speaker

    record = replace(make_floor(IDENTITY, number=0, height=Height(0)))
    with pytest.raises(AssertionError, match="another key"):
        Speaker(KEYS[1], SignState(record))
