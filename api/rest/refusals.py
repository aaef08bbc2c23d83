"""What the contracts refuse, said to the caller of REST.

A contract's reason is `module: reason`, the *rule*. `contracts.refusals` says of each what is the
matter, which argument it is about and what to do next. Here it becomes a problem document: with a
stable code for programs, a status, the field of the request, and the rule itself. A rule's code is
made of its own words, so that each has one; those below had theirs before.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from api.errors import ApiError, UserFault
from api.rest.laws import find_reference, load_laws
from api.rest.rule_steps import find_rest_step
from contracts.refusals import find_refusal, load_refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How a rule is told to programs."""

    code: str
    status: int
    field: str | None


def translate_revert(reason: str) -> ApiError:
    """Return the refusal that a caller sees for a contract's reason."""
    known = find_refusal(reason)
    if known is None:
        return UserFault(
            f"the ledger refuses this: {reason}",
            code="refused_by_ledger",
            status=422,
            extra={"rule": reason},
        )
    telling, law = find_telling(reason), find_reference(reason)
    return UserFault(
        known.meaning,
        code=telling.code,
        field=telling.field,
        status=telling.status,
        next_step=find_step(reason),
        extra={"rule": reason} | ({} if law is None else {"legal_reference": law}),
    )


def find_step(rule: str) -> str:
    """Return what a caller of REST does about a rule that the contracts have."""
    known = find_refusal(rule)
    assert known is not None, "the contracts have it"
    return find_rest_step(rule) or known.next_step


def find_telling(rule: str) -> Telling:
    """Return code, status and field of a rule that the contracts have."""
    subject, _, words = rule.partition(": ")
    known = find_refusal(rule)
    named = None if known is None or known.field is None else known.field
    field = _FIELDS_BY_RULE.get(rule, FIELDS.get(named or "", named))
    if rule in _TOLD:
        return _TOLD[rule]
    if words == "uid already used":
        return Telling(code="uid_exists", status=409, field="uid")
    if words == "unknown":
        return Telling(code=f"{subject}_not_found", status=404, field=field)
    status = next((status for pattern, status in _STATUSES if pattern.search(words)), 422)
    return Telling(
        code=_NO_LETTER.sub("_", rule.lower().replace("'s", "s")).strip("_"),
        status=status,
        field=field,
    )


def list_rule_codes() -> dict[str, str]:
    """Return code, and meaning with next step and laws, of every rule that has its own code."""
    found = {
        find_telling(rule).code: " ".join((refusal.meaning, find_step(rule), *_name_laws(rule)))
        for rule, refusal in load_refusals().items()
    }
    told = {telling.code for telling in _TOLD.values()}
    return {code: text for code, text in sorted(found.items()) if code not in told}


def _name_laws(rule: str) -> list[str]:
    named = [f"{one.law}, {one.article}" for one in load_laws().get(rule, ())]
    return [f"({'; '.join(named)})"] if named else []


FIELDS: Final[Mapping[str, str]] = {
    "account": "address",
    "consent": "consents",
    "cross_border_consent": "consents.cross_border",
    "sensitive_consent": "consents.sensitive",
    "due": "due",
    "agency_id": "agency",
    "batch_uid": "uid",
    "case_commitment": "case",
    "conditions_hash": "conditions",
    "decision_hash": "decision",
    "document_hash": "agreement",
    "entries": "mandates",
    "field_count": "fields",
    "fields_hash": "fields",
    "is_onward_allowed": "onward",
    "law_hash": "law",
    "leaf_count": "count",
    "mandate_amount": "mandate.amount",
    "mandate_scope": "mandate.acts",
    "proposal_id": "number",
    "schema": "schema_uid",
    "scope_list_hash": "act_list",
}
"""Arguments of the contracts that are called otherwise in REST."""

_FIELDS_BY_RULE: Final[Mapping[str, str]] = {
    "late: act is in time": "late",
    "late: not an agency's key": "account",
    "late: officer missing": "late.officer",
    "late: unknown reason": "late.reason",
}
"""Rules whose argument is called otherwise than elsewhere, whatever the act."""

_NO_LETTER: Final = re.compile(r"[^a-z0-9]+")

_STATUSES: Final = (
    (re.compile(r"not yours|not the signer's|by its user|by the beneficiary|own request"), 403),
    (re.compile(r"neither supervisor nor vote|of neither side|keeps the body|^only the "), 403),
    (re.compile(r"not an agency's key"), 403),
    (re.compile(r"already|unchanged|is final|not open|^ended$"), 409),
)
"""Statuses by words of the rule: whose it is, then what it contradicts; all others are 422."""


def _tell(code: str, status: int, field: str | None) -> Telling:
    return Telling(code=code, status=status, field=field)


_INVALID: Final = "invalid_field"

_TOLD: Final[dict[str, Telling]] = {
    "accreditation: agency not active": _tell("agency_not_active", 422, "agency"),
    "accreditation: already given": _tell("already_accredited", 409, "agency"),
    "accreditation: not given": _tell("not_accredited", 409, "agency"),
    "agency: not active": _tell("agency_not_active", 403, "account"),
    "agency: unknown": _tell("agency_not_found", 404, "agency"),
    "act: event time in the future": _tell(_INVALID, 422, "event_time"),
    "attestation: commitment missing": _tell(_INVALID, 400, "commitment"),
    "attestation: end out of bounds": _tell(_INVALID, 422, "valid_until"),
    "attestation: ends before it begins": _tell(_INVALID, 422, "valid_until"),
    "attestation: event time in the future": _tell(_INVALID, 422, "event_time"),
    "attestation: event time missing": _tell(_INVALID, 422, "event_time"),
    "attestation: not accredited": _tell("not_accredited", 422, "schema_uid"),
    "attestation: not yours": _tell("foreign_record", 403, "uid"),
    "attestation: previous is itself": _tell(_INVALID, 422, "previous"),
    "attestation: previous not in force": _tell("previous_not_in_force", 409, "previous"),
    "attestation: previous not yours": _tell("foreign_record", 403, "previous"),
    "attestation: previous unknown": _tell("previous_not_found", 422, "previous"),
    "attestation: reason missing": _tell(_INVALID, 422, "reason"),
    "attestation: schema not in force": _tell("schema_not_in_force", 409, "schema_uid"),
    "attestation: state is final": _tell("state_final", 409, "state"),
    "attestation: state unchanged": _tell("state_unchanged", 409, "state"),
    "attestation: unknown": _tell("record_not_found", 404, "uid"),
    "batch: leaf count out of bounds": _tell(_INVALID, 422, "count"),
    "batch: no such leaf": _tell("leaf_not_found", 404, "index"),
    "batch: unknown": _tell("record_not_found", 404, "uid"),
    "key: ended": _tell("account_not_live", 403, "account"),
    "key: not live yet": _tell("account_not_live", 403, "account"),
    "key: role missing": _tell("account_role_missing", 403, "account"),
    "key: unknown": _tell("account_unknown", 403, "account"),
    "schema: event time in the future": _tell(_INVALID, 422, "event_time"),
    "schema: leaf count out of bounds": _tell(_INVALID, 422, "pointers"),
    "schema: not in force": _tell("schema_not_in_force", 409, "uid"),
    "schema: not yours": _tell("foreign_record", 403, "uid"),
    "schema: state is final": _tell("state_final", 409, "state"),
    "schema: state unchanged": _tell("state_unchanged", 409, "state"),
    "schema: unknown": _tell("schema_not_found", 404, "uid"),
}
