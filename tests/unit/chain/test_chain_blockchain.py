"""The way of blocks: built, validated, imported, refused, read again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from consensus.block import Block, decode_block, encode_block
from consensus.header import compute_block_hash, with_round
from consensus.types import Hash32, Round
from node.chain.deadline import Deadline
from node.chain.errors import (
    ConflictingBlock,
    DeadlineExceeded,
    ExecutionDiverged,
    InvalidBlock,
    TooEarly,
    UnknownParent,
)
from node.chain.evm.executor import EvmEngine, EvmSession
from node.chain.execution import BlockEnvironment, StateReader
from node.chain.genesis import parse_genesis
from node.chain.results import CallRequest, DropReason, ImportedBlock
from tests.unit.chain.chain_world import (
    BLOCK_OPCODES,
    CHAIN_ID,
    LOOP,
    NOTARY,
    RECORDER,
    START_S,
    VALIDATOR_CONTRACT,
    VALIDATORS,
    ChainWorld,
    make_document,
    make_key,
    note,
    sign,
)

ISSUER = make_key("issuer")
STRANGER = make_key("stranger")


class CountingEngine(EvmEngine):
    """Counts the blocks that are begun."""

    begun = 0

    def begin(self, environment: BlockEnvironment, reader: StateReader) -> EvmSession:
        self.begun += 1
        return super().begin(environment, reader)


def test_block_built_by_one_node_is_validated_and_imported_by_another() -> None:
    proposer, validator = ChainWorld(), ChainWorld()
    transactions = [sign(ISSUER, nonce=n, to=NOTARY, data=note(n, n + 1)) for n in range(3)]
    block = proposer.build(transactions).block
    validator.chain.validate_block(block, deadline=Deadline.after(60))
    sealed = proposer.seal(block)
    assert proposer.chain.import_block(sealed).receipts == (
        validator.chain.import_block(decode_block(encode_block(sealed))).receipts
    )
    head = validator.chain.head
    assert head == sealed.header
    assert head.gas_used == sum(r.gas_used for r in validator.chain.get_receipts(1) or ())
    assert validator.chain.state_at(head).get_storage(NOTARY, 2) == 3
    assert validator.chain.find_transaction(transactions[1].hash) == (
        compute_block_hash(sealed.header),
        1,
    )
    assert validator.chain.get_block(compute_block_hash(sealed.header)) == sealed
    assert validator.chain.get_transactions(1) == tuple(transactions)
    assert validator.chain.get_block_hash(0) == validator.genesis.genesis_hash


@pytest.mark.parametrize("way", ["build", "validate", "import"])
def test_block_is_executed_once_on_each_way(way: str) -> None:
    engine = CountingEngine()
    world, other = ChainWorld(engine=engine), ChainWorld()
    transactions = [sign(ISSUER, to=NOTARY, data=note(1, 2))]
    block = (world if way == "build" else other).build(transactions).block
    if way == "validate":
        for round_number in (0, 1):
            proposed = replace(block, header=with_round(block.header, Round(round_number)))
            world.chain.validate_block(proposed, deadline=Deadline.never())
    world.chain.import_block(world.seal(block))
    assert engine.begun == 1


def test_every_block_opcode_says_the_same_in_build_validate_import_and_call() -> None:
    builder, validator, importer = ChainWorld(), ChainWorld(), ChainWorld()
    for world in (builder, validator, importer):
        world.grow()
    block = builder.build([sign(ISSUER, to=RECORDER)]).block
    validator.chain.validate_block(block, deadline=Deadline.never())
    sealed = builder.seal(block)
    seen = []
    for world in (builder, validator, importer):
        world.chain.import_block(sealed)
        state = world.chain.state_at(world.chain.head)
        slots = [*range(len(BLOCK_OPCODES)), 100, 101, 102]
        seen.append([state.get_storage(RECORDER, slot) for slot in slots])
        called = world.chain.call(
            CallRequest(to=RECORDER), world.chain.head, deadline=Deadline.never()
        )
        words = [
            int.from_bytes(called.output[start : start + 32], "big")
            for start in range(0, len(called.output), 32)
        ]
        assert words == seen[-1]
    assert seen[0] == seen[1] == seen[2]
    header = sealed.header
    assert seen[0] == [
        int.from_bytes(header.coinbase, "big"),
        header.timestamp,
        2,
        int.from_bytes(header.mix_hash, "big"),
        header.gas_limit,
        CHAIN_ID,
        0,
        1,
        int.from_bytes(header.parent_hash, "big"),
        int.from_bytes(builder.genesis.genesis_hash, "big"),
        0,
    ]


def test_full_blocks_leave_the_base_fee_at_zero() -> None:
    world = ChainWorld()
    for number in range(3):
        transaction = sign(ISSUER, nonce=number, to=LOOP, gas=29_000_000)
        assert world.grow([transaction]).receipts[0].status == 0
        assert world.chain.head.base_fee_per_gas == 0
        assert world.chain.head.gas_used == 29_000_000


def test_import_of_a_known_block_answers_again_and_tells_nobody() -> None:
    world = ChainWorld()
    heard: list[ImportedBlock] = []
    world.chain.subscribe(heard.append)
    first = world.grow([sign(ISSUER, to=NOTARY, data=note(1, 2))])
    world.grow()
    again = world.chain.import_block(first.block)
    assert again == first
    assert [item.block.header.number for item in heard] == [1, 2]


def test_listener_that_fails_hinders_neither_the_import_nor_the_others() -> None:
    world = ChainWorld()
    heard: list[int] = []

    def fail(_imported: ImportedBlock) -> None:
        raise RuntimeError("a listener of the test")

    world.chain.subscribe(fail)
    world.chain.subscribe(lambda imported: heard.append(imported.block.header.number))
    world.grow()
    assert heard == [1]
    assert world.chain.head.number == 1


def change_header(**fields: Any) -> Callable[[Block], Block]:
    return lambda block: replace(block, header=replace(block.header, **fields))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (change_header(timestamp=START_S), "timestamp"),
        (change_header(timestamp=START_S + 2_000_000), "timestamp"),
        (change_header(gas_limit=29_000_000), "gasLimit"),
        (change_header(base_fee_per_gas=7), "baseFee"),
        (change_header(mix_hash=Hash32(bytes(32))), "mixHash"),
        (change_header(difficulty=0), "difficulty"),
        (change_header(coinbase=VALIDATORS[4].address), "coinbase"),
        (change_header(parent_hash=Hash32(b"\x01" * 32)), "parentHash"),
        (change_header(parent_beacon_block_root=None), "Cancun"),
        (change_header(state_root=Hash32(b"\x01" * 32)), "state_root"),
        (change_header(receipts_root=Hash32(b"\x01" * 32)), "receipts_root"),
        (change_header(gas_used=21_000), "gas_used"),
        (change_header(logs_bloom=b"\x01" * 256), "logs_bloom"),
        (change_header(transactions_root=Hash32(b"\x01" * 32)), "transactions"),
        (lambda block: replace(block, transactions=()), "transactions"),
        (lambda block: replace(block, withdrawals=None), "Cancun"),
    ],
)
def test_spoiled_proposal_is_refused_with_its_reason(
    spoil: Callable[[Block], Block], message: str
) -> None:
    world = ChainWorld()
    block = ChainWorld().build([sign(ISSUER, to=NOTARY, data=note(1, 2))]).block
    with pytest.raises(InvalidBlock, match=message):
        world.chain.validate_block(spoil(block), deadline=Deadline.never())
    world.chain.validate_block(block, deadline=Deadline.never())
    assert world.chain.head.number == 0


def test_proposal_with_a_transaction_that_cannot_run_is_refused() -> None:
    world = ChainWorld()
    good = ChainWorld().build([sign(ISSUER, to=NOTARY)]).block
    from node.chain.trie import compute_ordered_root

    for transaction, reason in (
        (sign(ISSUER, nonce=3), "nonce"),
        (sign(ISSUER, chainId=1), "chainId"),
        (sign(ISSUER, value=1), "value"),
        (sign(ISSUER, gas=20_000), "gas"),
    ):
        header = replace(good.header, transactions_root=compute_ordered_root([transaction.raw]))
        block = Block(header=header, transactions=(transaction.raw,), withdrawals=())
        with pytest.raises(InvalidBlock, match=f"transaction 0: {reason}"):
            world.chain.validate_block(block, deadline=Deadline.never())


@pytest.mark.parametrize(
    ("signers", "message"),
    [
        ([], "seals: 0 where 3"),
        ([0, 1], "seals: 2 where 3"),
        ([0, 1, 1], "twice"),
        ([0, 1, 4], "not by a validator"),
    ],
)
def test_import_needs_a_quorum_of_seals(signers: list[int], message: str) -> None:
    world = ChainWorld()
    block = world.build().block
    with pytest.raises(InvalidBlock, match=message):
        world.chain.import_block(world.seal(block, [VALIDATORS[index] for index in signers]))
    assert world.chain.head.number == 0
    world.chain.import_block(world.seal(block, [VALIDATORS[index] for index in (0, 2, 3)]))


def test_import_of_a_body_that_does_not_fit_its_sealed_header_blames_the_sender() -> None:
    world, other = ChainWorld(), ChainWorld()
    sealed = world.seal(other.build([sign(ISSUER, to=NOTARY)]).block)
    for node in (world, other):
        # The other node has executed the block before; it must not store a foreign body either.
        with pytest.raises(InvalidBlock, match="not those of the header"):
            node.chain.import_block(replace(sealed, transactions=()))
        node.chain.import_block(sealed)
        assert node.chain.get_block(1) == sealed


def test_import_of_a_sealed_block_that_executes_to_something_else_is_our_alarm() -> None:
    world, other = ChainWorld(), ChainWorld()
    block = other.build([sign(ISSUER, to=NOTARY)]).block
    forged = replace(block, header=replace(block.header, state_root=Hash32(b"\x07" * 32)))
    with pytest.raises(ExecutionDiverged, match="state_root"):
        world.chain.import_block(world.seal(forged))
    assert world.chain.head.number == 0


def test_import_of_a_sealed_block_ahead_of_our_clock_waits_for_the_clock() -> None:
    world, other = ChainWorld(), ChainWorld()
    block = other.build([sign(ISSUER, to=NOTARY)]).block
    sealed = world.seal(block)
    world.now_s = block.header.timestamp - 10
    with pytest.raises(TooEarly, match="ahead of our clock"):
        world.chain.import_block(sealed)
    with pytest.raises(InvalidBlock, match="seals") as refusal:
        world.chain.import_block(block)
    assert not isinstance(refusal.value, TooEarly)
    world.now_s += 9  # the header rules tolerate one second
    world.chain.import_block(sealed)
    assert world.chain.head.number == 1


def test_import_tells_a_future_block_from_a_contradicting_one() -> None:
    world, ahead = ChainWorld(), ChainWorld()
    ahead.grow()
    second = ahead.grow().block
    with pytest.raises(UnknownParent):
        world.chain.import_block(second)
    world.grow([sign(ISSUER, to=NOTARY)])
    with pytest.raises(ConflictingBlock):
        world.chain.import_block(ahead.chain.get_block(1) or second)
    with pytest.raises(UnknownParent):
        ahead.chain.build_block(
            parent=world.chain.head,
            timestamp=START_S + 9,
            coinbase=VALIDATORS[0].address,
            extra_data=b"",
            candidates=(),
            deadline=Deadline.never(),
            is_permitted=lambda _: True,
        )


def test_builder_drops_what_will_never_run_and_leaves_what_may_run_later() -> None:
    world = ChainWorld()
    world.grow([sign(ISSUER, to=NOTARY)])
    candidates = {
        sign(ISSUER, nonce=0, to=NOTARY): DropReason.NONCE_USED,
        sign(STRANGER, nonce=0, to=NOTARY): DropReason.NOT_PERMITTED,
        sign(ISSUER, nonce=1, chainId=5, to=NOTARY): DropReason.WRONG_CHAIN,
        sign(ISSUER, nonce=1, to=NOTARY, value=5): DropReason.CANNOT_PAY,
        sign(ISSUER, nonce=1, to=NOTARY, gas=20_000): DropReason.TOO_LITTLE_GAS,
        sign(ISSUER, nonce=1, to=NOTARY, gas=40_000_000): DropReason.TOO_MUCH_GAS,
        sign(ISSUER, nonce=1, data=b"\x00" * 50_000): DropReason.NOT_EXECUTABLE,
        sign(ISSUER, nonce=7, to=NOTARY): None,
        sign(ISSUER, nonce=1, to=NOTARY, data=note(9, 9)): None,
    }
    stranger = sign(STRANGER, to=NOTARY).sender
    built = world.build(
        list(candidates), is_permitted=lambda transaction: transaction.sender != stranger
    )
    assert {item.transaction: item.reason for item in built.dropped} == {
        transaction: reason for transaction, reason in candidates.items() if reason
    }
    assert built.block.transactions == (list(candidates)[-1].raw,)


def test_validators_follow_the_contract_from_the_next_height() -> None:
    world = ChainWorld()
    before = world.chain.get_validators(world.chain.head)
    assert before == tuple(key.address for key in VALIDATORS[:4])
    joiner = VALIDATORS[4].address
    calls = [note(5, int.from_bytes(joiner, "big")), note(0, 5)]
    parent = world.chain.head
    world.grow(
        [sign(ISSUER, nonce=n, to=VALIDATOR_CONTRACT, data=call) for n, call in enumerate(calls)]
    )
    assert world.chain.get_validators(parent) == before
    assert world.chain.get_validators(world.chain.head) == tuple(
        sorted(key.address for key in VALIDATORS)
    )
    with pytest.raises(InvalidBlock, match="seals: 3 where 4"):
        world.chain.import_block(world.seal(world.build().block, VALIDATORS[:3]))
    world.grow()


def test_validators_follow_the_votes_of_headers_until_the_epoch() -> None:
    from consensus.extra_data import Vote, VoteType

    genesis = parse_genesis(make_document(is_header_vote=True))
    world = ChainWorld(genesis=genesis)
    joiner = VALIDATORS[4].address
    vote = Vote(recipient=joiner, vote_type=VoteType.ADD)
    for _ in range(2):
        world.grow(vote=vote)
    assert joiner not in world.chain.get_validators(world.chain.head)
    world.grow(vote=vote)
    assert joiner in world.chain.get_validators(world.chain.head)
    for _ in range(5):
        world.grow()
    tally = world.chain.get_vote_tally(world.chain.head)
    assert world.chain.head.number > genesis.qbft.epoch_length
    # A node that starts now counts again from the last epoch block.
    again = ChainWorld(world.store, genesis=genesis)
    assert again.chain.get_vote_tally(again.chain.head) == tally
    assert again.chain.get_validators(again.chain.head) == tally.validators


def test_validation_that_is_cut_off_changes_nothing() -> None:
    world = ChainWorld()
    block = ChainWorld().build([sign(ISSUER, to=LOOP)]).block
    with pytest.raises(DeadlineExceeded):
        world.chain.validate_block(block, deadline=Deadline.after(-1))
    assert world.chain.head.number == 0
    # A quorum has sealed it: now it is executed without a limit.
    assert world.chain.import_block(world.seal(block)).receipts[0].gas_used == 3_000_000
