"""Recognition policies as REST shows them."""

from pydantic import Field

from api.index.law_events import POLICY_PROPOSED
from api.reading.facts import Facts, read_number, view_moment, view_party, view_word
from api.reading.models import EXAMPLE_PARTY, LawRecord, Party, view_agency, view_common
from api.rest.values import EXAMPLE_HASH, EXAMPLE_TIME, EXAMPLE_UID, JsonObject, Time, Uid
from api.rest.views import view_state
from api.rest.words import AssuranceLevel


class Policy(LawRecord):
    """A recognition policy: which documents one side recognises of the other.

    Its state is `proposed` until both sides have signed.
    """

    from_jurisdiction: Party = Field(description="Whose documents.", examples=["CN-GD"])
    to_jurisdiction: Party = Field(description="Who recognises them.", examples=["MO"])
    proposed_by: Party = Field(description="Who signed first.", examples=[EXAMPLE_PARTY])
    schema_uid: Uid = Field(description="Which documents.", examples=[EXAMPLE_UID])
    issuers: list[Party] = Field(description="Whose; none for all.", examples=[["gd-health"]])
    max_age_s: int | None = Field(description="Highest age in seconds.", examples=[604800])
    assurance: AssuranceLevel | None = Field(description="Least assurance.")
    valid_from: Time | None = Field(description="First moment.", examples=[EXAMPLE_TIME])
    valid_until: Time | None = Field(description="End; null for none.", examples=[None])
    agreement: JsonObject | None = Field(
        description="The agreement, where this node has the text.", examples=[None]
    )
    document_hash: Uid = Field(description="Hash of the agreement.", examples=[EXAMPLE_HASH])
    suspended_by: list[Party] | None = Field(
        description="Sides that suspend it; null in lists.", examples=[[]]
    )


def view_policy(facts: Facts) -> Policy:
    """Return a recognition policy."""
    terms = facts.terms["terms"]
    is_proposed = facts.row.state == POLICY_PROPOSED
    sides = (terms["from_jurisdiction"], terms["to_jurisdiction"])
    suspended = None
    if facts.live is not None:
        mask = facts.live["policy"]["suspended_by"]
        suspended = [view_party(side) or "" for bit, side in enumerate(sides) if mask >> bit & 1]
    return Policy(
        **view_common(facts, "proposed" if is_proposed else view_state(facts.row.state)),
        from_jurisdiction=view_party(sides[0]) or "",
        to_jurisdiction=view_party(sides[1]) or "",
        proposed_by=view_agency(facts.row.agency),
        schema_uid=terms["schema"],
        issuers=[view_party(issuer) or "" for issuer in facts.terms["issuers"]],
        max_age_s=read_number(terms["max_age_s"]) or None,
        assurance=view_word(AssuranceLevel, terms["assurance"]),
        valid_from=view_moment(terms["valid_from"]),
        valid_until=view_moment(terms["valid_until"]),
        agreement=facts.around.find_body(terms["document_hash"]),
        document_hash=terms["document_hash"],
        suspended_by=suspended,
    )
