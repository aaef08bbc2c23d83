"""Requests to a node's REST interface as values, apart from sending them.

Each function here describes one request and what its answer is read as; nothing is sent. The two
clients in ``rest`` send them: ``await client.send(requests.get_status())`` or, blocking,
``client.send(requests.get_status())``. So every operation is written once, typed, for both. A
function is named as its operation in the OpenAPI document; where one operation has several uses
there is a function for each (``attest_document``, ``verify_presentation``).

A request that writes carries an *idempotency key*, drawn when the request is made. Sending the same
request value again, after a lost answer or from another process, writes nothing twice: the node
answers with what it did the first time. Pass ``idempotency_key`` to survive a restart of your own.

Uids go as 32 bytes or as ``0x`` text, agencies by label or id, files as objects of this library or
as their JSON (``encoding``). Parts of acts that have members of their own are the dataclasses of
``parts``.
"""

from atesta_client.answers import FieldItem, Need
from atesta_client.requests.acts import (
    build_act,
    create_prepared_act,
    create_signed_act,
    explain,
    get_prepared_act,
    list_acts,
)
from atesta_client.requests.attestations import (
    attest_commitment,
    attest_credential_file,
    attest_document,
    change_state,
    get_attestation,
    get_attestation_history,
    list_attestations,
)
from atesta_client.requests.bases import (
    change_basis_state,
    change_instrument_state,
    enter_basis,
    enter_instrument,
    find_askable,
    get_basis,
    get_basis_history,
    get_instrument,
    get_instrument_history,
    get_stop,
    get_stop_history,
    lift_stop,
    list_bases,
    list_instruments,
    list_stops,
    order_stop,
)
from atesta_client.requests.batches import (
    change_batch_state,
    change_leaf_state,
    create_batch,
    get_batch,
    get_batch_history,
    get_leaf,
    list_batches,
)
from atesta_client.requests.cases import create_case, get_case
from atesta_client.requests.catalogue import (
    change_dataset_state,
    change_notice_state,
    change_purpose_state,
    get_dataset,
    get_dataset_history,
    get_notice,
    get_notice_history,
    get_purpose,
    get_purpose_history,
    list_datasets,
    list_notices,
    list_purposes,
    publish_notice,
    publish_purpose,
    register_dataset,
)
from atesta_client.requests.consents import (
    answer_withdrawal,
    confirm_consent,
    demand_confirmation_consent,
    get_consent,
    get_consent_history,
    give_consent,
    keep_consent_envelope,
    list_consents,
    prepare_consent,
    prepare_withdrawal,
    record_consent,
    withdraw_consent,
    withdraw_signed_consent,
)
from atesta_client.requests.credentials import (
    attest_credential,
    create_credential,
    create_publication,
    erase_credential,
    export_credential,
    get_credential,
    get_erasure,
    get_publication,
    import_credential,
    list_credentials,
)
from atesta_client.requests.deadlines import (
    list_deadline_calendars,
    list_deadline_profiles,
    reckon_due,
)
from atesta_client.requests.encoding import (
    AgencyName,
    CredentialFile,
    EnvelopeFile,
    Hex,
    JsonObject,
    PredicateItem,
    PresentationFile,
)
from atesta_client.requests.erasing import (
    NamedCertificate,
    erase_person,
    erase_record,
    foresee_person_erasure,
    get_person_erasure,
    get_record_erasure,
)
from atesta_client.requests.events import list_alerts, list_events, stream_events
from atesta_client.requests.exchanges import (
    acknowledge_exchange,
    cancel_exchange,
    decide_exchange,
    end_exchange,
    get_exchange,
    get_exchange_history,
    list_exchanges,
    release_exchange,
    request_exchange,
    void_exchange,
)
from atesta_client.requests.governance import (
    carry_out_proposal,
    get_governing_rules,
    get_proposal,
    lift_agency_pause,
    list_proposals,
    pause_agency,
    pause_own_agency,
    propose_proposal,
    resume_own_agency,
    vote_proposal,
    withdraw_proposal,
)
from atesta_client.requests.imports import (
    CSV,
    NDJSON,
    create_import,
    get_import,
    list_import_rejects,
    list_imports,
)
from atesta_client.requests.mandates import (
    check_mandate,
    end_mandate,
    get_body,
    get_body_history,
    get_mandate,
    get_mandate_history,
    list_bodies,
    list_mandates,
    record_mandate,
    succeed_board,
)
from atesta_client.requests.merging import (
    decide_merge,
    get_merge,
    list_merges,
    propose_merge,
    reverse_merge,
)
from atesta_client.requests.parts import (
    BodyReference,
    ConsentItems,
    DeadlineItem,
    HappeningItem,
    Lateness,
    LegalReference,
    MandateActs,
    MandateItem,
    MandateUse,
    NewKey,
    OfficeItem,
    ScopeItem,
    SubjectItem,
)
from atesta_client.requests.people import (
    create_key_binding,
    create_subject,
    find_subject,
    get_key_binding,
    get_key_binding_history,
    list_key_bindings,
    match_subject,
)
from atesta_client.requests.periods import (
    begin_period,
    get_period,
    get_period_history,
    list_periods,
    make_statement,
    name_leaf,
)
from atesta_client.requests.policies import (
    end_policy,
    get_policy,
    get_policy_history,
    list_policies,
    propose_policy,
    reinstate_policy,
    sign_policy,
    suspend_policy,
)
from atesta_client.requests.posts import (
    abolish_post,
    appoint_officer,
    assign_post_key,
    end_post_key,
    end_term,
    establish_post,
    get_post,
    get_post_history,
    give_post_key,
    hand_over_post,
    list_posts,
)
from atesta_client.requests.provenance import get_prov_document, get_provenance
from atesta_client.requests.reads import list_reads, list_subject_reads
from atesta_client.requests.request import (
    Acting,
    Filters,
    Paging,
    Request,
    Subscription,
    Upload,
    Writing,
)
from atesta_client.requests.schemas import (
    accredit,
    change_schema_state,
    create_schema,
    get_schema,
    list_accreditations,
    list_schemas,
    put_schema_text,
    withdraw_accreditation,
)
from atesta_client.requests.service import (
    get_agency,
    get_evidence,
    get_operation,
    get_status,
    list_agencies,
    list_evidence,
    list_ledgers,
    list_operations,
)
from atesta_client.requests.texts import get_text, put_text
from atesta_client.requests.verification import (
    create_challenge,
    verify_credential,
    verify_presentation,
    verify_token,
)
from atesta_client.requests.webhooks import (
    create_webhook,
    delete_webhook,
    get_webhook,
    list_webhooks,
    resume_webhook,
)

# fmt: off
__all__ = [
    "CSV", "NDJSON", "Acting", "AgencyName", "BodyReference", "ConsentItems", "CredentialFile",
    "DeadlineItem", "EnvelopeFile", "FieldItem", "Filters", "HappeningItem", "Hex",
    "JsonObject", "Lateness", "LegalReference", "MandateActs", "MandateItem", "MandateUse",
    "NamedCertificate",
    "Need", "NewKey", "OfficeItem", "Paging", "PredicateItem", "PresentationFile", "Request",
    "ScopeItem", "SubjectItem", "Subscription", "Upload", "Writing", "abolish_post", "accredit",
    "acknowledge_exchange", "answer_withdrawal", "appoint_officer", "assign_post_key",
    "attest_commitment", "attest_credential", "attest_credential_file", "attest_document",
    "begin_period", "build_act", "cancel_exchange", "carry_out_proposal", "change_basis_state",
    "change_batch_state", "change_dataset_state", "change_instrument_state",
    "change_leaf_state", "change_notice_state", "change_purpose_state", "change_schema_state",
    "change_state", "check_mandate", "confirm_consent", "create_batch", "create_case",
    "create_challenge", "create_credential", "create_import", "create_key_binding",
    "create_prepared_act", "create_publication", "create_schema", "create_signed_act",
    "create_subject",
    "create_webhook", "decide_exchange", "decide_merge", "delete_webhook",
    "demand_confirmation_consent", "end_exchange", "end_mandate", "end_policy", "end_post_key",
    "end_term", "enter_basis", "enter_instrument", "erase_credential",
    "erase_person", "erase_record", "establish_post",
    "explain", "export_credential",
    "find_askable", "find_subject", "foresee_person_erasure", "get_agency", "get_attestation",
    "get_attestation_history", "get_basis", "get_basis_history", "get_batch",
    "get_batch_history", "get_body", "get_body_history", "get_case", "get_consent",
    "get_consent_history", "get_credential", "get_dataset", "get_dataset_history",
    "get_erasure", "get_evidence", "get_exchange", "get_exchange_history",
    "get_governing_rules", "get_import", "get_instrument", "get_instrument_history",
    "get_key_binding", "get_key_binding_history", "get_leaf", "get_mandate",
    "get_mandate_history", "get_merge", "get_notice", "get_notice_history", "get_operation",
    "get_period", "get_period_history",
    "get_person_erasure", "get_policy", "get_policy_history", "get_post",
    "get_post_history", "get_prepared_act", "get_proposal", "get_prov_document",
    "get_provenance", "get_publication", "get_purpose", "get_purpose_history",
    "get_record_erasure", "get_schema", "get_status",
    "get_stop", "get_stop_history", "get_text", "get_webhook", "give_consent", "give_post_key",
    "hand_over_post", "import_credential", "keep_consent_envelope", "lift_agency_pause",
    "lift_stop",
    "list_accreditations", "list_acts", "list_agencies", "list_alerts", "list_attestations",
    "list_bases", "list_batches", "list_bodies", "list_consents", "list_credentials",
    "list_datasets", "list_deadline_calendars", "list_deadline_profiles", "list_events",
    "list_evidence", "list_exchanges", "list_import_rejects", "list_imports",
    "list_instruments", "list_key_bindings", "list_ledgers", "list_mandates", "list_merges",
    "list_notices",
    "list_operations", "list_periods", "list_policies", "list_posts", "list_proposals",
    "list_purposes", "list_reads", "list_schemas", "list_stops", "list_subject_reads",
    "list_webhooks", "make_statement", "match_subject", "name_leaf", "order_stop",
    "pause_agency", "pause_own_agency", "prepare_consent", "prepare_withdrawal",
    "propose_merge", "propose_policy", "propose_proposal", "publish_notice", "publish_purpose",
    "put_schema_text", "put_text", "reckon_due", "record_consent", "record_mandate",
    "register_dataset", "reinstate_policy", "release_exchange", "request_exchange",
    "resume_own_agency", "resume_webhook", "reverse_merge", "sign_policy", "stream_events",
    "succeed_board", "suspend_policy", "verify_credential", "verify_presentation", "verify_token",
    "void_exchange", "vote_proposal", "withdraw_accreditation", "withdraw_consent",
    "withdraw_proposal", "withdraw_signed_consent",
]
# fmt: on
