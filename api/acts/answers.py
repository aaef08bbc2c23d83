"""Answers: what an act told its caller, kept with the act, so that a retry is told the same.

Officers and persons are sealed under fresh salts, so preparing an act again would give another
envelope than the one whose commitment is on the ledger. What was answered is therefore kept in the
vault, beside the record, under the idempotency key (under what is signed, where the signer is
elsewhere); where the answer is one of the envelopes kept
anyway, only its role is noted.

The answer also lists what was kept for the act alone. If the ledger refuses the act after all, all
of it is forgotten: a response that was never released is in nobody's vault.
"""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from atesta_client.envelopes import encode_envelope, seal_envelope

from api.acts.act import Act, PreparedAct
from api.acts.forgetting import name_answer
from api.acts.private import Keeping
from api.errors import UserFault
from api.outbox.store import OPEN_STATES, StoredOperation
from api.rest.services import RestServices
from api.vault.materials import Material, Materials

_KIND: Final = "answer"
_OPERATIONS: Final = 50
"""So many operations of a record are looked at for one under way."""


class ActUnderWay(UserFault):
    """The same act on the same record was accepted and is not settled yet."""

    status = 409

    def __init__(self, operation: StoredOperation) -> None:
        super().__init__(
            "this act on this record was accepted before and is not final yet",
            code="act_under_way",
            next_step=f"follow /v1/operations/{operation.id}, then try again",
        )


async def check_not_under_way(services: RestServices, act: Act, prepared: PreparedAct) -> None:
    """Raise `ActUnderWay` where keeping would replace what an open operation answers for."""
    if act.is_creation or not isinstance(prepared.keep, Keeping):
        return
    for material in prepared.keep.materials:
        earlier = await services.materials.find(material.uid, material.role)
        if earlier is None or earlier.commitment == material.envelope.commitment:
            continue
        page = await services.outbox.get_page(
            limit=_OPERATIONS, before=None, state=None, uid=prepared.uid
        )
        for operation in page:
            if operation.kind == act.name and operation.state in OPEN_STATES:
                raise ActUnderWay(operation)


async def keep_answer(act: Act, prepared: PreparedAct, reference: str) -> None:
    """Keep an act's materials and its answer, in one step; may be called again."""
    keeping = prepared.keep
    if not isinstance(keeping, Keeping):
        if keeping is not None:
            await keeping()
        return
    answer = await _seal_answer(keeping, act, prepared, reference)
    await keeping.store.put((*keeping.materials, answer), now_s=keeping.now_s)


async def recall_answer(
    services: RestServices, act: Act, uid: bytes, reference: str
) -> Mapping[str, Any] | None:
    """Return the envelope that an act answered; None if it had none or is not kept."""
    if services.maybe_materials is not None:
        answer = await services.materials.find(uid, name_answer(reference))
        if answer is not None and answer.body["envelope"] is not None:
            told: Mapping[str, Any] = answer.body["envelope"]
            return told
        if answer is not None and answer.body["role"] is not None:
            envelope = await services.materials.find(uid, str(answer.body["role"]))
            return None if envelope is None else encode_envelope(envelope)
    return None if act.recall is None else await act.recall(services, uid)


async def _seal_answer(
    keeping: Keeping, act: Act, prepared: PreparedAct, reference: str
) -> Material:
    kept = [
        {
            "uid": material.uid.hex(),
            "role": material.role,
            "commitment": material.envelope.commitment.hex(),
        }
        for material in keeping.materials
        if not material.is_lasting and not await _has(keeping.store, material)
    ]
    is_copied = act.recall is None and prepared.answer_role is None
    body = {
        "envelope": prepared.envelope if is_copied else None,
        "role": prepared.answer_role,
        "kept": kept,
    }
    return Material(
        uid=prepared.uid,
        role=name_answer(reference),
        envelope=seal_envelope(_KIND, body, secrets.token_bytes),
    )


async def _has(store: Materials, material: Material) -> bool:
    """Whether the very same envelope was kept before, by an earlier act."""
    earlier = await store.find(material.uid, material.role)
    return earlier is not None and earlier.commitment == material.envelope.commitment
