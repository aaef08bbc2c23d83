"""Status of the service, and following promised writes."""

from api.acts.legal import explain_failure
from api.errors import NotFound, as_problem
from api.rest.answers import Status
from api.rest.call import Call, Reply
from api.rest.cursors import cut_page
from api.rest.finality_words import read_state, view_finality
from api.rest.models import OperationPage
from api.rest.values import OperationState, encode_hex, parse_time
from api.rest.views import view_operation


async def get_status(call: Call) -> Reply:
    """Say which ledger this is, how far it is, and whose node answers."""
    services = call.services
    head = await services.ledger.get_head()
    agency = await services.identity.find_agency()
    accounts = services.identity.accounts
    return Reply(
        model=Status(
            agency=None if agency is None else encode_hex(agency),
            account=encode_hex(accounts[0]) if accounts else None,
            chain_id=await services.ledger.get_chain_id(),
            genesis_hash=encode_hex(await services.ledger.get_genesis_hash()),
            block=head.number,
            block_time=parse_time(head.time_s),
            behind_s=max(0, int(services.now()) - head.time_s),
            indexed_block=await services.index.get_block(),
            pending=await services.outbox.count_open(),
            finality=view_finality(services.ledger.network.finality),
        )
    )


async def list_operations(call: Call) -> Reply:
    """List this agency's writes, newest first."""
    page = call.get_page()
    operations = await call.services.outbox.get_page(
        limit=page.and_one.limit,
        before=page.after,
        state=read_state(call.find_choice("state", tuple(OperationState))),
        uid=call.find_digest("uid"),
    )
    items, following = cut_page(operations, page, lambda item: item.sequence)
    return Reply(
        model=OperationPage(
            items=[view_operation(operation) for operation in items],
            next=following,
            indexed_block=await call.services.index.get_block(),
        )
    )


async def get_operation(call: Call) -> Reply:
    """Follow one write by operation id or transaction hash."""
    operation = await call.services.outbox.get(call.path["id"].lower())
    if operation is None:
        raise NotFound("this node made no such operation", field="id", code="operation_not_found")
    refusal = await explain_failure(call.services, operation)
    told = None if refusal is None else as_problem(refusal)
    return Reply(model=view_operation(operation).model_copy(update={"refusal": told}))
