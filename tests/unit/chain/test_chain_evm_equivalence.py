"""Our engine against py-evm as installed, on programs that chance writes."""

from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from consensus.types import Address
from node.chain.evm.executor import EvmEngine
from node.chain.transactions import Transaction
from tests.unit.chain.evm_lab import (
    COINBASE,
    NAMES,
    SENDER,
    assemble,
    make_alloc,
    run_ours,
    run_py_evm,
    sign,
)

FIRST = Address(b"\xaa" * 20)
SECOND = Address(b"\xbb" * 20)
TARGETS = [FIRST, SECOND, SENDER, COINBASE, Address(b"\x99" * 20)]
PRECOMPILES = [Address(number.to_bytes(20, "big")) for number in (1, 2, 3, 4, 6, 7, 9)]

words = st.one_of(
    st.sampled_from(
        [0, 1, 2, 31, 32, 33, 64, 255, 256, 2**128, 2**255, 2**255 + 5, 2**256 - 1, 2**256 - 7]
    ),
    st.integers(0, 300),
    st.integers(0, 2**256 - 1),
)
small = st.integers(0, 200)
slots = st.integers(0, 3)

PLAIN = [
    "ADD MUL SUB DIV SDIV MOD SMOD EXP SIGNEXTEND LT GT SLT SGT EQ AND OR XOR BYTE SHL SHR SAR",
    "ISZERO NOT",
    "ADDMOD MULMOD",
]
READS = [
    *("ADDRESS", "ORIGIN", "CALLER", "CALLVALUE", "CALLDATASIZE", "CODESIZE", "GASPRICE"),
    *("RETURNDATASIZE", "COINBASE", "TIMESTAMP", "NUMBER", "PREVRANDAO", "GASLIMIT", "CHAINID"),
    *("SELFBALANCE", "BASEFEE", "BLOBBASEFEE", "PC", "MSIZE", "GAS"),
]


def push_and(operands: Sequence[st.SearchStrategy[int]], name: str) -> st.SearchStrategy[bytes]:
    """Strategy of code that pushes operands, the last one on top, and runs an opcode."""
    return st.tuples(*operands).map(lambda values: assemble(*values, name))


arithmetic = st.one_of(
    *[
        push_and([words] * count, name)
        for count, names in zip((2, 1, 3), PLAIN, strict=True)
        for name in names.split()
    ]
)
on_the_stack = st.sampled_from(" ".join(PLAIN).split()).map(assemble)
reads = st.sampled_from(READS).map(assemble)
shuffles = st.integers(0x80, 0x9F).map(lambda opcode: bytes((opcode,)))
pushes = words.map(assemble)
memory = st.one_of(
    push_and([words, small], "MSTORE"),
    push_and([words, small], "MSTORE8"),
    push_and([small], "MLOAD"),
    push_and([small, small], "SHA3"),
    push_and([small, small, small], "MCOPY"),
    push_and([small, small, small], "CALLDATACOPY"),
    push_and([small, small, small], "CODECOPY"),
    push_and([st.integers(0, 20), st.integers(0, 20), small], "RETURNDATACOPY"),
    push_and([words], "CALLDATALOAD"),
    push_and([words], "MLOAD"),
)
storage = st.one_of(
    push_and([slots], "SLOAD"),
    push_and([st.integers(0, 2), slots], "SSTORE"),
    push_and([slots], "TLOAD"),
    push_and([words, slots], "TSTORE"),
)
world = st.one_of(
    st.sampled_from([*TARGETS, *PRECOMPILES]).flatmap(
        lambda address: st.sampled_from(["BALANCE", "EXTCODESIZE", "EXTCODEHASH"]).map(
            lambda name: assemble(int.from_bytes(address, "big"), name)
        )
    ),
    push_and([st.integers(0, 8)], "BLOCKHASH"),
    push_and([st.integers(0, 2)], "BLOBHASH"),
    st.integers(0, 4).flatmap(
        lambda count: push_and([words] * count + [small, small], f"LOG{count}")
    ),
)


@st.composite
def calls(draw: st.DrawFn) -> bytes:
    name = draw(st.sampled_from(["CALL", "CALLCODE", "DELEGATECALL", "STATICCALL"]))
    target = draw(st.sampled_from([*TARGETS, *PRECOMPILES]))
    value = [draw(st.sampled_from([0, 0, 1, 5_000]))] if name in ("CALL", "CALLCODE") else []
    gas = draw(st.sampled_from([0, 100, 5_000, 60_000, 10**9]))
    window = [draw(small) for _ in range(4)]
    return assemble(*window, *value, int.from_bytes(target, "big"), gas, name)


@st.composite
def creations(draw: st.DrawFn) -> bytes:
    # Init code that returns one byte of memory, or reverts, or destructs itself.
    init = draw(
        st.sampled_from(
            [
                assemble(1, 0, "RETURN"),
                assemble(1, 0, "REVERT"),
                assemble(0xEF, 0, "MSTORE8", 1, 0, "RETURN"),
                assemble("CALLER", "SELFDESTRUCT"),
                assemble(9, 1, "SSTORE", 32, 0, "RETURN"),
                b"\xfe",
            ]
        )
    )
    word = int.from_bytes(init.ljust(32, b"\x00"), "big")
    name = draw(st.sampled_from(["CREATE", "CREATE2"]))
    salt = [draw(st.integers(0, 1))] if name == "CREATE2" else []
    value = draw(st.sampled_from([0, 1, 10_000]))
    return assemble(word, 0, "MSTORE", *salt, len(init), 0, value, name)


ends = st.sampled_from(
    [
        assemble("STOP"),
        assemble(64, 0, "RETURN"),
        assemble(8, 0, "REVERT"),
        assemble(int.from_bytes(SECOND, "big"), "SELFDESTRUCT"),
        b"\xfe",
        b"\x0c",
        b"",
        assemble("JUMP"),
        b"\x61\x01",
    ]
)


@st.composite
def programs(draw: st.DrawFn) -> bytes:
    """Blocks of code with jumps between them; a loop is bounded by gas only."""
    pieces = st.one_of(
        arithmetic, on_the_stack, reads, shuffles, pushes, memory, storage, world, calls(),
        creations(),
    )  # fmt: skip
    blocks = draw(st.lists(st.lists(pieces, max_size=6).map(b"".join), min_size=1, max_size=5))
    jumps = [
        draw(
            st.one_of(
                st.just(None),
                st.tuples(
                    st.sampled_from(["JUMP", "JUMPI"]), st.integers(0, len(blocks)), st.booleans()
                ),
            )
        )
        for _ in blocks
    ]
    # Every block is a JUMPDEST, its code, and a jump of fixed size, so that places are known.
    starts = [0]
    for block, jump in zip(blocks, jumps, strict=True):
        size = 0 if jump is None else (6 if jump[0] == "JUMPI" else 4)
        starts.append(starts[-1] + 1 + len(block) + size)
    code = b""
    for block, jump in zip(blocks, jumps, strict=True):
        code += assemble("JUMPDEST") + block
        if jump is not None:
            name, target, condition = jump
            place = b"\x61" + starts[target].to_bytes(2, "big")
            code += assemble(int(condition)) + place if name == "JUMPI" else place
            code += assemble(name)
    return code + draw(ends)


transactions_of = st.lists(
    st.tuples(
        st.sampled_from([FIRST, SECOND, FIRST, None, Address(b"\x99" * 20)]),
        st.binary(max_size=80),
        st.sampled_from([0, 0, 1, 10**19]),
        st.sampled_from([21_000, 60_000, 120_000, 200_000]),
        st.booleans(),
        st.sampled_from([0, 0, 3]),
    ),
    min_size=1,
    max_size=4,
)


def sign_all(
    requests: list[tuple[Address | None, bytes, int, int, bool, int]], init: bytes
) -> list[Transaction]:
    signed = []
    for nonce, (to, data, value, gas, has_list, price) in enumerate(requests):
        fields: dict[str, object] = {"nonce": nonce, "value": value, "gas": gas, "data": data}
        if to is None:
            fields["data"] = init
        else:
            fields["to"] = to
        if has_list:
            fields["accessList"] = [{"address": SECOND, "storageKeys": ["0x" + "00" * 31 + "01"]}]
        fields["maxFeePerGas"] = price
        fields["maxPriorityFeePerGas"] = price
        signed.append(sign(**fields))
    return signed


def lacks_only_words_of_init_code(transaction: Transaction) -> bool:
    """Tell whether a creation can pay for everything but the words of its init code.

    EIP-3860 makes them part of the intrinsic gas, so the transaction is invalid, with us as with
    Besu. py-evm takes it, and lets it fail.
    """
    missing = transaction.intrinsic_gas - transaction.gas
    return transaction.to is None and 0 < missing <= 2 * ((len(transaction.data) + 31) // 32)


@pytest.mark.parametrize("missing", [1, 2, 0])
def test_creation_that_cannot_pay_for_the_words_of_its_code_is_invalid(missing: int) -> None:
    code = bytes(33)
    gas = 21_000 + 32_000 + 4 * len(code) + 2 * 2 - missing
    outcome = run_ours(make_alloc({}), [sign(nonce=0, value=0, gas=gas, data=code)], EvmEngine())
    assert (outcome.receipts[0][0] == -1) is (missing > 0)


@pytest.mark.parametrize("compile_after", [0, 2])
@settings(max_examples=50)
@given(first=programs(), second=programs(), requests=transactions_of)
def test_engine_agrees_with_py_evm_on_any_program(
    compile_after: int,
    first: bytes,
    second: bytes,
    requests: list[tuple[Address | None, bytes, int, int, bool, int]],
) -> None:
    alloc = make_alloc({FIRST: first, SECOND: second})
    transactions = sign_all(requests, init=second)
    assume(not any(map(lacks_only_words_of_init_code, transactions)))
    ours = run_ours(alloc, transactions, EvmEngine(compile_after=compile_after))
    assert ours == run_py_evm(alloc, transactions)


@settings(max_examples=50)
@given(code=st.binary(max_size=120), data=st.binary(max_size=40))
def test_engine_agrees_with_py_evm_on_any_bytes(code: bytes, data: bytes) -> None:
    alloc = make_alloc({FIRST: code})
    transactions = [sign(to=FIRST, data=data, gas=200_000)]
    ours = run_ours(alloc, transactions, EvmEngine(compile_after=0))
    assert ours == run_py_evm(alloc, transactions)


def jump_unforeseen(target: int) -> bytes:
    """Jump to a place that only the run knows, so that a trace ends and the stack becomes real."""
    return (
        b"\x61"
        + target.to_bytes(2, "big")
        + assemble("CALLVALUE", "CALLVALUE", "XOR", "ADD", "JUMP")
    )


@settings(max_examples=80)
@given(
    depth=st.integers(0, 20),
    first=st.lists(st.one_of(shuffles, shuffles, reads, on_the_stack), max_size=12).map(b"".join),
    second=st.lists(st.one_of(shuffles, shuffles, pushes, on_the_stack), max_size=12).map(b"".join),
)
def test_engine_agrees_with_py_evm_on_operands_that_outlive_their_trace(
    depth: int, first: bytes, second: bytes
) -> None:
    start = assemble(*range(1_000, 1_000 + depth))
    middle = len(start) + 8
    last = middle + 1 + len(first) + 8
    dump = b"".join(assemble(slot, "SSTORE") for slot in range(depth))
    code = start + jump_unforeseen(middle) + assemble("JUMPDEST") + first
    code += jump_unforeseen(last) + assemble("JUMPDEST") + second + dump
    alloc = make_alloc({FIRST: code})
    transactions = [sign(to=FIRST, gas=900_000)]
    ours = run_ours(alloc, transactions, EvmEngine(compile_after=0))
    assert ours == run_py_evm(alloc, transactions)


CALLEES = [b"\xfe", assemble("GAS", 0, "MSTORE", 32, 0, "RETURN"), assemble(3, 1, "SSTORE"), b""]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("CALL", [0]),
        ("CALL", [1]),
        ("CALLCODE", [0]),
        ("CALLCODE", [1]),
        ("DELEGATECALL", []),
        ("STATICCALL", []),
    ],
)
@pytest.mark.parametrize("asked", [0, 50_000, 2**256 - 1])
@pytest.mark.parametrize("callee", CALLEES)
def test_engine_agrees_with_py_evm_on_the_gas_of_calls(
    name: str, values: list[int], asked: int, callee: bytes
) -> None:
    call = assemble(32, 0, 0, 0, *values, int.from_bytes(SECOND, "big"), asked, name)
    # What the call left of the gas, what it answered and whether it worked.
    caller = call + assemble("GAS", 1, "SSTORE", 2, "SSTORE", 0, "MLOAD", 3, "SSTORE", "STOP")
    alloc = make_alloc({FIRST: caller, SECOND: callee})
    transactions = [sign(to=FIRST, gas=200_000), sign(to=FIRST, nonce=1, gas=90_000)]
    ours = run_ours(alloc, transactions, EvmEngine(compile_after=0))
    assert ours == run_py_evm(alloc, transactions)


writes = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=6)


def store_all(values: list[tuple[int, int]]) -> bytes:
    return b"".join(assemble(value, slot, "SSTORE") for slot, value in values)


@settings(max_examples=60)
@given(before=writes, inside=writes, after=writes, is_reverted=st.booleans(), gas=st.booleans())
def test_engine_agrees_with_py_evm_on_the_gas_of_storage(
    before: list[tuple[int, int]],
    inside: list[tuple[int, int]],
    after: list[tuple[int, int]],
    is_reverted: bool,
    gas: bool,
) -> None:
    # Set, cleared, reset, restored and reverted within one transaction, and again in the next.
    inner = store_all(inside) + assemble(0, 0, "REVERT" if is_reverted else "RETURN")
    call = assemble(0, 0, 0, 0, int.from_bytes(SECOND, "big"), "GAS", "DELEGATECALL", "POP")
    outer = store_all(before) + call + store_all(after) + assemble("STOP")
    alloc = make_alloc({FIRST: outer, SECOND: inner})
    transactions = [
        sign(to=FIRST, nonce=nonce, gas=60_000 if gas else 500_000) for nonce in range(2)
    ]
    ours = run_ours(alloc, transactions, EvmEngine(compile_after=0))
    assert ours == run_py_evm(alloc, transactions)


def test_engine_agrees_with_py_evm_on_a_deep_stack() -> None:
    loop = assemble("JUMPDEST", 1, 0, "JUMP")
    overflow = make_alloc({FIRST: loop, SECOND: assemble(*[1] * 1_024, "STOP")})
    transactions = [
        sign(to=FIRST, gas=100_000),
        sign(to=SECOND, gas=100_000, nonce=1),
    ]
    ours = run_ours(overflow, transactions, EvmEngine(compile_after=0))
    assert ours == run_py_evm(overflow, transactions)
    assert [status for status, _, _ in ours.receipts] == [0, 1]


def test_names_of_opcodes_are_those_of_cancun() -> None:
    assert NAMES["PREVRANDAO"] == 0x44
    assert NAMES["MCOPY"] == 0x5E
