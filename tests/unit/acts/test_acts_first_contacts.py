"""Two first contacts with one person at the same time: one handle, and all is found again."""

import asyncio
from typing import Any

from atesta_client.resident_keys import ResidentKey

from api.vault.subjects import MATCH_ROLE
from tests.engines import ON_BOTH_ENGINES
from tests.unit.acts.exchange_world import TAXPAYER, Law, build_record, build_terms, do
from tests.unit.acts.law_world import BUREAU, LABORATORY, LATER
from tests.unit.rest.ledger_world import Caller

NEW = "file-2026-7777"
NAMED = {"reference": NEW, "counterparty": BUREAU}
PERSON = {"subject": {"reference": NEW}}


async def record(caller: Caller, law: Law) -> Any:
    return await caller.post("/consents", build_record(law, **PERSON))


def read_handles(answers: list[Any]) -> set[str]:
    return {one["envelope"]["subject"]["body"]["handle"] for one in answers}


async def count_records(caller: Caller) -> int:
    pair = BUREAU.encode().ljust(32, b"\0").hex() + ":" + NEW
    return len(await caller.agency.materials.list_by_reference(MATCH_ROLE, pair))


@ON_BOTH_ENGINES
async def test_first_contacts_that_meet_agree_on_one_handle(laboratory: Caller, law: Law) -> None:
    made = await asyncio.gather(*(record(laboratory, law) for _ in range(3)))
    known = await laboratory.post("/subjects", NAMED, status=200)
    assert read_handles(made) == {known["handle"]}
    assert await count_records(laboratory) == 1


async def test_erasing_a_person_finds_what_two_first_contacts_made(
    laboratory: Caller, law: Law
) -> None:
    made = await asyncio.gather(*(record(laboratory, law) for _ in range(2)))
    await laboratory.agency.settle()
    await laboratory.agency.services.index.catch_up()
    plan = await laboratory.post("/persons/erasure-plan", {"reference": NEW}, status=200)
    assert {one["uid"] for one in made} <= {one["uid"] for one in plan["records"]}


async def test_first_contacts_of_all_kinds_agree_on_one_handle(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    """An act promised at once, a consent for a resident's key, an act for a signer elsewhere."""
    key = ResidentKey.generate()
    binding = {"subject": {"reference": TAXPAYER}, "counterparty": LABORATORY, "valid_until": LATER}
    await do(bureau, "/key-bindings", binding | {"holder": key.address})
    signed = build_terms(law, **PERSON) | {"holder": key.address}
    elsewhere = {
        "act": "consent.record",
        "body": build_record(law, **PERSON),
        "signer": "0x" + laboratory.agency.account.address.hex(),
    }
    *made, known = await asyncio.gather(
        record(laboratory, law),
        laboratory.post("/consents/prepared", signed, status=201),
        laboratory.post("/prepared-acts", elsewhere, status=201),
        laboratory.post("/subjects", NAMED, status=200),
    )
    assert read_handles(made) == {known["handle"]}
    assert await count_records(laboratory) == 1
