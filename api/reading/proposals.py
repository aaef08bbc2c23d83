"""Proposals of the agencies, their votes, and the rules by which they decide, as REST shows them.

They are read from the registry itself: a ledger has few of them, and each is small.
"""

from enum import StrEnum
from typing import Any, Final

from pydantic import Field

from api.acts.calls import read_contract
from api.acts.governance import DecisionWord
from api.errors import InvalidField, NotFound
from api.ledger import Reverted
from api.reading.facts import view_party
from api.reading.models import EXAMPLE_PARTY, Party
from api.rest.call import Call, Reply
from api.rest.cursors import encode_cursor
from api.rest.values import (
    EXAMPLE_HASH,
    EXAMPLE_TIME,
    JsonObject,
    Model,
    Time,
    Uid,
    encode_hex,
    parse_optional_time,
    parse_time,
)
from api.rest.words import find_word
from contracts.addresses import AGENCY_REGISTRY_NAME
from contracts.codes import ProposalStatus, Vote
from contracts.decisions import DecisionKind, decode_payload

_REFERENCES: Final = frozenset({"agency", "jurisdiction"})


class ProposalState(StrEnum):
    """Where a proposal stands; named as `contracts.codes.ProposalStatus`."""

    OPEN = "open"
    EXECUTED = "executed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    PASSED = "passed"


class Ballot(Model):
    """One agency's vote."""

    agency: Party = Field(description="Who voted.", examples=[EXAMPLE_PARTY])
    approves: bool = Field(description="True for, false against.", examples=[True])


class ProposalView(Model):
    """A decision put to the vote."""

    number: int = Field(ge=1, description="Its number.", examples=[7])
    decision: DecisionWord | None = Field(
        description="What shall be done; null for a kind that this version does not know.",
        examples=["suspend_agency"],
    )
    parameters: JsonObject = Field(
        description="With what, by the names of `contracts.decisions`.",
        examples=[{"agency": "mo-housing"}],
    )
    state: ProposalState = Field(description="`passed` waits until it may be carried out.")
    proposer: Party = Field(description="Who proposed it.", examples=[EXAMPLE_PARTY])
    document_hash: Uid = Field(description="Hash of its document.", examples=[EXAMPLE_HASH])
    expires: Time = Field(description="Votes count until then.", examples=[EXAMPLE_TIME])
    ready: Time | None = Field(description="When a passed one may be carried out.", examples=[None])
    passing: bool = Field(
        description="Whether it has the majorities now, in all and in each jurisdiction.",
        examples=[False],
    )
    votes: list[Ballot] = Field(description="Votes of all agencies that voted.")
    read_at_block: int = Field(ge=0, description="Last final block read.", examples=[1201])


class ProposalPage(Model):
    """Proposals, newest first."""

    items: list[ProposalView] = Field(description="The proposals.")
    next: str | None = Field(description="Cursor of the next page.", examples=[None])


class GoverningRules(Model):
    """By which rules the agencies decide, now."""

    total_percent: int = Field(
        ge=0, description="More than this share of all active agencies approves.", examples=[50]
    )
    jurisdiction_percent: int = Field(
        ge=0, description="And of those of each jurisdiction.", examples=[50]
    )
    urgent_delay_s: int = Field(
        ge=0, description="Seconds that urgent decisions wait.", examples=[0]
    )
    ordinary_delay_s: int = Field(
        ge=0, description="Seconds that ordinary ones wait.", examples=[0]
    )
    grave_delay_s: int = Field(
        ge=0, description="Seconds that upgrades and rules wait.", examples=[604800]
    )
    minimum_validators: int = Field(ge=1, description="Least number of validators.", examples=[1])


async def list_proposals(call: Call) -> Reply:
    """List proposals, newest first."""
    page, services = call.get_page(), call.services
    head = await services.ledger.get_head()
    count = await _ask(call, head.number, "proposal_count")
    before = count + 1 if page.after is None else min(page.after, count + 1)
    state = call.find_choice("state", tuple(ProposalState))
    items: list[ProposalView] = []
    for number in range(before - 1, 0, -1):
        view = await _read(call, number, head.number)
        if state is None or view.state == state:
            items.append(view)
        if len(items) == page.limit:
            break
    is_cut = len(items) == page.limit and items[-1].number > 1
    return Reply(
        model=ProposalPage(items=items, next=encode_cursor(items[-1].number) if is_cut else None)
    )


async def get_proposal(call: Call) -> Reply:
    """Read one proposal with its votes."""
    text = call.path["number"]
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise InvalidField("number", "a proposal's number is 1 or more")
    head = await call.services.ledger.get_head()
    if not 1 <= int(text) <= await _ask(call, head.number, "proposal_count"):
        raise NotFound(
            "the registry has no proposal with this number",
            field="number",
            code="proposal_not_found",
        )
    return Reply(model=await _read(call, int(text), head.number))


async def get_rules(call: Call) -> Reply:
    """Read the rules by which the agencies decide."""
    head = await call.services.ledger.get_head()
    rules = await _ask(call, head.number, "rules_in_force")
    return Reply(
        model=GoverningRules(
            total_percent=rules["total_percent"],
            jurisdiction_percent=rules["jurisdiction_percent"],
            urgent_delay_s=rules["urgent_delay"],
            ordinary_delay_s=rules["ordinary_delay"],
            grave_delay_s=rules["grave_delay"],
            minimum_validators=rules["minimum_validators"],
        )
    )


async def _read(call: Call, number: int, block: int) -> ProposalView:
    found = await _ask(call, block, "proposal", number)
    decision = find_word(DecisionWord, found["kind"])
    status = ProposalStatus(found["status"]).name.lower()
    return ProposalView(
        number=number,
        decision=decision,
        parameters={} if decision is None else _read_parameters(found),
        state=ProposalState(status),
        proposer=view_party(found["proposer"]) or "",
        document_hash=encode_hex(found["document_hash"]),
        expires=parse_time(found["expires"]),
        ready=parse_optional_time(found["ready"]),
        passing=await _is_passing(call, number, block),
        votes=await _list_votes(call, number, block),
        read_at_block=block,
    )


def _read_parameters(found: dict[str, Any]) -> dict[str, Any]:
    decoded = decode_payload(DecisionKind(found["kind"]), found["payload"])
    return {
        name: view_party(value)
        if name in _REFERENCES
        else encode_hex(value)
        if isinstance(value, bytes)
        else value
        for name, value in decoded.items()
    }


async def _is_passing(call: Call, number: int, block: int) -> bool:
    try:
        return bool(await _ask(call, block, "is_passing", number))
    except Reverted:
        return False


async def _list_votes(call: Call, number: int, block: int) -> list[Ballot]:
    ballots = []
    for agency in await call.services.records.get_agency_ids(block):
        vote = await _ask(call, block, "vote_of", number, agency)
        if vote != Vote.NONE:
            ballots.append(Ballot(agency=view_party(agency) or "", approves=vote == Vote.APPROVED))
    return ballots


async def _ask(call: Call, block: int, function: str, /, *args: Any) -> Any:
    return await read_contract(
        call.services.ledger, AGENCY_REGISTRY_NAME, function, *args, block=block
    )
