"""The pages: each gathers its facts, then a template puts them into words."""

from collections import Counter
from typing import Any

from aiohttp import web
from atesta_client.predicate_definitions import format_predicate

from api.access.callers import CALLER, Role, requires
from api.explorer import requests
from api.explorer.law.asking import ask
from api.explorer.law.cases import ask_case, show_case
from api.explorer.law.governing import list_governing_history, show_governance, show_proposal
from api.explorer.law.kinds import KINDS
from api.explorer.law.moments import Place, Places
from api.explorer.law.pages import build_record_routes
from api.explorer.law.story import show_story
from api.explorer.law.telling import tell_fields
from api.explorer.page import show_page
from api.explorer.parameters import find_parameter, takes
from api.explorer.registry import Registry
from api.explorer.rendering import find_language, get_stylesheet
from api.explorer.search import find
from api.explorer.services import SERVICES
from api.index.queries import RecordFilter
from consensus.quorum import compute_quorum
from consensus.resilience import compute_resilience
from contracts.codes import RecordState
from contracts.labels import format_identifier

LATEST: int = 8
"""Lines in the lists of the overview."""

PAGES: dict[str, str] = {
    "block": "blocks",
    "transaction": "transactions",
    "attestation": "attestations",
    "batch": "batches",
    "schema": "schemas",
    "agency": "agencies",
    "account": "accounts",
    "record": "records",
}
"""Below which path each kind of search hit has its page."""


def build_page_routes() -> list[web.RouteDef]:
    """Return the routes of the pages of any ledger, relative to its first one."""
    return [
        web.get("", show_overview),
        web.get("/", show_overview),
        web.get("/blocks", show_blocks),
        web.get("/blocks/{block}", show_block),
        web.get("/transactions/{hash}", show_transaction),
        web.get("/attestations", show_attestations),
        web.get("/attestations/{uid}", show_attestation),
        web.get("/batches", show_batches),
        web.get("/batches/{uid}", show_batch),
        web.get("/schemas", show_schemas),
        web.get("/schemas/{uid}", show_schema),
        web.get("/agencies", show_agencies),
        web.get("/agencies/{agency}", show_agency),
        web.get("/validators", show_validators),
        web.get("/accounts/{address}", show_account),
        *build_record_routes(),
        web.get("/provenance/{uid}", show_story),
        web.get("/governance", show_governance),
        web.get("/governance/{number}", show_proposal),
        web.get("/cases", ask_case),
        web.post("/cases", show_case),
        web.get("/search", show_search),
        web.get("/ledgers", show_ledgers),
        web.get("/static/{file}", send_stylesheet),
    ]


@requires(Role.READER)
async def show_overview(request: web.Request) -> web.Response:
    """Show the ledger at a glance."""
    services = request.config_dict[SERVICES]
    attestations, _ = await services.records.list_attestations(
        RecordFilter(), after=None, limit=LATEST
    )
    return await show_page(
        request,
        "overview.html",
        json="/status",
        blocks=await services.chain.list_blocks(before=None, limit=LATEST),
        attestations=attestations,
    )


@requires(Role.READER)
@takes("before", "limit")
async def show_blocks(request: web.Request) -> web.Response:
    """Show blocks, newest first."""
    chain = request.config_dict[SERVICES].chain
    before = requests.read_number(request, "before")
    blocks = await chain.list_blocks(before=before, limit=requests.read_limit(request))
    older = blocks[-1].number if blocks and blocks[-1].number > 0 else None
    return await show_page(request, "blocks.html", json="/blocks", blocks=blocks, older=older)


@requires(Role.READER)
async def show_block(request: web.Request) -> web.Response:
    """Show a block, who sealed it and what it holds."""
    chain = request.config_dict[SERVICES].chain
    block = await chain.get_block(requests.read_block_ref(request))
    return await show_page(request, "block.html", json=f"/blocks/{block.line.number}", block=block)


@requires(Role.READER)
async def show_transaction(request: web.Request) -> web.Response:
    """Show a transaction with what it did."""
    chain = request.config_dict[SERVICES].chain
    name = requests.read_hash(request, "hash")
    transaction = await chain.get_transaction(name)
    registry, language = await chain.get_registry(), find_language(request)
    events = [
        {"facts": event, "text": tell_fields(language, registry, event)}
        for event in transaction.events
    ]
    return await show_page(
        request,
        "transaction.html",
        json=f"/transactions/{name}",
        transaction=transaction,
        events=events,
    )


@requires(Role.READER)
@takes(*requests.RECORD_LIST)
async def show_attestations(request: web.Request) -> web.Response:
    """Show attestations, newest first, filtered."""
    records = request.config_dict[SERVICES].records
    wanted = requests.read_filter(request)
    after, limit = requests.read_number(request, "after"), requests.read_limit(request)
    lines, following = await records.list_attestations(wanted, after=after, limit=limit)
    return await _show_records(request, "attestations", lines, following)


@requires(Role.READER)
@takes(*requests.RECORD_LIST)
async def show_batches(request: web.Request) -> web.Response:
    """Show batches, newest first, filtered."""
    records = request.config_dict[SERVICES].records
    wanted = requests.read_filter(request)
    after, limit = requests.read_number(request, "after"), requests.read_limit(request)
    lines, following = await records.list_batches(wanted, after=after, limit=limit)
    return await _show_records(request, "batches", lines, following)


@requires(Role.READER)
async def show_attestation(request: web.Request) -> web.Response:
    """Show one attestation with its history."""
    services = request.config_dict[SERVICES]
    record = await services.records.get_attestation(requests.read_uid(request))
    until_s = record.valid_until_s
    return await show_page(
        request,
        "attestation.html",
        json=f"/attestations/{record.line.uid}",
        record=record,
        is_expired=until_s > 0 and services.chain.get_age_s(until_s) > 0,
        place=await find_place(request, record.line.issuer),
    )


@requires(Role.READER)
async def show_batch(request: web.Request) -> web.Response:
    """Show one batch with its history."""
    records = request.config_dict[SERVICES].records
    record = await records.get_batch(requests.read_uid(request))
    return await show_page(
        request,
        "batch.html",
        json=f"/batches/{record.line.uid}",
        record=record,
        place=await find_place(request, record.line.issuer),
    )


@requires(Role.READER)
@takes("after", "limit")
async def show_schemas(request: web.Request) -> web.Response:
    """Show schemas, oldest first."""
    records = request.config_dict[SERVICES].records
    after = requests.read_number(request, "after")
    schemas, following = await records.list_schemas(after=after, limit=requests.read_limit(request))
    return await show_page(
        request, "schemas.html", json="/schemas", schemas=schemas, following=following
    )


@requires(Role.READER)
async def show_schema(request: web.Request) -> web.Response:
    """Show one schema, who may issue it, what its text says and asks, and its history."""
    services = request.config_dict[SERVICES]
    uid = requests.read_uid(request)
    schema = await services.records.get_schema(uid)
    text = await services.rest.schema_texts.find(uid, bytes.fromhex(schema.document_hash[2:]))
    return await show_page(
        request,
        "schema.html",
        json=f"/schemas/{schema.uid}",
        schema=schema,
        text=text,
        questions=[] if text is None else [format_predicate(one) for one in text.predicates],
        place=await find_place(request, schema.owner),
    )


@requires(Role.READER)
async def show_agencies(request: web.Request) -> web.Response:
    """Show all agencies."""
    records = request.config_dict[SERVICES].records
    return await show_page(
        request, "agencies.html", json="/agencies", agencies=await records.list_agencies()
    )


@requires(Role.READER)
async def show_agency(request: web.Request) -> web.Response:
    """Show one agency with its keys and its latest records."""
    services = request.config_dict[SERVICES]
    agency_id = requests.read_agency(request)
    agency = await services.records.get_agency(agency_id)
    attestations, _ = await services.records.list_attestations(
        RecordFilter(issuer=agency_id), after=None, limit=LATEST
    )
    return await show_page(
        request,
        "agency.html",
        json=f"/agencies/{agency.id}",
        agency=agency,
        attestations=attestations,
        kinds=KINDS,
        history=await list_governing_history(request, agency_id, kind="agency"),
        place=await find_place(request, agency.id),
    )


@requires(Role.READER)
async def show_validators(request: web.Request) -> web.Response:
    """Show the validators, what they survive, and to auditors what they did wrong.

    Warns where one jurisdiction's hold a quorum.
    """
    chain = request.config_dict[SERVICES].chain
    is_auditor = request[CALLER].has_any(Role.AUDITOR)
    validators = await chain.list_validators()
    addresses = [validator.party.address for validator in validators]
    return await show_page(
        request,
        "validators.html",
        json="/validators",
        validators=validators,
        resilience=compute_resilience(len(validators)) if validators else None,
        dominant=find_dominant_jurisdiction(await chain.get_registry(), addresses),
        is_auditor=is_auditor,
        evidence=await chain.list_evidence(requests.MAX_LIMIT) if is_auditor else None,
    )


@requires(Role.READER)
async def show_account(request: web.Request) -> web.Response:
    """Show an account and whom it acts for."""
    chain = request.config_dict[SERVICES].chain
    account = await chain.get_account(requests.read_address(request))
    return await show_page(
        request,
        "account.html",
        json=f"/accounts/{account.party.address}",
        account=account,
    )


@requires(Role.READER)
@takes("q")
async def show_search(request: web.Request) -> web.Response:
    """Show what an identifier names; a single hit is shown at once."""
    services = request.config_dict[SERVICES]
    query = (find_parameter(request, "q") or "").strip()
    hits = await find(services.chain, services.index, query)
    if len(hits) == 1:
        raise web.HTTPSeeOther(f"{services.root}/{PAGES[hits[0].kind]}/{hits[0].id}")
    return await show_page(request, "search.html", json=None, query=query, hits=hits, pages=PAGES)


@requires(Role.READER)
async def show_ledgers(request: web.Request) -> web.Response:
    """Show the ledgers of this API: who is on each, and whether it can be read."""
    services = request.config_dict[SERVICES]
    told = await ask(request, "list_ledgers")
    roots = {name: one.root for name, one in services.explorers.items()}
    return await show_page(request, "ledgers.html", json=None, found=told["items"], roots=roots)


@requires()
async def send_stylesheet(request: web.Request) -> web.Response:
    """Send the stylesheet; its name changes with its content, so it may be kept for ever."""
    content, path = get_stylesheet()
    if request.path != path:  # as below a further ledger, which takes the own one's
        raise web.HTTPNotFound
    return web.Response(
        body=content,
        content_type="text/css",
        charset="utf-8",
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )


async def find_place(request: web.Request, agency: str) -> Place | None:
    """Return where times of an agency's records are read."""
    services = request.config_dict[SERVICES]
    registry = await services.chain.get_registry()
    return Places(services.rest.deadlines, registry).find(agency)


def find_dominant_jurisdiction(registry: Registry, validators: list[str]) -> str | None:
    """Return the jurisdiction whose validators alone make a quorum, if others take part too."""
    owners = [
        registry.agencies.get(registry.by_address.get(address, b"")) for address in validators
    ]
    counts = Counter(agency.jurisdiction for agency in owners if agency is not None)
    if len(counts) < 2:
        return None
    jurisdiction, count = counts.most_common(1)[0]
    return format_identifier(jurisdiction) if count >= compute_quorum(len(validators)) else None


async def _show_records(
    request: web.Request, kind: str, lines: tuple[Any, ...], following: int | None
) -> web.Response:
    registry = await request.config_dict[SERVICES].chain.get_registry()
    return await show_page(
        request,
        "records.html",
        json=f"/{kind}",
        kind=kind,
        lines=lines,
        following=following,
        agencies=registry.agencies.values(),
        states=[state.name.lower() for state in RecordState],
    )
