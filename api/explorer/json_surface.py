"""`/explorer/v1`: the facts as JSON, for programs that follow or audit the ledger.

Members are those of `facts.py`. Lists carry `next`: pass it as `before` (blocks) or `after`
(records) to read on; null is the end. Records of the ledger's law, proposals and provenance are
answered by REST's own handlers, with REST's members, filters and cursors.
"""

from typing import Any

from aiohttp import web

from api.access.callers import Handler, Role, requires
from api.app import json_response
from api.errors import InvalidField
from api.explorer import requests
from api.explorer.law.asking import list_parameters, send
from api.explorer.law.kinds import KINDS
from api.explorer.parameters import find_parameter, takes
from api.explorer.search import MAX_QUERY, find
from api.explorer.services import SERVICES
from api.explorer.status import read_status


def build_json_app() -> web.Application:
    """Return the sub-application of `/explorer/v1`."""
    app = web.Application()
    routes = (
        ("/status", get_status),
        ("/validators", list_validators),
        ("/evidence", list_evidence),
        ("/blocks", list_blocks),
        ("/blocks/{block}", get_block),
        ("/transactions/{hash}", get_transaction),
        ("/agencies", list_agencies),
        ("/agencies/{agency}", get_agency),
        ("/schemas", list_schemas),
        ("/schemas/{uid}", get_schema),
        ("/attestations", list_attestations),
        ("/attestations/{uid}", get_attestation),
        ("/batches", list_batches),
        ("/batches/{uid}", get_batch),
        ("/accounts/{address}", get_account),
        ("/search", search),
    )
    for path, handler in (*routes, *_build_law_routes()):
        app.router.add_get(path, handler)
    return app


def _build_law_routes() -> list[tuple[str, Handler]]:
    """Return the paths that REST answers, here for the same reader."""
    operations = [
        ("/provenance/{uid}", "get_provenance"),
        ("/proposals", "list_proposals"),
        ("/proposals/{number}", "get_proposal"),
        ("/governing-rules", "get_governing_rules"),
    ]
    for kind in KINDS:
        operations += [
            (f"/{kind.path}", kind.list_operation),
            (f"/{kind.path}/{{uid}}", f"get_{kind.name}"),
            (f"/{kind.path}/{{uid}}/history", f"get_{kind.name}_history"),
        ]
    return [(path, _bind(operation)) for path, operation in operations]


def _bind(operation: str) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await send(operation, request)

    requires(Role.READER)(handle)
    takes(*list_parameters(operation))(handle)
    return handle


@requires(Role.READER)
async def get_status(request: web.Request) -> web.Response:
    """Return the ledger at a glance."""
    services = request.config_dict[SERVICES]
    return json_response(await read_status(services.chain, services.records, with_counts=True))


@requires(Role.READER)
async def list_validators(request: web.Request) -> web.Response:
    """Return the validators."""
    return _list(await request.config_dict[SERVICES].chain.list_validators(), None)


@requires(Role.AUDITOR)
@takes("limit")
async def list_evidence(request: web.Request) -> web.Response:
    """Return the acts of misbehaviour that this node holds proof of, newest first."""
    chain = request.config_dict[SERVICES].chain
    return _list(await chain.list_evidence(requests.read_limit(request)) or (), None)


@requires(Role.READER)
@takes("before", "limit")
async def list_blocks(request: web.Request) -> web.Response:
    """Return blocks, newest first."""
    chain = request.config_dict[SERVICES].chain
    before = requests.read_number(request, "before")
    blocks = await chain.list_blocks(before=before, limit=requests.read_limit(request))
    return _list(blocks, blocks[-1].number if blocks and blocks[-1].number > 0 else None)


@requires(Role.READER)
async def get_block(request: web.Request) -> web.Response:
    """Return a block."""
    chain = request.config_dict[SERVICES].chain
    return json_response(await chain.get_block(requests.read_block_ref(request)))


@requires(Role.READER)
async def get_transaction(request: web.Request) -> web.Response:
    """Return a transaction with its decoded call and events."""
    chain = request.config_dict[SERVICES].chain
    return json_response(await chain.get_transaction(requests.read_hash(request, "hash")))


@requires(Role.READER)
async def list_agencies(request: web.Request) -> web.Response:
    """Return all agencies."""
    return _list(await request.config_dict[SERVICES].records.list_agencies(), None)


@requires(Role.READER)
async def get_agency(request: web.Request) -> web.Response:
    """Return an agency."""
    records = request.config_dict[SERVICES].records
    return json_response(await records.get_agency(requests.read_agency(request)))


@requires(Role.READER)
@takes("after", "limit")
async def list_schemas(request: web.Request) -> web.Response:
    """Return schemas, oldest first."""
    records = request.config_dict[SERVICES].records
    after = requests.read_number(request, "after")
    return _list(*await records.list_schemas(after=after, limit=requests.read_limit(request)))


@requires(Role.READER)
async def get_schema(request: web.Request) -> web.Response:
    """Return a schema."""
    records = request.config_dict[SERVICES].records
    return json_response(await records.get_schema(requests.read_uid(request)))


@requires(Role.READER)
@takes(*requests.RECORD_LIST)
async def list_attestations(request: web.Request) -> web.Response:
    """Return attestations, newest first."""
    records = request.config_dict[SERVICES].records
    after, limit = requests.read_number(request, "after"), requests.read_limit(request)
    wanted = requests.read_filter(request)
    return _list(*await records.list_attestations(wanted, after=after, limit=limit))


@requires(Role.READER)
async def get_attestation(request: web.Request) -> web.Response:
    """Return an attestation."""
    records = request.config_dict[SERVICES].records
    return json_response(await records.get_attestation(requests.read_uid(request)))


@requires(Role.READER)
@takes(*requests.RECORD_LIST)
async def list_batches(request: web.Request) -> web.Response:
    """Return batches, newest first."""
    records = request.config_dict[SERVICES].records
    after, limit = requests.read_number(request, "after"), requests.read_limit(request)
    wanted = requests.read_filter(request)
    return _list(*await records.list_batches(wanted, after=after, limit=limit))


@requires(Role.READER)
async def get_batch(request: web.Request) -> web.Response:
    """Return a batch."""
    records = request.config_dict[SERVICES].records
    return json_response(await records.get_batch(requests.read_uid(request)))


@requires(Role.READER)
async def get_account(request: web.Request) -> web.Response:
    """Return an account."""
    chain = request.config_dict[SERVICES].chain
    return json_response(await chain.get_account(requests.read_address(request)))


@requires(Role.READER)
@takes("q")
async def search(request: web.Request) -> web.Response:
    """Return everything that an identifier names."""
    services = request.config_dict[SERVICES]
    query = find_parameter(request, "q") or ""
    if not query.strip() or len(query) > MAX_QUERY:
        raise InvalidField("q", f"expected an identifier of 1 to {MAX_QUERY} characters")
    return _list(await find(services.chain, services.index, query), None)


def _list(items: tuple[Any, ...], following: int | None) -> web.Response:
    return json_response({"items": items, "next": following})
