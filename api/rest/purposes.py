"""For what purpose a request opens the vault, as its header says.

An operation that hands out personal data takes the purpose from its caller and from nobody else. An
act may leave it out: what it opens belongs to its own record, and the purpose of that stands on the
ledger.
"""

from aiohttp import web

from api.access.callers import CALLER
from api.access.purposes import parse_purpose, refuse_missing
from api.access.reads import Reading
from api.app import REQUEST_ID
from api.rest.purpose_register import PurposeRegister
from api.rest.route import Route


async def check_purpose(sent: str | None, route: Route, register: PurposeRegister) -> str | None:
    """Return the purpose that a caller states, None if none is stated and none is needed.

    Raises `PurposeRefused`.
    """
    if sent is None:
        if route.opens:
            raise refuse_missing()
        return None
    purpose = parse_purpose(sent)
    await register.check(purpose)
    return purpose


def name_reading(request: web.Request, route: Route, purpose: str | None) -> Reading:
    """Return under whose name and what for a request opens what it opens."""
    caller = request.get(CALLER)
    return Reading(
        caller="nobody" if caller is None else caller.name,
        method="none" if caller is None else caller.method.value,
        operation=route.name,
        purpose=route.purpose if purpose is None else purpose,
        request_id=request[REQUEST_ID],
    )
