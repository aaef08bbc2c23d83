"""The second half of D7: the buyer carries the proof, and both sides say whether it counts."""

from datetime import timedelta
from typing import Final

from atesta_client import requests
from atesta_client.answers import Accepted
from atesta_client.requests import Request

from scripts.demos.deposit_scene import AUTHORITY, BANK, REGISTRY, Scene
from scripts.demos.law_carrying import (
    Carried,
    issue,
    open_schema,
    recognise,
    require_refused,
    require_valid,
    show,
)
from scripts.demos.law_stage import Attempt, get_now
from scripts.demos.stage import require

POINTERS: Final = ("/balance_band", "/as_of", "/holder", "/cnf")
PURPOSE: Final = "property-purchase"
SHOWN: Final = ("/balance_band", "/as_of")
DOCUMENT: Final = {
    "balance_band": "MOP 2,000,001 to 2,500,000",
    "as_of": "2026-11-20",
    "holder": "Teresa-Lameiras",
}
MAX_AGE_S: Final = 3_600
_PAST_AGE: Final = timedelta(seconds=2 * MAX_AGE_S)


async def agree(scene: Scene) -> None:
    """Open the form of the proof, show one without any policy, then sign one by both sides."""
    stage = scene.stage
    title = "Both sides sign which proofs of deposit they recognise"
    with stage.narrator.step(title):
        scene.schema = await open_schema(
            stage, AUTHORITY, "Proof of deposit", POINTERS, [BANK, AUTHORITY]
        )
        early = await issue(stage, BANK, scene.schema, DOCUMENT)
        before = await show(stage, REGISTRY, early, SHOWN, PURPOSE)
        notices = [notice.code for notice in before.notices]
        require(
            before.recognition is None and "recognition_none" in notices,
            "a check without any policy does not say that none stands",
        )
        stage.narrator.say("before: sound, but no policy stands, which the answer says")
        scene.policy = await recognise(
            stage,
            AUTHORITY,
            REGISTRY,
            schema_uid=scene.schema,
            issuers=[BANK.label],
            max_age_s=MAX_AGE_S,
            assurance="substantial",
            agreement={
                "title": "Agreement on proofs of deposit (example)",
                "text": "Guangdong recognises proofs of this bank, one hour old at most.",
            },
        )
        stage.narrator.confirm(
            "proposed by Macao, signed by Guangdong over the same text: one issuer, one hour, "
            "substantial assurance"
        )


async def carry(scene: Scene) -> Carried:
    """Show the proof at the registry's counter; show what the policy does not recognise."""
    stage = scene.stage
    with stage.narrator.step("The buyer carries the proof to the registry's counter"):
        carried = await issue(stage, BANK, scene.schema, DOCUMENT)
        answer = await show(stage, REGISTRY, carried, SHOWN, PURPOSE)
        require_valid(answer, scene.policy, "the proof")
        require(
            set(answer.disclosed) == {*SHOWN, "/cnf"},
            f"the counter saw {answer.disclosed}, not only what it needs",
        )
        stage.narrator.confirm(
            f"valid at block {answer.block}, by the registry's own node; the bank was not asked, "
            "the name was not shown"
        )
        late = get_now() - _PAST_AGE
        others = {
            "of an issuer that the policy does not name": (
                "recognition_issuer",
                await issue(stage, AUTHORITY, scene.schema, DOCUMENT),
            ),
            "older than the policy allows": (
                "recognition_age",
                await issue(stage, BANK, scene.schema, DOCUMENT, event_time=late),
            ),
            "without the holder's key": (
                "recognition_assurance",
                await issue(stage, BANK, scene.schema, DOCUMENT, has_key=False),
            ),
        }
        rows = []
        for title, (code, other) in others.items():
            refused = await show(stage, REGISTRY, other, SHOWN, PURPOSE)
            require_refused(refused, code, f"a proof {title}")
            rows.append((f"a proof {title}", code, refused.next_step))
        stage.narrator.show(("shown", "code", "next step"), rows)
        stage.narrator.confirm(f"{len(rows)} of {len(rows)} not recognised, each by its own rule")
    return carried


async def suspend(scene: Scene, carried: Carried) -> None:
    """Suspend the policy on one side, check on the other, and reinstate it."""
    stage = scene.stage
    macao = await stage.get_governor(AUTHORITY)
    guangdong = await stage.get_governor(REGISTRY)
    title = "Macao suspends the policy alone: Guangdong's counter refuses the same document"
    with stage.narrator.step(title):
        valid = await show(stage, REGISTRY, carried, SHOWN, PURPOSE)
        require_valid(valid, scene.policy, "the proof before the suspension")
        block = await _settle(scene, requests.suspend_policy(scene.policy, reason="security"))
        refused = await show(stage, REGISTRY, carried, SHOWN, PURPOSE)
        require_refused(refused, "recognition_suspended", "the proof after the suspension")
        require(
            valid.block < block <= refused.block,
            f"refused at block {refused.block}, suspended in block {block}",
        )
        stage.narrator.say(
            f"valid at block {valid.block}, suspended in block {block}, refused at block "
            f"{refused.block}: {refused.next_step}"
        )
        told = await guangdong.send(requests.get_policy(scene.policy))
        require(
            (told.state, list(told.suspended_by or ())) == ("suspended", ["MO"]),
            f"the policy is {told.state}, suspended by {told.suspended_by}",
        )
        await stage.show_refusals(
            [
                Attempt(
                    title="Guangdong lifts Macao's suspension",
                    code="policy_not_suspended_by_your_side",
                    client=guangdong,
                    request=requests.reinstate_policy(scene.policy, reason="security"),
                )
            ]
        )
    with stage.narrator.step("Macao reinstates the policy"):
        await stage.do(macao, requests.reinstate_policy(scene.policy, reason="security"))
        again = await show(stage, REGISTRY, carried, SHOWN, PURPOSE)
        require_valid(again, scene.policy, "the proof after the policy was reinstated")
        stage.narrator.confirm("the same document is valid again; it was never changed")


async def _settle(scene: Scene, request: Request[Accepted]) -> int:
    """Act for Macao, wait until every node has it, and return the block of the suspension."""
    macao = await scene.stage.get_governor(AUTHORITY)
    await scene.stage.do(macao, request)
    page = await macao.send(requests.get_policy_history(scene.policy))
    found = [event.block for event in page.items if event.state == "suspended"]
    require(len(found) == 1, "the suspension is not in the policy's history")
    return found[0]
