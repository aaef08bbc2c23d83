"""Standing and bulk exchanges through REST: periods, statements, the leaf that differs."""

import hashlib
from typing import Any

import pytest
from atesta_client.statements import compare_deliveries, compute_delivery_leaf, make_statement

from api.access.callers import Caller as AccessCaller
from api.access.callers import Role
from api.acts.performing import rehearse
from api.acts.table import get_act
from tests.unit.acts.exchange_world import Law, ask, build_request, do, look, make_law, release
from tests.unit.acts.law_world import LATER, read, write_time
from tests.unit.rest.ledger_world import Caller

PERIOD = 202611


@pytest.fixture
async def law(bureau: Caller, laboratory: Caller, supervisor: Caller) -> Law:
    return await make_law(bureau, supervisor, laboratory, kind="statute")


@pytest.fixture
async def exchange(laboratory: Caller, law: Law) -> str:
    """A bulk exchange that was asked for and, needing no decision, approved."""
    bulk = {"mode": "bulk", "subject": None, "valid_until": LATER}
    return str((await ask(laboratory, law, **bulk))["uid"])


def make_deliveries(count: int) -> list[str]:
    return ["0x" + hashlib.sha256(b"%d" % number).hexdigest() for number in range(count)]


async def begin(bureau: Caller, exchange: str) -> str:
    path = f"/exchanges/{exchange}/periods/{PERIOD}"
    await do(bureau, path, {})
    return path


async def test_period_agreed_by_both_sides(
    bureau: Caller, laboratory: Caller, exchange: str
) -> None:
    path = await begin(bureau, exchange)
    deliveries = make_deliveries(5)
    stated = await do(bureau, f"{path}/statement", {"deliveries": deliveries})
    assert stated["envelope"]["count"] == 5
    # The other side gives count and root, from the client library.
    statement = make_statement(
        exchange=bytes.fromhex(exchange[2:]),
        period=PERIOD,
        commitments=[bytes.fromhex(text[2:]) for text in deliveries],
    )
    body = {"count": statement.count, "root": "0x" + statement.root.hex()}
    assert body["root"] == stated["envelope"]["root"]
    text = "0x" + b"Maria do Rosario dos Santos Silv".hex()
    disguised = body | {"root": text}
    refused = await laboratory.post(f"{path}/statement", disguised, status=400)
    assert (refused["code"], refused["field"]) == ("invalid_field", "root")
    accepted = await do(laboratory, f"{path}/statement", body)
    assert (stated["unopened"], accepted["unopened"]) == (False, True)
    period = await look(laboratory, accepted["record"].removeprefix("/v1"))
    assert (period["state"], period["stated_by_provider"]["count"]) == ("agreed", 5)
    again = await laboratory.post(f"{path}/statement", body, status=409)
    assert again["rule"] == "period: already agreed"
    await do(laboratory, f"/exchanges/{exchange}/end", {"reason": "ended_by_law"})
    late = await bureau.post(f"/exchanges/{exchange}/periods/202612", {}, status=422)
    assert late["rule"] == "exchange: not approved"


async def test_period_without_deliveries_is_agreed(
    bureau: Caller, laboratory: Caller, exchange: str
) -> None:
    path = await begin(bureau, exchange)
    await do(bureau, f"{path}/statement", {"deliveries": []})
    accepted = await do(laboratory, f"{path}/statement", {"count": 0})
    period = await look(laboratory, accepted["record"].removeprefix("/v1"))
    assert (period["state"], period["stated_by_provider"]["root"]) == ("agreed", None)


# The test's own client, which has nothing else to do.
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_period_with_one_altered_and_one_missing_leaf_among_50000(
    bureau: Caller, laboratory: Caller, exchange: str
) -> None:
    path = await begin(bureau, exchange)
    sent = make_deliveries(50_000)
    received = [*sent[:17], "0x" + "17" * 32, *sent[18:-1]]
    await do(bureau, f"{path}/statement", {"deliveries": sent})
    accepted = await do(laboratory, f"{path}/statement", {"deliveries": received})
    period = await look(laboratory, accepted["record"].removeprefix("/v1"))
    assert period["state"] == "mismatched"
    assert period["stated_by_requester"]["count"] == 49_999
    differences = compare_deliveries(
        [text.encode() for text in sent], [text.encode() for text in received]
    )
    assert [(one.kind, one.provider_index) for one in differences] == [
        ("altered", 17),
        ("missing", 49_999),
    ]
    for index in (17, 49_999):
        for side in (bureau, laboratory):
            await do(side, f"{path}/leaves", {"index": index})
    altered = await read(bureau, "exchanges", "named_leaf", exchange, PERIOD, 17)
    assert altered["is_provider_named"]
    assert altered["is_requester_named"]
    assert altered["requester_leaf"] == compute_delivery_leaf(
        exchange=bytes.fromhex(exchange[2:]), period=PERIOD, commitment=bytes([0x17]) * 32
    )
    missing = await read(bureau, "exchanges", "named_leaf", exchange, PERIOD, 49_999)
    assert missing["requester_leaf"] == bytes(32) != missing["provider_leaf"]
    same = await laboratory.post(f"{path}/leaves", {"index": 17}, status=409)
    assert same["rule"] == "period: leaf already named"
    # The requester corrects itself, and the period is agreed.
    await do(laboratory, f"{path}/statement", {"deliveries": sent})
    assert (await look(bureau, accepted["record"].removeprefix("/v1")))["state"] == "agreed"


async def test_period_leaf_is_proved_from_a_list_kept_elsewhere(
    bureau: Caller, laboratory: Caller, exchange: str
) -> None:
    path = await begin(bureau, exchange)
    uid = bytes.fromhex(exchange[2:])
    commitments = [bytes.fromhex(text[2:]) for text in make_deliveries(9)]
    statement = make_statement(exchange=uid, period=PERIOD, commitments=commitments)
    early = await bureau.post(f"{path}/leaves", {"index": 3}, status=422)
    assert early["rule"] == "period: no mismatch"
    stated = {"count": 9, "root": "0x" + statement.root.hex()}
    await do(bureau, f"{path}/statement", stated)
    await do(laboratory, f"{path}/statement", {"deliveries": make_deliveries(3)})
    unknown = await bureau.post(f"{path}/leaves", {"index": 3}, status=409)
    assert unknown["code"] == "deliveries_unknown"
    leaf = "0x" + statement.tree.levels[0][3].hex()
    proof = ["0x" + part.hex() for part in statement.tree.compute_path(3)]
    wrong = {"index": 4, "leaf": leaf, "proof": proof}
    refused = await bureau.post(f"{path}/leaves", wrong, status=422)
    assert (refused["rule"], refused["field"]) == ("period: leaf not under the root", "proof")
    await do(bureau, f"{path}/leaves", {"index": 3, "leaf": leaf, "proof": proof})
    surplus = {"index": 3, "leaf": leaf, "proof": proof}
    assert (await laboratory.post(f"{path}/leaves", surplus, status=400))["field"] == "leaf"
    beyond = await laboratory.post(f"{path}/leaves", {"index": 9}, status=422)
    assert beyond["rule"] == "period: no such leaf"


async def test_period_is_begun_by_the_provider_while_the_law_covers_it(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    ledger = bureau.agency.ledger
    ending = write_time(ledger.now_s + 60)
    law = await make_law(bureau, supervisor, laboratory, kind="statute", valid_until=ending)
    standing: dict[str, Any] = {"mode": "standing", "subject": None, "valid_until": LATER}
    asked = await ask(laboratory, law, **standing)
    path = f"/exchanges/{asked['uid']}/periods/1"
    assert (await laboratory.post(path, {}, status=403))["rule"] == "exchange: not yours"
    await do(bureau, path, {})
    assert (await bureau.post(path, {}, status=409))["rule"] == "period: already begun"
    by_release = await release(bureau, asked, status=422)
    assert by_release["rule"] == "exchange: released by periods"
    ledger.mine(period_s=100)
    expired = await bureau.post(f"/exchanges/{asked['uid']}/periods/2", {}, status=422)
    assert (expired["rule"], "legal_reference" in expired) == ("basis: expired", True)
    none = await bureau.post(f"/exchanges/{law.basis}/periods/1", {}, status=404)
    assert none["code"] == "exchange_not_found"
    number = await bureau.post(f"/exchanges/{asked['uid']}/periods/x", {}, status=400)
    assert number["field"] == "period"
    once = await laboratory.post("/exchanges", build_request(law), status=422)
    assert once["rule"] == "basis: expired"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"count": 1},
        {"count": 0, "root": "0x" + "01" * 32},
        {"deliveries": [], "count": 0},
        {"deliveries": ["0x01"]},
    ],
)
async def test_period_statement_has_one_form(bureau: Caller, exchange: str, body: Any) -> None:
    path = f"/exchanges/{exchange}/periods/{PERIOD}/statement"
    assert (await bureau.post(path, body, status=400))["code"] == "invalid_field"


async def test_period_root_that_nobody_opened_needs_its_role(
    laboratory: Caller, exchange: str
) -> None:
    services = laboratory.agency.services
    body = {"count": 2, "root": "0x" + "5a" * 32}
    path = {"uid": exchange, "period": str(PERIOD)}
    for roles, needed in ((frozenset({Role.OFFICER}), True), (frozenset(Role), False)):
        caller = AccessCaller(name="officer", roles=roles)
        tried = await rehearse(
            services, get_act("statement.make"), caller=caller, path=path, body=body
        )
        is_forbidden = tried.refusal is not None and tried.refusal.code == "forbidden"
        assert is_forbidden == needed
