"""Who used a person's data: reads by handle, purposes of the ledger, what acts open."""

from api.access.reads import Read, ReadFilter
from tests.unit.acts.exchange_world import PERSON, Law, ask, do, record_consent, release
from tests.unit.acts.law_world import BUREAU
from tests.unit.rest.ledger_world import Caller


async def list_rows(where: Caller) -> list[Read]:
    """Return the record, oldest first."""
    return (await where.agency.services.reads.get_page(ReadFilter(), limit=1000))[::-1]


async def test_reads_of_a_person_are_found_by_handle(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    known = await laboratory.post("/subjects", PERSON | {"counterparty": BUREAU}, status=200)
    other = await laboratory.post(
        "/subjects", {"reference": "somebody-else", "counterparty": BUREAU}, status=200
    )
    consent = (await record_consent(laboratory, law))["uid"]
    asked = await ask(laboratory, law, consent)
    released = await release(bureau, asked)
    await do(
        laboratory,
        f"/exchanges/{asked['uid']}/acknowledgement",
        {"response_envelope": released["envelope"]},
    )
    await laboratory.post("/subjects/find", {"handle": known["handle"]}, status=200)
    page = await laboratory.post("/subjects/reads", {"handle": known["handle"]}, status=200)
    told = [(item["operation"], item["what"], item["purpose"]) for item in page["items"]]
    assert told[0] == ("find_subject", "subject_match", "test")
    assert ("request_exchange", "subject", "test") in told
    assert {item["uid"] for item in page["items"]} >= {consent}
    assert known["handle"] not in {item["uid"] for item in page["items"]}
    empty = await laboratory.post("/subjects/reads", {"handle": other["handle"]}, status=200)
    assert {item["operation"] for item in empty["items"]} == {"create_subject"}
    unknown = await laboratory.post("/subjects/reads", {"handle": "0x" + "17" * 32}, status=200)
    assert unknown["items"] == []
    # That somebody asked who had looked is known as well.
    again = await laboratory.post("/subjects/reads", {"handle": known["handle"]}, status=200)
    assert again["items"][0]["what"] == "reads"


async def test_acts_say_by_themselves_what_they_open_for(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    for caller in (bureau, laboratory):
        del caller.client.session.headers["Atesta-Purpose"]
    consent = (await record_consent(laboratory, law))["uid"]
    await release(bureau, await ask(laboratory, law, consent))
    opened = await list_rows(laboratory)
    assert ("request_exchange", "record") in {(row.operation, row.purpose) for row in opened}
    assert {row.purpose for row in opened} == {"record"}


async def test_purpose_may_be_one_of_the_ledger_and_must_be_there(
    laboratory: Caller, law: Law
) -> None:
    body = PERSON | {"counterparty": BUREAU}
    for uid, code in ((law.purpose, None), ("0x" + "17" * 32, "purpose_unknown")):
        laboratory.client.session.headers["Atesta-Purpose"] = uid.upper().replace("X", "x")
        told = await laboratory.post("/subjects", body, status=200 if code is None else 422)
        assert told.get("code") == code
    laboratory.client.session.headers["Atesta-Purpose"] = law.notice
    told = await laboratory.post("/subjects", body, status=422)
    assert (told["code"], told["field"]) == ("purpose_unknown", "Atesta-Purpose")
    assert [row.purpose for row in await list_rows(laboratory)] == [law.purpose]
