"""Encodings: what is encoded decodes to itself, and nothing else decodes."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus import rlp_codec
from consensus.block import Block, decode_block, encode_block
from consensus.errors import ConsensusError, MalformedEncoding, PeerFault
from consensus.evidence import decode_evidence, encode_evidence, find_conflict, validate_evidence
from consensus.extra_data import (
    ExtraData,
    Vote,
    VoteType,
    decode_extra_data,
    encode_extra_data,
)
from consensus.header import (
    EMPTY_TRIE_ROOT,
    ZERO_HASH,
    BlockHeader,
    compute_block_hash,
    compute_commit_hash,
    decode_header,
    encode_header,
    with_round,
    with_seals,
)
from consensus.messages import (
    MAX_CERTIFICATE_SIGNATURES,
    decode_message,
    encode_message,
    get_author,
    get_code,
)
from consensus.payloads import MessageCode, compute_digest, compute_signing_hash, encode_signed
from consensus.types import Address, Hash32, Height, Round
from tests.simulation.forge import (
    make_certificate,
    make_commit,
    make_prepare,
    make_proposal,
    make_round_change,
)
from tests.simulation.keys import KEYS

hashes = st.binary(min_size=32, max_size=32).map(Hash32)
addresses = st.binary(min_size=20, max_size=20).map(Address)
numbers = st.integers(0, 2**63)
rounds = st.integers(0, 2**31).map(Round)
keys = st.sampled_from(KEYS)
votes = st.builds(Vote, recipient=addresses, vote_type=st.sampled_from(VoteType))
extra_datas = st.builds(
    ExtraData,
    vanity=st.binary(max_size=40),
    validators=st.lists(addresses, max_size=5).map(tuple),
    vote=st.none() | votes,
    round=rounds,
    seals=st.lists(st.binary(min_size=65, max_size=65), max_size=3).map(tuple),
)
transactions = st.one_of(
    st.builds(
        lambda kind, body: bytes([kind]) + body, st.integers(0, 0x7F), st.binary(max_size=99)
    ),
    st.lists(st.binary(max_size=40), max_size=9).map(rlp_codec.encode),
)


@st.composite
def headers(draw: st.DrawFn) -> BlockHeader:
    fork: dict[str, Any] = draw(
        st.sampled_from(
            [
                {},
                {"base_fee_per_gas": 0},
                {"base_fee_per_gas": 7, "withdrawals_root": EMPTY_TRIE_ROOT},
                {
                    "base_fee_per_gas": 0,
                    "withdrawals_root": EMPTY_TRIE_ROOT,
                    "blob_gas_used": 0,
                    "excess_blob_gas": 0,
                    "parent_beacon_block_root": ZERO_HASH,
                },
            ]
        )
    )
    return BlockHeader(
        parent_hash=draw(hashes),
        coinbase=draw(addresses),
        state_root=draw(hashes),
        transactions_root=draw(hashes),
        receipts_root=draw(hashes),
        logs_bloom=draw(st.binary(min_size=256, max_size=256)),
        number=Height(draw(st.integers(1, 2**63))),
        gas_limit=draw(numbers),
        gas_used=draw(numbers),
        timestamp=draw(numbers),
        extra_data=encode_extra_data(draw(extra_datas)),
        **fork,
    )


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    header = draw(headers())
    return Block(
        header=header,
        transactions=tuple(draw(st.lists(transactions, max_size=4))),
        withdrawals=None if header.withdrawals_root is None else (),
    )


@st.composite
def messages(draw: st.DrawFn) -> Any:
    block, key = draw(blocks()), draw(keys)
    height, number = block.header.number, draw(st.integers(0, 50))
    digest = compute_digest(block, Round(number))
    certificate = draw(st.none() | st.just(make_certificate(KEYS[:3], block, number)))
    match draw(st.sampled_from(MessageCode)):
        case MessageCode.PREPARE:
            return make_prepare(key, height, number, digest)
        case MessageCode.COMMIT:
            return make_commit(key, height, number, digest)
        case MessageCode.ROUND_CHANGE:
            return make_round_change(key, height, number + 1, certificate)
        case MessageCode.PROPOSAL:
            wishes = [make_round_change(each, height, number, certificate) for each in KEYS[:2]]
            prepares = () if certificate is None else certificate.prepares
            return make_proposal(key, block, number, wishes, prepares)


@given(extra_datas)
def test_extra_data_decodes_to_itself(extra_data: ExtraData) -> None:
    assert decode_extra_data(encode_extra_data(extra_data)) == extra_data


def test_extra_data_reads_both_forms_of_a_drop_vote() -> None:
    recipient = bytes(19) + b"\x01"
    for code, vote_type in (
        (b"", VoteType.DROP),
        (b"\x00", VoteType.DROP),
        (b"\xff", VoteType.ADD),
    ):
        raw = rlp_codec.encode([bytes(32), [], [recipient, code], b"", []])
        assert decode_extra_data(raw).vote == Vote(
            recipient=Address(recipient), vote_type=vote_type
        )
    for code in (b"\x01", b"\xfe", b"\xff\xff"):
        with pytest.raises(MalformedEncoding, match="vote type"):
            decode_extra_data(rlp_codec.encode([bytes(32), [], [recipient, code], b"", []]))


@given(headers())
def test_header_decodes_to_itself(header: BlockHeader) -> None:
    assert decode_header(encode_header(header)) == header


@given(headers(), rounds, st.lists(st.binary(min_size=65, max_size=65), max_size=4))
def test_header_hashes_do_not_cover_seals_and_the_name_not_the_round(
    header: BlockHeader, round_number: Round, seals: list[bytes]
) -> None:
    in_round = with_round(header, round_number)
    assert compute_block_hash(in_round) == compute_block_hash(header)
    assert compute_commit_hash(with_seals(in_round, seals)) == compute_commit_hash(in_round)
    same_round = decode_extra_data(header.extra_data).round == round_number
    assert (compute_commit_hash(in_round) == compute_commit_hash(header)) == same_round


@given(blocks())
def test_block_decodes_to_itself(block: Block) -> None:
    assert decode_block(encode_block(block)) == block


@given(messages())
def test_message_decodes_to_itself_with_its_author(message: Any) -> None:
    code, encoded = get_code(message), encode_message(message)
    assert decode_message(code, encoded) == message
    assert get_author(message) in {key.address for key in KEYS}


@given(messages(), st.data())
def test_message_that_is_damaged_is_another_message_or_a_peer_fault(
    message: Any, data: st.DataObject
) -> None:
    encoded = bytearray(encode_message(message))
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position] ^= data.draw(st.integers(1, 255))
    try:
        decoded = decode_message(get_code(message), bytes(encoded))
    except PeerFault:
        return
    assert decoded != message
    assert encode_message(decoded)


@given(st.sampled_from(MessageCode), st.binary(max_size=300))
def test_message_of_random_bytes_is_a_peer_fault(code: MessageCode, noise: bytes) -> None:
    with pytest.raises(PeerFault):
        decode_message(code, noise)


def test_message_of_an_unknown_code_is_refused() -> None:
    with pytest.raises(MalformedEncoding, match="0x16"):
        decode_message(0x16, b"\xc0")


@given(messages())
def test_message_is_read_with_the_slot_for_a_block_access_list(message: Any) -> None:
    code = get_code(message)
    items: list[Any] = list(rlp_codec.decode(encode_message(message)))
    if code is MessageCode.ROUND_CHANGE:
        items.insert(2, b"")
        assert decode_message(code, rlp_codec.encode(items)) == message
    elif code is MessageCode.PROPOSAL:
        payload = rlp_codec.encode(
            [*rlp_codec.get_list(rlp_codec.decode(message.signed.payload_rlp), "payload"), b""]
        )
        signature = KEYS[0].sign(compute_signing_hash(code, payload))
        signed = rlp_codec.encode_list([payload, rlp_codec.encode(signature)])
        long = rlp_codec.encode_list([signed, rlp_codec.encode(items[1])])
        decoded = decode_message(code, long)
        assert get_author(decoded) == KEYS[0].address
        assert decoded.signed.payload == message.signed.payload
        assert encode_message(decoded) == long, "relayed as it was signed"


def test_message_signatures_are_bounded_before_they_are_looked_at() -> None:
    prepare = encode_signed(make_prepare(KEYS[0], 1, 0, Hash32(bytes(32))).signed)
    wish = encode_signed(make_round_change(KEYS[0], 1, 1).signed)
    many = rlp_codec.encode_list([prepare] * (MAX_CERTIFICATE_SIGNATURES + 1))
    raw = rlp_codec.encode_list([wish, rlp_codec.encode([]), many])
    with pytest.raises(MalformedEncoding, match="more than 64"):
        decode_message(MessageCode.ROUND_CHANGE, raw)


@pytest.mark.parametrize(
    "raw",
    [
        "8105",
        "b80161",
        "b90001ff",
        "f800",
        "c1",
        "c201",
        "c0c0",
        "f90001c0",
        "",
        "f80105",
        "8100",
        "c3000081",
    ],
)
def test_rlp_refuses_what_is_not_canonical(raw: str) -> None:
    with pytest.raises(MalformedEncoding):
        rlp_codec.decode(bytes.fromhex(raw))


@pytest.mark.parametrize("depth", [300, 200_000])
def test_rlp_refuses_hostile_nesting_instead_of_dying(depth: int) -> None:
    parts, length = [b"\xc0"], 1
    for _ in range(depth):
        size = length.to_bytes((length.bit_length() + 7) // 8, "big")
        header = bytes([0xC0 + length]) if length < 56 else bytes([0xF7 + len(size)]) + size
        parts.append(header)
        length += len(header)
    with pytest.raises(MalformedEncoding, match="nested"):
        rlp_codec.decode(b"".join(reversed(parts)))


@pytest.mark.parametrize(
    "part",
    [b"\x01", b"\xc0", b"\xc3\x01\x02\x03", rlp_codec.encode([b"\x01"] * 200)],
    ids=["bytes", "empty lists", "short lists", "small lists"],
)
def test_rlp_refuses_more_items_than_any_message_has(
    part: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rlp_codec, "MAX_ITEMS", 1_000)
    with pytest.raises(MalformedEncoding, match="more than 1000 items"):
        rlp_codec.decode(rlp_codec.encode_list([part] * 1_000))
    rlp_codec.decode(rlp_codec.encode_list([part] * 4))
    rlp_codec.decode(rlp_codec.encode([bytes(100_000)]))


items = st.recursive(
    st.binary(max_size=80), lambda inner: st.lists(inner, max_size=6), max_leaves=40
)


@given(items)
def test_rlp_decodes_to_itself(item: Any) -> None:
    encoded = rlp_codec.encode(item)
    assert rlp_codec.decode(encoded) == item
    if isinstance(item, list):
        assert rlp_codec.encode_list([rlp_codec.encode(part) for part in item]) == encoded


@given(st.integers(0, 2**64 - 1))
def test_rlp_scalar_decodes_to_itself(number: int) -> None:
    item = rlp_codec.decode(rlp_codec.encode(rlp_codec.encode_scalar(number)))
    assert rlp_codec.get_scalar(item, "number") == number


@given(st.binary(max_size=200))
def test_rlp_decoding_noise_never_raises_anything_else(noise: bytes) -> None:
    with contextlib.suppress(ConsensusError):
        assert rlp_codec.encode(rlp_codec.decode(noise)) == noise


@given(messages(), messages())
def test_evidence_proves_itself_or_is_none(one: Any, two: Any) -> None:
    evidence = find_conflict(one, two)
    if evidence is not None:
        validate_evidence(evidence)
    assert find_conflict(one, one) is None


def test_evidence_decodes_to_itself_and_cannot_be_turned_on_another() -> None:
    from dataclasses import replace

    one, two = (make_prepare(KEYS[0], 5, 2, Hash32(bytes([n]) * 32)) for n in (1, 2))
    evidence = find_conflict(one, two)
    assert evidence is not None
    assert decode_evidence(encode_evidence(evidence)) == evidence
    for forged in (
        replace(evidence, author=KEYS[1].address),
        replace(evidence, second=evidence.first),
        replace(evidence, height=Height(6)),
        replace(evidence, round=Round(1)),
        replace(evidence, code=MessageCode.COMMIT),
    ):
        with pytest.raises(PeerFault):
            validate_evidence(forged)
