"""Mandates and successions through REST."""

from typing import Any

import pytest
from atesta_client.envelopes import open_envelope

from api.ledger import Reverted
from contracts.addresses import MANDATES_NAME
from tests.unit.acts.law_world import ACT_LIST, LATER, PAST, explain, make_uid, read, write_time
from tests.unit.rest.ledger_world import Caller

ASSOCIATION = {"register_name": "mo-associations", "number": "0042"}


@pytest.fixture
async def act_list(bureau: Caller) -> str:
    return str((await bureau.put("/texts", ACT_LIST))["hash"])


def build_office(act_list: str, /, **changes: Any) -> dict[str, Any]:
    office: dict[str, Any] = {
        "uid": make_uid(),
        "kind": "office",
        "body": ASSOCIATION,
        "grantee": {"name": "Chan Tai Man"},
        "act_list": act_list,
        "acts": ["sign-contract", "file-return"],
        "limit": 1000,
        "valid_from": PAST,
        "valid_until": LATER,
        "record": {"office": "president"},
    }
    return office | changes


def build_power(act_list: str, /, **changes: Any) -> dict[str, Any]:
    power = {"kind": "power", "grantee": {"name": "Example Accountant"}, "acts": ["file-return"]}
    return build_office(act_list, **power, **changes)


async def record(caller: Caller, *mandates: dict[str, Any]) -> Any:
    accepted = await caller.post("/mandates", {"mandates": list(mandates)})
    await caller.agency.settle()
    operation = await caller.get(f"/operations/{accepted['operation']}")
    assert (operation["state"], operation["error"]) == ("final", None)
    return accepted


async def check(caller: Caller, mandate: str, scope: int, amount: int = 0) -> Any:
    return await read(caller, MANDATES_NAME, "check", mandate, scope, amount)


async def test_mandate_is_recorded_with_its_envelopes(bureau: Caller, act_list: str) -> None:
    office = build_office(act_list)
    accepted = await record(bureau, office)
    assert accepted["uid"] == office["uid"]
    terms = (await read(bureau, MANDATES_NAME, "mandate", office["uid"]))["terms"]
    assert (terms["kind"], terms["scope"], terms["limit"]) == (1, 0b101, 1000)
    assert "0x" + terms["scope_list_hash"].hex() == act_list
    (told,) = accepted["envelope"]["mandates"]
    grantee = open_envelope(told["grantee"], kind="person", commitment=terms["grantee"])
    assert grantee.body == office["grantee"]
    full = open_envelope(told["record"], kind="mandate-record", commitment=terms["record"])
    assert full.body == office["record"]
    assert await check(bureau, office["uid"], 0b001, 1000)
    for scope, amount, rule in (
        (0b010, 0, "mandate: out of scope"),
        (0b001, 1001, "mandate: over the limit"),
    ):
        with pytest.raises(Reverted, match=rule):
            await check(bureau, office["uid"], scope, amount)


async def test_mandate_again_with_the_same_key_returns_the_same_envelopes(
    bureau: Caller, act_list: str
) -> None:
    body = {"mandates": [build_office(act_list), build_power(act_list)]}
    first = await bureau.post("/mandates", body, key="one")
    again = await bureau.post("/mandates", body, key="one")
    assert first == again
    assert len(first["envelope"]["mandates"]) == 2


async def test_mandates_of_one_body_share_its_commitment_and_nothing_else(
    bureau: Caller, act_list: str
) -> None:
    one, other = build_office(act_list), build_office(act_list)
    await record(bureau, one)
    await record(bureau, other)
    terms = [
        (await read(bureau, MANDATES_NAME, "mandate", uid))["terms"]
        for uid in (one["uid"], other["uid"])
    ]
    assert terms[0]["body"] == terms[1]["body"] != bytes(32)
    for name in ("grantor", "grantee", "record"):
        assert terms[0][name] != terms[1][name]


async def test_mandate_as_many_as_one_transaction_bears(bureau: Caller, act_list: str) -> None:
    powers = [build_power(act_list) for _ in range(9)]
    refused = await bureau.post("/mandates", {"mandates": powers}, status=400)
    assert refused["field"] == "mandates"
    await record(bureau, *powers[:8])
    for power in powers[:8]:
        assert (await read(bureau, MANDATES_NAME, "mandate", power["uid"]))["state"] == 1
    # Offices of bodies that the ledger does not know yet are dearer.
    offices = [
        build_office(act_list, body=ASSOCIATION | {"number": str(number)}) for number in range(8)
    ]
    await record(bureau, *offices)


async def test_succession_ends_offices_and_spares_powers(bureau: Caller, act_list: str) -> None:
    office, power, listed = build_office(act_list), build_power(act_list), build_power(act_list)
    await record(bureau, office, power, listed)
    effective = bureau.agency.ledger.now_s + 2
    body = {
        "body": ASSOCIATION,
        "effective": write_time(effective),
        "resolution": {"assembly": "2026-11-21"},
        "ended": [listed["uid"]],
        "offices": [
            {"grantee": {"name": "Lei Siu"}, "act_list": act_list, "acts": ["sign-contract"]}
        ],
    }
    accepted = await bureau.post("/mandates/successions", body)
    await bureau.agency.settle()
    bureau.agency.ledger.mine(5)
    (told,) = accepted["envelope"]["mandates"]
    assert accepted["record"] == f"/v1/mandates/{told['uid']}"
    assert await check(bureau, told["uid"], 0b001)
    assert await check(bureau, power["uid"], 0b100)
    with pytest.raises(Reverted, match="mandate: office ended"):
        await check(bureau, office["uid"], 0b001)
    with pytest.raises(Reverted, match="mandate: ended"):
        await check(bureau, listed["uid"], 0b100)


async def test_succession_is_for_the_agency_that_keeps_the_body(
    bureau: Caller, laboratory: Caller, act_list: str
) -> None:
    await record(bureau, build_office(act_list))
    await laboratory.put("/texts", ACT_LIST)
    body = {
        "body": ASSOCIATION,
        "effective": LATER,
        "resolution": {"assembly": "2026-11-21"},
        "offices": [{"grantee": {"name": "X"}, "act_list": act_list, "acts": ["sign-contract"]}],
    }
    # Another vault names the body by another commitment, which the ledger does not know.
    told = await explain(laboratory, "board.succeed", body)
    assert told["refusal"]["rule"] == "succession: unknown body"


async def test_mandate_ended_only_by_who_recorded_it(
    bureau: Caller, laboratory: Caller, act_list: str
) -> None:
    power = build_power(act_list)
    await record(bureau, power)
    path = f"/mandates/{power['uid']}/end"
    assert (await laboratory.post(path, {"reason": "error"}, status=403))["rule"] == (
        "mandate: not yours"
    )
    await bureau.post(path, {"reason": "holder_request"})
    await bureau.agency.settle()
    with pytest.raises(Reverted, match="mandate: ended"):
        await check(bureau, power["uid"], 0b100)


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"acts": ["sing-songs"]}, (422, "field_unknown", "mandates.0.acts.0")),
        ({"act_list": "0x" + "07" * 32}, (409, "text_missing", "mandates.0.act_list")),
        ({"kind": "regency"}, (400, "invalid_field", "mandates.0.kind")),
        ({"body": None, "grantor": None}, (400, "invalid_field", "mandates.0.grantor")),
        ({"may_delegate": True}, (422, "mandate_only_powers_are_handed_on", "mandates.0.kind")),
    ],
)
async def test_mandate_faults_are_named(
    bureau: Caller, act_list: str, changes: Any, answer: tuple[int, str, str | None]
) -> None:
    body = {"mandates": [build_office(act_list, **changes)]}
    refused = await bureau.post("/mandates", body, status=answer[0])
    assert (refused["status"], refused["code"], refused.get("field")) == answer


async def test_act_lists_of_another_shape_are_refused(bureau: Caller) -> None:
    for body in ({"title": "x", "acts": []}, {"title": "x", "acts": [{"code": "A B"}]}, {}):
        refused = await bureau.put("/texts", {"kind": "act_list", "body": body}, status=400)
        assert refused["field"].startswith("body.")
    twice = {"title": "x", "acts": [{"code": "a", "title": "A"}, {"code": "a", "title": "B"}]}
    refused = await bureau.put("/texts", {"kind": "act_list", "body": twice}, status=400)
    assert refused["field"] == "body.acts"
