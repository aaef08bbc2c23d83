"""The ledgers of this API."""

import asyncio

from api.errors import UpstreamFault
from api.rest.call import Call, Reply
from api.rest.finality_words import view_finality
from api.rest.ledger_models import LedgerInfo, LedgerList
from api.rest.ledgers import build_prefix, read_reference
from api.rest.services import RestServices
from api.rest.values import encode_hex, parse_time
from api.rest.views import view_uid


async def list_ledgers(call: Call) -> Reply:
    """List the ledgers that this API serves; one that is out of reach says why."""
    found = await asyncio.gather(*(_describe(one) for one in call.services.ledgers))
    return Reply(model=LedgerList(items=list(found)))


async def _describe(services: RestServices) -> LedgerInfo:
    told = LedgerInfo(
        name=services.ledger_name,
        own=services is services.ledgers.own,
        path=build_prefix(services.ledger_name),
        agency=None,
        jurisdictions=[],
        members=[],
        chain_id=None,
        genesis_hash=None,
        block=None,
        block_time=None,
        indexed_block=None,
        finality=view_finality(services.ledger.network.finality),
        problem=None,
    )
    try:
        reference = await read_reference(services)
        head = await services.ledger.get_head()
        members = await services.ledgers.get_members(services).read()
        return told.model_copy(
            update={
                "agency": view_uid(await services.identity.find_agency()),
                "jurisdictions": list(members.places),
                "members": list(members.agencies),
                "chain_id": reference.chain_id,
                "genesis_hash": encode_hex(reference.genesis_hash),
                "block": head.number,
                "block_time": parse_time(head.time_s),
                "indexed_block": await services.index.get_block(),
            }
        )
    except UpstreamFault as fault:
        return told.model_copy(update={"problem": fault.reason})
