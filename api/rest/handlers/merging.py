"""Merging persons: proposed by one officer, decided by another."""

import secrets
from typing import Any

from api.rest import merging_models as models
from api.rest.call import Call, Reply
from api.rest.cursors import cut_page
from api.rest.handlers.people import read_counterparty, view_subject
from api.rest.services import NoVault
from api.rest.values import decode_hex, encode_hex, parse_time
from api.rest.views import view_uid
from api.vault.merging import Merge, Merges, MergeState, Officer
from api.vault.subjects import Subject


async def propose_merge(call: Call) -> Reply:
    """Propose that a handle shall mean a person."""
    body: models.MergeCreate = call.body
    merges = _open(call)
    merge = await merges.propose(
        Subject(
            handle=decode_hex(body.handle),
            counterparty=await read_counterparty(call, body.counterparty),
            reference=body.reference,
        ),
        reason=body.reason,
        proposer=_read_officer(call),
        now_s=int(call.services.now()),
    )
    return await _reply(merges, merge)


async def list_merges(call: Call) -> Reply:
    """List the journal of merges, newest first, without what they say of persons."""
    page = call.get_page()
    state = call.find_choice("state", tuple(MergeState))
    found = await _open(call).get_page(
        state=None if state is None else MergeState(state),
        limit=page.and_one.limit,
        before=page.after,
    )
    items, following = cut_page(found, page, lambda item: item.sequence)
    return Reply(
        model=models.MergePage(
            items=[models.MergeEntry(**_describe(merge)) for merge in items],
            next=following,
        )
    )


async def get_merge(call: Call) -> Reply:
    """Read a merge with what it says of persons."""
    merges = _open(call)
    return await _reply(merges, await merges.get(call.get_digest("uid")))


async def decide_merge(call: Call) -> Reply:
    """Approve a merge, which carries it out, or refuse it."""
    body: models.MergeDecision = call.body
    merges = _open(call)
    merge = await merges.decide(
        call.get_digest("uid"),
        approve=body.approve,
        decider=_read_officer(call),
        now_s=int(call.services.now()),
    )
    return await _reply(merges, merge)


async def reverse_merge(call: Call) -> Reply:
    """Propose to take back a merge."""
    body: models.MergeReversal = call.body
    merges = _open(call)
    merge = await merges.reverse(
        call.get_digest("uid"),
        reason=body.reason,
        proposer=_read_officer(call),
        now_s=int(call.services.now()),
    )
    return await _reply(merges, merge)


def _open(call: Call) -> Merges:
    services = call.services
    if services.maybe_keyring is None:
        raise NoVault
    return Merges(services.maybe_keyring.database, services.materials, secrets.token_bytes)


def _read_officer(call: Call) -> Officer:
    """Return who acts."""
    if call.caller is None:
        return Officer(label="nobody")
    return Officer(label=call.caller.name, person=call.caller.person)


async def _reply(merges: Merges, merge: Merge) -> Reply:
    content = await merges.open(merge.uid)
    return Reply(
        model=models.Merge(
            **_describe(merge),
            subject=view_subject(content.subject),
            reason=content.reason,
            before=None if content.before is None else list(map(view_subject, content.before)),
        ),
        headers={"Location": f"/v1/subjects/merges/{encode_hex(merge.uid)}"},
    )


def _describe(merge: Merge) -> dict[str, Any]:
    return {
        "uid": encode_hex(merge.uid),
        "state": merge.state.value,
        "proposer": merge.proposer,
        "proposed": parse_time(merge.proposed_s),
        "decider": merge.decider,
        "decided": None if merge.decided_s is None else parse_time(merge.decided_s),
        "reverses": view_uid(merge.reverses),
    }
