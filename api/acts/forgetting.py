"""Forgetting what was kept for an act that the ledger refused.

Officers, forms, responses are in the vault before the act is promised, because nothing may be
missing once it counts. If the transaction is refused after all, they belong to nothing: the list
of them stands in the act's answer (`api.acts.answers`), and all of it goes.
"""

import hashlib
from typing import Final

from api.outbox.store import StoredOperation
from api.vault.materials import Materials
from contracts import codec
from contracts.addresses import CATALOGUE_NAME

ANSWER_PREFIX: Final = "answer-"
"""Roles of answers among the materials of a record begin so; 24 digits follow."""


def name_answer(reference: str) -> str:
    """Return the role of an answer by its idempotency key, or by what `refer_to_call` returns."""
    return ANSWER_PREFIX + hashlib.sha256(reference.encode()).hexdigest()[:24]


def refer_to_call(call: bytes) -> str:
    """Return how the answer of an act is found that is signed elsewhere: by what is signed."""
    return f"call {call.hex()}"


async def forget_failed(materials: Materials, operation: StoredOperation) -> None:
    """Forget what was kept for an operation that the ledger refused; may be called again.

    Raises `VaultDamaged` or `UpstreamFault`.
    """
    role = name_answer(_find_reference(operation))
    answer = await materials.find(operation.uid, role)
    if answer is None:
        return
    kept = [
        (bytes.fromhex(place["uid"]), str(place["role"]), bytes.fromhex(place["commitment"]))
        for place in answer.body["kept"]
    ]
    await materials.discard_each([*kept, (operation.uid, role, answer.commitment)])


def _find_reference(operation: StoredOperation) -> str:
    # `relay` has one signature in all contracts.
    if operation.data.startswith(codec.get_selector(CATALOGUE_NAME, "relay")):
        carried: bytes = codec.decode_call(CATALOGUE_NAME, operation.data).args["call"]
        return refer_to_call(carried)
    return operation.idempotency_key
