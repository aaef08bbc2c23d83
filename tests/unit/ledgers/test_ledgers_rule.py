"""The rule which ledger a record belongs on, as an API of several ledgers applies it."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.rest import ledger_rule
from contracts.labels import encode_label
from tests.unit.ledgers.two_ledgers import (
    DOCUMENT,
    MACAO,
    OWN_SCHEMA,
    SHARED,
    SHARED_SCHEMA,
    TwoLedgers,
    agree,
)
from tests.unit.rest.ledger_world import Caller, open_caller

DATASET = "0x" + "d1" * 32
PURPOSE = "0x" + "d2" * 32
BASIS = "0x" + "d3" * 32


def ask(provider: str) -> dict[str, Any]:
    """Return the body of a request to a provider; what it names does not exist on any ledger."""
    return {
        "provider": provider,
        "dataset": DATASET,
        "fields": ["/income_band"],
        "purpose": PURPOSE,
        "basis": BASIS,
        "mode": "once",
        "channel": "online",
        "case": "C-1",
        "officer": {"number": "12"},
        "due": "2027-01-01T00:00:00Z",
        "retention_until": "2028-01-01T00:00:00Z",
    }


async def send(caller: Caller, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the refusal of a request that lacks too much to be accepted anywhere."""
    headers = {"Idempotency-Key": "once"}
    async with caller.client.post("/v1" + path, json=body, headers=headers) as response:
        assert response.status >= 400
        told: dict[str, Any] = await response.json()
        return told


async def explain(caller: Caller, place: str, provider: str) -> dict[str, Any]:
    body = {"act": "exchange.request", "path": {}, "body": ask(provider)}
    answer: dict[str, Any] = await caller.post(f"{place}/explain", body, status=200)
    return answer


async def test_what_lies_within_macao_is_refused_on_the_shared_ledger(laboratory: Caller) -> None:
    body = ask("mo-health-bureau")
    problem = await laboratory.post("/ledgers/shared/exchanges", body, status=409)
    assert (problem["code"], problem["field"]) == ("ledger_wrong", "ledger")
    assert problem["ledger"] == MACAO
    assert "/v1/ledgers/macao" in problem["next_step"]
    # On its own ledger the rule lets it through, to what else is wrong with it.
    at_home = await send(laboratory, "/exchanges", body)
    assert at_home["code"] != "ledger_wrong"


async def test_what_crosses_is_refused_on_macaos_own_ledger(laboratory: Caller) -> None:
    problem = await laboratory.post("/exchanges", ask("gd-health-commission"), status=409)
    assert (problem["code"], problem["ledger"]) == ("ledger_wrong", SHARED)
    crossing = ask("gd-health-commission")
    beyond = await send(laboratory, "/ledgers/shared/exchanges", crossing)
    assert beyond["code"] != "ledger_wrong"


async def test_parties_of_a_jurisdiction_without_ledger_here_are_refused(
    world: TwoLedgers,
) -> None:
    commission = encode_label("gd-health-commission")
    shared = world.get(world.laboratory, SHARED)
    with pytest.raises(ledger_rule.LedgerRefused) as caught:
        await ledger_rule.check_parties(shared, {"provider": commission, "recipient": commission})
    assert (caught.value.code, caught.value.field) == ("own_ledger_missing", "provider")
    assert "CN-GD" in str(caught.value.next_step)
    # Nobody's registry has this one: the contract refuses it.
    await ledger_rule.check_parties(shared, {"provider": encode_label("nobody")})


async def test_explain_says_the_right_ledger(laboratory: Caller) -> None:
    told = await explain(laboratory, "/ledgers/shared", "mo-health-bureau")
    assert told["allowed"] is False
    assert told["refusal"]["code"] == "ledger_wrong"
    assert told["refusal"]["ledger"] == MACAO


async def test_credential_is_attested_on_the_shared_ledger_only_when_asked(
    world: TwoLedgers, laboratory: Caller, bureau: Caller
) -> None:
    await agree(world, laboratory, bureau)
    body = {"schema_uid": SHARED_SCHEMA, "document": DOCUMENT}
    problem = await laboratory.post("/ledgers/shared/attestations", body, status=409)
    assert (problem["code"], problem["ledger"]) == ("publish_request_missing", MACAO)
    await laboratory.post("/attestations", {"schema_uid": OWN_SCHEMA, "document": DOCUMENT})
    # Under a sealed root it may stand there.
    made = await laboratory.post("/ledgers/shared/credentials", body, status=201)
    sealed = {"schema_uid": SHARED_SCHEMA, "members": [made["uid"]]}
    await laboratory.post("/ledgers/shared/batches", sealed)
    await world.settle()


async def test_api_of_one_ledger_does_not_judge(world: TwoLedgers) -> None:
    caller = await open_caller(world.commission)
    try:
        body = ask("gd-health-commission")
        problem = await send(caller, "/exchanges", body)
        assert problem["code"] not in {"ledger_wrong", "own_ledger_missing"}
    finally:
        await caller.client.close()


async def test_rule_goes_on_while_the_other_ledger_is_away(
    world: TwoLedgers, laboratory: Caller
) -> None:
    await laboratory.get("/ledgers")
    world.shared.is_down = True
    at_home = await send(laboratory, "/exchanges", ask("mo-health-bureau"))
    assert at_home["code"] != "ledger_wrong"
    crossing = await laboratory.post("/exchanges", ask("gd-health-commission"), status=409)
    assert crossing["ledger"] == SHARED


PLACES = st.frozensets(st.sampled_from([b"A", b"B", b"C"]), min_size=1)


@given(
    ledgers=st.lists(PLACES, min_size=1, max_size=4, unique=True),
    asked=st.integers(0, 3),
    involved=PLACES,
)
def test_chosen_ledger_has_all_parties_and_the_fewest_others(
    ledgers: list[frozenset[bytes]], asked: int, involved: frozenset[bytes]
) -> None:
    services: list[Any] = [SimpleNamespace(ledger_name=str(n)) for n in range(len(ledgers))]
    candidates = [
        ledger_rule._Candidate(services=one, jurisdictions={place: place for place in places})
        for one, places in zip(services, ledgers, strict=True)
    ]
    chosen = ledger_rule._choose(candidates, services[asked % len(services)], involved)
    fitting = [places for places in ledgers if involved <= places]
    if len(involved) == 1:
        fitting = [places for places in fitting if places == involved]
    if not fitting:
        assert chosen is None
        return
    assert chosen is not None
    places = ledgers[services.index(chosen)]
    assert involved <= places
    assert len(places) == min(map(len, fitting))
