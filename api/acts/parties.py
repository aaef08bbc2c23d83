"""Agencies and jurisdictions by label or identifier, as the registry knows them.

A label is a few letters in 32 bytes, so a mistyped one names somebody too: nobody. Whoever takes a
label from a caller looks it up here, before it stands on the ledger or filters a list.
"""

from typing import Final

from api.acts.calls import read_contract
from api.errors import UserFault
from api.ledger import Ledger
from api.near_names import ask_whether
from api.records import NO_UID
from api.rest.references import read_reference
from contracts.addresses import AGENCY_REGISTRY_NAME
from contracts.labels import decode_label

_MOST_COMPARED: Final = 100
"""So many agencies are asked for their labels."""


async def find_agency(ledger: Ledger, reference: str | None, *, field: str) -> bytes:
    """Return an agency's id, zero for None; raises `UserFault` for one that nobody admitted."""
    agency = NO_UID if reference is None else read_reference(reference)
    if agency != NO_UID and not await is_agency(ledger, agency):
        raise await refuse_agency(ledger, agency, field)
    return agency


async def find_jurisdiction(ledger: Ledger, reference: str | None, *, field: str) -> bytes:
    """Return a jurisdiction's id, zero for None; raises `UserFault` if it has no agency."""
    jurisdiction = NO_UID if reference is None else read_reference(reference)
    if jurisdiction != NO_UID and not await is_jurisdiction(ledger, jurisdiction):
        raise refuse_party("jurisdiction", field)
    return jurisdiction


async def is_agency(ledger: Ledger, agency: bytes) -> bool:
    """Tell whether the registry has an agency at the last final block, suspended or not."""
    found = await read_contract(ledger, AGENCY_REGISTRY_NAME, "agency", agency)
    return bool(found["status"])


async def is_jurisdiction(ledger: Ledger, jurisdiction: bytes) -> bool:
    """Tell whether any agency of the registry is of a jurisdiction."""
    count = await read_contract(ledger, AGENCY_REGISTRY_NAME, "jurisdiction_count")
    for place in range(count):
        found = await read_contract(ledger, AGENCY_REGISTRY_NAME, "jurisdiction_at", place)
        if bytes(found) == jurisdiction:
            return True
    return False


async def refuse_agency(ledger: Ledger, agency: bytes, field: str) -> UserFault:
    """Return the refusal of an agency that there is not, with the label that is nearest to it."""
    refusal = refuse_party("agency", field)
    label = decode_label(agency)
    if label is None:
        return refusal
    count = await read_contract(ledger, AGENCY_REGISTRY_NAME, "agency_count")
    known = [
        decode_label(bytes(await read_contract(ledger, AGENCY_REGISTRY_NAME, "agency_at", place)))
        for place in range(min(count, _MOST_COMPARED))
    ]
    refusal.next_step = f"{refusal.next_step}{ask_whether(label, filter(None, known))}"
    return refusal


def refuse_party(kind: str, field: str) -> UserFault:
    """Return the refusal of an `agency` or `jurisdiction` that the registry does not have."""
    return UserFault(
        f"the registry has no {kind} with this label or identifier",
        code=f"{kind}_not_found",
        field=field,
        status=422,
        next_step="take it from GET /v1/agencies",
    )
