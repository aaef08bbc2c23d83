"""Retention as it runs by itself: storage only after a withdrawal, and pruning day by day."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access.reads import Reading
from api.errors import InvalidField
from api.retention.daily import DailyRetention
from api.retention.job import RetentionJob, parse_time_of_day
from api.retention.report import RETENTION_REPORT
from api.retention.withdrawals import RetainedWithdrawals
from tests.unit.acts.exchange_world import Law, ask, do, record_consent, release
from tests.unit.acts.law_world import LATER
from tests.unit.rest.ledger_world import Caller

YEAR_S = 366 * 86_400
CASE = "/cases/HS-2026-000417"


async def withdraw(bureau: Caller, laboratory: Caller, law: Law, answer: Any) -> tuple[str, str]:
    """Let data go over, and the consent be withdrawn and answered; returns their uids."""
    consent = (await record_consent(laboratory, law))["uid"]
    asked = await ask(laboratory, law, consent)
    await release(bureau, asked)
    await do(bureau, f"/consents/{consent}/withdrawal", {"form": {"form": "F-13"}})
    await do(laboratory, f"/consents/{consent}/withdrawal/answer", answer)
    return consent, asked["uid"]


def retain(law: Law) -> dict[str, Any]:
    return {"outcome": "retained", "basis": law.basis, "until": LATER}


async def test_retained_data_open_for_the_cited_basis_only(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    _, asked = await withdraw(bureau, laboratory, law, retain(law))
    services = laboratory.agency.services
    assert (await laboratory.get(CASE))["exchanges"][0]["officer"] == {"number": "12"}
    withdrawals = RetainedWithdrawals(services)
    assert await withdrawals.turn() == 2
    assert await withdrawals.turn() == 0
    assert await RetainedWithdrawals(services).turn() == 0
    (closed,) = (await laboratory.get(CASE))["exchanges"]
    assert (closed["officer"], closed["missing"]) == (None, [])
    told = closed["storage_only"]
    assert (told["cause"], told["purpose"], told["until"]) == ("withdrawal", law.basis, LATER)
    (opened,) = (await laboratory.get(CASE, Atesta_Purpose=law.basis))["exchanges"]
    assert (opened["officer"], opened["storage_only"]) == ({"number": "12"}, None)
    reads = await laboratory.get(f"/reads?record={asked}&purpose={law.basis}")
    assert {item["what"] for item in reads["items"]} >= {"officer", "request"}


async def test_refusal_of_a_restricted_record_names_the_purpose(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    consent, _ = await withdraw(bureau, laboratory, law, retain(law))
    await RetainedWithdrawals(laboratory.agency.services).turn()
    reading = Reading(
        caller="chan", method="token", operation="test", purpose="service", request_id="r"
    )
    async with laboratory.agency.services.read_as(reading) as named:
        with pytest.raises(Exception, match="storage only") as refused:
            await named.materials.find(bytes.fromhex(consent[2:]), "subject")
    problem = refused.value
    assert (problem.code, problem.field) == ("record_restricted", "Atesta-Purpose")  # type: ignore[attr-defined]
    assert law.basis in problem.next_step  # type: ignore[attr-defined]


@pytest.mark.parametrize("outcome", ["stopped", "deleted"])
async def test_other_answers_close_nothing(
    bureau: Caller, laboratory: Caller, law: Law, outcome: str
) -> None:
    await withdraw(bureau, laboratory, law, {"outcome": outcome})
    assert await RetainedWithdrawals(laboratory.agency.services).turn() == 0
    # The provider has declared nothing, whatever the recipient did.
    assert await RetainedWithdrawals(bureau.agency.services).turn() == 0


async def test_days_are_pruned_once_each_and_missed_ones_made_up_for(
    bureau: Caller, laboratory: Caller, law: Law, tmp_path: Path
) -> None:
    _, asked = await withdraw(bureau, laboratory, law, retain(law))
    ledger, services = laboratory.agency.ledger, laboratory.agency.services
    job = RetentionJob(at_s=parse_time_of_day("03:30", field="x"), folder=tmp_path / "reports")
    daily = DailyRetention(services, job)
    first = await daily.turn()
    assert first is not None
    assert await daily.turn() is None
    report = RETENTION_REPORT.read(first.read_bytes())
    assert report.account == laboratory.agency.account.address
    assert (report.content["erased"], report.content["kept"] > 0) == (0, True)
    # Retained until a date: erased the day after, unless a law asks for longer, which it does.
    ledger.mine(period_s=100 * 86_400)
    second = await DailyRetention(services, job).turn()
    assert second is not None
    assert second.name > first.name
    assert RETENTION_REPORT.read(second.read_bytes()).content["erased"] == 0
    ledger.mine(period_s=3 * YEAR_S)
    third = await daily.turn()
    assert third is not None
    done = RETENTION_REPORT.read(third.read_bytes()).content
    assert done["erased"] == 2
    assert "0x" + asked[2:] in done["records"]
    await services.index.catch_up()
    case = await laboratory.get(CASE)
    assert (case["exchanges"], case["erased"][0]["reason"]) == ([], "ended_by_law")
    ledger.mine(period_s=86_400)
    fourth = await daily.turn()
    assert fourth is not None
    assert RETENTION_REPORT.read(fourth.read_bytes()).content["erased"] == 0


async def test_changed_report_is_refused(laboratory: Caller, law: Law, tmp_path: Path) -> None:
    assert law.basis
    job = RetentionJob(at_s=0, folder=tmp_path)
    path = await DailyRetention(laboratory.agency.services, job).turn()
    assert path is not None
    told = json.loads(path.read_text())
    for name, value in (("kept", 1_000), ("account", "0x" + "11" * 20)):
        with pytest.raises(InvalidField) as refused:
            RETENTION_REPORT.read(json.dumps(told | {name: value}).encode())
        assert refused.value.field == "signature"
    with pytest.raises(InvalidField):
        RETENTION_REPORT.read(json.dumps({**told, "more": 1}).encode())


@given(at_s=st.integers(0, 86_399), now_s=st.integers(10**9, 4 * 10**9))
def test_day_changes_at_its_hour(at_s: int, now_s: int) -> None:
    job = RetentionJob(at_s=at_s, folder=Path("x"))
    start_s = now_s - now_s % 86_400 + at_s
    assert job.find_day(start_s - 1) < job.find_day(start_s) == job.find_day(start_s + 86_399)


@pytest.mark.parametrize("text", ["3:30", "24:00", "03:60", "", "03:30:00"])
def test_wrong_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(InvalidField) as refused:
        parse_time_of_day(text, field="api.retention_time")
    assert refused.value.field == "api.retention_time"
