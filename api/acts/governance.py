"""Acts of governance: proposals and votes of the agencies, and pauses.

A decision is named by a word, its parameters by their names, as `contracts.decisions` lists them:
agencies and jurisdictions by id or label, roles as words, times as RFC 3339 or seconds.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import Field

from api.access.callers import Role
from api.acts.act import Act, ActBody, PreparedAct
from api.acts.context import ActContext
from api.acts.texts import build_text
from api.errors import InvalidField
from api.rest.references import Reference, read_reference
from api.rest.values import EXAMPLE_TIME, JsonObject, Time, encode_time
from api.rest.words import KeyRoleWord, encode_roles
from api.texts.text import NO_LANGUAGE, TextKind
from contracts.addresses import AGENCY_REGISTRY_NAME
from contracts.codes import Role as KeyRole
from contracts.decisions import PAYLOADS, DecisionKind, encode_payload
from contracts.errors import CodecError, ContractError


class DecisionWord(StrEnum):
    """What a proposal shall do; the names are those of `contracts.decisions`."""

    ADMIT_AGENCY = "admit_agency"
    SUSPEND_AGENCY = "suspend_agency"
    REINSTATE_AGENCY = "reinstate_agency"
    SET_PROFILE = "set_profile"
    SET_ROLES = "set_roles"
    ADD_KEY = "add_key"
    REVOKE_KEY = "revoke_key"
    ADD_PIN = "add_pin"
    WITHDRAW_PIN = "withdraw_pin"
    ADD_VALIDATOR = "add_validator"
    REMOVE_VALIDATOR = "remove_validator"
    SET_VALIDATOR_MINIMUM = "set_validator_minimum"
    UPGRADE = "upgrade"
    RESOLVE = "resolve"
    SET_DELAYS = "set_delays"
    SET_THRESHOLD = "set_threshold"
    LIFT_PAUSE = "lift_pause"


_REFERENCES: Final = {"agency", "jurisdiction"}
_TIMES: Final = {"valid_from", "valid_until"}
_OPTIONAL: Final = {"first_key", "first_pin", "valid_from", "valid_until"}


class ProposalPropose(ActBody):
    """Propose a decision of all agencies; proposing is not a vote."""

    decision: DecisionWord = Field(description="What shall be done.", examples=["suspend_agency"])
    parameters: JsonObject = Field(
        description="The decision's parameters by name; docs/contracts.md lists them.",
        examples=[{"agency": "mo-health-laboratory"}],
    )
    document: JsonObject = Field(
        description="The reasons, as a public text.",
        examples=[{"title": "Suspension of the laboratory", "text": "Its key was lost."}],
    )
    expires: Time = Field(description="Until when it is open.", examples=[EXAMPLE_TIME])


class ProposalVote(ActBody):
    """Vote on an open proposal; the vote may be changed while it is open."""

    approve: bool = Field(description="True for, false against.", examples=[True])


class ProposalStep(ActBody):
    """Nothing but when it was decided."""


class AgencyPause(ActBody):
    """Stop all writes of this agency, or as a supervisor of one of the same jurisdiction."""

    until: Time | None = Field(
        default=None,
        description="Until when; needed for another agency, null for one's own: until resumed.",
        examples=[EXAMPLE_TIME],
    )
    agency: Reference | None = Field(
        default=None, description="The agency to pause; null for one's own.", examples=[None]
    )
    decision: JsonObject | None = Field(
        default=None,
        description="The supervisor's decision, as a public text; for another agency only.",
        examples=[None],
    )


class AgencyResume(ActBody):
    """End a pause: of one's own agency, or one that this supervisor has made."""

    agency: Reference | None = Field(
        default=None, description="The paused agency; null for one's own.", examples=[None]
    )


async def _propose(context: ActContext, body: ProposalPropose) -> PreparedAct:
    document = build_text(TextKind.DOCUMENT, body.document, NO_LANGUAGE, field="document")
    assert document is not None, "the body has one"
    kind = DecisionKind[body.decision.name]
    number = await context.read(AGENCY_REGISTRY_NAME, "proposal_count")
    args = {
        "kind": int(kind),
        "payload": build_payload(kind, body.parameters),
        "document_hash": document.hash,
        "expires": encode_time(body.expires),
    }
    # The number that it gets if nobody proposes in between; the operation's record says so.
    return PreparedAct(
        uid=_number_uid(number), args=args, texts=(document,), record="/v1/proposals"
    )


async def _tell_proposal(context: ActContext, prepared: PreparedAct) -> dict[str, Any]:
    """Tell what would become of the decision if it were carried out now."""
    found = await context.read(
        AGENCY_REGISTRY_NAME, "dry_run", prepared.args["kind"], prepared.args["payload"]
    )
    return {
        "could_be_carried_out": found["is_possible"],
        "reason": found["reason"] or None,
        "earliest_s": found["earliest"],
    }


async def _vote(context: ActContext, body: ProposalVote) -> PreparedAct:
    number = context.get_number("number")
    return _step(number, {"proposal_id": number, "approve": body.approve})


async def _take_step(context: ActContext, _body: ProposalStep) -> PreparedAct:
    number = context.get_number("number")
    return _step(number, {"proposal_id": number})


async def _pause_own(context: ActContext, body: AgencyPause) -> PreparedAct:
    if body.agency is not None:
        raise InvalidField("agency", "one's own agency is paused here; leave it out")
    return PreparedAct(
        uid=context.agency,
        args={"until": encode_time(body.until)},
        record=_name_agency(context.agency),
    )


async def _pause_other(_context: ActContext, body: AgencyPause) -> PreparedAct:
    decision = build_text(TextKind.DECISION, body.decision, NO_LANGUAGE)
    if body.agency is None or decision is None:
        raise InvalidField("agency", "agency and decision are needed")
    agency = read_reference(body.agency)
    args = {
        "agency_id": agency,
        "until": encode_time(body.until),
        "decision_hash": decision.hash,
    }
    return PreparedAct(uid=agency, args=args, texts=(decision,), record=_name_agency(agency))


async def _resume_own(context: ActContext, _body: ProposalStep) -> PreparedAct:
    return PreparedAct(uid=context.agency, args={}, record=_name_agency(context.agency))


async def _lift_pause(context: ActContext, body: AgencyResume) -> PreparedAct:
    agency = context.agency if body.agency is None else read_reference(body.agency)
    return PreparedAct(uid=agency, args={"agency_id": agency}, record=_name_agency(agency))


def build_payload(kind: DecisionKind, parameters: Mapping[str, Any]) -> bytes:
    """Encode a decision's parameters by name; raises `InvalidField` by parameter."""
    expected = dict(PAYLOADS[kind])
    for name in parameters:
        if name not in expected:
            raise InvalidField(f"parameters.{name[:40]}", "the decision has no such parameter")
    values = []
    for name, abi_type in expected.items():
        if name not in parameters and name not in _OPTIONAL:
            raise InvalidField(f"parameters.{name}", "this parameter is needed")
        values.append(_read_parameter(name, abi_type, parameters.get(name)))
    try:
        return encode_payload(kind, values)
    except CodecError as error:
        raise InvalidField("parameters", "a parameter does not fit its type") from error


def _read_parameter(name: str, abi_type: str, value: Any) -> Any:
    where = f"parameters.{name}"
    try:
        if name == "roles":
            return encode_roles([KeyRoleWord(word) for word in value])
        if name in _TIMES:
            return _read_time(value)
        if name in _REFERENCES:
            return read_reference(value)
        if abi_type == "bytes32":
            return bytes(32) if value is None else _read_bytes(value, 32)
        if abi_type == "address":
            return bytes(20) if value is None else _read_bytes(value, 20)
    except (AttributeError, ContractError, TypeError, ValueError) as error:
        raise InvalidField(where, f"this is no {name.replace('_', ' ')}") from error
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**256:
        raise InvalidField(where, "must be a whole number, not negative")
    return value


def _read_time(value: Any) -> int:
    if value is None or isinstance(value, int):
        return int(value or 0)
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone")
    return int(moment.timestamp())


def _read_bytes(value: Any, size: int) -> bytes:
    data = bytes.fromhex(value.removeprefix("0x"))
    if len(data) != size:
        raise ValueError("of another size")
    return data


def _step(number: int, args: dict[str, Any]) -> PreparedAct:
    return PreparedAct(
        uid=_number_uid(number), args=args, record=f"/v1/proposals/{number}", gas=3_000_000
    )


def _number_uid(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _name_agency(agency: bytes) -> str:
    return f"/v1/agencies/0x{agency.hex()}"


_GOVERNING: Final[dict[str, Any]] = {
    "contract": AGENCY_REGISTRY_NAME,
    "key_role": KeyRole.GOVERN,
    "roles": (Role.GOVERNOR,),
}
_HOUSE: Final[dict[str, Any]] = _GOVERNING | {"key_role": KeyRole.ADMIN | KeyRole.GOVERN}
_SUPERVISING: Final[dict[str, Any]] = {
    "contract": AGENCY_REGISTRY_NAME,
    "key_role": KeyRole.SUPERVISE,
    "roles": (Role.SUPERVISOR,),
}

GOVERNANCE_ACTS: Final = (
    Act(
        name="proposal.propose",
        path="/proposals",
        summary="Propose a decision of all agencies",
        function="propose",
        model=ProposalPropose,
        prepare=_propose,
        facts=_tell_proposal,
        **_GOVERNING,
    ),
    Act(
        name="proposal.vote",
        path="/proposals/{number}/vote",
        summary="Vote on a proposal",
        function="vote",
        model=ProposalVote,
        prepare=_vote,
        **_GOVERNING,
    ),
    Act(
        name="proposal.carry_out",
        path="/proposals/{number}/execution",
        summary="Carry out a decision whose time lock is over",
        function="carry_out",
        model=ProposalStep,
        prepare=_take_step,
        **_GOVERNING,
    ),
    Act(
        name="proposal.withdraw",
        path="/proposals/{number}/withdrawal",
        summary="Take this agency's proposal back",
        function="withdraw_proposal",
        model=ProposalStep,
        prepare=_take_step,
        **_GOVERNING,
    ),
    Act(
        name="own_agency.pause",
        path="/pauses/own",
        summary="Stop all writes of this agency",
        function="pause_own",
        model=AgencyPause,
        prepare=_pause_own,
        **_HOUSE,
    ),
    Act(
        name="own_agency.resume",
        path="/pauses/own/end",
        summary="End this agency's own pause",
        function="resume_own",
        model=ProposalStep,
        prepare=_resume_own,
        **_HOUSE,
    ),
    Act(
        name="agency.pause",
        path="/pauses",
        summary="Stop all writes of an agency of the supervisor's jurisdiction",
        function="pause_agency",
        model=AgencyPause,
        prepare=_pause_other,
        **_SUPERVISING,
    ),
    Act(
        name="agency_pause.lift",
        path="/pauses/end",
        summary="Lift a pause before its end",
        function="lift_pause",
        model=AgencyResume,
        prepare=_lift_pause,
        **_SUPERVISING,
    ),
)
"""In the order of the documentation."""
