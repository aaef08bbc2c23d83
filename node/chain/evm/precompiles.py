"""Precompiled contracts, with a look at the clock inside the slow ones.

The precompiles of elliptic curves are pure Python here: one pairing of 34,000 gas takes more than
the average block. Cutting them off only between calls would let one transaction overrun its time by
minutes, so the slow ones are written again as loops that check the deadline at every step: per
pair and per round of the final exponentiation for the pairing check, per 64 bits of exponent for
modular exponentiation. The results and the gas are py-evm's, and tests compare the two.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final

from eth._utils.bn128 import validate_point
from eth.exceptions import VMError
from eth.precompiles.modexp import extract_lengths
from eth.precompiles.point_evaluation import TRUSTED_SETUP_PATH, kzg_to_versioned_hash
from eth.vm.forks.berlin.computation import _compute_modexp_gas_fee_eip_2565
from eth.vm.forks.cancun.computation import CANCUN_PRECOMPILES
from eth.vm.forks.cancun.constants import (
    BLS_MODULUS,
    FIELD_ELEMENTS_PER_BLOB,
    POINT_EVALUATION_PRECOMPILE_GAS,
)
from eth.vm.forks.istanbul.constants import GAS_ECPAIRING_BASE, GAS_ECPAIRING_PER_POINT
from eth_typing import Address
from eth_utils.exceptions import ValidationError

Computation = Any
"""py-evm's ComputationAPI; it is untyped."""

Precompile = Callable[[Computation], object]

_bn128: Any = import_module("py_ecc.optimized_bn128")  # its names are not declared

_kzg: Any = import_module("ckzg")  # in C, and what py-evm uses

_pairing: Any = import_module("py_ecc.optimized_bn128.optimized_pairing")

_PAIR_BYTES: Final = 192
_EVALUATION_BYTES: Final = 192
_WORD: Final = 32
_CHUNK_BYTES: Final = 8
_FINAL_EXPONENT: Final = (_bn128.field_modulus**12 - 1) // _bn128.curve_order
_STEPS_PER_CHECK: Final = 32


def run_pairing_check(computation: Computation) -> None:
    """EIP-197: whether the product of pairings is one."""
    data = computation.msg.data_as_bytes
    if len(data) % _PAIR_BYTES:
        raise VMError("Invalid ECPAIRING parameters")
    pairs = len(data) // _PAIR_BYTES
    computation.consume_gas(
        GAS_ECPAIRING_BASE + pairs * GAS_ECPAIRING_PER_POINT, reason="ECPAIRING Precompile"
    )
    check = computation.state.deadline.check
    product = _bn128.FQ12.one()
    try:
        for start in range(0, len(data), _PAIR_BYTES):
            check()
            product = product * _pair(data[start : start + _PAIR_BYTES], check)
    except ValidationError as error:
        raise VMError("Invalid ECPAIRING parameters") from error
    is_one = _exponentiate(product, check) == _bn128.FQ12.one()
    computation.output = bytes(31) + bytes((is_one,))


def run_modular_exponentiation(computation: Computation) -> None:
    """EIP-198 with the gas of EIP-2565."""
    data = computation.msg.data_as_bytes
    computation.consume_gas(_compute_modexp_gas_fee_eip_2565(data), reason="MODEXP Precompile")
    base_length, exponent_length, modulus_length = extract_lengths(data)
    if modulus_length == 0:
        computation.output = b""
        return
    exponent_start = 96 + base_length
    modulus_start = exponent_start + exponent_length
    modulus = _read_number(data, modulus_start, modulus_length)
    if modulus == 0:
        computation.output = bytes(modulus_length)
        return
    result = _raise_to_power(
        _read_number(data, 96, base_length),
        _read(data, exponent_start, exponent_length),
        modulus,
        computation.state.deadline.check,
    )
    computation.output = result.to_bytes(modulus_length, "big")


def run_point_evaluation(computation: Computation) -> None:
    """EIP-4844: whether a committed polynomial has the value y at z.

    One evaluation takes a millisecond or two, so the clock need not be seen inside. py-evm reads
    the trusted setup anew for every call, which takes seconds; here it is read once a process.
    """
    data = computation.msg.data_as_bytes
    computation.consume_gas(POINT_EVALUATION_PRECOMPILE_GAS, reason="Point Evaluation Precompile")
    if len(data) != _EVALUATION_BYTES:
        raise VMError("Point evaluation invalid input length.")
    z, y, commitment, proof = data[32:64], data[64:96], data[96:144], data[144:]
    if kzg_to_versioned_hash(commitment) != data[:32]:
        raise VMError("Point evaluation commitment does not match versioned hash.")
    try:
        is_proved = _kzg.verify_kzg_proof(commitment, z, y, proof, _load_setup())
    except RuntimeError:  # a number or a point that is none
        is_proved = False
    if not is_proved:
        raise VMError("Point evaluation KZG proof verification failed.")
    computation.output = FIELD_ELEMENTS_PER_BLOB.to_bytes(32, "big") + BLS_MODULUS.to_bytes(
        32, "big"
    )


@cache
def _load_setup() -> Any:
    return _kzg.load_trusted_setup(TRUSTED_SETUP_PATH, 0)


def _read(data: bytes, start: int, length: int) -> bytes:
    """Read bytes; missing ones at the end count as zeros."""
    return data[start : start + length].ljust(length, b"\x00")


def _read_number(data: bytes, start: int, length: int) -> int:
    return int.from_bytes(_read(data, start, length), "big")


def _raise_to_power(base: int, exponent: bytes, modulus: int, check: Callable[[], None]) -> int:
    """Exponentiate from the left in chunks, so that the clock is seen every 64 bits."""
    exponent = exponent.lstrip(b"\x00")
    if len(exponent) <= _CHUNK_BYTES:
        return pow(base, int.from_bytes(exponent, "big"), modulus)
    exponent = exponent.rjust(-(-len(exponent) // _CHUNK_BYTES) * _CHUNK_BYTES, b"\x00")
    base %= modulus
    result = 1
    for start in range(0, len(exponent), _CHUNK_BYTES):
        check()
        chunk = int.from_bytes(exponent[start : start + _CHUNK_BYTES], "big")
        result = pow(result, 1 << (8 * _CHUNK_BYTES), modulus)
        if chunk:
            result = result * pow(base, chunk, modulus) % modulus
    return result


def _pair(data: bytes, check: Callable[[], None]) -> Any:
    numbers = [
        int.from_bytes(data[start : start + _WORD], "big") for start in range(0, _PAIR_BYTES, _WORD)
    ]
    x1, y1, x2_i, x2_r, y2_i, y2_r = numbers
    first = validate_point(x1, y1)
    if any(number >= _bn128.field_modulus for number in numbers[2:]):
        raise ValidationError("value greater than field modulus")
    x2, y2 = _bn128.FQ2([x2_r, x2_i]), _bn128.FQ2([y2_r, y2_i])
    if (x2, y2) == (_bn128.FQ2.zero(), _bn128.FQ2.zero()):
        second = (_bn128.FQ2.one(), _bn128.FQ2.one(), _bn128.FQ2.zero())
    else:
        second = (x2, y2, _bn128.FQ2.one())
        if not _bn128.is_on_curve(second, _bn128.b2):
            raise ValidationError("point is not on the curve")
    if _bn128.multiply(second, _bn128.curve_order)[-1] != _bn128.FQ2.zero():
        raise ValidationError("point is not in the subgroup")
    check()
    if first[-1] == _bn128.FQ.zero() or second[-1] == _bn128.FQ2.zero():
        return _bn128.FQ12.one()
    return _run_miller_loop(_bn128.twist(second), _pairing.cast_point_to_fq12(first), check)


def _run_miller_loop(q: Any, p: Any, check: Callable[[], None]) -> Any:
    """Return the optimal ate pairing of two points in FQ12, before its final exponentiation.

    Lines through multiples of q are evaluated at p along the bits of the loop count, numerators
    and denominators apart so that one division is enough, then at two images of q under the
    Frobenius map (Vercauteren, "Optimal pairings", section IV).
    """
    one = _bn128.FQ12.one()
    numerator, denominator, point = one, one, q
    for bit in f"{_pairing.ate_loop_count:b}"[1:]:
        check()
        above, below = _pairing.linefunc(point, point, p)
        numerator, denominator = numerator * numerator * above, denominator * denominator * below
        point = _bn128.double(point)
        if bit == "1":
            above, below = _pairing.linefunc(point, q, p)
            numerator, denominator = numerator * above, denominator * below
            point = _bn128.add(point, q)
    image = _apply_frobenius(q, check)
    above, below = _pairing.linefunc(point, image, p)
    numerator, denominator = numerator * above, denominator * below
    point = _bn128.add(point, image)
    above, below = _pairing.linefunc(point, _bn128.neg(_apply_frobenius(image, check)), p)
    check()
    return numerator * above / (denominator * below)


def _apply_frobenius(point: Any, check: Callable[[], None]) -> Any:
    coordinates = []
    for coordinate in point:
        check()
        coordinates.append(coordinate**_bn128.field_modulus)
    return tuple(coordinates)


def _exponentiate(value: Any, check: Callable[[], None]) -> Any:
    """Raise to (p^12 - 1) / n: the last step of the pairing, some 2,800 squarings."""
    result = _bn128.FQ12.one()
    for index, bit in enumerate(f"{_FINAL_EXPONENT:b}"):
        if index % _STEPS_PER_CHECK == 0:
            check()
        result = result * result
        if bit == "1":
            result = result * value
    return result


def _at(number: int) -> Address:
    return Address(number.to_bytes(20, "big"))


LEDGER_PRECOMPILES: Final[Mapping[Address, Precompile]] = {
    **CANCUN_PRECOMPILES,
    _at(5): run_modular_exponentiation,
    _at(8): run_pairing_check,
    _at(10): run_point_evaluation,
}
"""Cancun's precompiles, the slow ones in our form."""
