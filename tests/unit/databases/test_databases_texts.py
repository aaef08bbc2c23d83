"""What a caller may write is answered the same on both engines, however odd the text."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engines import NewDatabase
from tests.unit.rest.ledger_world import Agency, FakeLedger, open_caller

ODD = ["a\0b", "\ud800", "名" * 60, "'; DROP TABLE records; --"]
"""NUL, half a character, many bytes, and an old joke."""


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
async def test_odd_text_is_kept_or_refused_and_never_fails(
    tmp_path: Path, database_urls: NewDatabase, text: str
) -> None:
    agency = Agency(FakeLedger(), tmp_path, 2, urls=database_urls)
    caller = await open_caller(agency)
    statuses: list[int] = []

    async def post(path: str, body: Any) -> None:
        kind = "application/x-ndjson" if path.startswith("/imports") else "application/json"
        headers = {"Content-Type": kind, "Idempotency-Key": f"key-{len(statuses)}"}
        async with caller.client.post(
            "/v1" + path, data=json.dumps(body) + "\n", headers=headers
        ) as response:
            statuses.append(response.status)

    await post("/schemas", {"title": text, "pointers": ["/a"], "reference": []})
    await post("/schemas", {"title": "title", "pointers": ["/" + text], "reference": ["/" + text]})
    await post("/verify/challenges", {"purpose": text})
    await post("/webhooks", {"url": "https://hooks.example.org/" + text})
    await post("/imports?act=mandate.record", {text * 2: text})
    async with caller.client.get("/v1/imports") as response:
        statuses.append(response.status)
    async with caller.client.get("/v1/schemas", params={"owner": text.strip("\ud800")}) as response:
        statuses.append(response.status)
    assert all(status < 500 for status in statuses), statuses
    await caller.client.close()
    agency.services.close()
