"""What the contracts refuse, said to the caller of REST.

A contract's reason is `module: reason`. Here each gets a stable code, a status, the field of the
request that it is about, and the next step. A reason that is not listed still reaches the caller,
with its own words as the code.
"""

import re
from dataclasses import dataclass
from typing import Final

from api.errors import ApiError, UserFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How one reason is told."""

    code: str
    status: int
    field: str | None
    text: str
    next_step: str | None = None


_OTHER_UID: Final = "leave uid out, or choose 32 new random bytes"
_WAIT: Final = "if it was accepted a moment ago, wait until its operation is final"

_FUTURE: Final = Refusal(
    code="invalid_field",
    status=422,
    field="event_time",
    text="the event time lies in the future",
    next_step="check this machine's clock",
)

REFUSALS: Final[dict[str, Refusal]] = {
    "schema: event time in the future": _FUTURE,
    "attestation: uid already used": Refusal(
        code="uid_exists",
        status=409,
        field="uid",
        text="the ledger has a record with this uid",
        next_step=_OTHER_UID,
    ),
    "attestation: not accredited": Refusal(
        code="not_accredited",
        status=422,
        field="schema_uid",
        text="this agency is not accredited for this schema",
        next_step="ask the schema's owner to accredit this agency",
    ),
    "attestation: commitment missing": Refusal(
        code="invalid_field", status=400, field="commitment", text="the commitment is all zero"
    ),
    "attestation: ends before it begins": Refusal(
        code="invalid_field",
        status=422,
        field="valid_until",
        text="the validity ends before the event time",
    ),
    "attestation: end out of bounds": Refusal(
        code="invalid_field", status=422, field="valid_until", text="the validity ends too late"
    ),
    "attestation: event time in the future": _FUTURE,
    "attestation: event time missing": Refusal(
        code="invalid_field", status=422, field="event_time", text="the event time is missing"
    ),
    "attestation: schema not in force": Refusal(
        code="schema_not_in_force",
        status=409,
        field="schema_uid",
        text="the schema is suspended, revoked or superseded",
    ),
    "attestation: previous is itself": Refusal(
        code="invalid_field",
        status=422,
        field="previous",
        text="a record cannot supersede itself",
    ),
    "attestation: previous unknown": Refusal(
        code="previous_not_found",
        status=422,
        field="previous",
        text="the ledger has no attestation with the uid given as previous",
        next_step=_WAIT,
    ),
    "attestation: previous not yours": Refusal(
        code="foreign_record",
        status=403,
        field="previous",
        text="the record to supersede is another agency's",
        next_step="only the issuer of a record supersedes it",
    ),
    "attestation: previous not in force": Refusal(
        code="previous_not_in_force",
        status=409,
        field="previous",
        text="the record to supersede is revoked, superseded or erased",
    ),
    "attestation: unknown": Refusal(
        code="record_not_found",
        status=404,
        field="uid",
        text="the ledger has no record with this uid",
        next_step=_WAIT,
    ),
    "attestation: not yours": Refusal(
        code="foreign_record",
        status=403,
        field="uid",
        text="the record is another agency's; only its issuer changes its state",
    ),
    "attestation: state unchanged": Refusal(
        code="state_unchanged", status=409, field="state", text="the record is in this state"
    ),
    "attestation: state is final": Refusal(
        code="state_final",
        status=409,
        field="state",
        text="the record is revoked, superseded or erased, which is for good",
        next_step="attest a new record",
    ),
    "attestation: reason missing": Refusal(
        code="invalid_field", status=422, field="reason", text="a reason is needed"
    ),
    "batch: unknown": Refusal(
        code="record_not_found",
        status=404,
        field="uid",
        text="the ledger has no batch with this uid",
        next_step=_WAIT,
    ),
    "batch: no such leaf": Refusal(
        code="leaf_not_found", status=404, field="index", text="the batch has no such member"
    ),
    "batch: leaf count out of bounds": Refusal(
        code="invalid_field",
        status=422,
        field="count",
        text="the number of leaves is out of bounds",
    ),
    "schema: uid already used": Refusal(
        code="uid_exists",
        status=409,
        field="uid",
        text="the ledger has a schema with this uid",
        next_step=_OTHER_UID,
    ),
    "schema: unknown": Refusal(
        code="schema_not_found",
        status=404,
        field="uid",
        text="the ledger has no schema with this uid",
        next_step=_WAIT,
    ),
    "schema: not yours": Refusal(
        code="foreign_record",
        status=403,
        field="uid",
        text="the schema is another agency's; only its owner accredits",
    ),
    "schema: state unchanged": Refusal(
        code="state_unchanged", status=409, field="state", text="the schema is in this state"
    ),
    "schema: state is final": Refusal(
        code="state_final",
        status=409,
        field="state",
        text="the schema is revoked, superseded or erased, which is for good",
        next_step="register a new schema",
    ),
    "schema: not in force": Refusal(
        code="schema_not_in_force",
        status=409,
        field="uid",
        text="the schema is revoked or superseded",
    ),
    "schema: leaf count out of bounds": Refusal(
        code="invalid_field", status=422, field="pointers", text="the schema has too many pointers"
    ),
    "accreditation: agency not active": Refusal(
        code="agency_not_active",
        status=422,
        field="agency",
        text="the registry lists no active agency with this id",
    ),
    "accreditation: already given": Refusal(
        code="already_accredited", status=409, field="agency", text="the agency is accredited"
    ),
    "accreditation: not given": Refusal(
        code="not_accredited",
        status=409,
        field="agency",
        text="the agency is not accredited for this schema",
    ),
    "key: unknown": Refusal(
        code="account_unknown",
        status=403,
        field="account",
        text="the registry does not list this node's account",
        next_step="the agency enters its account key in the registry",
    ),
    "key: not live yet": Refusal(
        code="account_not_live",
        status=403,
        field="account",
        text="this node's account key is not valid yet",
        next_step="wait until its validity begins",
    ),
    "key: ended": Refusal(
        code="account_not_live",
        status=403,
        field="account",
        text="this node's account key has been ended",
        next_step="the agency enters a new key in the registry",
    ),
    "agency: not active": Refusal(
        code="agency_not_active",
        status=403,
        field="account",
        text="this node's agency is suspended",
        next_step="the agency asks the others for reinstatement",
    ),
    "key: role missing": Refusal(
        code="account_role_missing",
        status=403,
        field="account",
        text="this node's account key lacks the role for this act",
        next_step="the agency gives the key the role, or uses a key that has it",
    ),
}


def translate_revert(reason: str) -> ApiError:
    """Return the refusal that a caller sees for a contract's reason."""
    refusal = REFUSALS.get(reason) or derive_refusal(reason)
    return UserFault(
        refusal.text,
        code=refusal.code,
        field=refusal.field,
        status=refusal.status,
        next_step=refusal.next_step,
        extra={"rule": reason},
    )


def derive_refusal(reason: str) -> Refusal:
    """Return how a reason without an entry of its own is told: its words are its code."""
    subject, _, words = reason.partition(": ")
    if words == "uid already used":
        return Refusal(
            code="uid_exists",
            status=409,
            field="uid",
            text=f"the ledger has a {subject} with this uid",
            next_step=_OTHER_UID,
        )
    if words == "unknown":
        return Refusal(
            code=f"{subject}_not_found",
            status=404,
            field=None,
            text=f"the ledger has no such {subject}",
            next_step=_WAIT,
        )
    status = next((status for part, status in _STATUSES if part in words), 422)
    code = _NO_LETTER.sub("_", reason.lower()).strip("_")
    return Refusal(code=code, status=status, field=None, text=f"the ledger refuses it: {reason}")


_NO_LETTER: Final = re.compile(r"[^a-z0-9]+")

_STATUSES: Final = (
    ("not yours", 403),
    ("not the signer's", 403),
    ("by its user", 403),
    ("neither supervisor nor vote", 403),
    ("of neither side", 403),
    ("state is final", 409),
    ("state unchanged", 409),
    ("already", 409),
)
"""Statuses by words of the rule; what is not listed is 422: well formed, but against the rules."""
