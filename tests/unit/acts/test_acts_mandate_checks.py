"""Asking whether a mandate covers something: now by the contract, on another date by its rules."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.reading.mandate_check import Rung, find_rule
from tests.contracts.contract_harness import Ledger, uid_of
from tests.contracts.contract_harness import bureau as bureau_account
from tests.contracts.mandate_harness import MANDATE, OFFICE, POWER, build_entry, succeed_args
from tests.contracts.mandate_harness import check as ask_contract
from tests.contracts.mandate_harness import record as record_there
from tests.unit.acts.exchange_world import do
from tests.unit.acts.law_world import ACT_LIST, PAST, make_uid, write_time
from tests.unit.acts.test_acts_mandates import ASSOCIATION, build_office, build_power
from tests.unit.rest.ledger_world import START_S, Caller

DAY = 86_400


@pytest.fixture
async def act_list(bureau: Caller) -> str:
    return str((await bureau.put("/texts", ACT_LIST))["hash"])


def make_power(act_list: str, **changes: Any) -> dict[str, Any]:
    """A power to sign contracts and open accounts."""
    return build_power(act_list) | {"acts": ["sign-contract", "open-account"]} | changes


async def record(bureau: Caller, *mandates: dict[str, Any]) -> None:
    await do(bureau, "/mandates", {"mandates": list(mandates)})


async def ask(caller: Caller, uid: str, acts: str = "sign-contract", **query: Any) -> Any:
    await caller.agency.services.index.catch_up()
    words = "&".join(f"{name}={value}" for name, value in query.items())
    return await caller.get(f"/mandates/{uid}/check?acts={acts}&{words}".rstrip("&"))


async def test_mandate_is_asked_about_now(bureau: Caller, act_list: str) -> None:
    power = make_power(act_list, limit=500)
    await record(bureau, power)
    told = await ask(bureau, power["uid"], "sign-contract,open-account", amount=500)
    assert (told["covered"], told["rule"], told["reason"]) == (True, None, None)
    assert (told["acts"], told["amount"]) == (["sign-contract", "open-account"], 500)
    refused = await ask(bureau, power["uid"], "file-return")
    assert (refused["covered"], refused["rule"]) == (False, "mandate: out of scope")
    assert refused["reason"]
    assert refused["next_step"]
    assert (await ask(bureau, power["uid"], amount=501))["rule"] == "mandate: over the limit"


async def test_mandate_is_asked_about_on_a_date(bureau: Caller, act_list: str) -> None:
    begin = START_S + 10 * DAY
    power = make_power(
        act_list, valid_from=write_time(begin), valid_until=write_time(begin + 10 * DAY)
    )
    await record(bureau, power)
    for days, rule in (
        (-20, "mandate: unknown"),
        (-1, "mandate: not live yet"),
        (0, None),
        (9, None),
        (10, "mandate: expired"),
    ):
        told = await ask(bureau, power["uid"], at=write_time(begin + days * DAY))
        assert (told["covered"], told["rule"]) == (rule is None, rule), days
    bureau.agency.ledger.mine(1, period_s=12 * DAY)
    await do(bureau, f"/mandates/{power['uid']}/end", {"reason": "holder_request"})
    ended = write_time(bureau.agency.ledger.now_s)
    assert (await ask(bureau, power["uid"], at=ended))["rule"] == "mandate: ended"
    before = write_time(bureau.agency.ledger.now_s - DAY)
    assert (await ask(bureau, power["uid"], at=before))["covered"]


async def test_office_is_asked_about_on_both_sides_of_an_election(
    bureau: Caller, act_list: str
) -> None:
    office = build_office(act_list)
    await record(bureau, office)
    effective = START_S + 30 * DAY
    body = {
        "body": ASSOCIATION,
        "effective": write_time(effective),
        "resolution": {"assembly": "2026-11-21"},
        "offices": [{"grantee": {"name": "Lei"}, "act_list": act_list, "acts": ["sign-contract"]}],
    }
    told = (await do(bureau, "/mandates/successions", body))["envelope"]["mandates"]
    for uid, days, rule in (
        (office["uid"], -1, None),
        (office["uid"], 0, "mandate: office ended"),
        (told[0]["uid"], -1, "mandate: not live yet"),
        (told[0]["uid"], 0, None),
    ):
        answer = await ask(bureau, uid, at=write_time(effective + days * DAY))
        assert answer["rule"] == rule


async def test_mandate_handed_on_is_asked_about_up_to_the_first(
    bureau: Caller, act_list: str
) -> None:
    first = make_power(act_list, may_delegate=True)
    await record(bureau, first)
    second = make_power(act_list, parent=first["uid"])
    await record(bureau, second)
    told = await ask(bureau, second["uid"])
    assert (told["covered"], told["handed_on_from"]) == (True, [first["uid"]])
    await do(bureau, f"/mandates/{first['uid']}/end", {"reason": "error"})
    assert (await ask(bureau, second["uid"]))["rule"] == "mandate: ended"
    later = write_time(bureau.agency.ledger.now_s + DAY)
    assert (await ask(bureau, second["uid"], at=later))["rule"] == "mandate: ended"


async def test_question_about_a_mandate_is_refused_by_field(bureau: Caller, act_list: str) -> None:
    power = make_power(act_list)
    await record(bureau, power)
    path = f"/mandates/{power['uid']}/check"
    for query, status, field in (
        ("", 400, "acts"),
        ("?acts=", 400, "acts"),
        ("?acts=fly", 422, "acts"),
        ("?acts=sign-contract&amount=-1", 400, "amount"),
        ("?acts=sign-contract&at=tomorrow", 400, "at"),
    ):
        refused = await bureau.get(path + query, status=status)
        assert refused["field"] == field, query
    unknown = await bureau.get(f"/mandates/{make_uid()}/check?acts=sign-contract", status=404)
    assert unknown["code"] == "mandate_not_found"


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from([OFFICE, POWER]),
    begins=st.integers(-5, 20),
    lasts=st.none() | st.integers(1, 20),
    ends=st.none() | st.integers(1, 30),
    succeeded=st.none() | st.integers(1, 30),
    asked=st.lists(st.integers(0, 40), min_size=1, max_size=6),
    scope=st.integers(0, 7),
    amount=st.integers(498, 502),
)
def test_rules_on_a_date_are_those_of_the_contract(  # noqa: PLR0917
    kind: int,
    begins: int,
    lasts: int | None,
    ends: int | None,
    succeeded: int | None,
    asked: list[int],
    scope: int,
    amount: int,
) -> None:
    """A mandate is recorded, ended and succeeded; then each moment is asked about twice."""
    ledger = Ledger()
    start = ledger.now
    until = 0 if lasts is None else start + begins + lasts
    body = {"body": uid_of(6001)} if kind == OFFICE else {}
    entry = build_entry(kind=kind, valid_from=start + begins, valid_until=until, **body)
    record_there(ledger, entry)
    effective = None
    if kind == OFFICE and succeeded is not None:
        effective = start + succeeded
        args = succeed_args(ledger, uid_of(6200), effective=effective)
        ledger.do(bureau_account, "mandates", "succeed", args)
    rung = Rung(
        uid=MANDATE,
        recorded_s=start,
        ended_s=None if ends is None else start + ends,
        valid_from_s=start + begins,
        valid_until_s=until or None,
        board_ended_s=effective,
        scope=0b0011,
        limit=500,
    )
    for moment in sorted({*asked, ends or 0}):
        ledger.pass_time(start + moment - ledger.now)
        if moment == ends:
            ledger.do(bureau_account, "mandates", "end", [MANDATE, 1, ledger.now])
        expected = ask_contract(ledger, MANDATE, scope, amount)
        assert find_rule([rung], ledger.now, scope=scope, amount=amount) == expected


@pytest.mark.parametrize("at", [PAST])
async def test_mandate_on_the_date_of_its_term_before_its_record_is_unknown(
    bureau: Caller, act_list: str, at: str
) -> None:
    power = make_power(act_list, valid_from=at)
    await record(bureau, power)
    assert (await ask(bureau, power["uid"], at=at))["rule"] == "mandate: unknown"
    assert (await ask(bureau, power["uid"]))["covered"]
