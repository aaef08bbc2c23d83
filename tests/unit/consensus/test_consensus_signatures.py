"""Signatures: authors are recovered, and what this process signed itself is known without it."""

import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from consensus import signatures
from consensus.errors import InvalidMessage
from consensus.signatures import ValidatorKey, recover_address
from consensus.types import Hash32

KEY = ValidatorKey(keccak(b"signer"))
DIGESTS = st.binary(min_size=32, max_size=32).map(Hash32)


@given(digest=DIGESTS)
def test_signature_of_our_own_is_remembered_as_it_would_be_recovered(digest: Hash32) -> None:
    signature = KEY.sign(digest)
    assert recover_address(digest, signature) == KEY.address
    forget()
    assert recover_address(digest, signature) == KEY.address


@given(digest=DIGESTS, other=DIGESTS, bit=st.integers(min_value=0, max_value=64 * 8 - 1))
def test_signature_of_our_own_is_not_known_for_anything_else(
    digest: Hash32, other: Hash32, bit: int
) -> None:
    signature = bytearray(KEY.sign(digest))
    if other != digest:
        assert recover_address(other, bytes(signature)) != KEY.address
    signature[bit // 8] ^= 1 << bit % 8
    try:
        assert recover_address(digest, bytes(signature)) != KEY.address
    except InvalidMessage:
        return


def test_signatures_of_our_own_are_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "_REMEMBERED_AUTHORS", 10)
    for number in range(35):
        KEY.sign(Hash32(keccak(b"%d" % number)))
        assert len(signatures._own_signatures._authors) <= 10


def forget() -> None:
    signatures._own_signatures._authors.clear()
    recover_address.cache_clear()
