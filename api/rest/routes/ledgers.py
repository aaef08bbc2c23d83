"""Which ledgers there are."""

from typing import Final

from api.access.callers import Role
from api.rest import ledger_models
from api.rest.route import Route

LEDGER_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="list_ledgers",
        method="GET",
        path="/ledgers",
        tag="service",
        summary="Which ledgers this API serves, who is on them and how far they are",
        role=Role.READER,
        response=ledger_models.LedgerList,
        volatile=("block", "block_time"),
    ),
)
"""The ledgers of this API."""
