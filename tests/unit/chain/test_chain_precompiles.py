"""The precompiles that look at the clock give what py-evm's give."""

import hashlib
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.types import Address
from node.chain.evm.executor import EvmEngine
from tests.unit.chain.evm_lab import assemble, make_alloc, run_ours, run_py_evm, sign
from tests.unit.chain.test_chain_deadlines import G1, G2

CALLER = Address(b"\xaa" * 20)
FIELD = 21888242871839275222246405745257275088696311157297823662689037894645226208583

bn128: Any = import_module("py_ecc.optimized_bn128")


def make_caller(number: int, output_size: int) -> bytes:
    """Return code that passes its call data to a precompile, and logs and stores the outcome."""
    return (
        assemble("CALLDATASIZE", 0, 0, "CALLDATACOPY")
        + assemble(output_size, 2_000, "CALLDATASIZE", 0, number, "GAS", "STATICCALL")
        + assemble(0, "SSTORE", "RETURNDATASIZE", 1, "SSTORE")
        + assemble(output_size, 2_000, "LOG0", "STOP")
    )


def negate(point: bytes) -> bytes:
    return point[:32] + (FIELD - int.from_bytes(point[32:], "big")).to_bytes(32, "big")


pairs = st.sampled_from(
    [
        G1 + G2,
        negate(G1) + G2,
        bytes(64) + G2,
        G1 + bytes(128),
        bytes(192),
        G1 + G2[:-1] + b"\x00",
        (FIELD + 1).to_bytes(32, "big") + G1[32:] + G2,
        G1[:-1] + b"\x03" + G2,
    ]
)


@settings(max_examples=6)
@given(data=st.lists(pairs, max_size=2).map(b"".join), tail=st.sampled_from([b"", b"\x01"]))
def test_pairing_check_agrees_with_py_evm(data: bytes, tail: bytes) -> None:
    alloc = make_alloc({CALLER: make_caller(8, 32)})
    transactions = [sign(to=CALLER, data=data + tail, gas=900_000)]
    assert run_ours(alloc, transactions, EvmEngine()) == run_py_evm(alloc, transactions)


def test_pairing_check_knows_a_true_product() -> None:
    alloc = make_alloc({CALLER: make_caller(8, 32)})
    transactions = [sign(to=CALLER, data=G1 + G2 + negate(G1) + G2, gas=900_000)]
    outcome = run_ours(alloc, transactions, EvmEngine())
    assert outcome.receipts[0][2][0][2] == bytes(31) + b"\x01"


@settings(max_examples=50)
@given(
    base=st.binary(min_size=1, max_size=40),
    exponent=st.one_of(st.binary(max_size=70), st.just(b"\x00" * 20 + b"\xff" * 30)),
    modulus=st.one_of(st.binary(max_size=40), st.just(b"\x01")),
    cut=st.integers(0, 3),
)
def test_modular_exponentiation_agrees_with_py_evm(
    base: bytes, exponent: bytes, modulus: bytes, cut: int
) -> None:
    sizes = b"".join(len(part).to_bytes(32, "big") for part in (base, exponent, modulus))
    data = sizes + base + exponent + modulus
    alloc = make_alloc({CALLER: make_caller(5, 40)})
    transactions = [sign(to=CALLER, data=data[: len(data) - cut], gas=900_000)]
    assert run_ours(alloc, transactions, EvmEngine()) == run_py_evm(alloc, transactions)


def test_modular_exponentiation_of_an_empty_base_follows_the_standard() -> None:
    # 0 ** 0 mod 5 is 1 (EIP-198); py-evm answers 0 for an empty base.
    data = bytes(64) + (1).to_bytes(32, "big") + b"\x05"
    alloc = make_alloc({CALLER: make_caller(5, 1)})
    outcome = run_ours(alloc, [sign(to=CALLER, data=data)], EvmEngine())
    assert outcome.receipts[0][2][0][2] == b"\x01"


@pytest.mark.parametrize("change", [None, 0, 70, 150])
def test_point_evaluation_agrees_with_py_evm(change: int | None) -> None:
    """A true claim of the zero polynomial, and the same with one byte of each part broken."""
    infinity = b"\xc0" + bytes(47)
    versioned_hash = b"\x01" + hashlib.sha256(infinity).digest()[1:]
    data = bytearray(versioned_hash + (5).to_bytes(32, "big") + bytes(32) + infinity + infinity)
    if change is not None:
        data[change] ^= 1
    alloc = make_alloc({CALLER: make_caller(10, 64)})
    transactions = [sign(to=CALLER, data=bytes(data), gas=900_000)]
    ours = run_ours(alloc, transactions, EvmEngine())
    assert ours == run_py_evm(alloc, transactions)
