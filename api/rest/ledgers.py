"""The ledgers of one API, and which of them a request, a record or a document is about.

An API stands in front of its own ledger, the one of its node, and may reach others. They share the
vault, the rules of access and the gate; each has an index, an outbox and services of its own,
because heights, nonces, operations and public texts are a chain's. `/v1` is the own ledger;
`/v1/ledgers/{name}` is any of them by its name.

A ledger is found by what a credential says of it: chain id and hash of block 0. Within the vault
the hash alone names it.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from atesta_client.credentials import LedgerReference

from api.errors import NotFound, UpstreamFault
from api.rest.members import Members

if TYPE_CHECKING:
    from api.rest.services import RestServices

NAME_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
"""What a ledger may be called: it stands in paths, file names and metrics."""

OWN_NAME: Final = "own"
"""What the ledger of the API's own node is called where the operator gave it no name."""

PREFIX: Final = "/v1"
"""Where the routes of the own ledger are."""


class ServedLedgers:
    """The ledgers of one API; filled while it is opened, then only read."""

    def __init__(self) -> None:
        self._by_name: dict[str, RestServices] = {}
        self._members: dict[str, Members] = {}

    def add(self, services: "RestServices") -> None:
        """Add a ledger; the first one is the own."""
        assert services.ledger_name not in self._by_name, "names were checked before"
        self._by_name[services.ledger_name] = services
        self._members[services.ledger_name] = Members(services)

    def __iter__(self) -> "Iterator[RestServices]":
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def own(self) -> "RestServices":
        """The services of the own ledger."""
        return next(iter(self))

    def get(self, name: str) -> "RestServices":
        """Return the services of a ledger; raises `LedgerUnknown`."""
        found = self._by_name.get(name)
        if found is None:
            raise LedgerUnknown
        return found

    def get_members(self, services: "RestServices") -> Members:
        """Return who reads the members of one of these ledgers."""
        return self._members[services.ledger_name]

    async def find(self, reference: LedgerReference) -> "RestServices | None":
        """Return the services of the ledger that a document names; None if it is none of these.

        Raises `UpstreamFault` where it is none of those that answer, and one does not.
        """
        away: UpstreamFault | None = None
        for services in self:
            try:
                if await read_reference(services) == reference:
                    return services
            except UpstreamFault as fault:
                away = fault
        if away is not None:
            raise away
        return None

    def list_gathered(self, services: "RestServices") -> "tuple[RestServices, ...]":
        """Return the ledgers of which an answer of these services tells: of the own one, all.

        A further ledger tells of itself alone.
        """
        if services.ledger_name != self.own.ledger_name:
            return (services,)
        return self.list_all(services)

    def list_all(self, services: "RestServices") -> "tuple[RestServices, ...]":
        """Return all ledgers, these services first; all open the vault under their witness."""
        others = (one for one in self if one.ledger_name != services.ledger_name)
        return (services, *(services.beside(one) for one in others))

    async def find_kept(self, ledger: bytes | None) -> "RestServices | None":
        """Return the services of the ledger that the vault names; None if it is none of these.

        What was kept before there were several ledgers names none: it stands on the own one.
        """
        if ledger is None or len(self) == 1:
            return self.own
        away: UpstreamFault | None = None
        for services in self:
            try:
                if await services.ledger.get_genesis_hash() == ledger:
                    return services
            except UpstreamFault as fault:
                away = fault
        if away is not None:
            raise away
        return None


class LedgerUnknown(NotFound):
    """This API has no ledger of this name."""

    def __init__(self) -> None:
        super().__init__(
            "this API serves no ledger of this name", field="ledger", code="ledger_unknown"
        )


async def read_reference(services: "RestServices") -> LedgerReference:
    """Return how credentials name a ledger; raises `UpstreamFault` while it was never reached."""
    return LedgerReference(
        chain_id=await services.ledger.get_chain_id(),
        genesis_hash=await services.ledger.get_genesis_hash(),
    )


def build_prefix(name: str) -> str:
    """Return where the routes of a ledger are by its name."""
    return f"{PREFIX}/ledgers/{name}"
