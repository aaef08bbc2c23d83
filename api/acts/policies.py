"""Acts on recognition policies: proposed by one side, signed by the other, suspended by either."""

from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from api.access.callers import Role
from api.acts.act import Act, ActBody, CreationBody, PreparedAct
from api.acts.context import ActContext
from api.acts.texts import build_text
from api.rest.faults import Contradiction
from api.rest.references import Reference
from api.rest.values import (
    EXAMPLE_HASH,
    EXAMPLE_SCHEMA,
    EXAMPLE_TIME,
    JsonObject,
    Reason,
    Time,
    Uid,
    decode_hex,
    encode_hex,
    encode_time,
)
from api.rest.views import find_reason_code
from api.rest.words import AssuranceLevel, encode_word
from api.texts.text import NO_LANGUAGE, PublicText, TextKind
from contracts.addresses import POLICIES_NAME
from contracts.codes import Role as KeyRole

MAX_AGE_S: Final = 2**40


class PolicyPropose(CreationBody):
    """Propose that one side recognises documents of the other, and sign it for this side.

    It is in force when an agency of the other side has signed the same agreement.
    """

    from_jurisdiction: Reference = Field(description="Whose documents.", examples=["MO"])
    to_jurisdiction: Reference = Field(description="Where they are recognised.", examples=["CN-GD"])
    schema_uid: Uid = Field(description="Which documents.", examples=[EXAMPLE_SCHEMA])
    issuers: Annotated[list[Reference], Field(max_length=32)] = Field(
        default_factory=list,
        description="Whose documents; empty for all accredited ones of that side.",
        examples=[["mo-health-laboratory"]],
    )
    max_age_s: Annotated[int, Field(ge=0, le=MAX_AGE_S)] = Field(
        default=0, description="Highest age of a document in seconds; 0 for any.", examples=[604800]
    )
    assurance: AssuranceLevel = Field(description="Least assurance.", examples=["substantial"])
    valid_from: Time = Field(description="In force from.", examples=[EXAMPLE_TIME])
    valid_until: Time | None = Field(
        default=None, description="In force until; null for no end.", examples=[None]
    )
    agreement: JsonObject | None = Field(
        default=None,
        description="The agreement as published; or give `agreement_hash`.",
        examples=[{"title": "Agreement 1/2026", "text": "Both sides recognise test results."}],
    )
    agreement_hash: Uid | None = Field(
        default=None, description="Hash of the agreement.", examples=[None]
    )

    @model_validator(mode="after")
    def _check_one_agreement(self) -> Self:
        if (self.agreement is None) == (self.agreement_hash is None):
            raise Contradiction(
                "give exactly one of agreement, agreement_hash", "agreement", "agreement_hash"
            )
        return self


class PolicySign(ActBody):
    """Sign a proposed policy for the other side, which puts it in force."""

    agreement_hash: Uid = Field(
        description="Hash of the agreement as this side has it.", examples=[EXAMPLE_HASH]
    )


class PolicyChange(ActBody):
    """Why this side suspends, reinstates or ends the policy."""

    reason: Reason = Field(description="Neutral reason code.")


async def _propose(context: ActContext, body: PolicyPropose) -> PreparedAct:
    uid = context.take_uid(body.uid)
    agreement = build_text(TextKind.AGREEMENT, body.agreement, NO_LANGUAGE)
    document_hash = _find_hash(agreement, body.agreement_hash)
    terms = {
        "from_jurisdiction": await context.find_jurisdiction(
            body.from_jurisdiction, field="from_jurisdiction"
        ),
        "to_jurisdiction": await context.find_jurisdiction(
            body.to_jurisdiction, field="to_jurisdiction"
        ),
        "schema": decode_hex(body.schema_uid),
        "max_age_s": body.max_age_s,
        "assurance": encode_word(body.assurance),
        "valid_from": encode_time(body.valid_from),
        "valid_until": encode_time(body.valid_until),
        "document_hash": document_hash,
    }
    issuers = [
        await context.find_agency(issuer, field=f"issuers.{place}")
        for place, issuer in enumerate(body.issuers)
    ]
    return PreparedAct(
        uid=uid,
        args={"uid": uid, "terms": terms, "issuers": issuers},
        texts=() if agreement is None else (agreement,),
        gas=800_000 + 40_000 * len(issuers),
        facts={"agreement_hash": encode_hex(document_hash)},
    )


def _find_hash(agreement: PublicText | None, given: str | None) -> bytes:
    if agreement is not None:
        return agreement.hash
    assert given is not None, "checked by the model"
    return decode_hex(given)


async def _sign(context: ActContext, body: PolicySign) -> PreparedAct:
    uid = context.get_uid()
    return PreparedAct(uid=uid, args={"uid": uid, "document_hash": decode_hex(body.agreement_hash)})


async def _change(context: ActContext, body: PolicyChange) -> PreparedAct:
    uid = context.get_uid()
    return PreparedAct(uid=uid, args={"uid": uid, "reason": find_reason_code(body.reason)})


def _describe_change(verb: str, summary: str) -> Act:
    return Act(
        name=f"policy.{verb}",
        path=f"/policies/{{uid}}/{_NOUNS[verb]}",
        summary=summary,
        contract=POLICIES_NAME,
        function=f"{verb}_policy",
        key_role=KeyRole.GOVERN,
        roles=(Role.GOVERNOR,),
        model=PolicyChange,
        prepare=_change,
    )


_NOUNS: Final = {"suspend": "suspension", "reinstate": "reinstatement", "end": "end"}

_SIGNED: Final[dict[str, Any]] = {
    "contract": POLICIES_NAME,
    "key_role": KeyRole.GOVERN,
    "roles": (Role.GOVERNOR,),
}

POLICY_ACTS: Final = (
    Act(
        name="policy.propose",
        path="/policies",
        summary="Propose a recognition policy and sign it for this side",
        function="propose_policy",
        model=PolicyPropose,
        prepare=_propose,
        is_creation=True,
        **_SIGNED,
    ),
    Act(
        name="policy.sign",
        path="/policies/{uid}/signature",
        summary="Sign a proposed policy for the other side",
        function="sign_policy",
        model=PolicySign,
        prepare=_sign,
        **_SIGNED,
    ),
    _describe_change("suspend", "Suspend a policy for this side, at once and alone"),
    _describe_change("reinstate", "Take this side's suspension back"),
    _describe_change("end", "End a policy for good"),
)
"""In the order of the documentation."""
