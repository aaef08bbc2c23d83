"""Decoding of transactions: three forms accepted, all else refused by the name of a field."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from eth_account import Account as Signer
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from consensus import rlp_codec
from consensus.types import Address
from node.chain.errors import TransactionInvalid
from node.chain.transactions import (
    MAX_TRANSACTION_BYTES,
    SECP256K1_ORDER,
    decode_transaction,
    decode_transactions,
)

KEY = keccak(b"a sender")
ADDRESS = Address(bytes.fromhex(Signer.from_key(KEY).address[2:]))
TARGET = "0x" + "12" * 20
ACCESS = [{"address": TARGET, "storageKeys": ["0x" + "00" * 31 + "07"]}]


def sign_raw(**fields: Any) -> bytes:
    request = {"chainId": 9, "nonce": 3, "gas": 50_000, "value": 4, "data": b"\x01\x00", **fields}
    return bytes(Signer.sign_transaction(request, KEY).raw_transaction)


LEGACY = sign_raw(gasPrice=5, to=TARGET)
LISTED = sign_raw(type=1, gasPrice=5, to=TARGET, accessList=ACCESS)
DYNAMIC = sign_raw(type=2, maxFeePerGas=6, maxPriorityFeePerGas=2, to=TARGET, accessList=ACCESS)


@pytest.mark.parametrize(
    ("raw", "kind", "prices", "slots"),
    [
        (LEGACY, 0, (5, 5, 5), ()),
        (LISTED, 1, (5, 5, 5), (7,)),
        (DYNAMIC, 2, (6, 6, 2), (7,)),
    ],
)
def test_transaction_is_decoded_with_its_sender(
    raw: bytes, kind: int, prices: tuple[int, int, int], slots: tuple[int, ...]
) -> None:
    transaction = decode_transaction(raw)
    assert transaction.type == kind
    assert transaction.sender == ADDRESS
    assert transaction.hash == keccak(raw)
    assert (transaction.chain_id, transaction.nonce, transaction.gas) == (9, 3, 50_000)
    assert (transaction.value, transaction.data) == (4, b"\x01\x00")
    assert transaction.to == bytes.fromhex(TARGET[2:])
    assert (
        transaction.gas_price,
        transaction.max_fee_per_gas,
        transaction.max_priority_fee_per_gas,
    ) == prices
    assert tuple(slot for _, listed in transaction.access_list for slot in listed) == slots
    expected = 21_000 + 16 + 4 + (2_400 + 1_900 if slots else 0)
    assert transaction.intrinsic_gas == expected


def test_creation_has_no_target_and_pays_for_its_words() -> None:
    transaction = decode_transaction(sign_raw(gasPrice=0, data=b"\x01" * 33))
    assert transaction.to is None
    assert transaction.intrinsic_gas == 21_000 + 32_000 + 33 * 16 + 2 * 2


@given(st.lists(st.tuples(st.integers(0, 2**63), st.binary(max_size=99)), min_size=1, max_size=40))
def test_batch_recovers_the_same_as_one_by_one(fields: list[tuple[int, bytes]]) -> None:
    raws = [LEGACY, LISTED, DYNAMIC] * (len(fields) // 2)
    with ThreadPoolExecutor(2) as pool:
        assert decode_transactions(raws, pool) == tuple(decode_transaction(raw) for raw in raws)


def spoil(raw: bytes, index: int, value: Any) -> bytes:
    """Replace one field of a transaction's list."""
    prefix = raw[:1] if raw[0] < 0xC0 else b""
    fields: Any = list(rlp_codec.decode(raw[len(prefix) :]))
    fields[index] = value
    return prefix + rlp_codec.encode(fields)


def number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def raise_s(raw: bytes) -> bytes:
    """Return the other, high-s form of a valid signature."""
    fields: Any = rlp_codec.decode(raw[1:])
    s = SECP256K1_ORDER - int.from_bytes(fields[-1], "big")
    parity = 1 - int.from_bytes(fields[-3], "big")
    return spoil(spoil(raw, -1, number(s)), -3, number(parity))


UNPROTECTED = spoil(LEGACY, 6, number(27))


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"", "raw"),
        (b"\xc0", "raw"),
        (LEGACY + b"\x00", "raw"),
        (DYNAMIC[:-1], "raw"),
        (b"\x02\x80", "raw"),
        (b"\x02" + b"\xf9\xff\xff" * 50_000, "raw"),
        (b"\xf8" + bytes(MAX_TRANSACTION_BYTES), "raw"),
        (b"\x03" + DYNAMIC[1:], "type"),
        (b"\x04" + DYNAMIC[1:], "type"),
        (b"\x7f", "type"),
        (UNPROTECTED, "chainId"),
        (spoil(LEGACY, 6, number(29)), "v"),
        (spoil(DYNAMIC, 9, number(2)), "yParity"),
        (spoil(DYNAMIC, 10, b""), "r"),
        (spoil(DYNAMIC, 10, number(SECP256K1_ORDER)), "r"),
        (spoil(DYNAMIC, 11, b""), "s"),
        (raise_s(DYNAMIC), "s"),
        (spoil(DYNAMIC, 10, number(5)), "signature"),
        (spoil(DYNAMIC, 2, number(7)), "maxPriorityFeePerGas"),
        (spoil(DYNAMIC, 1, b"\xff" * 8), "nonce"),
        (spoil(DYNAMIC, 1, b"\x01" * 9), "nonce"),
        (spoil(DYNAMIC, 1, b"\x00\x01"), "nonce"),
        (spoil(DYNAMIC, 5, b"\x12" * 19), "to"),
        (spoil(DYNAMIC, 7, [b"\x01"]), "data"),
        (spoil(DYNAMIC, 8, b"\x01"), "accessList"),
        (spoil(DYNAMIC, 8, [[b"\x12" * 20]]), "accessList"),
        (spoil(DYNAMIC, 8, [[b"\x12" * 20, [b"\x01"]]]), "accessList"),
    ],
)
def test_bad_transaction_is_refused_by_the_name_of_its_field(raw: bytes, field: str) -> None:
    with pytest.raises(TransactionInvalid) as caught:
        decode_transaction(raw)
    assert caught.value.field == field
    assert caught.value.reason


@given(st.binary(max_size=300))
def test_chance_bytes_are_decoded_or_refused(data: bytes) -> None:
    for prefix in (b"", b"\x01", b"\x02", b"\xf8\x65"):
        try:
            decode_transaction(prefix + data)
        except TransactionInvalid:
            continue
