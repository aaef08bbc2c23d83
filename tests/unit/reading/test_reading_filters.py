"""Lists by agency, dataset, purpose, basis, state and time, for every kind of record there is."""

from typing import Any, Final

import pytest

from api.openapi.document import build_document
from api.reading.table import COLLECTIONS
from api.rest.values import parse_time
from tests.contracts import consent_harness, exchange_harness, mandate_harness
from tests.contracts.contract_harness import FIRST_SCHEMA, bureau, uid_of
from tests.contracts.law_harness import (
    CONDITIONAL,
    CONSENT_BASIS,
    INSTRUMENT,
    NOTICE,
    ORDINARY,
    OTHER_PURPOSE,
    PURPOSE,
    SENSITIVE,
    STATUTE_BASIS,
)
from tests.contracts.test_contracts_policies import put_in_force
from tests.contracts.test_contracts_stops import stop_args
from tests.engines import ON_BOTH_ENGINES
from tests.unit.reading.conftest import SUPERVISOR, write_uid
from tests.unit.rest.ledger_world import Caller

BUREAU = "mo-health-bureau"
LABORATORY = "mo-health-laboratory"
COMMISSION = "gd-health-commission"
SUPERVISING = "mo-audit-office"
NOBODY = "mo-health-labratory"
UNKNOWN = uid_of(0xABCDEF)
STOP = uid_of(1200)
BASIS_STOP = uid_of(1201)
TIMES: Final = {"from", "until"}

FOUND: Final[dict[str, dict[str, str]]] = {
    "datasets": {"agency": BUREAU, "state": "active"},
    "notices": {"agency": BUREAU, "state": "active"},
    "purposes": {"agency": BUREAU, "state": "active"},
    "bases": {
        "agency": SUPERVISING,
        "dataset": write_uid(ORDINARY),
        "purpose": write_uid(PURPOSE),
        "state": "active",
    },
    "instruments": {"agency": COMMISSION, "dataset": write_uid(ORDINARY), "state": "active"},
    "stops": {
        "agency": SUPERVISING,
        "dataset": write_uid(CONDITIONAL),
        "basis": write_uid(CONSENT_BASIS),
        "state": "active",
    },
    "consents": {
        "agency": LABORATORY,
        "dataset": write_uid(ORDINARY),
        "purpose": write_uid(PURPOSE),
        "state": "active",
    },
    "key-bindings": {"agency": LABORATORY, "state": "active"},
    "exchanges": {
        "agency": LABORATORY,
        "dataset": write_uid(ORDINARY),
        "purpose": write_uid(PURPOSE),
        "basis": write_uid(STATUTE_BASIS),
        "state": "approved",
    },
    "periods": {
        "agency": LABORATORY,
        "dataset": write_uid(ORDINARY),
        "purpose": write_uid(PURPOSE),
        "basis": write_uid(STATUTE_BASIS),
        "state": "begun",
    },
    "mandates": {"agency": BUREAU, "state": "active"},
    "bodies": {"agency": BUREAU, "state": "active"},
    # Proposed by the bureau and signed by the commission: both sides find it.
    "policies": {"agency": COMMISSION, "state": "active"},
    "posts": {"agency": BUREAU, "state": "active"},
}
"""By which of the six each list is narrowed (time is for all), with a value that finds something.

A dataset has no purpose and no basis; neither has a mandate, a body, a post, a key or a policy; a
consent is found by what it is for, the basis that asks for it stands in the exchange.
"""

OTHERS: Final[dict[str, str]] = {
    "dataset": write_uid(SENSITIVE),
    "purpose": write_uid(OTHER_PURPOSE),
}
"""What there is, but what no record of the world is about."""


@pytest.fixture
async def world(stage: Any, reader: Caller) -> Caller:
    """A ledger with one of every kind at least."""
    consent_harness.give(stage)
    exchange_harness.request_standing(stage)
    exchange_harness.act(stage, bureau, "begin_period", 3)
    for uid, kind, subject in ((STOP, 1, CONDITIONAL), (BASIS_STOP, 3, CONSENT_BASIS)):
        args = stop_args(stage, uid=uid, kind=kind, subject=subject)
        stage.do(SUPERVISOR, "bases", "stop", args)
    mandate_harness.record(stage, mandate_harness.build_office())
    stage.do(bureau, "mandates", "succeed", mandate_harness.succeed_args(stage, uid_of(6200)))
    schema = [FIRST_SCHEMA, uid_of(12), uid_of(13), 4, stage.now, bytes(32)]
    stage.do(bureau, "schemas", "register", schema)
    put_in_force(stage)
    stage.do(bureau, "posts", "establish", [uid_of(8001), uid_of(8002), stage.now])
    await reader.agency.services.index.catch_up()
    return reader


async def list_uids(reader: Caller, path: str, query: str) -> list[str]:
    return [item["uid"] for item in (await reader.get(f"/{path}?{query}"))["items"]]


def write(seconds: int) -> str:
    return parse_time(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


@ON_BOTH_ENGINES
async def test_filters_find_what_they_name_in_every_list(world: Caller, stage: Any) -> None:
    assert FOUND.keys() == {collection.path for collection in COLLECTIONS}
    for path, filters in FOUND.items():
        everything = await list_uids(world, path, "limit=500")
        assert everything, path
        for name, value in filters.items():
            found = await list_uids(world, path, f"{name}={value}")
            assert found, f"{path} by {name}"
            assert set(found) <= set(everything)
        for name in OTHERS.keys() & filters.keys():
            if (path, name) == ("bases", "dataset"):
                continue  # the bases of this world are for all datasets
            assert await list_uids(world, path, f"{name}={OTHERS[name]}") == [], f"{path} {name}"
        began, ended = write(stage.now - 86_400), write(stage.now + 86_400)
        assert await list_uids(world, path, f"from={began}&until={ended}") == everything
        assert await list_uids(world, path, f"until={began}") == []
        assert await list_uids(world, path, f"from={ended}") == []
        assert (await world.get(f"/{path}?from={ended}&until={began}", status=400))["field"] == (
            "until"
        )
        paged, cursor = [], ""
        for _ in everything:
            page = await world.get(f"/{path}?limit=1{cursor}")
            paged += [item["uid"] for item in page["items"]]
            cursor = f"&cursor={page['next']}"
        assert (paged, page["next"]) == (everything, None)


async def test_filter_by_what_is_not_there_is_refused_and_named(world: Caller) -> None:
    for collection in COLLECTIONS:
        for entry in collection.filters:
            if not entry.target:
                continue
            value = NOBODY if entry.is_party else write_uid(UNKNOWN)
            refused = await world.get(f"/{collection.path}?{entry.name}={value}", status=422)
            where = f"{collection.path} by {entry.name}"
            assert refused["code"] == f"{entry.target}_not_found", where
            assert refused["field"] == entry.name, where
            assert "GET /v1/" in refused["next_step"], where
            assert value not in str(refused), where


async def test_filter_by_what_is_there_but_has_none_is_an_empty_list(world: Caller) -> None:
    assert await list_uids(world, "key-bindings", f"agency={COMMISSION}") == []
    assert await list_uids(world, "exchanges", f"instrument={write_uid(INSTRUMENT)}") == []
    assert await list_uids(world, "consents", f"notice={write_uid(NOTICE)}&state=revoked") == []
    assert await list_uids(world, "stops", f"dataset={write_uid(ORDINARY)}") == []
    assert await list_uids(world, "mandates", f"body={write_uid(mandate_harness.BODY)}") != []


async def test_stops_and_periods_are_found_by_what_they_are_about(world: Caller) -> None:
    assert await list_uids(world, "stops", f"dataset={write_uid(CONDITIONAL)}") == [write_uid(STOP)]
    assert await list_uids(world, "stops", f"basis={write_uid(CONSENT_BASIS)}") == [
        write_uid(BASIS_STOP)
    ]
    assert await list_uids(world, "periods", f"dataset={write_uid(CONDITIONAL)}") == []


async def test_policy_is_found_by_both_sides_once_both_have_signed(world: Caller) -> None:
    (policy,) = await list_uids(world, "policies", f"agency={COMMISSION}")
    assert await list_uids(world, "policies", f"agency={BUREAU}") == [policy]
    assert await list_uids(world, "policies", f"agency={SUPERVISING}") == []


async def test_other_lists_refuse_agencies_and_schemas_that_are_not_there(world: Caller) -> None:
    nobody = "0x" + NOBODY.encode().ljust(32, b"\0").hex()
    for path, name, value, code in (
        ("/attestations", "issuer", nobody, "agency_not_found"),
        ("/attestations", "schema", write_uid(UNKNOWN), "schema_not_found"),
        ("/batches", "issuer", nobody, "agency_not_found"),
        ("/batches", "schema", write_uid(UNKNOWN), "schema_not_found"),
        ("/schemas", "owner", nobody, "agency_not_found"),
        ("/credentials", "schema", write_uid(UNKNOWN), "schema_not_found"),
        ("/events", "agency", NOBODY, "agency_not_found"),
        ("/events/stream", "agency", NOBODY, "agency_not_found"),
        ("/alerts", "agency", NOBODY, "agency_not_found"),
    ):
        refused = await world.get(f"{path}?{name}={value}", status=422)
        assert (refused["code"], refused["field"]) == (code, name), path
    body = {"url": "https://hooks.example.org/a", "agency": NOBODY}
    refused = await world.post("/webhooks", body, status=422)
    assert (refused["code"], refused["field"]) == ("agency_not_found", "agency")
    assert (await world.get("/webhooks"))["items"] == []
    assert (await world.get(f"/schemas?owner={nobody}", status=422))["next_step"]
    assert (await world.get("/batches?state=revoked"))["items"] == []


def test_filters_stand_in_the_document() -> None:
    paths = build_document()["paths"]
    for path, filters in FOUND.items():
        operation = paths[f"/{path}"]["get"]
        named = {entry["name"] for entry in operation["parameters"]}
        assert named >= filters.keys() | TIMES | {"limit", "cursor"}, path
        assert "422" in operation["responses"], path
