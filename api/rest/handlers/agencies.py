"""Agencies: as the registry itself has them, because they are few and must be right."""

from collections.abc import Sequence

from api.acts.parties import refuse_agency
from api.records import AgencyRecord, KeyRecord
from api.rest.call import Call, Reply
from api.rest.cursors import encode_cursor
from api.rest.models import Agency, AgencyPage
from api.rest.references import read_reference
from api.rest.values import encode_hex
from api.rest.views import view_key, view_roles
from contracts.labels import decode_label


async def list_agencies(call: Call) -> Reply:
    """List the member agencies in the registry's order."""
    page, registry = call.get_page(), call.services.index.registry
    moment = await registry.get_moment()
    ids = await registry.get_ids(moment)
    first = 0 if page.after is None else page.after
    chosen = ids[first : first + page.limit]
    following = first + len(chosen)
    items = []
    for agency in await registry.get_agencies(chosen, moment):
        assert agency is not None, "the registry lists those that it has"
        items.append(_view(call, agency, await registry.get_keys(agency.id, moment), moment.block))
    return Reply(
        model=AgencyPage(
            items=items,
            next=encode_cursor(following) if following < len(ids) else None,
            indexed_block=await call.services.index.get_block(),
        )
    )


async def get_agency(call: Call) -> Reply:
    """Read one agency with its keys, from the registry itself."""
    head = await call.services.ledger.get_head()
    agency_id, records = read_reference(call.get_reference("id")), call.services.records
    agency = await records.get_agency(agency_id, head.number)
    if agency is None:
        refusal = await refuse_agency(call.services.ledger, agency_id, "id")
        refusal.status = 404
        raise refusal
    keys = await records.get_keys(agency_id, head.number)
    return Reply(model=_view(call, agency, keys, head.number))


def _view(call: Call, agency: AgencyRecord, keys: Sequence[KeyRecord], block: int) -> Agency:
    return Agency(
        id=encode_hex(agency.id),
        label=decode_label(agency.id),
        name=call.services.names.get(agency.id),
        jurisdiction=encode_hex(agency.jurisdiction),
        status="active" if agency.is_active else "suspended",
        roles=view_roles(agency.roles),
        profile_hash=encode_hex(agency.profile_hash),
        attestations=agency.attestation_count,
        head=encode_hex(agency.attestation_head),
        keys=[view_key(key) for key in keys],
        block=block,
    )
