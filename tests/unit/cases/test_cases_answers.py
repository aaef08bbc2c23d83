"""One call for a case: everything about it from its number, and what it may ask."""

from typing import Any

from tests.engines import ON_BOTH_ENGINES
from tests.unit.acts.conftest import bureau, laboratory, ledger, supervisor
from tests.unit.acts.exchange_world import (
    DATA,
    ask,
    build_request,
    do,
    make_law,
    record_consent,
    release,
)
from tests.unit.rest.ledger_world import Caller

__all__ = ["bureau", "laboratory", "ledger", "supervisor"]

NUMBER = "HS-2026-000417"


async def read_case(caller: Caller, number: str = NUMBER) -> dict[str, Any]:
    await caller.agency.services.index.catch_up()
    told: dict[str, Any] = await caller.get(f"/cases/{number}")
    return told


@ON_BOTH_ENGINES
async def test_case_number_alone_answers_everything(
    laboratory: Caller, bureau: Caller, supervisor: Caller
) -> None:
    law = await make_law(bureau, supervisor, laboratory)
    consent = (await record_consent(laboratory, law))["uid"]
    asked = await ask(laboratory, law, consent)
    released = await release(bureau, asked)
    await do(
        laboratory,
        f"/exchanges/{asked['uid']}/acknowledgement",
        {"response_envelope": released["envelope"]},
    )
    told = await read_case(laboratory)
    assert told["missing"] == []
    (exchange,) = told["exchanges"]
    assert exchange["officer"] == {"number": "12"}
    assert exchange["fields"] == ["/income_band", "/year"]
    assert (exchange["state"], exchange["received_equal"]) == ("received", True)
    assert exchange["basis"]["live_then"]
    assert exchange["kept_until"] is not None
    (given,) = exchange["consents"]
    assert (given["uid"], given["notice_version"], given["live_then"]) == (consent, 1, True)
    assert str(DATA["income_band"]) not in str(exchange["missing"])


async def test_case_of_nobody_is_not_found(laboratory: Caller) -> None:
    refused = await laboratory.get("/cases/none", status=404)
    assert (refused["code"], refused["field"]) == ("case_not_found", "case")


async def test_case_file_is_opened_once(
    laboratory: Caller, bureau: Caller, supervisor: Caller
) -> None:
    law = await make_law(bureau, supervisor, laboratory)
    file = {
        "number": NUMBER,
        "procedure": "housing-subsidy",
        "purpose": law.purpose,
        "needs": [{"dataset": law.dataset, "fields": ["/income_band"]}],
    }
    opened = await laboratory.post("/cases", file, status=201)
    again = await laboratory.post("/cases", file, status=201)
    assert opened == again
    refused = await laboratory.post("/cases", file | {"needs": []}, status=409)
    assert refused["code"] == "case_exists"
    told = await read_case(laboratory)
    assert told["file"] == opened


async def test_case_is_told_what_it_may_ask_with_the_smallest_field_set(
    laboratory: Caller, bureau: Caller, supervisor: Caller
) -> None:
    law = await make_law(bureau, supervisor, laboratory)
    await laboratory.agency.services.index.catch_up()
    needs = [{"dataset": law.dataset, "fields": ["/income_band"]}]
    file = {"number": NUMBER, "procedure": "x", "purpose": law.purpose, "needs": needs}
    await laboratory.post("/cases", file, status=201)
    told = await laboratory.get(f"/bases?case={NUMBER}&dataset={law.dataset}")
    (usable,) = told["usable"]
    assert usable["basis"]["uid"] == law.basis
    assert (usable["fields"], usable["missing_fields"]) == (["/income_band"], [])
    assert usable["consents"][0] == "general"
    # What is told is what a request meets: with just these fields it is accepted.
    consent = (await record_consent(laboratory, law))["uid"]
    body = build_request(law, consent, fields=usable["fields"])
    explained = await laboratory.post(
        "/explain", {"act": "exchange.request", "body": body}, status=200
    )
    assert explained["allowed"], explained
    await do(supervisor, f"/bases/{law.basis}/state", {"state": "suspended", "reason": "security"})
    await laboratory.agency.services.index.catch_up()
    told = await laboratory.get(f"/bases?case={NUMBER}&dataset={law.dataset}")
    assert told["usable"] == []
    assert told["refused"] == [{"basis": law.basis, "rule": "basis: not in force"}]
    refused = await laboratory.get(f"/bases?case={NUMBER}", status=400)
    assert refused["field"] == "dataset"
    refused = await laboratory.get(f"/bases?case=other&dataset={law.dataset}", status=404)
    assert refused["field"] == "case"


async def test_asking_for_more_than_the_case_needs_is_named(
    laboratory: Caller, bureau: Caller, supervisor: Caller
) -> None:
    law = await make_law(bureau, supervisor, laboratory)
    needs = [{"dataset": law.dataset, "fields": ["/income_band"]}]
    file = {"number": NUMBER, "procedure": "x", "purpose": law.purpose, "needs": needs}
    await laboratory.post("/cases", file, status=201)
    consent = (await record_consent(laboratory, law))["uid"]
    await ask(laboratory, law, consent)
    assert (await read_case(laboratory))["missing"] == ["beyond_need"]
