"""One certificate, one live attestation: also when many ask at once, at two API processes."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

from tests.unit.rest.ledger_world import Agency, Caller, open_caller

REFUSALS = {"certificate_already_attested", "certificate_being_attested"}


async def make(issuer: Caller, schema: str, previous: str | None = None) -> str:
    document = {"certificate": "MO-7", "name": "Chan Tai Man", "result": "negative"}
    body: dict[str, Any] = {"schema_uid": schema, "document": document}
    if previous is not None:
        body["previous"] = previous
    made = await issuer.post("/credentials", body, status=201)
    return str(made["uid"])


async def attest(issuer: Caller, uid: str, key: str) -> tuple[int, str, str]:
    """Return status, code and uid."""
    headers = {"Idempotency-Key": key}
    path = f"/v1/credentials/{uid}/attest"
    async with issuer.client.post(path, json={}, headers=headers) as response:
        body = await response.json()
        return response.status, body.get("code", ""), uid


async def attest_all(issuers: list[Caller], uids: list[str]) -> list[str]:
    """Attest all at once, over the issuers in turn; return those that were accepted."""
    answers = await asyncio.gather(
        *(
            attest(issuers[place % len(issuers)], uid, f"attest-{uid}")
            for place, uid in enumerate(uids)
        )
    )
    refused = {code for status, code, _ in answers if status != 202}
    assert refused <= REFUSALS, answers
    return [uid for status, _, uid in answers if status == 202]


async def count_live(issuer: Caller) -> Counter[str]:
    page = await issuer.get("/attestations?limit=50")
    return Counter(str(item["state"]) for item in page["items"])


async def test_certificate_is_attested_once_however_many_ask_at_once(
    laboratory: Caller, schema: str, tmp_path: Path
) -> None:
    other = Agency(laboratory.agency.ledger, tmp_path / "laboratory", 1)
    assert other.account.address == laboratory.agency.account.address
    second = await open_caller(other)
    uids = [await make(laboratory, schema) for _ in range(8)]
    accepted = await attest_all([laboratory, second], uids)
    assert len(accepted) <= 1, "never two"
    if not accepted:
        # All met each other; whoever asks again is alone and gets it.
        accepted = await attest_all([laboratory, second], uids[:1])
    assert len(accepted) == 1
    await laboratory.agency.settle()
    assert await attest_all([laboratory, second], [u for u in uids if u not in accepted]) == []
    assert await count_live(laboratory) == {"active": 1}
    later = [await make(laboratory, schema, previous=accepted[0]) for _ in range(4)]
    superseding = await attest_all([laboratory, second], later)
    if not superseding:
        superseding = await attest_all([laboratory], later[:1])
    assert len(superseding) == 1
    await laboratory.agency.settle()
    assert (await count_live(laboratory))["active"] == 1
    await second.client.close()
    other.services.close()
