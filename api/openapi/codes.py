"""The stable codes of REST and what each says, for the documentation.

Programs decide by code, people read the sentence beside it. A test compares these tables with the
codes that the sources raise, so that none is undocumented.
"""

from typing import Final

from atesta_client.errors import ReasonCode

from api.next_steps import NEXT_STEPS
from api.rest.refusals import list_rule_codes
from api.verification.findings import get_finding, list_codes

PROBLEM_CODES: Final = {
    "access_unreadable": "The server cannot read its access file; the operator repairs it.",
    "account_not_live": "The node's account key is not valid now.",
    "account_role_missing": "The node's account key lacks the role for this act.",
    "account_unknown": "The registry does not list the node's account.",
    "act_not_found": "There is no act with this name.",
    "act_not_relayed": "The contract takes this act only from the account that signs it.",
    "account_unfunded": "The agency's account on that network cannot pay for the transaction.",
    "act_too_large": "The act needs more gas than one transaction may use.",
    "act_under_way": "The same act on this record was accepted and is not final yet.",
    "agency_not_active": "The agency is suspended or not in the registry.",
    "agency_not_found": "The registry has no such agency.",
    "agency_unknown": "The registry lists none of the node's accounts yet.",
    "already_accredited": "The agency is accredited for the schema.",
    "already_in_batch": "The credential is attested as a member of a batch.",
    "backup_refused": "The file is no backup of this vault that can be opened.",
    "block_missing": "The ledger node lacks a block below its head.",
    "body_not_found": "No mandate on the ledger is of this body.",
    "calendar_ends": "The calendar does not reach as far as the count needs.",
    "calendar_unknown": "There is no such calendar, or no such version of it.",
    "case_exists": "There is another case file with this number.",
    "case_not_found": "This agency has no case with this number.",
    "chain_moved": "The network changed while it was read; it is read again.",
    "certificate_already_attested": "The same certificate stands attested as another record.",
    "certificate_being_attested": "Another request is attesting the same certificate now.",
    "certificate_not_listed": "The client certificate holds, but the operator did not list it.",
    "consent_not_prepared": "The node prepared no consent with this uid for a resident's key.",
    "credential_erased": "The credential was erased, or is being erased.",
    "credential_not_in_force": "The credential to publish is not in force on its own ledger.",
    "credential_not_found": "The vault has no such credential.",
    "database_failed": "One of the agency's databases failed.",
    "deliveries_unknown": "The node does not have the list of deliveries that was stated.",
    "envelope_malformed": "The file is no envelope, or one that holds something else.",
    "erasure_not_found": "Nobody has asked to erase this.",
    "evidence_not_found": "The node holds no evidence with this id.",
    "evidence_not_kept": "The ledger node behind the API keeps no evidence.",
    "fee_too_high": "The network asks more for a transaction than the operator allows.",
    "field_not_asked": "The answer holds something that was not asked for.",
    "field_not_released": "The answer lacks a field that was asked for.",
    "field_unknown": "The dataset has no such field.",
    "finality_unknown": "The network names no block that it will not take back.",
    "forbidden": "The token lacks the role.",
    "same_officer": "Another officer than the one who proposed it decides.",
    "foreign_record": "The record is another agency's.",
    "history_refused": "What is told to have happened to a deadline does not fit together.",
    "http_error": "The request cannot be served as HTTP.",
    "holder_key_missing": "The document has no holder's key, so nobody can ask to publish it.",
    "idempotency_key_missing": "A write came without an Idempotency-Key.",
    "idempotency_key_reused": "The key was used before with another request.",
    "import_not_found": "There is no import with this id.",
    "index_behind": "The index has not read the last final block yet.",
    "index_mismatch": "The index does not belong to the chain behind it and has stopped.",
    "internal_error": "A mistake of ours; the request id is in the log.",
    "invalid_field": "A field is missing, unknown, of the wrong type or out of range.",
    "issuer_unreachable": "The keys of the token's issuer cannot be fetched now.",
    "jurisdiction_not_found": "No agency of the registry is of this jurisdiction.",
    "kept_by_law": "A law asks to keep the record, whatever its holder asks for.",
    "leaf_not_found": "The batch has no such member.",
    "ledger_not_held": "This API does not serve the ledger of the credential.",
    "ledger_same": "The credential stands on the very ledger on which it is to be published.",
    "ledger_unknown": "The API serves no ledger of this name.",
    "ledger_wrong": "The record belongs on another ledger of this API.",
    "limit_exceeded": "The request is larger than the server takes.",
    "malformed_body": "The body is not JSON with exactly one reading.",
    "merge_decided": "The merge is approved or refused already.",
    "merge_not_applied": "The merge was not applied, so it is not taken back.",
    "merge_not_found": "The vault has no such merge, or what it said was erased.",
    "method_not_allowed": "The path does not take this method.",
    "network_too_old": "The network lacks the rules that the contracts need.",
    "need_not_found": "The case file names no need of this dataset.",
    "no_account": "The node has no account, so it writes nothing.",
    "no_vault": "The node has no vault, so it keeps no documents.",
    "node_unreachable": "The ledger node does not answer.",
    "not_accredited": "The agency is not accredited for the schema.",
    "notice_not_found": "The ledger has no such notice.",
    "operation_not_found": "This node made no such operation.",
    "own_ledger_missing": "The parties share a jurisdiction whose ledger this API lacks.",
    "path_not_found": "There is no such path.",
    "prepared_act_not_found": "The node prepared no such act.",
    "person_not_found": "The vault has nothing of such a person.",
    "previous_not_found": "The record to supersede is not on the ledger.",
    "previous_not_in_force": "The record to supersede is revoked, superseded or erased.",
    "profile_unknown": "There is no such profile of deadlines.",
    "proposal_not_found": "The registry has no proposal with this number.",
    "publication_not_found": "No credential with this uid was published at a request.",
    "publish_request_missing": "On a shared ledger a credential is attested when its holder asks.",
    "publish_request_used": "The holder's request to publish was followed before.",
    "purpose_invalid": "The purpose is neither a uid nor one of the words.",
    "purpose_missing": "Personal data is opened without saying for what purpose.",
    "purpose_not_found": "The ledger has no such purpose.",
    "purpose_unknown": "The ledger has no purpose and no legal basis with this uid.",
    "rate_limited": "The caller asked too often; Retry-After says when to go on.",
    "record_not_found": "The ledger has no such record.",
    "record_not_kept": "The vault has nothing of such a record.",
    "record_restricted": "The record is kept for storage only, and the purpose is another one.",
    "refused_by_ledger": "A contract refuses it for a reason that this version does not know.",
    "request_mismatch": "The request envelope is not what the requester committed to.",
    "schema_not_found": "The ledger has no such schema.",
    "schema_not_in_force": "The schema is suspended, revoked or superseded.",
    "schema_text_missing": "This node does not hold the schema's text.",
    "share_refused": "The text is no share of this vault's master key.",
    "shared_ledger_missing": "No ledger of this API has all parties as members.",
    "state_final": "The record is revoked, superseded or erased, which is for good.",
    "state_missing": "The ledger node has dropped the state that a proof needs.",
    "state_unchanged": "The record is in this state.",
    "stopping": "The server is stopping.",
    "subject_conflict": "A matching record contradicts one that the vault has.",
    "subject_mismatch": "The person asked for is not the one who consented.",
    "subject_missing": "A request on a consent does not say whose data it is about.",
    "subject_not_found": "The vault does not know the handle.",
    "subject_unopened": "Nothing here opens the consent's commitment to its person.",
    "text_missing": "This node does not hold the public text with this hash.",
    "text_not_found": "The node does not have a public text that this needs.",
    "tokens_unreadable": "The server's token file cannot be read.",
    "uid_exists": "The uid is taken.",
    "unauthorized": "A bearer token is needed.",
    "unsupported_media_type": "The body is not application/json.",
    "vault_busy": "The vault's keys are being renewed.",
    "vault_damaged": "A record of the vault does not open.",
    "vault_keys_failed": "A place of the vault's keys cannot be read or written.",
    "vault_not_empty": "A backup is restored into an empty vault only.",
    "webhook_not_found": "There is no such webhook.",
    "wrong_network": "The network is not the one that the deployment file is of.",
}
"""Codes of problem documents; those about documents, files and keys stand below."""

MATERIAL_CODES: Final = {
    ReasonCode.POINTER_MALFORMED: "A text is not a JSON pointer.",
    ReasonCode.SCHEMA_INVALID: "A list of pointers cannot serve as a schema.",
    ReasonCode.DOCUMENT_MALFORMED: "The document is not JSON with exactly one reading.",
    ReasonCode.FIELD_OUTSIDE_SCHEMA: "The document has a field outside its schema.",
    ReasonCode.FIELD_MISMATCH: "A field or its salt is not what was committed to.",
    ReasonCode.FIELD_MISSING: "A field that the purpose needs is not shown.",
    ReasonCode.SALT_MALFORMED: "The salts do not fit the schema.",
    ReasonCode.COMMITMENT_MISMATCH: "Document and salts do not give the commitment.",
    ReasonCode.BATCH_PATH_MISMATCH: "The path does not lead to the batch's root.",
    ReasonCode.FILE_MALFORMED: "The file is not what its type says.",
    ReasonCode.VERSION_UNSUPPORTED: "The file has a version that is not read here.",
    ReasonCode.HOLDER_KEY_MALFORMED: "The holder's key cannot be read.",
    ReasonCode.HOLDER_NOT_PROVED: "The document has a holder's key, and it did not sign.",
    ReasonCode.HOLDER_SIGNATURE_INVALID: "The holder's signature does not hold.",
    ReasonCode.WRONG_VERIFIER: "It was signed for another verifier.",
    ReasonCode.WRONG_PURPOSE: "It was signed for another purpose.",
    ReasonCode.WRONG_NONCE: "It was signed for another nonce.",
    ReasonCode.PRESENTATION_STALE: "It was signed too long ago, or in the future.",
    ReasonCode.FORMAT_UNMAPPABLE: "A field or claim has no exact counterpart in the other format.",
    ReasonCode.ISSUER_SIGNATURE_INVALID: "The issuer's key did not sign the token.",
}
"""What the client library refuses: codes of problems with documents, and of verification."""


def list_problem_codes() -> dict[str, str]:
    """Return code and sentence of every problem document but those of the contracts' rules."""
    return PROBLEM_CODES | {code.value: text for code, text in MATERIAL_CODES.items()}


def tell_problem_codes() -> dict[str, str]:
    """Return code, and sentence with the next step, of every problem document but the rules'."""
    return {
        code: f"{text} Next: {NEXT_STEPS[code]}." if code in NEXT_STEPS else text
        for code, text in list_problem_codes().items()
    }


def list_contract_codes() -> dict[str, str]:
    """Return code and sentence of the contracts' rules that have codes of their own."""
    known = list_problem_codes()
    return {code: text for code, text in list_rule_codes().items() if code not in known}


def list_finding_codes() -> dict[str, str]:
    """Return code and sentence of every reason and notice of a verification."""
    material = {code.value: text for code, text in MATERIAL_CODES.items()}
    return {
        code: material[code] if code in material else get_finding(code).text
        for code in list_codes()
    }


def format_codes(codes: dict[str, str]) -> str:
    """Write codes as a list in the little markup of descriptions."""
    return "\n".join(f"- `{code}`: {text}" for code, text in codes.items())
