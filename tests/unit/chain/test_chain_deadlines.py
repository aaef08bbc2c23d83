"""Execution under a clock that the test moves: what is cut off, what is dropped, what goes on."""

import hashlib
import threading
from dataclasses import dataclass

import pytest

from consensus.types import Address
from node.chain.deadline import Deadline
from node.chain.errors import DeadlineExceeded
from node.chain.evm.compiler import MAX_OPCODES
from node.chain.evm.computation import OPCODES_PER_CHECK, TRACES_PER_CHECK, LedgerComputation
from node.chain.evm.executor import EvmEngine
from node.chain.evm.precompiles import LEDGER_PRECOMPILES
from node.chain.genesis import parse_genesis
from node.chain.results import CallRequest, DropReason
from tests.unit.chain.chain_world import (
    DIVER,
    LOOP,
    NOTARY,
    PAIRER,
    ChainWorld,
    StepClock,
    make_document,
    make_key,
    note,
    sign,
)
from tests.unit.chain.evm_lab import assemble

MODEXP, KZG = (Address(number.to_bytes(20, "big")) for number in (5, 10))
EVALUATOR = Address(b"\x01" * 19 + b"\x99")
ATTACKER = make_key("attacker")
ISSUER = make_key("issuer")

# The generators of both groups of alt_bn128 (EIP-197): a pair that takes the full time.
G1 = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
G2 = bytes.fromhex(
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
)


def make_deadline(seconds: float, step_s: float = 0.001) -> tuple[Deadline, StepClock]:
    clock = StepClock(step_s)
    return Deadline(monotonic_end=seconds, clock=clock), clock


def test_endless_loop_is_cut_off_within_a_thousand_opcodes() -> None:
    assert TRACES_PER_CHECK * MAX_OPCODES <= OPCODES_PER_CHECK
    world = ChainWorld()
    deadline, clock = make_deadline(0.05)
    with pytest.raises(DeadlineExceeded):
        world.chain.call(CallRequest(to=LOOP, gas=30_000_000), world.chain.head, deadline=deadline)
    # The clock was read until its first look past the end, and not once more.
    assert clock.now_s == pytest.approx(0.05, abs=0.0015)


def test_pairing_is_cut_off_inside_the_precompile() -> None:
    world = ChainWorld()
    pairs = (G1 + G2) * 60
    deadline, clock = make_deadline(0.05)
    with pytest.raises(DeadlineExceeded):
        world.chain.call(
            CallRequest(to=PAIRER, data=pairs, gas=3_000_000), world.chain.head, deadline=deadline
        )
    assert clock.now_s == pytest.approx(0.05, abs=0.0015)


def test_modular_exponentiation_is_cut_off_inside_the_precompile() -> None:
    world = ChainWorld()
    base, exponent, modulus = b"\x05" * 64, b"\xff" * 512, b"\xfd" * 64
    sizes = b"".join(len(part).to_bytes(32, "big") for part in (base, exponent, modulus))
    request = CallRequest(to=MODEXP, data=sizes + base + exponent + modulus, gas=3_000_000)
    deadline, clock = make_deadline(1.0)
    result = world.chain.call(request, world.chain.head, deadline=deadline)
    numbers = (int.from_bytes(part, "big") for part in (base, exponent, modulus))
    assert int.from_bytes(result.output, "big") == pow(*numbers)
    assert clock.now_s > 0.064, "the clock is seen every 64 bits of 4,096"
    deadline, clock = make_deadline(0.03)
    with pytest.raises(DeadlineExceeded):
        world.chain.call(request, world.chain.head, deadline=deadline)
    assert clock.now_s == pytest.approx(0.03, abs=0.0015)


def test_point_evaluation_is_cut_off_between_two_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """One evaluation takes a millisecond or two; a loop of them must not outlast the block."""
    runs = 0
    evaluate = LEDGER_PRECOMPILES[KZG]

    def count(computation: object) -> object:
        nonlocal runs
        runs += 1
        return evaluate(computation)

    document = make_document()
    code = assemble("CALLDATASIZE", 0, 0, "CALLDATACOPY") + assemble(
        "JUMPDEST", 64, 192, "CALLDATASIZE", 0, 10, "GAS", "STATICCALL", 0, "SSTORE", 6, "JUMP"
    )
    account = {"nonce": "0x1", "balance": "0x0", "code": "0x" + code.hex()}
    document["alloc"]["0x" + EVALUATOR.hex()] = account
    world = ChainWorld(genesis=parse_genesis(document))
    # The polynomial that is zero everywhere: commitment and proof are the point at infinity.
    infinity = b"\xc0" + bytes(47)
    versioned_hash = b"\x01" + hashlib.sha256(infinity).digest()[1:]
    claim = versioned_hash + (5).to_bytes(32, "big") + bytes(32) + infinity + infinity
    deadline, clock = make_deadline(0.03)
    monkeypatch.setattr(LedgerComputation, "_precompiles", {**LEDGER_PRECOMPILES, KZG: count})
    with pytest.raises(DeadlineExceeded):
        world.chain.call(
            CallRequest(to=EVALUATOR, data=claim, gas=30_000_000),
            world.chain.head,
            deadline=deadline,
        )
    assert clock.now_s == pytest.approx(0.03, abs=0.0015)
    assert 1 < runs < 30, "the evaluations succeed, and end long before the gas for hundreds"


def test_builder_drops_the_transaction_that_takes_half_of_the_block_and_goes_on() -> None:
    world = ChainWorld()
    # Compiled and cold code look at the clock unequally often; the loop needs thousands of looks.
    deadline, _ = make_deadline(1.0)
    slow = sign(ATTACKER, to=LOOP, gas=29_000_000)
    quick = [sign(ISSUER, nonce=n, to=NOTARY, data=note(n, 1), gas=90_000) for n in range(3)]
    built = world.build([quick[0], slow, *quick[1:]], deadline=deadline)
    assert [(item.transaction, item.reason) for item in built.dropped] == [
        (slow, DropReason.TOO_SLOW)
    ]
    assert built.block.transactions == tuple(transaction.raw for transaction in quick)
    world.chain.import_block(world.seal(built.block))
    assert world.chain.state_at(world.chain.head).get_storage(NOTARY, 2) == 1


def test_builder_leaves_a_transaction_that_only_came_late() -> None:
    world = ChainWorld()
    deadline, clock = make_deadline(1.0)
    candidates = [sign(ISSUER, to=NOTARY, gas=90_000), sign(ATTACKER, to=LOOP, gas=29_000_000)]

    def take_time(transaction: object) -> bool:
        # Most of the block's time has passed when the second candidate's turn comes.
        if transaction is candidates[1]:
            clock.now_s = 0.7
        return True

    built = world.build(candidates, deadline=deadline, is_permitted=take_time)
    assert not built.dropped
    assert built.block.transactions == (candidates[0].raw,)


def test_builder_that_is_out_of_time_makes_an_empty_block() -> None:
    world = ChainWorld()
    built = world.build([sign(ISSUER, to=NOTARY)], deadline=Deadline.after(-1))
    assert not built.block.transactions
    assert not built.dropped
    world.chain.import_block(world.seal(built.block))


def test_transaction_that_is_cut_off_leaves_no_trace_in_the_block() -> None:
    world, other = ChainWorld(), ChainWorld()
    deadline, _ = make_deadline(1.0)
    slow = sign(ATTACKER, to=LOOP, gas=29_000_000)
    quick = sign(ISSUER, to=NOTARY, data=note(5, 5))
    built = world.build([slow, quick], deadline=deadline)
    without = other.build([quick])
    assert built.block == without.block


@dataclass
class Finding:
    status: int | None = None


def test_deepest_recursion_ends_in_a_worker_thread_with_a_usual_stack() -> None:
    # 30 million gas reach the depth limit of 1024 calls; the thread has the default stack.
    finding = Finding()

    def run() -> None:
        world = ChainWorld(engine=EvmEngine(compile_after=0))
        finding.status = world.grow([sign(ATTACKER, to=DIVER, gas=30_000_000)]).receipts[0].status

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert finding.status == 1
