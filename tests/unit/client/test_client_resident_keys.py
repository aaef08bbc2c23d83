"""A resident's fresh key: the same signatures as wallets make, and nothing else is signed."""

from typing import Any

import pytest
from atesta_client.errors import CredentialRefused
from atesta_client.resident_keys import (
    CONSENT_TYPE,
    WITHDRAWAL_TYPE,
    ResidentKey,
    hash_typed_data,
)
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_typing import Address, Hash32
from hypothesis import given
from hypothesis import strategies as st

from contracts import typed_data as contract_types
from contracts.typed_data import Domain, hash_message, sign_digest

DOMAIN = Domain(chain_id=7, contract=Address(bytes([5]) * 20), salt=Hash32(bytes([9]) * 32))


def list_members(message_type: str) -> list[dict[str, str]]:
    pairs = [member.split(" ") for member in message_type.partition("(")[2][:-1].split(",")]
    return [{"name": name, "type": kind} for kind, name in pairs]


def build(message_type: str, values: list[Any]) -> dict[str, Any]:
    members = list_members(message_type)
    written = ["0x" + v.hex() if isinstance(v, bytes) else str(v) for v in values]
    name = message_type.partition("(")[0]
    return {
        "types": {
            "EIP712Domain": list_members(contract_types.DOMAIN_TYPE),
            name: members,
        },
        "primaryType": name,
        "domain": {
            "name": "Atesta",
            "version": "1",
            "chainId": DOMAIN.chain_id,
            "verifyingContract": "0x" + DOMAIN.contract.hex(),
            "salt": "0x" + DOMAIN.salt.hex(),
        },
        "message": {member["name"]: text for member, text in zip(members, written, strict=True)},
    }


def draw_values(message_type: str) -> st.SearchStrategy[list[Any]]:
    kinds = {"bytes32": st.binary(min_size=32, max_size=32), "uint8": st.integers(0, 255)}
    number = st.integers(0, 2**256 - 1)
    return st.tuples(
        *(kinds.get(member["type"], number) for member in list_members(message_type))
    ).map(list)


WITHDRAWAL = build(WITHDRAWAL_TYPE, [bytes([1]) * 32, 1_790_000_000, 3, 1_790_086_400])


def test_resident_types_are_those_of_the_contracts() -> None:
    assert contract_types.CONSENT_TYPE == CONSENT_TYPE
    assert contract_types.WITHDRAWAL_TYPE == WITHDRAWAL_TYPE


@given(values=draw_values(CONSENT_TYPE))
def test_resident_digest_is_that_of_the_contracts(values: list[Any]) -> None:
    assert hash_typed_data(build(CONSENT_TYPE, values)) == hash_message(
        DOMAIN, CONSENT_TYPE, values
    )


def test_resident_key_signs_as_a_wallet_does() -> None:
    key = ResidentKey.generate()
    account = Account.from_key(key.secret)
    assert key.address == account.address.lower()
    wallet = account.sign_message(encode_typed_data(full_message=WITHDRAWAL))
    assert key.sign(WITHDRAWAL) == "0x" + bytes(wallet.signature).hex()
    digest = Hash32(hash_typed_data(WITHDRAWAL))
    assert key.sign(WITHDRAWAL) == "0x" + sign_digest(digest, key.secret).hex()
    assert ResidentKey.generate().address != key.address


@pytest.mark.parametrize(
    ("member", "value", "words"),
    [
        ("primaryType", "Act", "neither a consent nor a withdrawal"),
        ("message", [], "neither a consent nor a withdrawal"),
        ("domain", WITHDRAWAL["domain"] | {"name": "Other"}, "domain.name"),
        ("domain", WITHDRAWAL["domain"] | {"more": "1"}, "not signed"),
        ("message", WITHDRAWAL["message"] | {"more": "1"}, "not signed"),
        ("message", {"uid": "0x" + "01" * 32}, "declaredAt is missing"),
        ("message", WITHDRAWAL["message"] | {"uid": "0x01"}, "uid is not 32 bytes"),
        ("message", WITHDRAWAL["message"] | {"nonce": "-1"}, "nonce is not a whole number"),
        ("message", WITHDRAWAL["message"] | {"nonce": True}, "nonce is not a whole number"),
        ("message", WITHDRAWAL["message"] | {"nonce": 2**256}, "nonce is not a whole number"),
    ],
)
def test_resident_key_signs_nothing_else(member: str, value: Any, words: str) -> None:
    with pytest.raises(CredentialRefused, match=words):
        ResidentKey.generate().sign(WITHDRAWAL | {member: value})
