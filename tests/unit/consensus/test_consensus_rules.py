"""Rules of headers, of the genesis file, of header votes, and the bounds of buffers."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.buffers import FutureBuffer
from consensus.errors import AheadOfClock, GenesisConfigError, InvalidHeader
from consensus.extra_data import (
    ExtraData,
    Vote,
    VoteType,
    decode_extra_data,
    encode_extra_data,
)
from consensus.genesis_config import QbftConfig, parse_qbft_config
from consensus.header import BlockHeader, with_seals
from consensus.header_rules import HeaderRules, validate_proposed_header, validate_sealed_header
from consensus.payloads import compute_digest
from consensus.timeouts import (
    compute_block_due_ms,
    compute_build_budget_ms,
    compute_empty_block_due_ms,
    compute_timestamp,
    compute_validation_budget_ms,
)
from consensus.types import Address, Hash32, Height, Round
from consensus.votes import VoteTally, apply_header, apply_vote, choose_vote
from tests.simulation.forge import make_block, make_prepare, make_round_change
from tests.simulation.keys import CONTRACT, KEYS, STRANGER
from tests.simulation.model_chain import ModelChain
from tests.simulation.solo import CONFIG, Solo

GENESIS = Solo(me=1, is_started=False).genesis
BLOCK = make_block(GENESIS, coinbase=KEYS[0])
HEADER = BLOCK.header
V = [key.address for key in KEYS[:4]]
RULES = HeaderRules(config=CONFIG)
NOW_S = float(HEADER.timestamp)


def in_extra(**changes: Any) -> Callable[[BlockHeader], BlockHeader]:
    def change(header: BlockHeader) -> BlockHeader:
        extra_data = replace(decode_extra_data(header.extra_data), **changes)
        return replace(header, extra_data=encode_extra_data(extra_data))

    return change


def having(**changes: Any) -> Callable[[BlockHeader], BlockHeader]:
    return lambda header: replace(header, **changes)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (having(number=2), "number"),
        (having(parent_hash=Hash32(bytes(32))), "parentHash"),
        (having(timestamp=HEADER.timestamp - 1), "timestamp"),
        (having(timestamp=HEADER.timestamp + 2), "timestamp"),
        (having(gas_used=HEADER.gas_limit + 1), "gasUsed"),
        (having(gas_limit=HEADER.gas_limit + HEADER.gas_limit // 1024), "gasLimit"),
        (having(gas_limit=HEADER.gas_limit - HEADER.gas_limit // 1024), "gasLimit"),
        (having(gas_limit=4_999), "gasLimit"),
        (having(mix_hash=Hash32(bytes(32))), "mixHash"),
        (having(difficulty=0), "difficulty"),
        (having(nonce=b"\x01" * 8), "nonce"),
        (having(ommers_hash=Hash32(bytes(32))), "ommersHash"),
        (having(withdrawals_root=Hash32(bytes(32))), "withdrawalsRoot"),
        (having(blob_gas_used=1), "blobGasUsed"),
        (having(excess_blob_gas=1), "excessBlobGas"),
        (having(parent_beacon_block_root=Hash32(b"\x01" * 32)), "parentBeaconBlockRoot"),
        (having(base_fee_per_gas=7), "baseFeePerGas"),
        (having(coinbase=STRANGER.address), "coinbase"),
        (having(extra_data=b"\xc0"), "extraData"),
        (in_extra(validators=tuple(V)), "extraData: validators or a vote"),
        (
            in_extra(vote=Vote(recipient=V[0], vote_type=VoteType.DROP)),
            "extraData: validators or a vote",
        ),
    ],
)
def test_header_that_breaks_a_rule_is_refused_by_its_name(
    change: Callable[[BlockHeader], BlockHeader], rule: str
) -> None:
    validate_proposed_header(HEADER, GENESIS, V, now_s=NOW_S, rules=RULES)
    with pytest.raises(InvalidHeader, match=f"^{rule}"):
        validate_proposed_header(change(HEADER), GENESIS, V, now_s=NOW_S, rules=RULES)


def test_header_gas_limit_may_move_in_small_steps() -> None:
    step = HEADER.gas_limit // 1024 - 1
    for limit in (HEADER.gas_limit - step, HEADER.gas_limit + step):
        header = replace(HEADER, gas_limit=limit)
        validate_proposed_header(header, GENESIS, V, now_s=NOW_S, rules=RULES)


def test_header_in_header_vote_mode_states_the_validators() -> None:
    rules = HeaderRules(config=QbftConfig())
    stated = in_extra(validators=tuple(V))(HEADER)
    validate_proposed_header(stated, GENESIS, V, now_s=NOW_S, rules=rules)
    for wrong in ((), tuple(reversed(V)), tuple(V[1:])):
        with pytest.raises(InvalidHeader, match=r"^extraData: the validators"):
            validate_proposed_header(
                in_extra(validators=wrong)(HEADER), GENESIS, V, now_s=NOW_S, rules=rules
            )


def test_header_period_rule_is_off_with_millisecond_periods() -> None:
    rules = HeaderRules(config=replace(CONFIG, block_period_ms=250))
    same = replace(HEADER, timestamp=GENESIS.timestamp)
    validate_proposed_header(same, GENESIS, V, now_s=NOW_S, rules=rules)
    earlier = replace(HEADER, timestamp=GENESIS.timestamp - 1)
    with pytest.raises(InvalidHeader, match=r"^timestamp"):
        validate_proposed_header(earlier, GENESIS, V, now_s=NOW_S, rules=rules)


@given(st.lists(st.sampled_from([*KEYS[:4], STRANGER]), max_size=6))
def test_header_seals_are_a_quorum_of_distinct_validators(signers: list[Any]) -> None:
    digest = compute_digest(BLOCK, Round(0))
    sealed = with_seals(HEADER, [key.sign(digest) for key in signers])
    is_quorum = len(set(signers)) == len(signers) and len(signers) >= 3 and STRANGER not in signers
    outcome: AbstractContextManager[object] = nullcontext()
    if not is_quorum:
        outcome = pytest.raises(InvalidHeader, match="seals")
    with outcome:
        validate_sealed_header(sealed, GENESIS, V, now_s=NOW_S, rules=RULES)


def test_header_that_only_our_clock_refuses_is_told_from_one_with_a_flaw() -> None:
    early_s = HEADER.timestamp - 10.0
    digest = compute_digest(BLOCK, Round(0))
    sealed = with_seals(HEADER, [key.sign(digest) for key in KEYS[:3]])
    with pytest.raises(AheadOfClock):
        validate_sealed_header(sealed, GENESIS, V, now_s=early_s, rules=RULES)
    flawed = [with_seals(HEADER, ()), replace(sealed, base_fee_per_gas=7)]
    for header in flawed:  # a lie must not pass for a matter of clocks
        with pytest.raises(InvalidHeader) as refusal:
            validate_sealed_header(header, GENESIS, V, now_s=early_s, rules=RULES)
        assert type(refusal.value) is InvalidHeader


def test_genesis_config_takes_besus_names_and_defaults() -> None:
    assert parse_qbft_config({}) == QbftConfig()
    parsed = parse_qbft_config(
        {
            "epochLength": "0x7530",
            "blockperiodseconds": 2,
            "emptyblockperiodseconds": "60",
            "requesttimeoutseconds": 4,
            "xblockperiodmilliseconds": 0,
            "validatorcontractaddress": "0x" + CONTRACT.hex(),
            "miningbeneficiary": "0x" + bytes(20).hex(),
            "blockreward": "0x0",
            "messageQueueLimit": 1_000,
        }
    )
    assert parsed == QbftConfig(
        epoch_length=30_000,
        block_period_s=2,
        empty_block_period_s=60,
        request_timeout_s=4,
        validator_contract=CONTRACT,
        mining_beneficiary=Address(bytes(20)),
    )
    assert parsed.is_contract_mode


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({"blockperiodseconds": 0}, "blockperiodseconds"),
        ({"blockperiodseconds": 1.5}, "blockperiodseconds"),
        ({"blockperiodseconds": True}, "blockperiodseconds"),
        ({"blockPeriodSeconds": "soon"}, "blockPeriodSeconds"),
        ({"epochlength": -1}, "epochlength"),
        ({"requesttimeoutseconds": 10**9}, "requesttimeoutseconds"),
        ({"validatorcontractaddress": "0x12"}, "validatorcontractaddress"),
        ({"validatorcontractaddress": "0x" + "zz" * 20}, "validatorcontractaddress"),
        ({"blockperiodsecond": 1}, "blockperiodsecond"),
        ({"epochlength": 5, "epochLength": 6}, "epochLength"),
    ],
)
def test_genesis_config_names_the_key_that_is_wrong(document: dict[str, Any], key: str) -> None:
    with pytest.raises(GenesisConfigError) as caught:
        parse_qbft_config(document)
    assert caught.value.key == key
    assert f"config.qbft.{key}" in str(caught.value)


def vote_header(number: int, voter: int, vote: Vote | None, members: list[Address]) -> BlockHeader:
    extra_data = ExtraData(validators=tuple(members), vote=vote)
    return replace(
        HEADER,
        number=Height(number),
        coinbase=V[voter],
        extra_data=encode_extra_data(extra_data),
    )


def test_votes_are_cleared_and_ignored_at_an_epoch_block() -> None:
    add = Vote(recipient=KEYS[4].address, vote_type=VoteType.ADD)
    tally = VoteTally(validators=tuple(V))
    for voter in (0, 1):
        tally = apply_header(tally, vote_header(8 + voter, voter, add, V), epoch_length=10)
    assert len(tally.add_votes[KEYS[4].address]) == 2
    tally = apply_header(tally, vote_header(10, 2, add, V), epoch_length=10)
    assert tally == VoteTally(validators=tuple(V))
    tally = apply_header(tally, vote_header(11, 2, add, V), epoch_length=10)
    assert tally.add_votes == {KEYS[4].address: frozenset({V[2]})}


def test_votes_of_a_removed_validator_go_with_it() -> None:
    tally = VoteTally(validators=tuple(V))
    add = Vote(recipient=KEYS[4].address, vote_type=VoteType.ADD)
    drop = Vote(recipient=V[3], vote_type=VoteType.DROP)
    tally = apply_vote(tally, voter=V[3], vote=add)
    for voter in V[:3]:
        tally = apply_vote(tally, voter=voter, vote=drop)
    assert tally == VoteTally(validators=tuple(V[:3]))


def test_votes_never_drop_the_last_validator() -> None:
    tally = VoteTally(validators=(V[0],))
    tally = apply_vote(tally, voter=V[0], vote=Vote(recipient=V[0], vote_type=VoteType.DROP))
    assert tally.validators == (V[0],)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(KEYS[:7]), st.sampled_from(list(VoteType))),
        max_size=40,
    )
)
def test_votes_keep_the_set_sorted_and_every_voter_on_one_side(
    cast: list[tuple[int, Any, VoteType]],
) -> None:
    tally = VoteTally(validators=tuple(V))
    for voter, recipient, vote_type in cast:
        vote = Vote(recipient=recipient.address, vote_type=vote_type)
        tally = apply_vote(tally, voter=V[voter], vote=vote)
        assert tally.validators == tuple(sorted(set(tally.validators)))
        assert tally.validators
        for address, voters in tally.add_votes.items():
            assert not voters & tally.drop_votes.get(address, frozenset())


def test_vote_is_chosen_only_while_it_would_change_something() -> None:
    wishes = {V[0]: VoteType.ADD, KEYS[4].address: VoteType.DROP}
    assert choose_vote(wishes, V, Height(3)) is None


def test_times_follow_the_parent_or_the_import() -> None:
    seconds = replace(CONFIG, block_period_s=5, empty_block_period_s=30)
    parent_ms = GENESIS.timestamp * 1000
    assert compute_block_due_ms(seconds, GENESIS, parent_ms + 900) == parent_ms + 5_000
    assert compute_empty_block_due_ms(seconds, GENESIS, 0) == parent_ms + 30_000
    assert compute_build_budget_ms(seconds) == 2_500
    quick = replace(CONFIG, block_period_ms=250, request_timeout_s=1)
    assert compute_block_due_ms(quick, GENESIS, parent_ms + 900) == parent_ms + 1_150
    assert compute_timestamp(quick, GENESIS, parent_ms - 500) == GENESIS.timestamp
    assert compute_validation_budget_ms(quick, Round(0)) == 500
    assert compute_validation_budget_ms(quick, Round(3)) == 4_000


messages = st.builds(
    lambda key, height, number, is_wish: (
        make_round_change(key, height, number + 1)
        if is_wish
        else make_prepare(key, height, number, Hash32(bytes(32)))
    ),
    st.sampled_from([*KEYS[:4], STRANGER, KEYS[9]]),
    st.integers(1, 6),
    st.integers(0, 6),
    st.booleans(),
)


@given(st.lists(st.tuples(messages, st.integers(1, 400)), max_size=80))
def test_buffer_never_exceeds_its_bounds_or_a_share(arrivals: list[tuple[Any, int]]) -> None:
    buffer = FutureBuffer(max_messages=25, max_bytes=5_000)
    for message, size_bytes in arrivals:
        buffer.add(message, size_bytes, V)
        assert len(buffer) <= 25
        assert 0 <= buffer.total_bytes <= 5_000
    kept = [
        message
        for height in range(1, 7)
        for number in range(8)
        for message in buffer.take(Height(height), Round(number))
    ]
    assert buffer.total_bytes == 0
    assert len(buffer) == 0
    for author in V:
        assert sum(message.signed.author == author for message in kept) <= 5
    assert sum(message.signed.author not in V for message in kept) <= 5


def test_buffer_forgets_what_is_over() -> None:
    buffer = FutureBuffer()
    for height, number in ((1, 0), (1, 2), (2, 0)):
        buffer.add(make_prepare(KEYS[0], height, number, Hash32(bytes(32))), 100, V)
    buffer.discard_before(Height(1), Round(1))
    assert len(buffer) == 2
    buffer.discard_before(Height(2))
    assert len(buffer.take(Height(2), Round(0))) == 1


def test_model_chain_refuses_what_the_real_one_refuses() -> None:
    chain = ModelChain.create(RULES, V)
    other = replace(BLOCK, header=replace(HEADER, state_root=Hash32(bytes(32))))
    assert chain.find_fault(BLOCK, NOW_S) is None
    assert chain.find_fault(other, NOW_S) == "stateRoot: execution gives another"
