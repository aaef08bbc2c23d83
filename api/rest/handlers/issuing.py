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
from atesta_client.predicates import complete_document

from api.errors import InvalidField, UserFault
from api.records import NO_UID
from api.rest.call import Call, Reply
from api.rest.handlers.schemas import get_text
from api.rest.kept_ledgers import list_kept_ledgers
from api.rest.ledger_rule import check_issuing
from api.rest.values import Algorithm, encode_hex
from api.rest.writes import LedgerAct, claim_attestation, submit
from api.vault.vault import NewCredential, Rival, StoredCredential
from contracts.addresses import ATTESTATIONS_NAME
from contracts.codes import RecordState, Role

IN_FLIGHT_S = 60
"""An earlier claim this young may belong to a request that is still being served."""

_LIVE = (RecordState.ACTIVE, RecordState.SUSPENDED)


class AlreadyAttested(UserFault):
    """The same certificate is attested as another record that is still alive."""

    status = 409

    def __init__(self, uid: bytes) -> None:
        super().__init__(
            "this certificate is attested already, as another record",
            code="certificate_already_attested",
            field="document",
            next_step="use that record; or give its uid as previous to supersede it",
            extra={"uid": encode_hex(uid)},
        )


class AttestingNow(UserFault):
    """The same certificate is being attested by another request."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "another request is attesting the same certificate at this moment",
            code="certificate_being_attested",
            field="document",
            next_step="try again in a minute",
        )


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
    await claim_certificate(call, stored)
    try:
        return await attest(
            call,
            CommittedRecord(
                uid=stored.uid,
                schema_uid=stored.schema_uid,
                commitment=stored.commitment,
                algorithm=stored.algorithm,
                valid_until_s=stored.valid_until_s,
                previous=stored.previous,
                event_time=event_time,
                is_published=is_published,
            ),
        )
    except UserFault:
        await release_certificate(call, stored)
        raise


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


async def claim_certificate(call: Call, stored: StoredCredential) -> None:
    """Claim the certificate for a record; raises `AlreadyAttested` or `AttestingNow`."""
    rivals = await call.services.vault.claim(stored.uid, int(call.services.now()))
    try:
        for rival in rivals:
            if rival.uid != stored.previous:
                await _check_rival(call, rival)
    except UserFault:
        await release_certificate(call, stored)
        raise


async def release_certificate(call: Call, stored: StoredCredential) -> None:
    """Give the claim up, unless another request has attested the record meanwhile."""
    if not await is_promised(call, stored.uid):
        await call.services.vault.release(stored.uid)


async def is_promised(call: Call, uid: bytes) -> bool:
    """Return whether this node has promised to create a record, or has created it."""
    return await call.services.outbox.find_creation(claim_attestation(uid)) is not None


async def _check_rival(call: Call, rival: Rival) -> None:
    """Raise if an earlier record of the same certificate is alive on this ledger."""
    services = call.services
    stored = await services.vault.find(rival.uid)
    here = await list_kept_ledgers(services)
    if here is not None and stored is not None and stored.ledger not in here:
        # What stands elsewhere is judged there; schemas of two ledgers may have the same uid.
        return
    head = await services.ledger.get_head()
    now_s = int(services.now())
    found = await services.records.get_attestation(rival.uid, head.number)
    if found is not None:
        is_expired = found.valid_until_s and now_s >= found.valid_until_s
        if found.state in _LIVE and not is_expired:
            raise AlreadyAttested(rival.uid)
        return
    if await is_promised(call, rival.uid):
        raise AlreadyAttested(rival.uid)
    if stored is not None and stored.batch is not None and await is_promised(call, stored.batch):
        # A member of a batch is alive unless the chain says otherwise of its own place.
        credential = await services.vault.open(rival.uid)
        assert credential is not None, "the vault found it a moment ago"
        batch = credential.record.batch
        assert batch is not None, "the vault says it has one"
        leaf = await services.records.get_leaf(batch.uid, batch.index, head.number)
        if leaf is None or leaf.state in _LIVE:
            raise AlreadyAttested(rival.uid)
        return
    if now_s - rival.claimed_s < IN_FLIGHT_S:
        raise AttestingNow


def refuse_document(refused: MaterialRefused, *, place: str = "document") -> UserFault:
    """Put the client library's refusal into ours: the pointer, never the value."""
    return UserFault(
        refused.message,
        code=refused.code.value,
        field=place + (refused.pointer or ""),
        status=422,
    )
