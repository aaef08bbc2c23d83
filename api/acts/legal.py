"""Naming the law behind a refusal.

A contract refuses with a rule in a few words. Where the act rests on a legal basis or concerns a
dataset, the answer also names the law: the hash that the ledger has of it, and its text if this
node holds it.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from api.acts.act import PreparedAct
from api.acts.calls import read_contract
from api.acts.context import ActContext
from api.acts.placing import place_field
from api.errors import ApiError
from api.index import law_queries
from api.ledger import Reverted
from api.outbox.store import StoredOperation
from api.rest.refusals import translate_revert
from api.rest.services import RestServices
from contracts import codec
from contracts.addresses import BASES_NAME, CATALOGUE_NAME
from contracts.errors import CodecError

_NOT_SHARED = "dataset: not shared"
_GROUNDS = ("basis", "dataset")


async def add_legal_reference(
    context: ActContext, prepared: PreparedAct, refusal: ApiError
) -> None:
    """Add `legal_reference` to a refusal by a rule of the ledger, where there is a law to name."""
    rule = refusal.extra.get("rule")
    if rule is None:
        return
    law = await find_law(
        context.services, str(rule), basis=prepared.basis, dataset=prepared.dataset
    )
    if law is not None:
        known = refusal.extra.get("legal_reference") or {}
        told = {**known, **await _view_law(context.services, law)}
        refusal.extra = {**refusal.extra, "legal_reference": told}


async def find_law(
    services: RestServices, rule: str, *, basis: bytes | None, dataset: bytes | None
) -> bytes | None:
    """Return the hash of the law concerned; None if there is none."""
    law = b""
    try:
        if rule == _NOT_SHARED and dataset is not None:
            record = await read_contract(services.ledger, CATALOGUE_NAME, "dataset", dataset)
            law = bytes(record["terms"]["legal_reference"])
        elif basis is not None:
            record = await read_contract(services.ledger, BASES_NAME, "basis", basis)
            law = bytes(record["terms"]["law_hash"])
    except Reverted:
        # What there is not has no law; that it is not there, the refusal says.
        return None
    return law if any(law) else None


async def explain_failure(services: RestServices, operation: StoredOperation) -> ApiError | None:
    """Return the refusal of an act that its block refused; None unless it failed by a rule.

    It says what the act's own route would have said, had it known then.
    """
    if operation.state != "failed" or operation.error is None:
        return None
    refusal = translate_revert(operation.error)
    refusal.field = place_field(operation.kind, operation.error, refusal.field, None)
    grounds = await _read_grounds(services, operation)
    law = await find_law(
        services, operation.error, basis=grounds.get("basis"), dataset=grounds.get("dataset")
    )
    if law is not None:
        known = refusal.extra.get("legal_reference") or {}
        told = {**known, **await _view_law(services, law)}
        refusal.extra = {**refusal.extra, "legal_reference": told}
    return refusal


async def _read_grounds(services: RestServices, operation: StoredOperation) -> dict[str, bytes]:
    """Return the basis and the dataset of a promised call: those it names, or its record's."""
    found = await services.index.read(lambda c: _list_grounds(c, operation.uid))
    contract = services.ledger.book.find_name(operation.target)
    args: Mapping[str, Any] = {"call": operation.data}
    try:
        # An act that was signed elsewhere, or is late, is the argument of another call.
        while contract is not None and "call" in args:
            args = codec.decode_call(contract, args["call"]).args
    except CodecError:
        return found
    for members in (args, *(value for value in args.values() if isinstance(value, Mapping))):
        for name in _GROUNDS:
            value = members.get(name)
            if isinstance(value, bytes) and any(value):
                found[name] = value
    return found


def _list_grounds(connection: Connection, uid: bytes) -> dict[str, bytes]:
    """Return the basis and the dataset that a record on the ledger names."""
    record = law_queries.get_law_record(connection, uid)
    links = () if record is None else law_queries.list_links(connection, uid, kind=record.kind)
    return {role: target for role, target in links if role in _GROUNDS}


async def _view_law(services: RestServices, law: bytes) -> dict[str, Any]:
    text = await services.texts.find(law)
    found: dict[str, Any] = {"hash": "0x" + law.hex()}
    return found if text is None else found | {"text": dict(text.body)}
