"""The handlers, one module a resource; `HANDLERS` binds them to the route table by name."""

from collections.abc import Awaitable, Callable
from typing import Final

from api.cases.routes import CASE_HANDLERS
from api.deadlines.routes import DEADLINE_HANDLERS
from api.feeds.routes import FEED_HANDLERS
from api.reading.handlers import READING_HANDLERS
from api.rest.call import Call, Reply, Stream
from api.rest.handlers import (
    acts,
    agencies,
    attestations,
    batches,
    credentials,
    erasing,
    evidence,
    imports,
    operations,
    people,
    provenance,
    reads,
    schemas,
    verification,
)

Handle = Callable[[Call], Awaitable[Reply | Stream]]
"""Turns a checked call into a reply; raises `ApiError`."""

HANDLERS: Final[dict[str, Handle]] = {
    "get_status": operations.get_status,
    "list_agencies": agencies.list_agencies,
    "get_agency": agencies.get_agency,
    "list_schemas": schemas.list_schemas,
    "create_schema": schemas.create_schema,
    "get_schema": schemas.get_schema,
    "change_schema_state": schemas.change_schema_state,
    "put_schema_text": schemas.put_schema_text,
    "list_accreditations": schemas.list_accreditations,
    "create_accreditation": schemas.create_accreditation,
    "delete_accreditation": schemas.delete_accreditation,
    "list_credentials": credentials.list_credentials,
    "create_credential": credentials.create_credential,
    "get_credential": credentials.get_credential,
    "attest_credential": credentials.attest_credential,
    "erase_credential": erasing.erase_credential,
    "get_erasure": erasing.get_erasure,
    "list_attestations": attestations.list_attestations,
    "create_attestation": attestations.create_attestation,
    "get_attestation": attestations.get_attestation,
    "change_attestation_state": attestations.change_attestation_state,
    "get_attestation_history": attestations.get_attestation_history,
    "list_batches": batches.list_batches,
    "create_batch": batches.create_batch,
    "get_batch": batches.get_batch,
    "change_batch_state": batches.change_batch_state,
    "get_batch_history": batches.get_batch_history,
    "get_leaf": batches.get_leaf,
    "change_leaf_state": batches.change_leaf_state,
    "create_challenge": verification.create_challenge,
    "verify": verification.verify,
    "get_provenance": provenance.get_provenance,
    "list_evidence": evidence.list_evidence,
    "get_evidence": evidence.get_evidence,
    "list_operations": operations.list_operations,
    "get_operation": operations.get_operation,
    "list_acts": acts.list_acts,
    "explain": acts.explain,
    "create_prepared_act": acts.create_prepared_act,
    "get_prepared_act": acts.get_prepared_act,
    "create_signed_act": acts.create_signed_act,
    "put_text": acts.put_text,
    "get_text": acts.get_text,
    "create_import": imports.create_import,
    "list_imports": imports.list_imports,
    "get_import": imports.get_import,
    "list_import_rejects": imports.list_import_rejects,
    "create_subject": people.create_subject,
    "match_subject": people.match_subject,
    "find_subject": people.find_subject,
    "prepare_consent": people.prepare_signed_consent,
    "prepare_withdrawal": people.prepare_signed_withdrawal,
    "keep_consent_envelope": people.keep_consent_envelope,
    "list_reads": reads.list_reads,
    "list_subject_reads": reads.list_subject_reads,
    **READING_HANDLERS,
    **CASE_HANDLERS,
    **FEED_HANDLERS,
    **DEADLINE_HANDLERS,
    **acts.build_act_handlers(),
}
