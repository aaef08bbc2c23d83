"""Making credentials and attesting them: what credentials, attestations and batches share."""

import asyncio
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from atesta_client.credentials import LedgerReference, make_credential, with_holder_key
from atesta_client.errors import MaterialRefused
from atesta_client.hashing import HashAlgorithm
from atesta_client.holder_keys import HOLDER_KEY_POINTER, HolderPublicKey
from atesta_client.pointers import JsonValue
from atesta_client.predicates import complete_document

from api.errors import InvalidField, UserFault
from api.records import NO_UID
from api.rest.call import Call, Reply
from api.rest.handlers.certificates import OpenedDocument, claimed, find_kept
from api.rest.handlers.schemas import get_text
from api.rest.ledger_rule import check_issuing
from api.rest.values import Algorithm, encode_hex
from api.rest.writes import LedgerAct, claim_attestation, submit
from api.vault.vault import NewCredential, StoredCredential, UidTaken
from contracts.addresses import ATTESTATIONS_NAME
from contracts.codes import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedRecord:
    """What goes into an attestation."""

    uid: bytes
    schema_uid: bytes
    commitment: bytes
    algorithm: int
    valid_until_s: int
    previous: bytes | None
    event_time: datetime | None
    unopened: bool = False
    is_published: bool = False
    """True if its holder asked for it, on a ledger that is not the issuer's own."""


def get_algorithm(alg: Algorithm) -> HashAlgorithm:
    """Return the client library's name of a hash."""
    return HashAlgorithm.from_label(alg.value)


async def keep_document(
    call: Call,
    *,
    schema_uid: bytes,
    document: dict[str, Any],
    holder_key: dict[str, Any] | None,
    uid: bytes | None,
    alg: Algorithm,
    valid_until_s: int,
    previous: bytes | None,
) -> StoredCredential:
    """Make a credential and keep it in the vault; an equal request finds the first one again.

    Raises `UserFault` that names the document's field at fault, never its value.
    """
    services = call.services
    vault = services.vault
    earlier = await vault.find_by_key(call.idempotency_key, call.body_fingerprint)
    if earlier is not None:
        return earlier
    text = await get_text(call, schema_uid)
    issuer = await services.identity.get_agency()
    ledger = LedgerReference(
        chain_id=await services.ledger.get_chain_id(),
        genesis_hash=await services.ledger.get_genesis_hash(),
    )
    schema = text.schema
    try:
        if text.predicates:
            today = datetime.fromtimestamp(services.now(), UTC).date()
            document = complete_document(document, schema, text.predicates, today=today)
        if holder_key is not None:
            key = HolderPublicKey.from_field(holder_key)
            document = with_holder_key(document, schema, key)
        elif HOLDER_KEY_POINTER.removeprefix("/") in document:
            HolderPublicKey.from_field(document[HOLDER_KEY_POINTER.removeprefix("/")])
        credential = await asyncio.to_thread(
            make_credential,
            document,
            schema=schema,
            issuer=issuer,
            ledger=ledger,
            random_bytes=secrets.token_bytes,
            valid_until_s=valid_until_s,
            algorithm=get_algorithm(alg),
        )
    except MaterialRefused as refused:
        raise refuse_document(refused) from None
    if uid is not None:
        credential = replace(credential, record=replace(credential.record, uid=uid))
    return await vault.put(
        NewCredential(
            credential=credential,
            previous=previous,
            reference=text.reference,
            idempotency_key=call.idempotency_key,
            body_fingerprint=call.body_fingerprint,
            created_s=int(services.now()),
        )
    )


async def attest_kept(
    call: Call,
    stored: StoredCredential,
    *,
    event_time: datetime | None,
    is_published: bool = False,
) -> Reply:
    """Attest a credential of the vault, unless its certificate is attested already."""
    record = CommittedRecord(
        uid=stored.uid,
        schema_uid=stored.schema_uid,
        commitment=stored.commitment,
        algorithm=stored.algorithm,
        valid_until_s=stored.valid_until_s,
        previous=stored.previous,
        event_time=event_time,
        is_published=is_published,
    )
    async with claimed(call, stored.uid, previous=stored.previous):
        return await attest(call, record)


async def attest_unkept(
    call: Call,
    record: CommittedRecord,
    *,
    document: JsonValue = None,
    reference: tuple[str, ...] = (),
) -> Reply:
    """Attest what came from outside the vault, unless its certificate is attested already.

    `document` is what the caller opened, and `reference` are the pointers that name its
    certificate; without them only a record that the vault keeps all the same has one here. Raises
    `UidTaken` if the vault keeps another one under the uid.
    """
    stored = await find_kept(call, record.uid)
    if stored is not None and stored.commitment != record.commitment:
        raise UidTaken
    opened = None
    if stored is None and reference and call.services.maybe_vault is not None:
        opened = OpenedDocument(
            schema_uid=record.schema_uid, document=document, reference=reference
        )
        if call.signer is not None:
            raise InvalidField(
                "credential",
                "nothing of this credential is kept until its signature comes",
                next_step="make the credential first, then prepare credential.attest",
            )
    async with claimed(call, record.uid, previous=record.previous, opened=opened):
        return await attest(call, record)


async def attest(call: Call, record: CommittedRecord) -> Reply:
    """Promise an attestation; raises `LedgerRefused` on a ledger where its holder must ask."""
    if not record.is_published and record.previous is None:
        await check_issuing(call.services)
    event_time_s = int(
        call.services.now() if record.event_time is None else record.event_time.timestamp()
    )
    if record.valid_until_s and record.valid_until_s <= event_time_s:
        raise InvalidField(
            "valid_until",
            "the validity ends before the event time",
            next_step="give the event time at which it was issued, or do not attest it",
        )

    def build_args(event_time_s: int) -> tuple[object, ...]:
        return (
            record.uid,
            record.schema_uid,
            record.commitment,
            record.algorithm,
            record.valid_until_s,
            event_time_s,
            record.previous or NO_UID,
        )

    return await submit(
        call,
        LedgerAct(
            kind="attestation.create",
            uid=record.uid,
            contract=ATTESTATIONS_NAME,
            function="attest",
            build_args=build_args,
            record=f"/v1/attestations/{encode_hex(record.uid)}",
            role=Role.ISSUE,
            event_time=record.event_time,
            claim=claim_attestation(record.uid),
            unopened=record.unopened,
        ),
    )


def refuse_document(refused: MaterialRefused, *, place: str = "document") -> UserFault:
    """Put the client library's refusal into ours: the pointer, never the value."""
    return UserFault(
        refused.message,
        code=refused.code.value,
        field=place + (refused.pointer or ""),
        status=422,
    )
