"""Erasing everything of a person: what goes, what a law keeps, and that it is one act."""

from typing import Any

import pytest

from api.erasing.eraser import WATCH_S, Eraser, open_orders
from api.errors import UpstreamFault
from api.retention.pruning import prune
from api.vault.restrictions import list_restrictions
from api.vault.vault import Vault
from tests.unit.acts.exchange_world import PERSON, Law, ask, do, record_consent, release
from tests.unit.acts.law_world import BUREAU
from tests.unit.rest.ledger_world import Caller

YEARS_S = 366 * 86_400
CASE = "/cases/HS-2026-000417"
OTHER = {"reference": "file-2026-0043"}


async def exchange(bureau: Caller, laboratory: Caller, law: Law) -> tuple[str, str]:
    """Let a consented exchange happen; returns the uids of consent and exchange."""
    consent = (await record_consent(laboratory, law))["uid"]
    asked = await ask(laboratory, law, consent)
    released = await release(bureau, asked)
    body = {"response_envelope": released["envelope"]}
    await do(laboratory, f"/exchanges/{asked['uid']}/acknowledgement", body)
    return consent, asked["uid"]


async def foresee(caller: Caller, **named: Any) -> Any:
    return await caller.post("/persons/erasure-plan", named, status=200)


def tell(plan: Any) -> set[tuple[str, str, str | None]]:
    return {(one["kind"], one["outcome"], one["retention_class"]) for one in plan["records"]}


async def test_plan_lists_what_goes_and_what_a_law_keeps(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    consent, asked = await exchange(bureau, laboratory, law)
    await laboratory.post("/subjects", OTHER | {"counterparty": BUREAU}, status=200)
    plan = await foresee(laboratory, **PERSON)
    assert tell(plan) == {
        ("matching_record", "erase", None),
        ("consent", "keep", "consent-records"),
        ("exchange", "keep", "exchange-records"),
    }
    kept = {one["uid"]: one for one in plan["records"]}
    assert (plan["erase"], plan["keep"], {consent, asked} <= kept.keys()) == (1, 2, True)
    assert "PIPL" in kept[asked]["legal_reference"]
    assert kept[asked]["until"] > "2029"
    # Nothing outweighs an error: data of somebody else go, however young they are.
    wrong = await foresee(laboratory, **PERSON, reason="error")
    assert (wrong["erase"], wrong["keep"]) == (3, 0)
    assert (await foresee(laboratory, reference="nobody"))["records"] == []
    assert await open_orders(laboratory.agency.services).list_open(10) == []
    nothing = await laboratory.post("/persons/erasure-plan", {}, status=400)
    assert nothing["code"] == "invalid_field"


async def test_provider_finds_what_it_released_of_a_person(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    _, asked = await exchange(bureau, laboratory, law)
    known = await laboratory.post("/subjects", PERSON | {"counterparty": BUREAU}, status=200)
    plan = await foresee(bureau, handles=[known["handle"]])
    assert [one["uid"] for one in plan["records"]] == [asked]


async def test_everything_of_a_person_goes_and_what_a_law_keeps_is_closed(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    _, asked = await exchange(bureau, laboratory, law)
    done = await laboratory.post("/persons/erase", PERSON, key="person-1")
    assert (done["erase"], done["keep"], done["finished"]) == (1, 2, None)
    assert len(done["records"]) == 3
    services = laboratory.agency.services
    kept = services.maybe_keyring.database.read_now(list_restrictions)  # type: ignore[union-attr]
    assert {"0x" + one.uid.hex() for one in kept} == {
        one["uid"] for one in done["records"] if one["outcome"] == "keep"
    }
    known = await laboratory.post("/subjects", PERSON | {"counterparty": BUREAU}, status=200)
    assert (await foresee(laboratory, handles=[known["handle"]]))["erase"] == 1
    # A retry is told of the same act.
    again = await laboratory.post("/persons/erase", PERSON, key="person-1")
    assert (again["id"], again["records"]) == (done["id"], None)
    case = await laboratory.get(CASE)
    assert case["exchanges"][0]["uid"] == asked
    laboratory.agency.ledger.mine(period_s=WATCH_S)
    assert await Eraser(services).turn() == 0
    over = await laboratory.get(f"/persons/erasures/{done['id']}")
    assert (over["state"], over["left"], over["finished"] is None) == ("erased", 0, False)
    await laboratory.get(f"/persons/erasures/0x{'09' * 32}", status=404)


async def test_what_a_law_keeps_is_erased_when_its_time_is_over(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    _, asked = await exchange(bureau, laboratory, law)
    await laboratory.post("/persons/erase", PERSON)
    services = laboratory.agency.services
    keyring, now_s = services.maybe_keyring, laboratory.agency.ledger.now_s
    assert keyring is not None
    early = await prune(keyring, services.retention, now_s=now_s + 86_400, is_dry_run=False)
    assert (early.erased, len(keyring.database.read_now(list_restrictions))) == (0, 2)
    late = await prune(keyring, services.retention, now_s=now_s + 3 * YEARS_S, is_dry_run=False)
    assert (late.erased, keyring.database.read_now(list_restrictions)) == (2, [])
    told = await laboratory.get(f"/records/{asked}/erasure")
    assert (told["state"], told["reason"], told["block"]) == ("erased", "ended_by_law", None)


async def test_record_that_a_law_keeps_is_not_erased_for_its_holder(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    _, asked = await exchange(bureau, laboratory, law)
    path = f"/records/{asked}/erase"
    refused = await laboratory.post(path, {"reason": "holder_request"}, status=409)
    assert (refused["code"], refused["retention_class"]) == ("kept_by_law", "exchange-records")
    assert refused["field"] == "uid"
    assert await open_orders(laboratory.agency.services).list_open(10) == []
    done = await laboratory.post(path, {"reason": "security"})
    assert (done["state"], done["operation"]) == ("erased", None)
    missing = await laboratory.post(
        f"/records/0x{'09' * 32}/erase", {"reason": "security"}, status=404
    )
    assert missing["code"] == "record_not_kept"


async def test_case_says_that_its_exchange_was_erased(
    bureau: Caller, laboratory: Caller, law: Law
) -> None:
    _, asked = await exchange(bureau, laboratory, law)
    await laboratory.post(f"/records/{asked}/erase", {"reason": "security"})
    case = await laboratory.get(CASE)
    assert case["exchanges"] == []
    (mark,) = case["erased"]
    assert (mark["what"], mark["reason"]) == ("exchange", "security")
    assert mark["erased"] == (await laboratory.get(f"/records/{asked}/erasure"))["erased"]
    # The record itself stays on the ledger, and says what became of its contents here.
    record = await laboratory.get(f"/exchanges/{asked}")
    assert (record["erased_here"], record["erased_reason"]) == (mark["erased"], "security")
    there = await bureau.get(f"/exchanges/{asked}")
    assert there["erased_here"] is None
    told = await laboratory.get(f"/provenance/{asked}")
    found = {entity["id"]: entity["erased"] for entity in told["entities"]}
    assert found.pop(asked) == {"time": mark["erased"], "reason": "security"}
    assert set(found.values()) == {None}
    document = await laboratory.get(f"/provenance/{asked}?format=prov-json")
    invalidated = [one for one in document["wasInvalidatedBy"].values() if "atesta:reason" in one]
    assert [one["atesta:reason"] for one in invalidated] == ["security"]
    # The mark does not say which exchange it was.
    assert asked not in str(case)
    await laboratory.get("/cases/HS-2026-999999", status=404)


async def test_person_is_ordered_as_a_whole_or_not_at_all(
    bureau: Caller, laboratory: Caller, law: Law, monkeypatch: pytest.MonkeyPatch
) -> None:
    await exchange(bureau, laboratory, law)
    services = laboratory.agency.services
    keyring = services.maybe_keyring
    assert keyring is not None

    async def die(*_: Any, **__: Any) -> Any:
        raise UpstreamFault("the process died", code="died")

    with monkeypatch.context() as broken:
        broken.setattr("api.erasing.orders._put", lambda *_: 1 / 0)
        await laboratory.post("/persons/erase", PERSON | {"reason": "error"}, status=500)
    assert await open_orders(services).list_open(10) == []
    assert keyring.database.read_now(list_restrictions) == []
    # Once it is ordered, the vault may fail as it likes: the next turn goes on.
    with monkeypatch.context() as broken:
        broken.setattr(Vault, "erase", die)
        done = await laboratory.post("/persons/erase", PERSON | {"reason": "error"})
    assert (done["left"], done["problems"]) == (3, ["the process died"])
    assert (await foresee(laboratory, **PERSON))["records"] != []
    laboratory.agency.ledger.mine(period_s=WATCH_S)
    assert await Eraser(services).turn() == 0
    assert (await foresee(laboratory, **PERSON))["records"] == []
    told = await laboratory.get(f"/persons/erasures/{done['id']}")
    assert (told["state"], told["problems"]) == ("erased", [])
