"""D6: data that are given under conditions: a data officer decides, and a due time runs.

    scripts/demos/d6 [--keep]

The story, with real node processes. The identification bureau gives households under conditions
only. The welfare bureau asks; its own data officer may not decide, a refusal needs a reason; the
next request stays undecided, and alerts come at 80 and 100 percent of the time. Meanwhile a
standing exchange delivers 50,000 records in a period, of which one is altered and one missing: the
ledger raises the mismatch, and both leaves are named with proofs. An auditor reads it all.
"""

import sys
from datetime import timedelta
from typing import Final

from atesta_client import requests
from atesta_client.requests import DeadlineItem

from api.background import run_beside
from scripts.demos.household_alerts import AlertWatch
from scripts.demos.household_periods import authorise, deliver
from scripts.demos.household_scene import (
    CASE,
    DATA_OFFICER,
    DISTRICT,
    IDENTITY,
    OFFICER,
    PERSONS,
    RELATIONS,
    RELEASED,
    STANDING_CASE,
    SUPERVISOR,
    WELFARE,
    Scene,
    describe,
)
from scripts.demos.law_auditing import (
    create_case,
    search_for_people,
    show_case,
    show_provenance,
)
from scripts.demos.law_run import Story, run
from scripts.demos.law_stage import Attempt, LawStage, get_now
from scripts.demos.stage import require

PROFILE: Final = "mo-request-decision"
TIME_TO_DECIDE: Final = timedelta(seconds=40)
"""So little that the story can wait for it; otherwise a profile says how long."""
PATIENCE_S: Final = 120.0


async def ask_too_much(scene: Scene) -> None:
    """Ask for relations too, with a due time by profile."""
    stage = scene.stage
    welfare, identity = await stage.get_officer(WELFARE), await stage.get_officer(IDENTITY)
    title = "The welfare bureau asks for households with all relations"
    with stage.narrator.step(title):
        await welfare.send(
            create_case(
                CASE,
                procedure="place-in-a-home",
                purpose=scene.places,
                needs={scene.households: [PERSONS, DISTRICT, RELATIONS]},
            )
        )
        deadline = DeadlineItem(profile=PROFILE)
        asking = scene.ask(fields=[PERSONS, DISTRICT, RELATIONS], deadline=deadline)
        told = (await welfare.send(requests.explain(asking))).facts["deadline"]
        asked = await stage.do(welfare, asking)
        scene.refused, scene.refused_envelope = asked.uid, asked.envelope
        record = await identity.send(requests.get_exchange(asked.uid))
        require(record.state == "requested", f"an undecided request is {record.state}")
        require(
            record.due is not None and f"{record.due:%Y-%m-%dT%H:%M:%SZ}" == told["due"],
            f"due {record.due}, explained as {told['due']}",
        )
        stage.narrator.say(f"due {told['due']}, by {PROFILE}: {' '.join(told['explanation'][:2])}")
        for doubt in told["to_check"][:2]:
            stage.narrator.say(f"to check: {doubt}")


async def decide_wrongly(scene: Scene) -> None:
    """Try to decide as those who may not, or not in this way."""
    stage, uid = scene.stage, scene.refused
    with stage.narrator.step("Who may decide, and how"):
        identity = await stage.get_officer(IDENTITY)
        data_officer = await stage.get_data_officer(IDENTITY)
        own = await stage.get_data_officer(WELFARE)
        approve = scene.decide(uid, "approve")
        release = requests.release_exchange(
            uid,
            request_envelope=scene.refused_envelope or {},
            response={**RELEASED, "relations": []},
        )
        await stage.show_refusals(
            [
                Attempt(
                    title="the requester's own data officer approves",
                    code="exchange_own_request",
                    client=own,
                    request=approve,
                ),
                Attempt(
                    title="the provider's officer, who is no data officer",
                    code="forbidden",
                    client=identity,
                    request=approve,
                    is_explained=False,
                ),
                Attempt(
                    title="a refusal without a reason",
                    code="invalid_field",
                    client=data_officer,
                    request=scene.decide(uid, "refuse"),
                ),
                Attempt(
                    title="an approval with a reason",
                    code="invalid_field",
                    client=data_officer,
                    request=scene.decide(uid, "approve", reason="ended_by_law"),
                ),
                Attempt(
                    title="a release before any decision",
                    code="exchange_not_approved",
                    client=identity,
                    request=release,
                ),
            ]
        )


async def refuse(scene: Scene) -> None:
    """Refuse with a reason, once and for all."""
    stage, uid = scene.stage, scene.refused
    with stage.narrator.step("The data officer refuses, with a reason"):
        welfare = await stage.get_officer(WELFARE)
        data_officer = await stage.get_data_officer(IDENTITY)
        await stage.do(
            data_officer,
            scene.decide(
                uid,
                "refuse",
                reason="ended_by_law",
                explanation="Relations are for cases of custody only; ask without them.",
            ),
        )
        record = await welfare.send(requests.get_exchange(uid))
        require(
            (record.state, record.reason) == ("refused", "ended_by_law"),
            f"the request is {record.state} for {record.reason}",
        )
        await stage.show_refusals(
            [
                Attempt(
                    title="another decision on it",
                    code="exchange_already_decided",
                    client=data_officer,
                    request=scene.decide(uid, "approve"),
                )
            ]
        )


async def ask_again(scene: Scene) -> AlertWatch:
    """Ask for less, with little time; nobody decides. Return who watches the alerts."""
    stage = scene.stage
    with stage.narrator.step("It asks again, for two fields; nobody decides, and the time runs"):
        welfare = await stage.get_officer(WELFARE)
        asked = await stage.do(welfare, scene.ask(due=get_now() + TIME_TO_DECIDE))
        scene.slow, scene.slow_envelope = asked.uid, asked.envelope
        watch = AlertWatch(await stage.get_auditor(IDENTITY), asked.uid)
        stage.narrator.confirm(
            f"{TIME_TO_DECIDE.total_seconds():.0f} seconds, which a profile counts in working days"
        )
    return watch


async def decide_late(scene: Scene, watch: AlertWatch) -> None:
    """Wait for both alerts, decide late, release; the case says that it was late."""
    stage = scene.stage
    with stage.narrator.step("Alerts at 80 and at 100 percent of the time; then it is decided"):
        short = await watch.wait_for(80, PATIENCE_S)
        over = await watch.wait_for(100, PATIENCE_S)
        for alert, is_over in ((short, False), (over, True)):
            require(
                (alert.kind, alert.over, alert.waits_for, alert.waits)
                == ("decision", is_over, IDENTITY.label, WELFARE.label),
                f"the alert at {alert.level} % says {alert}",
            )
        rows = [
            (f"{alert.level} %", alert.waits_for, alert.waits, f"{alert.due:%H:%M:%S}")
            for alert in (short, over)
        ]
        stage.narrator.show(("alert", "must act", "waits", "due"), rows)
        data_officer = await stage.get_data_officer(IDENTITY)
        identity, welfare = await stage.get_officer(IDENTITY), await stage.get_officer(WELFARE)
        # The due time is the last second that is in time: one more, and it is late.
        await stage.wait_until(over.due + timedelta(seconds=1))
        await stage.do(data_officer, scene.decide(scene.slow, "approve"))
        require(not await watch.look(), "an alert goes on although it was decided")
        released = await stage.do(
            identity,
            requests.release_exchange(
                scene.slow, request_envelope=scene.slow_envelope or {}, response=RELEASED
            ),
        )
        await stage.do(
            welfare,
            requests.acknowledge_exchange(scene.slow, response_envelope=released.envelope or {}),
        )
        record = await welfare.send(requests.get_exchange(scene.slow))
        require(
            record.state == "received"
            and record.progress is not None
            and record.progress.equal is True,
            f"the exchange is {record.state}, not received and equal",
        )
        stage.narrator.confirm("approved by the provider's data officer, late; no alert is open")


async def audit(scene: Scene) -> None:
    """Read both cases and the provenance of what was decided and what went by periods."""
    stage = scene.stage
    with stage.narrator.step(f"An auditor asks about case {CASE}, and where it came from"):
        answer = await show_case(stage, WELFARE, CASE, missing=["decided_late"])
        require(
            [one["state"] for one in answer["exchanges"]] == ["refused", "received"],
            "the case does not list the refused request and the one that was received",
        )
        await show_case(stage, WELFARE, STANDING_CASE)
        rests_on = (scene.law, scene.households)
        for uid in (scene.slow, scene.standing):
            await show_provenance(stage, SUPERVISOR, uid, rests_on=rests_on)
    await search_for_people(
        stage,
        {
            "an officer's name": OFFICER["name"],
            "the data officer's name": DATA_OFFICER["name"],
            "a district": str(RELEASED["district"]),
            "a case number": CASE,
        },
        control=scene.slow,
    )


async def tell(stage: LawStage) -> None:
    """Tell it all, step by step."""
    scene = Scene(stage=stage)
    await describe(scene)
    await ask_too_much(scene)
    await decide_wrongly(scene)
    await refuse(scene)
    watch = await ask_again(scene)
    async with run_beside(watch.run(), "alerts"):
        await authorise(scene)
        await deliver(scene)
        await decide_late(scene, watch)
    await audit(scene)


STORY: Final = Story(
    name="d6",
    summary="Households are given under conditions: a data officer decides, a due time runs, and "
    "of 50,000 deliveries the two that differ are named.",
    parties=(IDENTITY, WELFARE, SUPERVISOR),
    tell=tell,
)

if __name__ == "__main__":
    sys.exit(run(STORY))
