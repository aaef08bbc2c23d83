"""Exchanges through REST: asked, decided, released, confirmed; and every refusal."""

from typing import Any

import pytest
from atesta_client.envelopes import open_envelope

from tests.unit.acts.exchange_world import (
    DATA,
    Law,
    ask,
    build_request,
    do,
    look,
    make_law,
    record_consent,
    release,
)
from tests.unit.acts.law_world import read
from tests.unit.rest.ledger_world import Caller


@pytest.fixture
async def law(bureau: Caller, laboratory: Caller, supervisor: Caller) -> Law:
    return await make_law(bureau, supervisor, laboratory)


@pytest.fixture
async def consent(laboratory: Caller, law: Law) -> str:
    """The consent that the laboratory recorded; it hands its envelope on inside the request."""
    return str((await record_consent(laboratory, law))["uid"])


async def state(caller: Caller, uid: str) -> Any:
    return (await look(caller, f"/exchanges/{uid}"))["state"]


async def test_exchange_once_from_request_to_receipt(
    bureau: Caller, laboratory: Caller, law: Law, consent: str
) -> None:
    asked = await ask(laboratory, law, consent)
    assert await state(laboratory, asked["uid"]) == "approved"
    record = await read(laboratory, "exchanges", "exchange", asked["uid"])
    request = open_envelope(
        asked["envelope"],
        kind="exchange-request",
        commitment=record["request"]["request_commitment"],
    )
    assert "file-2026-0042" not in str(request.body)
    released = await release(bureau, asked)
    acknowledged = await do(
        laboratory,
        f"/exchanges/{asked['uid']}/acknowledgement",
        {"response_envelope": released["envelope"]},
    )
    assert acknowledged["envelope"]["outcome"] == "received"
    assert await state(laboratory, asked["uid"]) == "received"
    assert released["envelope"]["body"]["data"] == DATA
    kept = await laboratory.agency.services.materials.find(
        bytes.fromhex(asked["uid"][2:]), "received"
    )
    assert kept is not None
    assert kept.body["data"] == DATA


async def test_exchange_altered_on_the_way_is_disputed(
    bureau: Caller, laboratory: Caller, law: Law, consent: str
) -> None:
    asked = await ask(laboratory, law, consent)
    arrived = (await release(bureau, asked))["envelope"]
    arrived["body"]["data"]["income_band"] = "A"
    path = f"/exchanges/{asked['uid']}/acknowledgement"
    told = await do(laboratory, path, {"response_envelope": arrived})
    assert told["envelope"]["outcome"] == "disputed"
    assert told["envelope"]["released"] != told["envelope"]["received"]
    assert await state(laboratory, asked["uid"]) == "disputed"
    # Another delivery settles it, and needs no further quota.
    again = await release(bureau, asked)
    await do(laboratory, path, {"response_envelope": again["envelope"]})
    assert await state(laboratory, asked["uid"]) == "received"


async def test_exchange_tells_what_the_law_asks(laboratory: Caller, law: Law, consent: str) -> None:
    told = await laboratory.post(
        "/explain",
        {"act": "exchange.request", "body": build_request(law, consent)},
        status=200,
    )
    assert told["allowed"] is True
    assert told["facts"] == {
        "basis_kind": "consent",
        "sharing": "unconditional",
        "sensitivity": "ordinary",
        "must_notify": False,
        "is_crossing": False,
    }
