"""What the agencies decide by vote: rules, jurisdictions, pauses, proposals with their votes.

The registry itself is asked, at the last final block: a ledger has few proposals, and each is
small. A decision needs more than a share of all active agencies and of those of each jurisdiction;
how many votes that is today is reckoned here, and whether a proposal has them is the contract's own
answer.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from api.access.callers import Role, requires
from api.acts.calls import read_contract
from api.explorer import requests
from api.explorer.fields import read_field
from api.explorer.law.asking import ask
from api.explorer.law.moments import Places
from api.explorer.law.telling import tell_line
from api.explorer.page import show_page
from api.explorer.parameters import find_parameter, takes
from api.explorer.registry import Agency, Registry
from api.explorer.rendering import find_language
from api.explorer.services import SERVICES
from api.index import queries
from api.ledger import Reverted
from api.reading.facts import view_party
from api.reading.proposals import ProposalState
from api.rest.references import read_reference
from consensus.quorum import compute_quorum
from contracts.addresses import AGENCY_REGISTRY_NAME
from contracts.decisions import DecisionKind, decode_payload
from contracts.errors import CodecError
from contracts.labels import format_identifier

HISTORY_SIZE: Final = 500
"""Events of one proposal or agency."""

_LIVE: Final = frozenset({ProposalState.OPEN.value, ProposalState.PASSED.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A jurisdiction, or all of them together, in a vote."""

    label: str | None
    """None for all together."""
    active: int
    needed: int
    """Approvals that are enough today."""
    approvals: int = 0
    validators: int = 0
    has_quorum: bool = False
    """Whether its validators alone make blocks final, although others take part."""


@requires(Role.READER)
@takes("state", "cursor", "limit")
async def show_governance(request: web.Request) -> web.Response:
    """Show rules, jurisdictions, pauses and proposals."""
    services = request.config_dict[SERVICES]
    registry = await services.chain.get_registry()
    rules = await ask(request, "get_governing_rules")
    state, cursor = find_parameter(request, "state"), find_parameter(request, "cursor")
    query = {"limit": str(requests.read_limit(request))}
    query |= {} if state is None else {"state": state}
    query |= {} if cursor is None else {"cursor": cursor}
    proposals = await ask(request, "list_proposals", query=query)
    return await show_page(
        request,
        "governance.html",
        json="/governing-rules",
        rules=rules,
        sides=_count_sides(registry, rules, frozenset()),
        pauses=await _list_pauses(request, registry),
        proposals=proposals["items"],
        following=proposals["next"],
        places=Places(services.rest.deadlines, registry),
        states=[entry.value for entry in ProposalState],
        state=state,
    )


@requires(Role.READER)
async def show_proposal(request: web.Request) -> web.Response:
    """Show one proposal: its votes by jurisdiction, its time lock, and what a dry run says."""
    services = request.config_dict[SERVICES]
    registry = await services.chain.get_registry()
    number = request.match_info["number"]
    proposal = await ask(request, "get_proposal", path={"number": number})
    rules = await ask(request, "get_governing_rules")
    approving = frozenset(
        read_reference(vote["agency"]) for vote in proposal["votes"] if vote["approves"]
    )
    text = await services.rest.texts.find(bytes.fromhex(proposal["document_hash"][2:]))
    found = await _ask(request, "proposal", int(number))
    return await show_page(
        request,
        "proposal.html",
        json=f"/proposals/{number}",
        proposal=proposal,
        parameters=_open_parameters(found),
        document=None if text is None else dict(text.body),
        sides=_count_sides(registry, _raise_bar(rules, proposal), approving),
        ballots=_list_ballots(registry, proposal),
        dry_run=await _try(request, int(number)) if proposal["state"] in _LIVE else None,
        place=Places(services.rest.deadlines, registry).find(proposal["proposer"]),
        history=await list_governing_history(
            request, int(number).to_bytes(32, "big"), kind="proposal"
        ),
    )


async def list_governing_history(
    request: web.Request, uid: bytes, *, kind: str
) -> list[dict[str, Any]]:
    """Return what happened to a proposal or an agency, in sentences, oldest first."""
    services = request.config_dict[SERVICES]
    rows = await services.index.read(
        lambda c: queries.list_history(c, queries.Page(limit=HISTORY_SIZE), uid=uid, kind=kind)
    )
    registry, language = await services.chain.get_registry(), find_language(request)
    return [tell_line(language, registry, row) for row in rows]


def _count_sides(
    registry: Registry, rules: dict[str, Any], approving: frozenset[bytes]
) -> list[Side]:
    """Return each jurisdiction with what it takes there, then all together."""
    active = [agency for agency in registry.agencies.values() if agency.active]
    owners = [registry.by_address.get(address, b"") for address in registry.validators]
    validators = Counter(
        registry.agencies[owner].jurisdiction for owner in owners if owner in registry.agencies
    )
    quorum = compute_quorum(len(owners)) if owners else 0
    jurisdictions = dict.fromkeys(agency.jurisdiction for agency in registry.agencies.values())
    sides = [
        _count_side(
            format_identifier(jurisdiction),
            [agency for agency in active if agency.jurisdiction == jurisdiction],
            rules["jurisdiction_percent"],
            approving,
            validators[jurisdiction],
            has_quorum=len(validators) > 1 and validators[jurisdiction] >= quorum,
        )
        for jurisdiction in jurisdictions
    ]
    return [
        *sides,
        _count_side(None, active, rules["total_percent"], approving, len(owners), has_quorum=False),
    ]


def _count_side(
    label: str | None,
    active: list[Agency],
    percent: int,
    approving: frozenset[bytes],
    validators: int,
    *,
    has_quorum: bool,
) -> Side:
    return Side(
        label=label,
        active=len(active),
        needed=len(active) * percent // 100 + 1 if active else 0,
        approvals=sum(agency.id in approving for agency in active),
        validators=validators,
        has_quorum=has_quorum,
    )


def _raise_bar(rules: dict[str, Any], proposal: dict[str, Any]) -> dict[str, Any]:
    """Return the shares that a proposal needs: a new threshold must be reached by itself."""
    if proposal["decision"] != DecisionKind.SET_THRESHOLD.name.lower():
        return rules
    return rules | {
        name: max(rules[name], min(proposal["parameters"].get(name, 0), 100))
        for name in ("total_percent", "jurisdiction_percent")
    }


def _list_ballots(registry: Registry, proposal: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every active agency, and whoever else voted, with its vote; None for silence."""
    votes = {read_reference(vote["agency"]): vote["approves"] for vote in proposal["votes"]}
    return [
        {
            "agency": agency.label,
            "jurisdiction": format_identifier(agency.jurisdiction),
            "approves": votes.get(agency.id),
            "counts": agency.active,
        }
        for agency in registry.agencies.values()
        if agency.active or agency.id in votes
    ]


def _open_parameters(found: dict[str, Any]) -> list[Any]:
    try:
        opened = decode_payload(found["kind"], found["payload"])
    except CodecError:
        return [read_field("payload", found["payload"])]
    return [read_field(name, value) for name, value in opened.items()]


async def _list_pauses(request: web.Request, registry: Registry) -> list[dict[str, Any]]:
    """Return the agencies that are paused at the last final block."""
    pauses = []
    for agency in registry.agencies.values():
        if await _ask(request, "is_paused", agency.id):
            pause = await _ask(request, "pause", agency.id)
            pauses.append(
                {
                    "agency": agency.label,
                    "own_until": pause["own_until"],
                    "until": pause["until"],
                    "paused_by": view_party(pause["paused_by"]),
                    "decision_hash": "0x" + pause["decision_hash"].hex(),
                }
            )
    return pauses


async def _try(request: web.Request, number: int) -> dict[str, Any]:
    """Return what would become of a proposal if it were carried out now."""
    try:
        found = await _ask(request, "dry_run_proposal", number)
    except Reverted as refusal:
        return {"is_possible": False, "reason": refusal.reason}
    return {"is_possible": found["is_possible"], "reason": found["reason"]}


async def _ask(request: web.Request, function: str, /, *args: Any) -> Any:
    services = request.config_dict[SERVICES]
    head = await services.rest.ledger.get_head()
    return await read_contract(
        services.rest.ledger, AGENCY_REGISTRY_NAME, function, *args, block=head.number
    )
