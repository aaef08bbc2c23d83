"""The pure parts of D6 to D8: what goes over in a period, watched alerts, what a check must say."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from atesta_client.answers import AlertView, Finding, Verification
from atesta_client.statements import DifferenceKind, compare_deliveries
from hypothesis import given, settings
from hypothesis import strategies as st

from api.acts.table import ACTS
from api.background import run_beside
from contracts.development import build_development_spec
from contracts.genesis import build_genesis
from scripts.demos import d6, d7, d8
from scripts.demos.deposit_scene import Scene as DepositScene
from scripts.demos.household_alerts import AlertWatch
from scripts.demos.household_periods import make_deliveries
from scripts.demos.household_scene import Scene as HouseholdScene
from scripts.demos.law_carrying import require_refused, require_valid
from scripts.demos.law_run import Story
from scripts.demos.law_stage import LawStage
from scripts.demos.life_scene import WELFARE
from scripts.demos.life_scene import Scene as LifeScene
from scripts.demos.narrator import Narrator
from scripts.demos.stage import StoryFailed

START = datetime(2026, 11, 22, tzinfo=UTC)
POLICY = "0x" + "70" * 32
ALERT = AlertView(
    kind="decision",
    uid="0x01",
    level=80,
    over=False,
    waits_for="mo-identification-bureau",
    waits="mo-social-welfare",
    began=START,
    due=START,
)
VALID = Verification(
    result="valid",
    reasons=(),
    notices=(),
    next_step="Accept the document.",
    holder_checked=True,
    disclosed=("/alive_on", "/cnf"),
    subject=None,
    policy=None,
    recognition=POLICY,
    block=7,
    block_hash="0x" + "00" * 32,
    block_time=START,
    checked=START,
    behind_s=1,
)


@settings(max_examples=40, deadline=None)
@given(count=st.integers(4, 60), seed=st.integers(0, 2**32))
def test_deliveries_differ_in_one_altered_and_one_missing_record(count: int, seed: int) -> None:
    made = make_deliveries(count, seed)
    assert len(made.sent) == len(set(made.sent)) == count
    assert len(made.received) == count - 1
    assert made.altered < made.missing < count - 1
    assert [
        (one.kind, one.provider_index) for one in compare_deliveries(made.sent, made.received)
    ] == [
        (DifferenceKind.ALTERED, made.altered),
        (DifferenceKind.MISSING, made.missing),
    ]


class Alerts:
    """Stands for a client: answers each question with the next list."""

    def __init__(self, *lists: list[AlertView]) -> None:
        self.lists = list(lists)

    async def list_all(self, _request: Any) -> AsyncIterator[AlertView]:
        for alert in self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]:
            yield alert


async def test_watch_notes_the_first_alert_of_each_level() -> None:
    over = replace(ALERT, level=100, over=True)
    other = replace(ALERT, uid="0x02", level=100)
    watch = AlertWatch(Alerts([other], [ALERT, other], [over]), ALERT.uid)  # type: ignore[arg-type]
    assert await watch.look() == []
    assert await watch.look() == [ALERT]
    assert await watch.look() == [over]
    assert watch.seen == {80: ALERT, 100: over}
    assert await watch.wait_for(100, 0.0) == over


async def test_watch_fails_the_story_when_no_alert_comes() -> None:
    watch = AlertWatch(Alerts([]), ALERT.uid)  # type: ignore[arg-type]
    async with run_beside(watch.run(), "alerts"):
        await asyncio.sleep(0)
        with pytest.raises(StoryFailed, match="no alert at 80 %"):
            await watch.wait_for(80, 0.0)


def test_check_must_be_valid_under_the_policy_with_the_holder_proved() -> None:
    require_valid(VALID, POLICY, "the proof")
    for changes in (
        {"result": "not_valid"},
        {"holder_checked": False},
        {"recognition": None},
    ):
        with pytest.raises(StoryFailed, match="the proof"):
            require_valid(replace(VALID, **changes), POLICY, "the proof")


def test_check_must_be_refused_for_exactly_one_reason() -> None:
    reason = Finding(code="state_revoked", text="It is.", field=None)
    refused = replace(VALID, result="not_valid", reasons=(reason,))
    require_refused(refused, "state_revoked", "the proof")
    for wrong in (VALID, replace(refused, reasons=(reason, reason))):
        with pytest.raises(StoryFailed, match="the proof"):
            require_refused(wrong, "state_revoked", "the proof")


@pytest.mark.parametrize("story", [d6.STORY, d7.STORY, d8.STORY], ids=lambda story: story.name)
def test_parties_of_the_story_found_a_ledger(story: Story) -> None:
    genesis = build_genesis(build_development_spec(parties=story.parties))
    assert genesis["alloc"]
    assert len({party.label for party in story.parties}) == len(story.parties)


def test_requests_of_d6_to_d8_fit_the_models_of_their_acts() -> None:
    uid = "0x" + "11" * 32
    stage = LawStage(Narrator(), d8.STORY.parties)
    household = HouseholdScene(stage=stage, households=uid, places=uid, law=uid)
    deposit = DepositScene(stage=stage, deposits=uid, purchase=uid, notice=uid, law=uid)
    life = LifeScene(
        stage=stage,
        sightings=uid,
        pensioners=uid,
        purpose=uid,
        notice=uid,
        law=uid,
        sharing_law=uid,
        instrument=uid,
        exchange=uid,
    )
    for request in (
        household.ask(due=START),
        household.decide(uid, "approve"),
        deposit.ask(),
        deposit.record("cross_border"),
        deposit.enter_instrument(),
        life.ask_department(),
        life.ask_fund(WELFARE),
        life.record("general"),
    ):
        assert request.act is not None
        ACTS[request.act].model.model_validate_json(json.dumps(request.body))
