"""The fixed addresses of the ledger's contracts, equal on every ledger.

A record's address is that of a proxy and never changes. The implementation behind it has an address
of its own at genesis and may be replaced by vote (see `upgradeable_proxy.vy`).
"""

from typing import Final

from eth_typing import Address

REGISTRY: Final = Address(bytes.fromhex("0000000000000000000000000000000000a7e501"))
SCHEMAS: Final = Address(bytes.fromhex("0000000000000000000000000000000000a7e502"))
ATTESTATIONS: Final = Address(bytes.fromhex("0000000000000000000000000000000000a7e503"))

REGISTRY_IMPLEMENTATION: Final = Address(bytes.fromhex("0000000000000000000000000000000000a7e5f1"))
SCHEMAS_IMPLEMENTATION: Final = Address(bytes.fromhex("0000000000000000000000000000000000a7e5f2"))
ATTESTATIONS_IMPLEMENTATION: Final = Address(
    bytes.fromhex("0000000000000000000000000000000000a7e5f3")
)

AGENCY_REGISTRY_NAME: Final = "agency_registry"
SCHEMAS_NAME: Final = "schemas"
ATTESTATIONS_NAME: Final = "attestations"
PROXY_NAME: Final = "upgradeable_proxy"

PROXIES: Final[dict[Address, str]] = {
    REGISTRY: AGENCY_REGISTRY_NAME,
    SCHEMAS: SCHEMAS_NAME,
    ATTESTATIONS: ATTESTATIONS_NAME,
}
"""Which contract answers at which fixed address."""

IMPLEMENTATIONS: Final[dict[Address, Address]] = {
    REGISTRY: REGISTRY_IMPLEMENTATION,
    SCHEMAS: SCHEMAS_IMPLEMENTATION,
    ATTESTATIONS: ATTESTATIONS_IMPLEMENTATION,
}
"""The implementation behind each proxy at genesis."""

IMPLEMENTATION_SLOT: Final = 0x360894A13BA1A3210667C828492DB98DCA3E2076CC3735A920A3CA505D382BBC
"""ERC-1967: keccak256("eip1967.proxy.implementation") - 1."""

# Slots that proofs name; see docs/contracts.md.
SET_NUMBER_SLOT: Final = 0
VALIDATOR_SET_HASH_SLOT: Final = 1
HISTORIES_SLOT: Final = 0
"""In contracts that keep records: the entry of an agency is at keccak256(0 ‖ agency), first its
head, in the next slot its count."""


def get_contract_name(address: bytes) -> str | None:
    """Name the ledger contract at a fixed address; None for any other account."""
    return PROXIES.get(Address(address))
