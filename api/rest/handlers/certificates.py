"""One certificate, one live attestation: whoever is about to attest claims the certificate first.

The vault returns the rivals (`api.vault.claims`); here they are held against this node's promises
and the ledger. A rival that is attested and alive, by itself or as a member of a batch, refuses the
act, unless the act supersedes it. So does one that is being attested at this moment.

The rule covers what this node can know: credentials of the vault, however they are attested
(directly, in a batch, by a signature made elsewhere), and credential files that are opened to it. A
bare commitment that the vault does not know tells no certificate.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from atesta_client.pointers import JsonValue

from api.errors import UserFault
from api.rest.call import Call
from api.rest.kept_ledgers import list_kept_ledgers
from api.rest.values import encode_hex
from api.rest.writes import claim_attestation
from api.vault.claims import IN_FLIGHT_S, Claim
from api.vault.stored import Rival, StoredCredential
from contracts.codes import RecordState

_LIVE = (RecordState.ACTIVE, RecordState.SUSPENDED)


class AlreadyAttested(UserFault):
    """The same certificate is attested as another record that is still alive."""

    status = 409

    def __init__(self, uid: bytes, *, member_of: StoredCredential | None = None) -> None:
        """Name the record; `member_of` is its credential if a batch seals it."""
        next_step = "use that record; or give its uid as previous to supersede it"
        extra = {"uid": encode_hex(uid)}
        if member_of is not None and member_of.batch is not None:
            # A member of a batch is no record of its own, so nothing can supersede it.
            batch = encode_hex(member_of.batch)
            next_step = (
                "use that member; or revoke it first: "
                f"POST /v1/batches/{batch}/leaves/{member_of.place}/state"
            )
            extra |= {"batch": batch}
        super().__init__(
            "this certificate is attested already, as another record",
            code="certificate_already_attested",
            field="document",
            next_step=next_step,
            extra=extra,
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
class OpenedDocument:
    """A document that a caller opened to this node, and that is not kept."""

    schema_uid: bytes
    document: JsonValue
    reference: tuple[str, ...]
    """Pointers whose values name its certificate."""


@asynccontextmanager
async def claimed(
    call: Call, uid: bytes, *, previous: bytes | None, opened: OpenedDocument | None = None
) -> AsyncIterator[None]:
    """Hold the certificate of a record while it is promised; a refusal gives it back.

    `previous` is the record that it supersedes. Raises `AlreadyAttested`, `AttestingNow`, or the
    refusal of a member of a batch. A record of which neither the vault nor the caller tells the
    certificate claims nothing.
    """
    stored, claim = await find_kept(call, uid), None
    if stored is not None:
        await check_single(call, stored)
    if opened is not None or stored is not None:
        claim = await claim_certificate(call, uid, previous=previous, opened=opened)
    try:
        yield
    except UserFault:
        if claim is not None:
            await release_certificate(call, claim)
        raise


async def claim_certificate(
    call: Call, uid: bytes, *, previous: bytes | None, opened: OpenedDocument | None = None
) -> Claim:
    """Claim the certificate for a record; raises `AlreadyAttested` or `AttestingNow`."""
    vault, now_s = call.services.vault, int(call.services.now())
    if opened is None:
        claim = await vault.claim(uid, now_s)
    else:
        claim = await vault.claim_opened(
            uid,
            schema_uid=opened.schema_uid,
            document=opened.document,
            pointers=opened.reference,
            now_s=now_s,
        )
    try:
        for rival in claim.rivals:
            if rival.uid != previous:
                await _check_rival(call, rival)
    except UserFault:
        await release_certificate(call, claim)
        raise
    return claim


async def release_certificate(call: Call, claim: Claim) -> None:
    """Give a claim up, unless its record was attested meanwhile, by another request or before."""
    if await is_promised(call, claim.uid):
        return
    if claim.replaced_s is not None:
        head = await call.services.ledger.get_head()
        if await call.services.records.get_attestation(claim.uid, head.number) is not None:
            return
    await call.services.vault.release(claim)


async def find_kept(call: Call, uid: bytes) -> StoredCredential | None:
    """Return what the vault knows of a credential; None also on a node without a vault."""
    vault = call.services.maybe_vault
    return None if vault is None else await vault.find(uid)


async def check_single(call: Call, stored: StoredCredential) -> None:
    """Raise `UserFault` for a credential that a batch attests already."""
    if stored.batch is None or not await is_promised(call, stored.batch):
        return
    raise UserFault(
        "the credential is attested as a member of a batch",
        code="already_in_batch",
        field="uid",
        status=409,
        next_step="hand out the credential file; it holds the path to the batch root",
        extra={"batch": encode_hex(stored.batch)},
    )


async def is_promised(call: Call, uid: bytes) -> bool:
    """Return whether this node has promised to create a record, or has created it."""
    return await call.services.outbox.find_creation(claim_attestation(uid)) is not None


async def _check_rival(call: Call, rival: Rival) -> None:
    """Raise if another record of the same certificate is alive on this ledger."""
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
    if stored is not None and stored.batch is not None and stored.place is not None:
        leaf = await services.records.get_leaf(stored.batch, stored.place, head.number)
        if leaf is not None or await is_promised(call, stored.batch):
            # A member is alive unless its time is over or the chain says otherwise of its place.
            is_expired = stored.valid_until_s and now_s >= stored.valid_until_s
            if not is_expired and (leaf is None or leaf.state in _LIVE):
                raise AlreadyAttested(rival.uid, member_of=stored)
            return
    if now_s - rival.claimed_s < IN_FLIGHT_S:
        raise AttestingNow
