"""What a consent record and an end of keeping must say, and what is filled in."""

from typing import Any

import pytest

from tests.unit.acts.exchange_world import (
    Law,
    ask,
    build_record,
    build_request,
    do,
    make_law,
)
from tests.unit.acts.law_world import LATER, PAST, write_time
from tests.unit.rest.ledger_world import START_S, Caller


@pytest.fixture
async def law(law: Law, laboratory: Caller) -> Law:
    await laboratory.agency.services.index.catch_up()
    return law


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({}, "record.schema_version"),
        ({"schema_version": "1.0"}, "record.withdrawal_method"),
        ({"withdrawal_method": "at any counter"}, "record.schema_version"),
        ({"schema_version": "", "withdrawal_method": "at any counter"}, "record.schema_version"),
        (
            {"schema_version": "1.0", "withdrawal_method": "x", "storage_locations": "MO"},
            "record.storage_locations",
        ),
    ],
)
async def test_consent_record_that_lacks_what_it_must_have_is_refused(
    laboratory: Caller, law: Law, record: dict[str, Any], field: str
) -> None:
    before = (await laboratory.get("/operations"))["items"]
    refused = await laboratory.post("/consents", build_record(law, record=record), status=400)
    assert (refused["code"], refused["field"]) == ("invalid_field", field)
    assert (await laboratory.get("/operations"))["items"] == before


async def test_consent_record_is_made_whole_from_the_consent(laboratory: Caller, law: Law) -> None:
    record = {
        "schema_version": "1.0",
        "withdrawal_method": "at any counter",
        "lawful_basis": "consent of the applicant",
        "our_own_member": {"kept": True},
    }
    body = build_record(law, record=record, kind="sensitive")
    accepted = await do(laboratory, "/consents", body)
    whole = accepted["envelope"]["record"]["body"]
    assert record.items() <= whole.items()
    assert whole["record_id"] == accepted["uid"]
    assert whole["privacy_notice"] == law.notice
    assert (whole["language"], whole["purpose"]) == ("en", law.purpose)
    assert whole["pii_controllers"] == ["mo-health-bureau"]
    assert whole["recipient_third_parties"] == ["mo-health-laboratory"]
    assert whole["pii_information"][0] == {
        "pii_type": "/income_band",
        "sensitive_pii_category": "sensitive",
    }
    assert whole["collection_method"] == "counter"
    assert whole["jurisdiction"] == "MO"
    assert whole["event"]["entity_id"] == whole["pii_principal_id"]
    assert whole["event"]["validity_duration"].endswith(f"/{LATER}")


@pytest.mark.parametrize(
    ("until", "fields"),
    [(PAST, None), (write_time(START_S + 10 * 86_400), ["retention_until", "due"])],
    ids=["over", "before the answer is due"],
)
async def test_end_of_keeping_before_the_data_come_is_refused(
    laboratory: Caller, law: Law, until: str, fields: list[str] | None
) -> None:
    body = build_request(law, retention_until=until)
    refused = await laboratory.post("/exchanges", body, status=400)
    assert (refused["code"], refused["field"]) == ("invalid_field", "retention_until")
    assert refused.get("fields") == fields
    assert "does not say" not in refused["detail"]
    assert refused["next_step"]


async def test_end_of_keeping_when_the_answer_is_due_is_taken(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    law = await make_law(bureau, supervisor, laboratory, kind="statute")
    await ask(laboratory, law, retention_until=LATER)
