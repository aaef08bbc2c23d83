"""What a caller does about a problem whose place in the code names no step of its own.

A refusal that knows the circumstances says what to do itself. For all others the code tells enough
to say it here; and what has neither gets the step of its status, so that no problem leaves without
one.
"""

from collections.abc import Mapping
from typing import Final

_CHECK_ID: Final = "check the identifier; if it was made a moment ago, wait until it is final"

NEXT_STEPS: Final[Mapping[str, str]] = {
    "act_not_found": "take the name from GET /v1/acts",
    "agency_not_found": "take it from GET /v1/agencies",
    "block_missing": "the operator lets the ledger node catch up, or reads another node",
    "calendar_unknown": "take it from GET /v1/deadlines/calendars",
    "case_not_found": "check the number, or open the case with POST /v1/cases",
    "chain_moved": "try again in a moment",
    "consent_not_prepared": "prepare it at this node first: POST /v1/consents/prepared",
    "credential_not_found": "take it from GET /v1/credentials",
    "envelope_malformed": "hand in the file exactly as the other side gave it",
    "erasure_not_found": "check the uid, or erase it with POST /v1/records/{uid}/erase",
    "evidence_not_found": "take it from GET /v1/evidence",
    "evidence_not_kept": "ask a node of this ledger; another network keeps none",
    "exchange_not_found": "take it from GET /v1/exchanges",
    "execution_failed": "check the call; without a reason it mostly ran out of gas",
    "execution_reverted": "the message says why the contract refuses; change the call",
    "history_refused": "put the steps into the order in which they happened",
    "http_error": "send a request of HTTP/1.1 with a shorter address and header",
    "import_not_found": "take it from GET /v1/imports",
    "invalid_field": "correct this field; the description of the interface says what it may hold",
    "invalid_request": "send one JSON-RPC 2.0 object, or an array of them",
    "leaf_not_found": "give an index below the batch's count",
    "ledger_unknown": "take a name that GET /v1/ledgers lists",
    "limit_exceeded": "ask for less at once",
    "malformed_body": "correct the file, and send it again",
    "mandate_not_found": "take it from GET /v1/mandates",
    "merge_not_found": "take it from GET /v1/subjects/merges",
    "method_not_allowed": "use one of the methods in the header Allow",
    "method_not_found": "take the method from docs/json-rpc.md",
    "need_not_found": "name the dataset in the case file, or ask for one that it names",
    "node_unreachable": "try again later; if it persists, the operator checks the ledger node",
    "operation_not_found": "ask the node that accepted the write; GET /v1/operations lists its own",
    "path_not_found": "take the path from GET /openapi.json",
    "person_not_found": "check the reference; persons of other agencies are with them",
    "prepared_act_not_found": "prepare the act again, at the node where it is handed in",
    "profile_unknown": "take it from GET /v1/deadlines/profiles",
    "proposal_not_found": "take the number from GET /v1/proposals",
    "publication_not_found": "take the uid that POST /v1/ledgers/{name}/publications answered",
    "record_not_found": _CHECK_ID,
    "record_not_kept": "check the uid; what others keep of a record is erased by them",
    "refused_by_ledger": "the rule says why; update this node, which does not know it",
    "schema_not_found": "take it from GET /v1/schemas",
    "state_missing": "ask an archive node, or for a younger block",
    "stopping": "try again in a moment; the server is coming back",
    "subject_not_found": "match the handle first: POST /v1/subjects/match",
    "text_missing": "get the text from its owner and PUT it to /v1/texts",
    "text_not_found": "get the text from its owner and PUT it to /v1/texts",
    "transaction_refused": "correct the transaction as the message says, and sign it again",
    "uid_exists": "leave uid out, or choose 32 new random bytes",
    "unsupported_media_type": "send the body with one of the content types of the document",
    "unknown_agency": "choose an agency from the list",
    "unknown_attestation": _CHECK_ID,
    "unknown_batch": _CHECK_ID,
    "unknown_block": "name a block from 0 to the last final one",
    "unknown_filter": "make the filter anew; one that nobody asks for is forgotten",
    "unknown_schema": _CHECK_ID,
    "unknown_transaction": _CHECK_ID,
    "vault_busy": "try again in a moment",
    "webhook_not_found": "take it from GET /v1/webhooks",
}
"""Step by code."""

_BY_STATUS: Final[Mapping[int, str]] = {
    401: "send a bearer token that the operator issued",
    403: "ask the operator or the agency concerned for the right to do this",
    404: _CHECK_ID,
    409: "read what is there now, and decide again",
    413: "ask for less at once",
    422: "change what the detail names, and try it with POST /v1/explain first",
    429: "wait as long as Retry-After says",
}


def find_next_step(code: str, status: int) -> str:
    """Return what to do about a problem of a code, or else of a status."""
    known = NEXT_STEPS.get(code) or _BY_STATUS.get(status)
    if known is not None:
        return known
    if status >= 500:
        return "try again later; if it persists, report the request id to the operator"
    return "correct what the detail names, and send it again"
