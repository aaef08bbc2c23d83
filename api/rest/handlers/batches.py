"""Batches: sealing many credentials under one root, and the states of their members."""

import asyncio

from atesta_client.commitments import BatchRecord, compute_batch_leaf
from atesta_client.credentials import BatchPath
from atesta_client.trees import Tree, build_tree

from api.erasing.eraser import open_orders
from api.errors import InvalidField, NotFound, UserFault
from api.firewall.chance import validate_bare_commitment
from api.index import queries
from api.reading.named import AGENCY, SCHEMA, check_named, list_digests
from api.rest.call import Call, Reply
from api.rest.cursors import cut_page
from api.rest.handlers.attestations import (
    change_state,
    find_unopened,
    read_history,
    require_unopened,
)
from api.rest.handlers.certificates import (
    claim_certificate,
    is_promised,
    release_certificate,
)
from api.rest.handlers.issuing import get_algorithm
from api.rest.kept_ledgers import check_kept
from api.rest.models import Batch, BatchPage, Leaf
from api.rest.requests import BatchCreate, StateChange
from api.rest.values import State, decode_hex, encode_hex, parse_time
from api.rest.views import (
    find_reason_code,
    find_state_code,
    view_algorithm,
    view_batch,
    view_reason,
    view_state,
)
from api.rest.writes import LedgerAct, claim_attestation, find_earlier, submit
from api.vault.claims import Claim
from api.vault.vault import StoredCredential
from contracts.addresses import ATTESTATIONS_NAME
from contracts.codes import Role as KeyRole

CLAIMS_AT_ONCE = 200
"""Members whose certificates are claimed side by side, so that they share commits."""


async def list_batches(call: Call) -> Reply:
    """List batches, newest first."""
    page = call.get_page()
    state = call.find_choice("state", tuple(State))
    from_s, until_s = call.find_period()
    wanted = queries.RecordFilter(
        issuer=call.find_party("issuer"),
        schema_uid=call.find_digest("schema"),
        state=None if state is None else find_state_code(state),
        from_s=from_s,
        until_s=until_s,
    )
    index = call.services.index
    found, block = await index.read(
        lambda c: (queries.list_batches(c, page.and_one, wanted), queries.get_block(c))
    )
    rows, following = cut_page(found, page, lambda row: row.position)
    if not rows:
        await check_named(call.services, list_digests(call, {"issuer": AGENCY, "schema": SCHEMA}))
    uids = [bytes(row.uid) for row in rows]
    changed = await index.read(lambda c: queries.count_leaves(c, uids))
    unopened = await find_unopened(call, uids)
    return Reply(
        model=BatchPage(
            items=[
                view_batch(
                    row,
                    unopened=unopened.get(bytes(row.uid)),
                    changed_leaves=changed[bytes(row.uid)],
                    read_at_block=block,
                )
                for row in rows
            ],
            next=following,
            indexed_block=block,
        )
    )


async def create_batch(call: Call) -> Reply:
    """Seal many credentials under one root, or take a bare root from a caller who may."""
    earlier = await find_earlier(call)
    if earlier is not None:
        return earlier
    body: BatchCreate = call.body
    # Made from the key, so that a retry after a crash seals the same batch, not a second one.
    uid = (
        decode_hex(body.uid)
        if body.uid is not None
        else call.services.compute_body_fingerprint(b"batch" + call.body_fingerprint)
    )
    if body.root is not None:
        assert body.count is not None, "checked by the model"
        require_unopened(call)
        root = decode_hex(body.root)
        validate_bare_commitment(root)
        return await _submit_batch(call, body, uid=uid, root=root, count=body.count)
    assert body.members is not None, "checked by the model"
    # In the order of random uids: a place is public once a member's state changes, and the place
    # in a caller's own list would be the same every month for the same person.
    members = sorted(await _read_members(call, body, uid), key=lambda stored: stored.uid)
    tree = await asyncio.to_thread(_build_tree, members, await _get_context(call), body)
    claims = await _claim_members(call, members)
    try:
        await call.services.vault.seal_batch(
            {
                stored.uid: BatchPath(
                    uid=uid, index=place, count=len(members), path=tree.compute_path(place)
                )
                for place, stored in enumerate(members)
            }
        )
        return await _submit_batch(call, body, uid=uid, root=tree.root, count=len(members))
    except UserFault:
        if not await is_promised(call, uid):
            await call.services.vault.unseal_batch(uid)
        await _release_all(call, members, claims)
        raise


async def get_batch(call: Call) -> Reply:
    """Read one batch at the last final block."""
    uid = call.get_digest("uid")
    services = call.services
    head = await services.ledger.get_head()
    record = await services.records.get_batch(uid, head.number)
    if record is None:
        raise _batch_not_found()
    block = await services.ledger.get_block(record.block)
    assert block is not None, "a record's block is known"
    row, changed = await services.index.read(
        lambda c: (queries.get_batch(c, uid), queries.count_leaves(c, [uid]))
    )
    return Reply(
        model=Batch(
            uid=encode_hex(uid),
            issuer=encode_hex(record.issuer),
            schema_uid=encode_hex(record.schema_uid),
            root=encode_hex(record.root),
            count=record.count,
            alg=view_algorithm(record.algorithm),
            state=view_state(record.state),
            reason=view_reason(record.reason),
            key=None if row is None else encode_hex(bytes(row.key)),
            event_time=parse_time(record.event_time_s),
            block=record.block,
            block_time=parse_time(block.time_s),
            unopened=(await find_unopened(call, [uid])).get(uid),
            changed_leaves=changed[uid],
            read_at_block=head.number,
        )
    )


async def change_batch_state(call: Call) -> Reply:
    """Suspend, reinstate or revoke a whole batch."""
    return await change_state(call, kind="batch.state", collection="batches")


async def get_batch_history(call: Call) -> Reply:
    """List everything that happened to one batch and its members."""
    return await read_history(call, "batch")


async def get_leaf(call: Call) -> Reply:
    """Read one member's state."""
    uid, index = call.get_digest("uid"), call.get_index("index")
    head = await call.services.ledger.get_head()
    leaf = await call.services.records.get_leaf(uid, index, head.number)
    if leaf is None:
        if await call.services.records.get_batch(uid, head.number) is None:
            raise _batch_not_found()
        raise NotFound("the batch has no such member", field="index", code="leaf_not_found")
    return Reply(
        model=Leaf(
            batch=encode_hex(uid),
            index=index,
            state=view_state(leaf.state),
            reason=view_reason(leaf.reason),
            read_at_block=head.number,
        )
    )


async def change_leaf_state(call: Call) -> Reply:
    """Suspend, reinstate or revoke one member."""
    earlier = await find_earlier(call)
    if earlier is not None:
        return earlier
    uid, index = call.get_digest("uid"), call.get_index("index")
    body: StateChange = call.body
    state, reason = find_state_code(body.state.value), find_reason_code(body.reason)
    return await submit(
        call,
        LedgerAct(
            kind="batch.leaf_state",
            uid=uid,
            contract=ATTESTATIONS_NAME,
            function="set_leaf_state",
            build_args=lambda event_time_s: (uid, index, state, reason, event_time_s),
            record=f"/v1/batches/{encode_hex(uid)}/leaves/{index}",
            role=KeyRole.ISSUE,
            event_time=body.event_time,
        ),
    )


async def _submit_batch(
    call: Call, body: BatchCreate, *, uid: bytes, root: bytes, count: int
) -> Reply:
    schema_uid = decode_hex(body.schema_uid)
    algorithm = int(get_algorithm(body.alg))
    return await submit(
        call,
        LedgerAct(
            kind="batch.create",
            uid=uid,
            contract=ATTESTATIONS_NAME,
            function="attest_batch",
            build_args=lambda event_time_s: (
                uid,
                schema_uid,
                root,
                count,
                algorithm,
                event_time_s,
            ),
            record=f"/v1/batches/{encode_hex(uid)}",
            role=KeyRole.ISSUE,
            event_time=body.event_time,
            claim=claim_attestation(uid),
            unopened=body.root is not None,
        ),
    )


async def _read_members(call: Call, body: BatchCreate, uid: bytes) -> list[StoredCredential]:
    """Return the members from the vault; raises `InvalidField` that names the place at fault."""
    assert body.members is not None, "checked by the caller"
    if len(set(body.members)) != len(body.members):
        raise InvalidField("members", "a credential is named twice")
    schema_uid, algorithm = decode_hex(body.schema_uid), int(get_algorithm(body.alg))
    members = []
    for place, text in enumerate(body.members):
        where = f"members.{place}"
        stored = await call.services.vault.find(decode_hex(text))
        if stored is None or await open_orders(call.services).find(stored.uid) is not None:
            raise InvalidField(where, "this vault has no credential with this uid")
        if stored.schema_uid != schema_uid or stored.algorithm != algorithm:
            raise InvalidField(where, "the credential is of another schema or hash")
        await check_kept(call.services, stored)
        if stored.previous is not None:
            raise InvalidField(
                where,
                "the credential supersedes a record, which a member of a batch cannot",
                next_step="leave it out, and attest it by itself",
            )
        if await is_promised(call, stored.uid):
            raise InvalidField(where, "the credential is attested on its own already")
        if stored.batch is not None and stored.batch != uid:
            if await is_promised(call, stored.batch):
                raise InvalidField(where, "the credential is a member of another batch")
            # That batch was never accepted, or failed: its paths lead nowhere.
            await call.services.vault.unseal_batch(stored.batch)
        members.append(stored)
    return members


async def _get_context(call: Call) -> tuple[int, bytes]:
    services = call.services
    return await services.ledger.get_chain_id(), await services.identity.get_agency()


def _build_tree(
    members: list[StoredCredential], context: tuple[int, bytes], body: BatchCreate
) -> Tree:
    chain_id, issuer = context
    algorithm = get_algorithm(body.alg)
    leaves = [
        compute_batch_leaf(
            BatchRecord(
                algorithm=algorithm,
                chain_id=chain_id,
                issuer=issuer,
                schema_uid=stored.schema_uid,
                uid=stored.uid,
                commitment=stored.commitment,
                valid_until_s=stored.valid_until_s,
            )
        )
        for stored in members
    ]
    return build_tree(leaves, algorithm)


async def _claim_members(call: Call, members: list[StoredCredential]) -> list[Claim]:
    claims: list[Claim] = []
    for start in range(0, len(members), CLAIMS_AT_ONCE):
        outcomes = await asyncio.gather(
            *(
                claim_certificate(call, stored.uid, previous=None)
                for stored in members[start : start + CLAIMS_AT_ONCE]
            ),
            return_exceptions=True,
        )
        claims += [outcome for outcome in outcomes if isinstance(outcome, Claim)]
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                await _release_all(call, members, claims)
                raise outcome
    return claims


async def _release_all(call: Call, members: list[StoredCredential], claims: list[Claim]) -> None:
    batches = {stored.uid: stored.batch for stored in members}
    for claim in claims:
        batch = batches[claim.uid]
        if batch is None or not await is_promised(call, batch):
            await release_certificate(call, claim)


def _batch_not_found() -> NotFound:
    return NotFound("the ledger has no batch with this uid", field="uid", code="record_not_found")
