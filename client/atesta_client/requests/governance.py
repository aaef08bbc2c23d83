"""What agencies decide together, and pauses of one agency."""

from datetime import datetime
from typing import Unpack

from atesta_client.answers import Accepted, GoverningRules, Page, ProposalView
from atesta_client.requests.encoding import AgencyName, JsonObject
from atesta_client.requests.request import Acting, Paging, Request, act, get, list_page


def list_proposals(
    *, state: str | None = None, **paging: Unpack[Paging]
) -> Request[Page[ProposalView]]:
    """List what the agencies decide by vote, newest first.

    - ``state``: only proposals in this state.
    """
    return list_page(ProposalView, "/proposals", {"state": state, **paging})


def get_proposal(number: int) -> Request[ProposalView]:
    """Read one proposal with its votes."""
    return get(ProposalView, "/proposals/{number}", number=number)


def get_governing_rules() -> Request[GoverningRules]:
    """Read the rules by which the agencies decide."""
    return get(GoverningRules, "/governing-rules")


def propose_proposal(
    *,
    decision: str,
    parameters: JsonObject,
    document: JsonObject,
    expires: datetime,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Propose a decision of all agencies; proposing is not a vote.

    - ``decision``: what shall be done;
    - ``parameters``: the decision's parameters by name; docs/contracts.md lists them;
    - ``document``: the reasons, as a public text;
    - ``expires``: until when it is open.
    """
    return act(
        "proposal.propose",
        "/proposals",
        {"decision": decision, "parameters": parameters, "document": document, "expires": expires},
        options,
    )


def vote_proposal(number: int, *, approve: bool, **options: Unpack[Acting]) -> Request[Accepted]:
    """Vote on an open proposal; the vote may be changed while it is open.

    - ``approve``: true for, false against.
    """
    return act(
        "proposal.vote", "/proposals/{number}/vote", {"approve": approve}, options, number=number
    )


def carry_out_proposal(number: int, **options: Unpack[Acting]) -> Request[Accepted]:
    """Carry out a decision whose time lock is over."""
    return act("proposal.carry_out", "/proposals/{number}/execution", {}, options, number=number)


def withdraw_proposal(number: int, **options: Unpack[Acting]) -> Request[Accepted]:
    """Take this agency's proposal back."""
    return act("proposal.withdraw", "/proposals/{number}/withdrawal", {}, options, number=number)


def pause_own_agency(
    *,
    until: datetime | None = None,
    agency: AgencyName | None = None,
    decision: JsonObject | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Stop all writes of this agency, or as a supervisor of one of the same jurisdiction.

    - ``until``: until when; needed for another agency, ``None`` for one's own: until resumed;
    - ``agency``: the agency to pause; ``None`` for one's own;
    - ``decision``: the supervisor's decision, as a public text; for another agency only.
    """
    return act(
        "own_agency.pause",
        "/pauses/own",
        {"until": until, "agency": agency, "decision": decision},
        options,
    )


def resume_own_agency(**options: Unpack[Acting]) -> Request[Accepted]:
    """End this agency's own pause."""
    return act("own_agency.resume", "/pauses/own/end", {}, options)


def pause_agency(
    *,
    until: datetime | None = None,
    agency: AgencyName | None = None,
    decision: JsonObject | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Stop all writes of this agency, or as a supervisor of one of the same jurisdiction.

    - ``until``: until when; needed for another agency, ``None`` for one's own: until resumed;
    - ``agency``: the agency to pause; ``None`` for one's own;
    - ``decision``: the supervisor's decision, as a public text; for another agency only.
    """
    return act(
        "agency.pause", "/pauses", {"until": until, "agency": agency, "decision": decision}, options
    )


def lift_agency_pause(
    *, agency: AgencyName | None = None, **options: Unpack[Acting]
) -> Request[Accepted]:
    """End a pause: of one's own agency, or one that this supervisor has made.

    - ``agency``: the paused agency; ``None`` for one's own.
    """
    return act("agency_pause.lift", "/pauses/end", {"agency": agency}, options)
