"""One API over several ledgers: the same routes on each, one vault, nothing mixed."""

from hashlib import sha256

from tests.unit.ledgers.two_ledgers import (
    MACAO,
    MACAO_CHAIN_ID,
    OWN_SCHEMA,
    SHARED,
    SHARED_SCHEMA,
    TwoLedgers,
    agree,
)
from tests.unit.rest.ledger_world import Caller, open_caller


async def test_ledgers_are_listed_with_who_is_on_them(laboratory: Caller) -> None:
    listed = await laboratory.get("/ledgers")
    own, shared = listed["items"]
    assert (own["name"], own["own"], own["path"]) == (MACAO, True, "/v1/ledgers/macao")
    assert own["chain_id"] == MACAO_CHAIN_ID
    assert own["jurisdictions"] == ["MO"]
    assert own["members"] == ["mo-health-laboratory", "mo-health-bureau", "mo-audit-office"]
    assert (shared["name"], shared["own"]) == (SHARED, False)
    assert shared["jurisdictions"] == ["CN-GD", "MO"]
    assert shared["genesis_hash"] != own["genesis_hash"]
    assert own["problem"] is shared["problem"] is None


async def test_ledger_that_is_away_says_why_and_the_other_one_goes_on(
    world: TwoLedgers, laboratory: Caller
) -> None:
    world.shared.is_down = True
    own, shared = (await laboratory.get("/ledgers"))["items"]
    assert own["problem"] is None
    assert own["block"] == 0
    assert shared["problem"] == "the ledger node does not answer"
    assert shared["block"] is None
    assert (await laboratory.get("/status"))["chain_id"] == MACAO_CHAIN_ID
    await laboratory.get("/ledgers/shared/status", status=503)


async def test_the_same_routes_are_the_ledgers_own(
    world: TwoLedgers, laboratory: Caller, bureau: Caller
) -> None:
    await agree(world, laboratory, bureau)
    for path, schema, name in (
        ("", OWN_SCHEMA, MACAO),
        ("/ledgers/macao", OWN_SCHEMA, MACAO),
        ("/ledgers/shared", SHARED_SCHEMA, SHARED),
    ):
        listed = await laboratory.get(f"{path}/schemas")
        assert [(item["uid"], item["ledger"]) for item in listed["items"]] == [(schema, name)]
        assert (await laboratory.get(f"{path}/schemas/{schema}"))["ledger"] == name
    await laboratory.get(f"/ledgers/shared/schemas/{OWN_SCHEMA}", status=404)
    await laboratory.get(f"/schemas/{SHARED_SCHEMA}", status=404)


async def test_answers_name_their_ledger_and_lead_to_it(
    world: TwoLedgers, laboratory: Caller, bureau: Caller
) -> None:
    await agree(world, laboratory, bureau)
    body = {"schema_uid": SHARED_SCHEMA, "root": "0x" + sha256(b"a root").hexdigest(), "count": 5}
    accepted = await laboratory.post("/ledgers/shared/batches", body)
    assert accepted["follow"].startswith("/v1/ledgers/shared/operations/")
    assert accepted["record"].startswith("/v1/ledgers/shared/batches/")
    await world.settle()
    async with laboratory.client.get(accepted["follow"]) as response:
        operation = await response.json()
        assert response.headers["Atesta-Ledger"] == SHARED
    assert operation["state"] == "final"
    assert (operation["ledger"], operation["record"]) == (SHARED, accepted["record"])
    async with laboratory.client.get(accepted["record"]) as response:
        assert (await response.json())["ledger"] == SHARED
    assert (await laboratory.get("/operations"))["items"] == []


async def test_unknown_ledger_is_refused_with_what_there_is(laboratory: Caller) -> None:
    for path in ("/ledgers/guangdong/status", "/ledgers/guangdong/attestations/0x00"):
        problem = await laboratory.get(path, status=404)
        assert problem["code"] == "ledger_unknown"
        assert problem["field"] == "ledger"
        assert "GET /v1/ledgers" in problem["next_step"]


async def test_api_of_one_ledger_serves_it_by_name_too(
    world: TwoLedgers,
) -> None:
    caller = await open_caller(world.commission)
    try:
        (only,) = (await caller.get("/ledgers"))["items"]
        assert (only["name"], only["own"]) == (SHARED, True)
        assert (await caller.get("/ledgers/shared/status"))["genesis_hash"] == only["genesis_hash"]
        assert (await caller.get("/ledgers/macao/status", status=404))["code"] == "ledger_unknown"
    finally:
        await caller.client.close()
