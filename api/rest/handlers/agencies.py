"""Agencies: read from the registry itself, because they are few and must be right."""

from api.errors import NotFound
from api.rest.call import Call, Reply
from api.rest.cursors import encode_cursor
from api.rest.models import Agency, AgencyPage
from api.rest.values import encode_hex
from api.rest.views import view_key, view_roles


async def list_agencies(call: Call) -> Reply:
    """List the member agencies in the registry's order."""
    page = call.get_page()
    head = await call.services.ledger.get_head()
    ids = await call.services.records.get_agency_ids(head.number)
    first = 0 if page.after is None else page.after
    chosen = ids[first : first + page.limit]
    following = first + len(chosen)
    return Reply(
        model=AgencyPage(
            items=[await read_agency(call, agency_id, head.number) for agency_id in chosen],
            next=encode_cursor(following) if following < len(ids) else None,
            indexed_block=await call.services.index.get_block(),
        )
    )


async def get_agency(call: Call) -> Reply:
    """Read one agency with its keys."""
    head = await call.services.ledger.get_head()
    return Reply(model=await read_agency(call, call.get_digest("id"), head.number))


async def read_agency(call: Call, agency_id: bytes, block: int) -> Agency:
    """Return an agency after a block; raises `NotFound`."""
    records = call.services.records
    agency = await records.get_agency(agency_id, block)
    if agency is None:
        raise NotFound(
            "the registry has no agency with this id", field="id", code="agency_not_found"
        )
    keys = await records.get_keys(agency_id, block)
    return Agency(
        id=encode_hex(agency_id),
        name=call.services.names.get(agency_id),
        jurisdiction=encode_hex(agency.jurisdiction),
        status="active" if agency.is_active else "suspended",
        roles=view_roles(agency.roles),
        profile_hash=encode_hex(agency.profile_hash),
        attestations=agency.attestation_count,
        head=encode_hex(agency.attestation_head),
        keys=[view_key(key) for key in keys],
        block=block,
    )
