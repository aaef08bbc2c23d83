"""Storage only after a withdrawal, as this agency has declared it on the ledger.

A consent was withdrawn; the agency, as a recipient, answered that it retains what it received, for
storage only, under a legal basis and until a date. From then on what its vault has of the consent,
and of its own exchanges that rested on it, opens for that basis only. The ledger's last final state
decides, so it holds as well for an answer that was signed elsewhere, or sent by another process. A
later answer that the data were deleted does not open them again.
"""

from functools import partial
from typing import Final

from sqlalchemy import Connection

from api.acts.calls import read_contract
from api.erasing.eraser import open_orders
from api.index import law_queries
from api.index.law_queries import EventFilter
from api.index.queries import Page
from api.rest.services import RestServices
from api.vault.restrictions import Restriction, RestrictionCause
from contracts.addresses import CONSENTS_NAME

_KIND: Final = "consent.withdrawal_answered"
_RETAINED: Final = 3
"""The contract's number of the answer `retained`."""

_PAGE: Final = 500


class RetainedWithdrawals:
    """Restricts what is retained, answer by answer."""

    def __init__(self, services: RestServices) -> None:
        """Begin with the first answer on the ledger."""
        self._services = services
        self._position: int | None = None

    async def turn(self) -> int:
        """Restrict what was declared since the last turn; returns how many records.

        Raises `ApiError`; then the next turn looks at the same answers again.
        """
        services = self._services
        own = await services.identity.get_agency()
        restricted = 0
        while True:
            page = Page(limit=_PAGE, after=self._position)
            wanted = EventFilter(kinds=(_KIND,))
            events = await services.index.read(
                partial(law_queries.list_events, page=page, wanted=wanted)
            )
            for event in events:
                if bytes(event.agency) == own and event.place == _RETAINED:
                    restricted += await self._restrict(bytes(event.uid), own)
            if events:
                self._position = events[-1].position
            if len(events) < _PAGE:
                return restricted

    async def _restrict(self, consent: bytes, own: bytes) -> int:
        services = self._services
        head = await services.ledger.get_head()
        declared = await read_contract(
            services.ledger, CONSENTS_NAME, "declaration", consent, own, block=head.number
        )
        if declared["outcome"] != _RETAINED:
            return 0

        def load(connection: Connection) -> list[bytes]:
            linking = law_queries.list_linking(connection, consent)
            exchanges = [target for _, kind, target in linking if kind == "exchange"]
            rows = law_queries.get_law_records(connection, exchanges, kinds=("exchange",))
            return [uid for uid, row in rows.items() if bytes(row.agency) == own]

        uids = [consent, *await services.index.read(load)]
        orders = open_orders(services)
        held = await orders.list_holdings(uids)
        return await orders.restrict(
            Restriction(
                uid=uid,
                cause=RestrictionCause.WITHDRAWAL,
                basis=bytes(declared["basis"]),
                legal_reference=None,
                restricted_s=int(services.now()),
                until_s=int(declared["until"]),
            )
            for uid in held
        )
