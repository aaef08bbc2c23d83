"""Naming the law behind a refusal.

A contract refuses with a rule in a few words. Where the act rests on a legal basis or concerns a
dataset, the answer also names the law: the hash that the ledger has of it, and its text if this
node holds it.
"""

from typing import Any

from api.acts.act import PreparedAct
from api.acts.context import ActContext
from api.errors import ApiError
from contracts.addresses import BASES_NAME, CATALOGUE_NAME

_NOT_SHARED = "dataset: not shared"


async def add_legal_reference(
    context: ActContext, prepared: PreparedAct, refusal: ApiError
) -> None:
    """Add `legal_reference` to a refusal by a rule of the ledger, where there is a law to name."""
    rule = refusal.extra.get("rule")
    if rule is None:
        return
    law = await _find_law(context, prepared, str(rule))
    if law is not None:
        refusal.extra = {**refusal.extra, "legal_reference": await _view_law(context, law)}


async def _find_law(context: ActContext, prepared: PreparedAct, rule: str) -> bytes | None:
    """Return the hash of the law concerned; None if there is none."""
    law = b""
    if rule == _NOT_SHARED and prepared.dataset is not None:
        record = await context.read(CATALOGUE_NAME, "dataset", prepared.dataset)
        law = bytes(record["terms"]["legal_reference"])
    elif prepared.basis is not None:
        record = await context.read(BASES_NAME, "basis", prepared.basis)
        law = bytes(record["terms"]["law_hash"])
    return law if any(law) else None


async def _view_law(context: ActContext, law: bytes) -> dict[str, Any]:
    text = await context.services.texts.find(law)
    found: dict[str, Any] = {"hash": "0x" + law.hex()}
    return found if text is None else found | {"text": dict(text.body)}
