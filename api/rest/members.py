"""Who is on a ledger: its agencies, and the jurisdictions that they are of.

The registry says it, on the ledger itself; nothing of it is configured. It is remembered for a
while, because it is asked with every act and changes by vote only.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from api.errors import UpstreamFault
from contracts.labels import format_identifier

if TYPE_CHECKING:
    from api.rest.services import RestServices

REFRESH_S: Final = 30.0
"""How long the members are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """The members of one ledger."""

    jurisdictions: Mapping[bytes, bytes]
    """The jurisdiction of each agency, both by their 32 bytes, in the registry's order."""

    @property
    def agencies(self) -> tuple[str, ...]:
        """The agencies, by label."""
        return tuple(format_identifier(agency) for agency in self.jurisdictions)

    @property
    def places(self) -> tuple[str, ...]:
        """The jurisdictions, by label, each once."""
        return tuple(sorted({format_identifier(place) for place in self.jurisdictions.values()}))


class Members:
    """Reads who is on one ledger."""

    def __init__(
        self, services: "RestServices", monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._services = services
        self._monotonic = monotonic
        self._known: Membership | None = None
        self._read_at = float("-inf")

    async def read(self) -> Membership:
        """Return the members, the last known while the ledger does not answer.

        Raises `UpstreamFault` where it never answered.
        """
        now = self._monotonic()
        if self._known is None:
            self._known, self._read_at = await self._ask(), now
        elif now - self._read_at > REFRESH_S:
            with suppress(UpstreamFault):
                self._known, self._read_at = await self._ask(), now
        return self._known

    async def _ask(self) -> Membership:
        records = self._services.records
        head = (await self._services.ledger.get_head()).number
        found: dict[bytes, bytes] = {}
        for agency in await records.get_agency_ids(head):
            place = await records.get_jurisdiction(agency, head)
            assert place is not None, "a listed agency is known"
            found[bytes(agency)] = place
        return Membership(jurisdictions=found)
