"""Due times over REST."""

from typing import Any

from tests.unit.acts.conftest import laboratory, ledger
from tests.unit.rest.ledger_world import Caller

__all__ = ["laboratory", "ledger"]


async def reckon(caller: Caller, body: dict[str, Any], *, status: int = 200) -> Any:
    async with caller.client.post("/v1/deadlines/due", json=body) as response:
        data = await response.json()
        assert response.status == status, data
        return data


async def test_profiles_and_calendars_are_listed(laboratory: Caller) -> None:
    profiles = (await laboratory.get("/deadlines/profiles"))["items"]
    calendars = {
        item["name"]: item for item in (await laboratory.get("/deadlines/calendars"))["items"]
    }
    assert {profile["calendar"] for profile in profiles} <= set(calendars)
    assert 2026 in calendars["macao"]["years"]


async def test_pause_moves_the_due_time_and_is_explained(laboratory: Caller) -> None:
    profiles = (await laboratory.get("/deadlines/profiles"))["items"]
    profile = next(
        entry for entry in profiles if entry["pause_reasons"] and entry["unit"] == "working_days"
    )
    question = {"profile": profile["name"], "started": "2026-06-01T02:00:00Z"}
    plain = await reckon(laboratory, question)
    assert (plain["counted"], plain["paused"]) == (profile["amount"], False)
    pause = {"kind": "paused", "at": "2026-06-03T02:00:00Z", "reason": profile["pause_reasons"][0]}
    resumed = {"kind": "resumed", "at": "2026-06-10T02:00:00Z"}
    moved = await reckon(laboratory, question | {"happenings": [pause, resumed]})
    assert moved["due"] > plain["due"]
    assert len(moved["explanation"]) > len(plain["explanation"])
    assert set(moved["alerts"]) == {"80", "100"}


async def test_what_cannot_be_reckoned_names_its_field(laboratory: Caller) -> None:
    question = {"profile": "no-such-profile", "started": "2026-06-01T02:00:00Z"}
    assert (await reckon(laboratory, question, status=404))["field"] == "profile"
    name = (await laboratory.get("/deadlines/profiles"))["items"][0]["name"]
    pause = {"kind": "paused", "at": "2026-06-02T02:00:00Z"}
    refused = await reckon(
        laboratory,
        question | {"profile": name, "happenings": [pause]},
        status=400,
    )
    assert refused["field"] == "happenings.0.reason"
