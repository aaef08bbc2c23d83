"""The story of an exchange and of a consent, as JSON and as PROV-JSON that others read."""

import json
from collections import Counter
from typing import Any

from prov.model import (
    ProvActivity,
    ProvAgent,
    ProvAssociation,
    ProvCommunication,
    ProvDocument,
    ProvEntity,
    ProvInvalidation,
    ProvUsage,
)

from tests.contracts import consent_harness, exchange_harness
from tests.contracts.contract_harness import BUREAU, LABORATORY, bureau, laboratory, uid_of
from tests.contracts.exchange_harness import GENERAL, REQUEST, RESPONSE
from tests.contracts.law_harness import CONSENT_BASIS, NOTICE, ORDINARY, PURPOSE
from tests.engines import ON_BOTH_ENGINES
from tests.unit.reading.conftest import EXCHANGE, reader, stage, write_uid
from tests.unit.rest.ledger_world import Caller

__all__ = ["reader", "stage"]


async def tell_exchange(stage: Any, reader: Caller) -> dict[str, Any]:
    """Let an exchange by consent run to its end, withdraw the consent, and ask for the story."""
    exchange_harness.request(stage, **exchange_harness.by_consent(stage))
    exchange_harness.act(stage, bureau, "release", REQUEST, RESPONSE)
    exchange_harness.act(stage, laboratory, "acknowledge", RESPONSE)
    stage.pass_time(5)
    stage.do(bureau, "consents", "withdraw", [GENERAL, uid_of(9), stage.now, stage.now])
    await reader.agency.services.index.catch_up()
    told: dict[str, Any] = await reader.get(f"/provenance/{EXCHANGE}")
    return told


@ON_BOTH_ENGINES
async def test_story_of_an_exchange_names_all_that_it_rests_on(stage: Any, reader: Caller) -> None:
    told = await tell_exchange(stage, reader)
    entities = {entity["id"]: entity for entity in told["entities"]}
    assert told["entities"][0]["id"] == EXCHANGE
    for uid in (ORDINARY, PURPOSE, NOTICE, CONSENT_BASIS, GENERAL):
        assert write_uid(uid) in entities
    assert entities[EXCHANGE]["names"]["consent"] == [write_uid(GENERAL)]
    acts = [(act["type"], act["state"]) for act in told["activities"]]
    assert ("exchange.requested", "requested") in acts
    assert ("exchange.state", "received") in acts
    assert acts[-1] == ("consent.withdrawn", "revoked")
    withdrawal = told["activities"][-1]
    assert withdrawal["invalidated"] == [write_uid(GENERAL)]


async def test_story_names_who_acted_by_the_key_that_signed(stage: Any, reader: Caller) -> None:
    told = await tell_exchange(stage, reader)
    requester, provider = (write_uid(agency) for agency in (LABORATORY, BUREAU))
    actors = {(act["type"], act["state"]): act["agent"] for act in told["activities"]}
    assert actors["exchange.requested", "requested"] == requester
    assert actors["exchange.state", "released"] == provider
    assert actors["exchange.state", "received"] == requester


async def test_story_of_a_consent_by_a_resident_s_key_names_the_key(
    stage: Any, reader: Caller
) -> None:
    consent_harness.give(stage, uid_of(777))
    await reader.agency.services.index.catch_up()
    path = f"/provenance/{write_uid(uid_of(777))}"
    told = await reader.get(path)
    (given,) = [act for act in told["activities"] if act["type"] == "consent.given"]
    assert given["agent"] == "0x" + "00" * 12 + given["key"][2:]
    written = await reader.get(f"{path}?format=prov-json")
    resident = written["agent"][f"atesta:resident-{given['agent']}"]
    assert "atesta:resident" in json.dumps(resident)


async def test_story_of_a_consent_tells_who_used_it(stage: Any, reader: Caller) -> None:
    await tell_exchange(stage, reader)
    told = await reader.get(f"/provenance/{write_uid(GENERAL)}")
    assert EXCHANGE in {entity["id"] for entity in told["entities"]}
    dataset = await reader.get(f"/provenance/{write_uid(ORDINARY)}")
    assert [entity["type"] for entity in dataset["entities"]] == ["dataset"]


async def test_prov_json_is_read_back_with_the_same_meaning(stage: Any, reader: Caller) -> None:
    told = await tell_exchange(stage, reader)
    written = await reader.get(f"/provenance/{EXCHANGE}?format=prov-json")
    document = ProvDocument.deserialize(content=json.dumps(written), format="json")
    counts = Counter(type(record) for record in document.get_records())
    assert counts[ProvAgent] == len(told["agents"])
    # The exchange is an activity, not an entity; what it released is an entity of its own.
    assert counts[ProvEntity] == len(told["entities"])
    assert counts[ProvActivity] == len(told["activities"]) + 1
    text = document.get_provn()
    exchange = f"atesta:exchange-{EXCHANGE}"
    for kind, uid in (("dataset", ORDINARY), ("consent", GENERAL), ("basis", CONSENT_BASIS)):
        assert f"used({exchange}, atesta:{kind}-{write_uid(uid)}" in text
    assert f"wasGeneratedBy(atesta:response-{EXCHANGE}, {exchange}" in text
    roles = {
        str(next(iter(record.get_attribute("prov:role")), ""))
        for record in document.get_records(ProvAssociation)
    }
    assert roles >= {"atesta:requester", "atesta:provider"}
    (ended,) = document.get_records(ProvInvalidation)
    assert f"atesta:consent-{write_uid(GENERAL)}" in str(ended)
    assert counts[ProvUsage] > 3
    assert counts[ProvCommunication] > 0


async def test_unknown_format_and_record_are_refused(stage: Any, reader: Caller) -> None:
    refused = await reader.get(f"/provenance/{EXCHANGE}?format=xml", status=400)
    assert refused["field"] == "format"
    await reader.get(f"/provenance/{EXCHANGE}", status=404)


async def test_agents_are_called_by_their_labels_in_both_forms(stage: Any, reader: Caller) -> None:
    told = await tell_exchange(stage, reader)
    names = {agent["id"]: agent["name"] for agent in told["agents"]}
    assert names[write_uid(BUREAU)] == "mo-health-bureau"
    assert names[write_uid(LABORATORY)] == "mo-health-laboratory"
    written = await reader.get(f"/provenance/{EXCHANGE}?format=prov-json")
    bureau_told = written["agent"][f"atesta:agency-{write_uid(BUREAU)}"]
    assert bureau_told["prov:label"] == "mo-health-bureau"
    assert bureau_told["atesta:jurisdiction"] == "MO"


async def test_name_of_the_address_book_goes_before_the_label(stage: Any, reader: Caller) -> None:
    object.__setattr__(reader.agency.services, "names", {BUREAU: "Health Bureau"})
    told = await tell_exchange(stage, reader)
    names = {agent["id"]: agent["name"] for agent in told["agents"]}
    assert names[write_uid(BUREAU)] == "Health Bureau"
    assert names[write_uid(LABORATORY)] == "mo-health-laboratory"


async def test_key_of_a_resident_has_no_name(stage: Any, reader: Caller) -> None:
    consent_harness.give(stage, uid_of(777))
    await reader.agency.services.index.catch_up()
    told = await reader.get(f"/provenance/{write_uid(uid_of(777))}")
    residents = [agent for agent in told["agents"] if agent["id"].startswith("0x" + "00" * 12)]
    assert [agent["name"] for agent in residents] == [None]


async def test_post_is_made_by_whoever_established_it(stage: Any, reader: Caller) -> None:
    post = uid_of(8001)
    stage.do(bureau, "posts", "establish", [post, uid_of(8002), stage.now])
    await reader.agency.services.index.catch_up()
    told = await reader.get(f"/provenance/{write_uid(post)}")
    (act,) = told["activities"]
    assert (act["type"], act["generated"]) == ("post.established", [write_uid(post)])
