"""Published test keys: distinct, stable, and recognised wherever they turn up."""

import pytest
from eth_account import Account

from contracts.testkeys import (
    AGENCIES,
    PURPOSES,
    Purpose,
    get_address,
    get_private_key,
    get_tls_pin,
    get_tls_scalar,
    is_published,
    is_published_pin,
    is_published_tls_scalar,
)

NUMBERS = range(1, AGENCIES + 1)


def test_published_keys_are_distinct_and_recognised() -> None:
    addresses = {get_address(number, purpose) for number in NUMBERS for purpose in PURPOSES}
    assert len(addresses) == AGENCIES * len(PURPOSES)
    assert all(is_published(address) for address in addresses)
    assert not is_published(b"\1" * 20)
    pins = {get_tls_pin(number) for number in NUMBERS}
    assert len(pins) == AGENCIES
    assert all(is_published_pin(pin) for pin in pins)
    assert not is_published_pin(bytes(32))
    assert is_published_tls_scalar(get_tls_scalar(7))
    assert not is_published_tls_scalar(get_tls_scalar(7) + 1)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_published_address_belongs_to_its_key(purpose: Purpose) -> None:
    account = Account.from_key(get_private_key(3, purpose))
    assert bytes.fromhex(account.address[2:]) == get_address(3, purpose)


def test_published_keys_never_change() -> None:
    """Committed genesis files and key files name them."""
    assert get_address(1, "validator").hex() == VALIDATOR_1
    assert get_address(10, "account").hex() == ACCOUNT_10
    assert get_tls_pin(1).hex() == PIN_1


@pytest.mark.parametrize("number", [0, 11, -1])
def test_published_keys_end_at_ten(number: int) -> None:
    with pytest.raises(ValueError, match="numbered 1 to 10"):
        get_private_key(number, "account")


VALIDATOR_1 = "feb6457fdcb54243b50a8fd266a22e5b7f4343c5"
ACCOUNT_10 = "d5fe5e55c1c5073f0283684287ac293864aee8c9"
PIN_1 = "0c3cb8a5fe8373327c62cb6f639a657bf3c3a67773eee1bd8bf26e44792eed88"
