"""Datasets, notices and purposes through REST: the first acts of the framework."""

import secrets
from typing import Any

import pytest

from api.acts.calls import read_contract
from api.texts.text import PublicText, TextKind
from contracts.addresses import CATALOGUE_NAME
from tests.unit.rest.ledger_world import Caller, FakeLedger

DATASET: dict[str, Any] = {
    "title": "Income bands",
    "language": "en",
    "fields": [
        {"pointer": "/income_band", "title": "Income band"},
        {"pointer": "/year", "title": "Year"},
    ],
    "sharing": "conditional",
    "sensitivity": "sensitive",
    "conditions": {"text": "Only for means-tested benefits."},
}
NOTICE = {"title": "Your data", "language": "zh-Hant", "text": "我們只查詢一次。"}
PURPOSE = {"code": "housing-subsidy", "title": "Deciding a housing subsidy", "language": "en"}


def make_uid() -> str:
    return "0x" + secrets.token_hex(32)


async def test_catalogue_dataset_reaches_the_ledger_with_its_texts(bureau: Caller) -> None:
    accepted = await bureau.post("/datasets", DATASET)
    await bureau.agency.settle()
    operation = await bureau.get(f"/operations/{accepted['operation']}")
    assert (operation["kind"], operation["state"]) == ("dataset.register", "final")
    assert accepted["record"] == f"/v1/datasets/{accepted['uid']}"
    record = await read_contract(
        bureau.agency.services.ledger, CATALOGUE_NAME, "dataset", bytes.fromhex(accepted["uid"][2:])
    )
    terms = record["terms"]
    assert (terms["sharing"], terms["sensitivity"], terms["field_count"]) == (2, 2, 2)
    fields = await bureau.get(f"/texts/0x{terms['fields_hash'].hex()}")
    assert fields["body"] == {"title": "Income bands", "fields": DATASET["fields"]}
    conditions = await bureau.get(f"/texts/0x{terms['conditions_hash'].hex()}")
    assert (conditions["kind"], conditions["body"]) == ("conditions", DATASET["conditions"])
    assert terms["legal_reference"] == bytes(32)


async def test_catalogue_states_and_successors(bureau: Caller) -> None:
    ledger = bureau.agency.services.ledger
    first = await bureau.post("/notices", NOTICE)
    await bureau.agency.settle()
    second = await bureau.post("/notices", NOTICE | {"previous": first["uid"]})
    purpose = await bureau.post("/purposes", PURPOSE)
    await bureau.agency.settle()
    await bureau.post(
        f"/purposes/{purpose['uid']}/state", {"state": "suspended", "reason": "ended_by_law"}
    )
    await bureau.agency.settle()
    older, newer, suspended = [
        await read_contract(ledger, CATALOGUE_NAME, "text", bytes.fromhex(made["uid"][2:]))
        for made in (first, second, purpose)
    ]
    assert (older["state"], newer["state"], newer["version"]) == (4, 1, 2)
    assert newer["language"].rstrip(b"\0") == b"zh-Hant"
    assert (suspended["kind"], suspended["state"], suspended["reason"]) == (8, 2, 3)


@pytest.mark.parametrize(
    ("change", "rule", "status"),
    [
        ({"sharing": "conditional", "conditions": None}, "dataset: conditions missing", 422),
        ({"sharing": "not_shared"}, "dataset: legal reference missing", 422),
        ({"previous": "0x" + "11" * 32}, "dataset: previous unknown", 422),
    ],
)
async def test_catalogue_refusals_name_their_rule_and_are_explained_alike(
    bureau: Caller, change: dict[str, Any], rule: str, status: int
) -> None:
    body = DATASET | change
    explained = await bureau.post("/explain", {"act": "dataset.register", "body": body}, status=200)
    refused = await bureau.post("/datasets", body, status=status)
    assert refused["rule"] == rule
    assert explained["allowed"] is False
    told = {name: value for name, value in explained["refusal"].items() if value is not None}
    assert told == {name: value for name, value in refused.items() if name != "instance"}


async def test_catalogue_only_the_owner_changes_a_state(bureau: Caller, commission: Caller) -> None:
    made = await bureau.post("/datasets", DATASET)
    await bureau.agency.settle()
    change = {"state": "revoked", "reason": "error"}
    refused = await commission.post(f"/datasets/{made['uid']}/state", change, status=403)
    assert refused["rule"] == "dataset: not yours"
    explained = await commission.post(
        "/explain",
        {"act": "dataset.state", "path": {"uid": made["uid"]}, "body": change},
        status=200,
    )
    assert explained["refusal"]["rule"] == "dataset: not yours"


async def test_catalogue_key_is_bound_to_the_body(bureau: Caller) -> None:
    first = await bureau.post("/purposes", PURPOSE, key="one")
    again = await bureau.post("/purposes", PURPOSE, key="one")
    other = await bureau.post("/purposes", PURPOSE | {"title": "Other"}, key="one", status=409)
    assert first == again
    assert other["code"] == "idempotency_key_reused"


async def test_catalogue_uid_is_promised_once(bureau: Caller) -> None:
    uid = make_uid()
    await bureau.post("/datasets", DATASET | {"uid": uid})
    assert (await bureau.post("/datasets", DATASET | {"uid": uid}, status=409))[
        "code"
    ] == "uid_exists"
    await bureau.agency.settle()
    refused = await bureau.post("/datasets", DATASET | {"uid": uid}, status=409)
    assert refused["code"] == "uid_exists"


async def test_explain_changes_nothing(bureau: Caller, ledger: FakeLedger) -> None:
    answer = await bureau.post("/explain", {"act": "purpose.publish", "body": PURPOSE}, status=200)
    assert answer["allowed"] is True
    text = PublicText(kind=TextKind.PURPOSE, language="en", body=PURPOSE_TEXT)
    assert answer["facts"] == {"text": "0x" + text.hash.hex()}
    await bureau.agency.settle()
    assert (await bureau.get("/operations"))["items"] == []
    assert ledger.sent == 0
    await bureau.get(f"/texts/0x{text.hash.hex()}", status=404)


PURPOSE_TEXT = {
    "code": "housing-subsidy",
    "title": "Deciding a housing subsidy",
    "description": "",
}


async def test_explain_names_faults_of_the_body_like_the_route(bureau: Caller) -> None:
    body = PURPOSE | {"colour": "red"}
    explained = await bureau.post("/explain", {"act": "purpose.publish", "body": body}, status=200)
    refused = await bureau.post("/purposes", body, status=400)
    assert (refused["code"], refused["field"]) == ("invalid_field", "colour")
    assert explained["refusal"]["field"] == "colour"
    unknown = await bureau.post("/explain", {"act": "purpose.paint", "body": {}}, status=404)
    assert unknown["code"] == "act_not_found"
    missing = await bureau.post(
        "/explain",
        {"act": "purpose.state", "body": {"state": "revoked", "reason": "error"}},
        status=200,
    )
    assert missing["refusal"]["field"] == "path.uid"


async def test_texts_are_kept_by_their_hash(bureau: Caller, commission: Caller) -> None:
    text = {"kind": "law", "language": "pt", "body": {"law": "Lei 8/2005", "article": "6.º"}}
    stored = await commission.put("/texts", text)
    assert stored == text | {"hash": stored["hash"]}
    assert await commission.get(f"/texts/{stored['hash']}") == stored
    assert (await commission.put("/texts", text)) == stored
    other = await commission.put("/texts", text | {"language": None})
    assert other["hash"] != stored["hash"]
    assert (await bureau.get(f"/texts/{stored['hash']}", status=404))["code"] == "text_missing"
