"""The fixed addresses of the ledger's contracts, equal on every ledger.

A record's address is that of a proxy and never changes. The implementation behind it has an address
of its own at genesis and may be replaced by vote (see `upgradeable_proxy.vy`).
"""

from typing import Final

from eth_typing import Address


def _number(number: int) -> Address:
    return Address(bytes.fromhex(f"{0xA7E500 + number:040x}"))


REGISTRY: Final = _number(0x01)
SCHEMAS: Final = _number(0x02)
ATTESTATIONS: Final = _number(0x03)
CATALOGUE: Final = _number(0x04)
BASES: Final = _number(0x05)
CONSENTS: Final = _number(0x06)
EXCHANGES: Final = _number(0x07)
MANDATES: Final = _number(0x08)
POLICIES: Final = _number(0x09)
POSTS: Final = _number(0x0A)

AGENCY_REGISTRY_NAME: Final = "agency_registry"
SCHEMAS_NAME: Final = "schemas"
ATTESTATIONS_NAME: Final = "attestations"
CATALOGUE_NAME: Final = "catalogue"
BASES_NAME: Final = "bases"
CONSENTS_NAME: Final = "consents"
EXCHANGES_NAME: Final = "exchanges"
MANDATES_NAME: Final = "mandates"
POLICIES_NAME: Final = "policies"
POSTS_NAME: Final = "posts"
DECISIONS_NAME: Final = "registry_decisions"
PROXY_NAME: Final = "upgradeable_proxy"

PROXIES: Final[dict[Address, str]] = {
    REGISTRY: AGENCY_REGISTRY_NAME,
    SCHEMAS: SCHEMAS_NAME,
    ATTESTATIONS: ATTESTATIONS_NAME,
    CATALOGUE: CATALOGUE_NAME,
    BASES: BASES_NAME,
    CONSENTS: CONSENTS_NAME,
    EXCHANGES: EXCHANGES_NAME,
    MANDATES: MANDATES_NAME,
    POLICIES: POLICIES_NAME,
    POSTS: POSTS_NAME,
}
"""Which contract answers at which fixed address."""

IMPLEMENTATIONS: Final[dict[Address, Address]] = {
    proxy: _number(0xF0 + place) for place, proxy in enumerate(PROXIES, start=1)
}
"""The implementation behind each proxy at genesis: 0x…a7e5f1 for the first, and so on."""

DECISIONS_IMPLEMENTATION: Final = _number(0xE1)
"""The second half of the registry's code at genesis, which runs on the registry's storage."""

REGISTRY_IMPLEMENTATION: Final = IMPLEMENTATIONS[REGISTRY]
SCHEMAS_IMPLEMENTATION: Final = IMPLEMENTATIONS[SCHEMAS]
ATTESTATIONS_IMPLEMENTATION: Final = IMPLEMENTATIONS[ATTESTATIONS]

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
