"""What a caller of REST does about a rule, where the contract's own words are for another reader.

The next steps of `contracts/refusals.json` speak of what a contract is given: hashes, commitments,
zeros. Callers of REST give documents, persons and files; this node computes the rest. So these
rules have a step of their own here, and all others the contract's.
"""

from collections.abc import Mapping
from typing import Final

_REASON: Final = "Give `reason`: error, superseded, ended_by_law, holder_request or security."
_CLOCK: Final = (
    "Give a time that is not ahead, or leave it out for now; if it was now, set this machine's"
    " clock."
)
_UID: Final = "Leave `uid` out, or choose 32 new random bytes."

_BY_WORDS: Final[Mapping[str, str]] = {
    "event time in the future": _CLOCK,
    "in the future": _CLOCK,
    "reason missing": _REASON,
    "uid already used": _UID,
    "uid missing": _UID,
    "unknown reason": _REASON,
}
"""By what follows the colon, whatever the rule is about; `late` has reasons of its own."""

_BY_RULE: Final[Mapping[str, str]] = {
    "basis: law missing": "Give law and article in `law`.",
    "basis: neither supervisor nor vote": (
        "Ask the supervisor; or propose a resolution (POST /v1/proposals, decision resolve) on the"
        " hash that POST /v1/explain tells as `resolution`, and enter it once it is carried."
    ),
    "binding: commitment missing": "Say in `subject` whose key it is.",
    "confirmation: commitment missing": "Say in `confirmation` how the resident gave it.",
    "consent: clerk missing": "Say in `clerk` who took it.",
    "consent: form missing": "Say in `form` on which form it was declared.",
    "consent: record missing": "Give the consent record in `record`.",
    "consent: subject missing": "Say in `subject` whose data it is about.",
    "dataset: conditions missing": (
        "Say in `conditions`, a JSON object, under which conditions it is released, or choose"
        " another sharing class."
    ),
    "dataset: fields missing": "List the fields in `fields`.",
    "dataset: legal reference missing": (
        "Give law and article in `legal_reference`, or choose another sharing class."
    ),
    "dataset: unknown sharing class": "Use unconditional, conditional or not_shared.",
    "exchange: case missing": "Give the case number in `case`.",
    "exchange: officer missing": "Say in `officer` who it is.",
    "exchange: receipt missing": "Give what arrived in `response_envelope`.",
    "exchange: request missing": "Say in `subject` whom it is about.",
    "exchange: response missing": "Give what is released in `response`.",
    "instrument: filing missing": "Give the filing in `filing`.",
    "late: act is in time": "Leave `late` out.",
    "late: officer missing": "Name the second officer in `late.officer`.",
    "late: second officer missing": (
        "Give `late` with a second officer and a reason: outage, paper or omission."
    ),
    "late: unknown reason": "Give `late.reason`: outage, paper or omission.",
    "mandate: grantee missing": "Say in `grantee` who may act.",
    "mandate: grantor missing": "Say in `grantor` for whom.",
    "mandate: list of acts missing": "PUT the list to /v1/texts, and give its hash in `act_list`.",
    "mandate: record missing": "Give the full record in `record`.",
    "pause: decision missing": "Give the decision in `decision`.",
    "period: leaf is missing there": (
        "Leave `leaf` and `proof` out, or name a place within this side's count."
    ),
    "period: root and count do not fit": (
        "Give the list as `deliveries`, or count and root of the same list."
    ),
    "policy: document missing": "Give the agreement in `agreement`, or its hash.",
    "post: commitment already used": "Send it again: each attempt takes a new salt.",
    "post: duties missing": "Describe the post in `duties`.",
    "post: ends before it begins": "Give a later end, or none.",
    "post: ends too late": "Give an earlier end, or none.",
    "post: officer missing": "Say in `officer` who it is.",
    "post: resolution missing": "Give the resolution in `resolution`.",
    "proposal: malformed payload": (
        "Give the parameters of this decision by name, as docs/contracts.md lists them."
    ),
    "proposal: still waiting": (
        "POST it to /v1/proposals/{number}/execution after `ready` of GET /v1/proposals/{number}."
    ),
    "proposal: unknown kind": "Take the decision from docs/contracts.md.",
    "signature: signer missing": (
        "Name the signer; a consent that an agency recorded is withdrawn at an agency: POST"
        " /v1/consents/{uid}/withdrawal."
    ),
    "stop: decision missing": "Give the decision in `decision`.",
    "succession: resolution missing": "Give the record of the election in `resolution`.",
    "text: document missing": "Give the text itself.",
    "withdrawal: before the consent": (
        "Correct `declared_at`; `event_time` of the consent says when it was given."
    ),
}


def find_rest_step(rule: str) -> str | None:
    """Return what a caller of REST does about a rule; None where the contract's step serves."""
    subject, _, words = rule.partition(": ")
    known = _BY_RULE.get(rule)
    return known if known is not None or subject == "late" else _BY_WORDS.get(words)


def list_told_rules() -> frozenset[str]:
    """Return the rules with a step of their own; all of them are rules of the contracts."""
    return frozenset(_BY_RULE)
