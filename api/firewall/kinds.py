"""What every argument of every call of the ledger's contracts is.

The contracts' parameter names are a vocabulary of their own: `uid` is a uid and `event_time` a
time wherever they stand. So one table by name says it for all, and a second one by contract and
function for the few names that mean different things. A parameter in neither is a mistake of ours;
a test walks all artifacts.
"""

from collections.abc import Mapping
from typing import Final

from api.firewall.values import (
    AddressValue,
    AgencyName,
    Amount,
    Code,
    Commitment,
    Count,
    FieldMask,
    Flag,
    JurisdictionName,
    Language,
    NewName,
    PublicHash,
    Roles,
    Signature,
    Time,
    Uid,
    Value,
)
from contracts.decisions import DecisionKind

Kind = type[Value]

CALL: Final = "call"
"""The name of an argument that is itself a call of the same contract."""
PAYLOAD: Final = "payload"
"""The name of an argument that holds a decision's parameters, encoded."""

_BY_NAME: Final[Mapping[Kind, str]] = {
    Uid: """
        uid schema_uid batch_uid previous dataset purpose notice basis instrument consent
        sensitive_consent cross_border_consent exchange onward_of mandate parent schema ended
    """,
    Commitment: """
        commitment root subject record clerk form officer received request_commitment response
        case_commitment leaf proof filing body grantor grantee resolution
    """,
    PublicHash: """
        pointers_hash document_hash fields_hash conditions_hash legal_reference law_hash
        assessment_hash decision_hash duties_hash scope_list_hash fingerprint pin
        profile_hash first_pin
    """,
    AgencyName: "agency agency_id provider recipient issuers",
    JurisdictionName: "jurisdiction from_jurisdiction to_jurisdiction",
    Language: "language",
    AddressValue: "account actor holder signer key first_key validator proxy implementation",
    Code: "alg state reason kind sharing sensitivity outcome channel assurance mode",
    Flag: "approve is_accredited is_in_force must_notify is_onward_allowed may_delegate "
    "ends_deputies",
    Roles: "roles",
    Time: """
        event_time valid_from valid_until until expires deadline declared_at effective due
        retention_until response_s max_age_s urgent_delay ordinary_delay grave_delay
    """,
    Count: """
        leaf_count index field_count quota period count seat proposal_id nonce minimum
        total_percent jurisdiction_percent
    """,
    Amount: "limit mandate_amount",
    FieldMask: "fields scope mandate_scope",
    Signature: "signature",
}

KINDS: Final[Mapping[str, Kind]] = {
    name: kind for kind, names in _BY_NAME.items() for name in names.split()
}

EXCEPTIONS: Final[Mapping[tuple[str, str, str], Kind]] = {
    ("bases", "stop", "subject"): Uid,  # the dataset, pair or basis that is stopped
    ("agency_registry", "change_post_keys", "ended"): AddressValue,  # elsewhere uids of powers
}
"""Where a name means something else: contract, function, parameter."""

DECISION_EXCEPTIONS: Final[Mapping[tuple[DecisionKind, str], Kind]] = {
    (DecisionKind.ADMIT_AGENCY, "agency"): NewName,
    (DecisionKind.ADMIT_AGENCY, "jurisdiction"): NewName,
    (DecisionKind.RESOLVE, "subject"): PublicHash,
}
"""The same for the parameters of decisions."""


def find_kind(contract: str, function: str, name: str) -> Kind | None:
    """Return what an argument is; None for a name that no table has."""
    return EXCEPTIONS.get((contract, function, name)) or KINDS.get(name)


def find_decision_kind(kind: DecisionKind, name: str) -> Kind | None:
    """Return what a parameter of a decision is; None for a name that no table has."""
    return DECISION_EXCEPTIONS.get((kind, name)) or KINDS.get(name)
