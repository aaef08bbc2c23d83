"""What the tests of consents and exchanges share: catalogue and law in place, through REST.

The bureau owns the data and provides them; the laboratory asks for them.
"""

from dataclasses import dataclass
from typing import Any

from tests.unit.acts.law_world import (
    BUREAU,
    LABORATORY,
    LATER,
    build_basis,
    publish_purpose,
    read,
    register_dataset,
)
from tests.unit.rest.ledger_world import Caller

NOTICE = {"title": "Your data", "language": "en", "text": "We ask for your income band once."}
PERSON = {"reference": "file-2026-0042"}
"""How the laboratory calls the resident."""
TAXPAYER = "taxpayer-77"
"""How the bureau calls the same resident."""
DATA = {"income_band": "B", "year": 2025}


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """Uids of what stands on the ledger."""

    dataset: str
    purpose: str
    notice: str
    basis: str


async def share_texts(owner: Caller, dataset: str, *others: Caller) -> None:
    """Give a dataset's list of fields to other nodes."""
    record = await read(owner, "catalogue", "dataset", dataset)
    text = await owner.get(f"/texts/0x{record['terms']['fields_hash'].hex()}")
    for other in others:
        await other.put("/texts", {name: text[name] for name in ("kind", "language", "body")})


async def make_law(
    bureau: Caller,
    supervisor: Caller,
    *others: Caller,
    dataset: dict[str, Any] | None = None,
    recipient: str = LABORATORY,
    **basis: Any,
) -> Law:
    """Enter dataset, purpose, notice and a basis (by consent unless said otherwise)."""
    registered = await register_dataset(bureau, **(dataset or {}))
    purpose = await publish_purpose(bureau)
    notice = (await bureau.post("/notices", NOTICE))["uid"]
    await bureau.agency.settle()
    await share_texts(bureau, registered, supervisor, *others)
    body = build_basis(registered, purpose, **({"kind": "consent"} | basis))
    body["scopes"][0]["recipient"] = recipient
    entered = (await supervisor.post("/bases", body))["uid"]
    await supervisor.agency.settle()
    return Law(dataset=registered, purpose=purpose, notice=notice, basis=entered)


def build_terms(law: Law, **changes: Any) -> dict[str, Any]:
    """Return the terms of a consent of the resident, as the laboratory says them."""
    terms = {
        "provider": BUREAU,
        "recipient": LABORATORY,
        "dataset": law.dataset,
        "fields": ["/income_band", "/year"],
        "purpose": law.purpose,
        "notice": law.notice,
        "valid_until": LATER,
        "quota": 1,
        "response_s": 86_400,
        "subject": PERSON,
        "record": {"schema_version": "1.0", "withdrawal_method": "at any counter"},
    }
    return terms | changes


def build_record(law: Law, **changes: Any) -> dict[str, Any]:
    """Return the body of a consent that an agency records."""
    taken = {
        "channel": "counter",
        "assurance": "substantial",
        "clerk": {"number": "clerk-4711"},
        "form": {"form": "F-12"},
    }
    return build_terms(law) | taken | changes


def build_request(law: Law, consent: str | None = None, **changes: Any) -> dict[str, Any]:
    """Return the body of the laboratory's request."""
    request = {
        "provider": BUREAU,
        "dataset": law.dataset,
        "fields": ["/income_band", "/year"],
        "purpose": law.purpose,
        "basis": law.basis,
        "case": "HS-2026-000417",
        "officer": {"number": "12"},
        "subject": PERSON,
        "due": LATER,
        "retention_until": LATER,
    }
    if consent is not None:
        request["consents"] = {"general": consent}
    return request | changes


async def do(caller: Caller, path: str, body: Any) -> Any:
    """Act, and see it through to its block; the operation must have succeeded."""
    accepted = await caller.post(path, body)
    await caller.agency.settle()
    operation = await caller.get(f"/operations/{accepted['operation']}")
    assert (operation["state"], operation["error"]) == ("final", None), operation
    return accepted


async def look(caller: Caller, path: str) -> Any:
    """Read at a node that has caught up."""
    await caller.agency.services.index.catch_up()
    return await caller.get(path)


async def record_consent(recorder: Caller, law: Law, **changes: Any) -> Any:
    """Record a consent; returns what was accepted."""
    return await do(recorder, "/consents", build_record(law, **changes))


async def ask(requester: Caller, law: Law, consent: str | None = None, **changes: Any) -> Any:
    """Ask the bureau; returns what was accepted."""
    return await do(requester, "/exchanges", build_request(law, consent, **changes))


async def release(provider: Caller, asked: Any, data: Any = None, *, status: int = 202) -> Any:
    """Release to a request; returns what was accepted or refused."""
    body = {"request_envelope": asked["envelope"], "response": DATA if data is None else data}
    path = f"/exchanges/{asked['uid']}/release"
    if status != 202:
        return await provider.post(path, body, status=status)
    return await do(provider, path, body)
