"""Where the contracts of one ledger stand: the name of each with its address, and back.

On a ledger that begins with our genesis file the addresses are fixed (`contracts.addresses`), and
`GENESIS_BOOK` holds them. On a network that ran before, `atesta contracts deploy` puts the same
contracts at addresses that follow from the deployer's account; its deployment file holds that book.
Whoever calls a contract or reads its events asks the book of the ledger in hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from eth_typing import Address

from contracts.addresses import PROXIES
from contracts.errors import AddressBookInvalid


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressBook:
    """The contracts of one ledger; `make_address_book` makes one."""

    by_name: Mapping[str, Address]
    """The address of each contract's proxy, in the order in which they are deployed."""
    by_address: Mapping[Address, str]
    """The same, turned round."""

    def get_address(self, name: str) -> Address:
        """Return a contract's address; KeyError for a name that is no contract's: our bug."""
        return self.by_name[name]

    def find_name(self, address: bytes) -> str | None:
        """Name the ledger contract at an address; None for any other account."""
        return self.by_address.get(Address(address))

    @property
    def addresses(self) -> tuple[Address, ...]:
        """All of them, in order."""
        return tuple(self.by_name.values())


def make_address_book(by_name: Mapping[str, bytes]) -> AddressBook:
    """Make a book of exactly the ledger's contracts.

    Raises AddressBookInvalid for a contract that is missing, unknown, or at the address of another.
    """
    names = tuple(PROXIES.values())
    for name in by_name:
        if name not in names:
            raise AddressBookInvalid(f"{name!r} is no contract of this ledger")
    for name in names:
        if name not in by_name:
            raise AddressBookInvalid(f"the address of {name} is missing")
        if len(by_name[name]) != 20 or not any(by_name[name]):
            raise AddressBookInvalid(f"the address of {name} is none: 20 bytes, not all zero")
    ordered = {name: Address(bytes(by_name[name])) for name in names}
    if len(set(ordered.values())) != len(ordered):
        raise AddressBookInvalid("two contracts have one address")
    return AddressBook(
        by_name=MappingProxyType(ordered),
        by_address=MappingProxyType({address: name for name, address in ordered.items()}),
    )


GENESIS_BOOK: Final = make_address_book({name: address for address, name in PROXIES.items()})
"""The fixed addresses of every ledger that begins with a genesis file of ours."""
