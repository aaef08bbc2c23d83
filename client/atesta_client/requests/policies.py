"""Recognition policies: which documents one side recognises of the other."""

from collections.abc import Sequence
from datetime import datetime
from typing import Unpack

from atesta_client.answers import Accepted, LawEvent, Page, Policy
from atesta_client.requests.encoding import AgencyName, Hex, JsonObject
from atesta_client.requests.request import Acting, Filters, Paging, Request, act, get, list_page


def list_policies(
    *, schema_uid: Hex | None = None, jurisdiction: str | None = None, **filters: Unpack[Filters]
) -> Request[Page[Policy]]:
    """List policies, newest first.

    - ``schema_uid``: only policies on this schema;
    - ``jurisdiction``: only policies of this side.
    """
    return list_page(
        Policy, "/policies", {"schema": schema_uid, "jurisdiction": jurisdiction, **filters}
    )


def propose_policy(
    *,
    from_jurisdiction: AgencyName,
    to_jurisdiction: AgencyName,
    schema_uid: Hex,
    assurance: str,
    valid_from: datetime,
    uid: Hex | None = None,
    issuers: Sequence[AgencyName] = (),
    max_age_s: int = 0,
    valid_until: datetime | None = None,
    agreement: JsonObject | None = None,
    agreement_hash: Hex | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Propose that one side recognises documents of the other, and sign it for this side.

    - ``from_jurisdiction``: whose documents;
    - ``to_jurisdiction``: where they are recognised;
    - ``schema_uid``: which documents;
    - ``assurance``: least assurance;
    - ``valid_from``: in force from;
    - ``uid``: 32 random bytes chosen by the caller; made here when absent;
    - ``issuers``: whose documents; empty for all accredited ones of that side;
    - ``max_age_s``: highest age of a document in seconds; 0 for any;
    - ``valid_until``: in force until; ``None`` for no end;
    - ``agreement``: the agreement as published; or give ``agreement_hash``;
    - ``agreement_hash``: hash of the agreement.
    """
    return act(
        "policy.propose",
        "/policies",
        {
            "from_jurisdiction": from_jurisdiction,
            "to_jurisdiction": to_jurisdiction,
            "schema_uid": schema_uid,
            "assurance": assurance,
            "valid_from": valid_from,
            "uid": uid,
            "issuers": issuers,
            "max_age_s": max_age_s,
            "valid_until": valid_until,
            "agreement": agreement,
            "agreement_hash": agreement_hash,
        },
        options,
    )


def get_policy(uid: Hex) -> Request[Policy]:
    """Read one policy at the last settled block."""
    return get(Policy, "/policies/{uid}", uid=uid)


def get_policy_history(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[LawEvent]]:
    """Everything that happened to one policy."""
    return list_page(LawEvent, "/policies/{uid}/history", {**paging}, uid=uid)


def sign_policy(uid: Hex, *, agreement_hash: Hex, **options: Unpack[Acting]) -> Request[Accepted]:
    """Sign a proposed policy for the other side, which puts it in force.

    - ``agreement_hash``: hash of the agreement as this side has it.
    """
    return act(
        "policy.sign",
        "/policies/{uid}/signature",
        {"agreement_hash": agreement_hash},
        options,
        uid=uid,
    )


def suspend_policy(uid: Hex, *, reason: str, **options: Unpack[Acting]) -> Request[Accepted]:
    """Why this side suspends, reinstates or ends the policy.

    - ``reason``: neutral reason code.
    """
    return act("policy.suspend", "/policies/{uid}/suspension", {"reason": reason}, options, uid=uid)


def reinstate_policy(uid: Hex, *, reason: str, **options: Unpack[Acting]) -> Request[Accepted]:
    """Why this side suspends, reinstates or ends the policy.

    - ``reason``: neutral reason code.
    """
    return act(
        "policy.reinstate", "/policies/{uid}/reinstatement", {"reason": reason}, options, uid=uid
    )


def end_policy(uid: Hex, *, reason: str, **options: Unpack[Acting]) -> Request[Accepted]:
    """Why this side suspends, reinstates or ends the policy.

    - ``reason``: neutral reason code.
    """
    return act("policy.end", "/policies/{uid}/end", {"reason": reason}, options, uid=uid)
