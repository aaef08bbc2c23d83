"""Cases taken from real Besu and GoQuorum material; each names its source in the file."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak

from consensus.errors import InvalidHeader, MalformedEncoding
from consensus.extra_data import Vote, VoteType, decode_extra_data, encode_extra_data, encode_parts
from consensus.genesis_config import QbftConfig
from consensus.header import (
    DIFFICULTY,
    MIX_HASH,
    NONCE,
    BlockHeader,
    compute_block_hash,
    compute_commit_hash,
    decode_header,
    encode_header,
)
from consensus.header_rules import HeaderRules, get_sealers, validate_sealed_header, validate_seals
from consensus.messages import decode_message, encode_message
from consensus.payloads import MessageCode, compute_signing_hash
from consensus.proposer import select_proposer
from consensus.quorum import compute_faulty, compute_quorum
from consensus.timeouts import compute_round_timeout_ms
from consensus.types import Address, Round
from consensus.votes import VoteTally, apply_vote

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "qbft.json").read_text(encoding="utf-8")
)


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def address(text: str) -> Address:
    return Address(unhex(text))


def by_id(name: str) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in VECTORS[name]]


def get_header(case_id: str) -> BlockHeader:
    case = next(case for case in VECTORS["headers"] if case["id"] == case_id)
    return decode_header(unhex(case["header_rlp"]))


@pytest.mark.parametrize("case", by_id("extra_data"))
def test_extra_data_decodes_and_encodes_as_besu(case: dict[str, Any]) -> None:
    raw, expected = unhex(case["hex"]), case["decoded"]
    decoded = decode_extra_data(raw)
    vote = expected["vote"]
    assert decoded.vanity == unhex(expected["vanity"])
    assert decoded.validators == tuple(address(text) for text in expected["validators"])
    assert decoded.vote == (
        None
        if vote is None
        else Vote(recipient=address(vote["recipient"]), vote_type=VoteType[vote["type"]])
    )
    assert decoded.round == expected["round"]
    assert decoded.seals == tuple(unhex(seal) for seal in expected["seals"])
    assert encode_extra_data(decoded) == raw


def test_extra_data_leaves_out_seals_and_round_as_besu() -> None:
    case = next(case for case in VECTORS["extra_data"] if "without_seals" in case)
    decoded = decode_extra_data(unhex(case["hex"]))
    assert encode_parts(decoded, round_number=decoded.round) == unhex(case["without_seals"])
    assert encode_parts(decoded, round_number=Round(0)) == unhex(case["without_seals_and_round"])


def test_extra_data_validators_are_addresses_of_public_keys() -> None:
    case = next(case for case in VECTORS["extra_data"] if "public_keys" in case)
    derived = tuple(keccak(unhex(key))[12:] for key in case["public_keys"])
    assert decode_extra_data(unhex(case["hex"])).validators == derived


@pytest.mark.parametrize("case", by_id("extra_data_must_reject"))
def test_extra_data_of_obsolete_formats_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(MalformedEncoding):
        decode_extra_data(unhex(case["hex"]))


@pytest.mark.parametrize("case", by_id("headers"))
def test_header_fields_hashes_and_sealers_are_those_of_besu(case: dict[str, Any]) -> None:
    raw = unhex(case["header_rlp"])
    header = decode_header(raw)
    extra_data = decode_extra_data(header.extra_data)
    assert encode_header(header) == raw
    assert header.number == case["number"]
    assert header.timestamp == case["timestamp"]
    assert header.parent_hash == unhex(case["parent_hash"])
    assert header.coinbase == address(case["coinbase"])
    assert compute_block_hash(header) == unhex(case["block_hash_onchain"])
    assert compute_commit_hash(header) == unhex(case["commit_seal_hash"])
    assert keccak(raw) == unhex(case["keccak_full_header_NOT_the_hash"])
    assert extra_data.round == case["round"]
    assert extra_data.validators == tuple(address(text) for text in case["validators"])
    assert get_sealers(header) == tuple(
        address(text) for text in case["sealers_recovered_in_order"]
    )
    assert (header.mix_hash, header.difficulty, header.nonce) == (MIX_HASH, DIFFICULTY, NONCE)


def test_header_field_count_is_that_of_its_fork() -> None:
    from consensus import rlp_codec

    for case in VECTORS["headers"]:
        items = rlp_codec.decode(unhex(case["header_rlp"]))
        assert len(items) == case["fields"]


RULES = HeaderRules(config=QbftConfig(block_period_s=2), has_zero_base_fee=False)


def test_header_of_besu_is_acceptable_on_its_parent() -> None:
    parent, header = get_header("eureka25_n"), get_header("eureka25_n1")
    validators = decode_extra_data(parent.extra_data).validators
    validate_sealed_header(header, parent, validators, now_s=header.timestamp, rules=RULES)


@pytest.mark.parametrize(
    ("case_id", "parent_id", "reason"),
    [
        ("eureka25_low_quorum", "eureka25_n", "seals: 2 where 3"),
        ("eureka25_conflicting", "eureka25_n1", "number"),
        ("eureka25_low_overlap", "eureka25_n1", "validators are not those"),
    ],
)
def test_header_edited_from_besu_is_refused(case_id: str, parent_id: str, reason: str) -> None:
    header, parent = get_header(case_id), get_header(parent_id)
    validators = decode_extra_data(parent.extra_data).validators
    with pytest.raises(InvalidHeader, match=reason):
        validate_sealed_header(header, parent, validators, now_s=header.timestamp, rules=RULES)


def test_header_seals_of_another_set_are_refused() -> None:
    validators = decode_extra_data(get_header("eureka25_n").extra_data).validators
    with pytest.raises(InvalidHeader, match="not by a validator"):
        validate_seals(get_header("eureka25_low_overlap"), validators)


@pytest.mark.parametrize("case", by_id("messages_live_signed"))
def test_message_of_goquorum_decodes_to_its_author(case: dict[str, Any]) -> None:
    raw, code = unhex(case["rlp"]), int(case["code"], 16)
    message = decode_message(code, raw)
    payload = message.signed.payload
    assert message.signed.author == address(case["author"])
    assert (payload.height, payload.round) == (case["sequence"], case["round"])
    assert unhex(case["digest"]) in message.signed.payload_rlp
    assert compute_signing_hash(MessageCode(code), message.signed.payload_rlp) == unhex(
        case["payload_hash_signed"]
    )
    assert encode_message(message) == raw


@pytest.mark.parametrize(("count", "quorum"), VECTORS["quorum"]["required"].items())
def test_quorum_is_that_of_besu(count: str, quorum: int) -> None:
    assert compute_quorum(int(count)) == quorum


@pytest.mark.parametrize(
    ("count", "enough"), VECTORS["quorum"]["future_round_change_f_plus_1"].items()
)
def test_faulty_plus_one_is_that_of_besu(count: str, enough: int) -> None:
    assert compute_faulty(int(count)) + 1 == enough


@pytest.mark.parametrize(("number", "timeout_ms"), VECTORS["round_timeout"]["ms"].items())
def test_round_timeout_doubles_as_in_besu(number: str, timeout_ms: int) -> None:
    config = QbftConfig(request_timeout_s=2)
    assert compute_round_timeout_ms(config, Round(int(number))) == timeout_ms


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=c["name"]) for c in VECTORS["vote_tally"]["cases"]]
)
def test_vote_tally_counts_as_besu(case: dict[str, Any]) -> None:
    tally = VoteTally(validators=tuple(sorted(address(text) for text in case["initial"])))
    for vote in case["votes"]:
        tally = apply_vote(
            tally,
            voter=address(vote["proposer"]),
            vote=Vote(recipient=address(vote["recipient"]), vote_type=VoteType[vote["type"]]),
        )
    assert tally.validators == tuple(sorted(address(text) for text in case["expected"]))


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=c["name"]) for c in VECTORS["proposer_selection"]["cases"]]
)
def test_proposer_is_that_of_besu(case: dict[str, Any]) -> None:
    validators = [address(text) for text in case["validators"]]
    proposer = select_proposer(address(case["prev"]), validators, Round(case["round"]))
    assert proposer == address(case["expect"])


def test_proposer_follows_the_live_sequence() -> None:
    first, second = get_header("eureka25_n"), get_header("eureka25_n1")
    validators = decode_extra_data(first.extra_data).validators
    assert select_proposer(first.coinbase, validators, Round(0)) == second.coinbase
    third = get_header("eureka25_conflicting").coinbase
    assert select_proposer(second.coinbase, validators, Round(0)) == third
