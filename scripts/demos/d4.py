"""D4: an association elects a new board; the old one's offices end, the powers it gave survive.

    scripts/demos/d4 [--keep]

The story, with real node processes: the register of associations is imported as one file, with
progress, and its wrong lines are named. The choir's president applies for a grant. The choir elects
a new board: one act ends all offices of the old one at the effective time and installs the new
ones. Until then the old president is in office, from then on the new one; the lawyer's power
survives, the bookkeeper's, which the election listed, does not. What was asked in office and not
yet released when the office ended is not released any more.
"""

import asyncio
import sys
from datetime import timedelta
from typing import Final

from atesta_client import requests
from atesta_client.answers import Accepted
from atesta_client.requests import MandateItem, Request

from scripts.demos.election_scene import (
    ASSOCIATIONS,
    BOOKKEEPER,
    CASE,
    CHOIR,
    LAWYER,
    NEW_PRESIDENT,
    NEW_TREASURER,
    OFFICER,
    OLD_PRESIDENT,
    REGISTER,
    RELEASED,
    SUPERVISOR,
    WELFARE,
    Scene,
    describe,
)
from scripts.demos.law_auditing import search_for_people, show_case, show_provenance
from scripts.demos.law_run import Story, run
from scripts.demos.law_stage import Attempt, LawStage, get_now
from scripts.demos.stage import require

_IMPORT_S: Final = 300.0


async def import_register(scene: Scene) -> None:
    """Import the register from one file and follow its progress."""
    stage = scene.stage
    title = f"The bureau imports its register: {ASSOCIATIONS} associations, one file"
    with stage.narrator.step(title, total=ASSOCIATIONS) as step:
        officer = await stage.get_officer(REGISTER)
        data, president, wrong = scene.write_register(get_now() - timedelta(days=1_000))
        request = requests.create_import(data)
        started = await officer.send(request)
        again = await officer.send(request)
        require(again.id == started.id, "the same file under the same key is another import")
        deadline = asyncio.get_running_loop().time() + _IMPORT_S
        done, told = 0, started
        while told.state != "done":
            require(
                asyncio.get_running_loop().time() < deadline and told.problem is None,
                f"the import does not end: {told.done} of {told.lines} lines, {told.problem}",
            )
            await asyncio.sleep(0.5)
            told = await officer.send(requests.get_import(started.id))
            step.advance(told.done - done)
            if told.done // 50 > done // 50:
                stage.narrator.say(f"{told.done} of {told.lines} lines are final")
            done = told.done
        require(
            (told.done, told.rejected) == (ASSOCIATIONS, wrong),
            f"{told.done} lines were imported and {told.rejected} rejected",
        )
        rejects = await officer.send(requests.list_import_rejects(started.id))
        stage.narrator.show(
            ("line", "field", "code", "reason"),
            [(str(one.line), one.field or "", one.code, one.reason) for one in rejects.items],
        )
        scene.mandates["the old president"] = president
        found = await officer.send(requests.get_mandate(president))
        require(found.state == "active", f"the old president's office is {found.state}")
        await stage.wait_block(found.read_at_block)
        stage.narrator.confirm(
            f"{told.done} offices are final; {told.rejected} lines are wrong, and named by number"
        )


async def apply(scene: Scene) -> None:
    """Record two powers, apply for a grant by the president in office."""
    stage = scene.stage
    with stage.narrator.step("The choir gives two powers; its president applies for a grant"):
        register, welfare = await stage.get_officer(REGISTER), await stage.get_officer(WELFARE)
        powers: dict[str, MandateItem] = {
            "the lawyer": scene.build_power(LAWYER, "appear-in-court", "apply-grant"),
            "the bookkeeper": scene.build_power(BOOKKEEPER, "keep-books"),
        }
        made = await stage.do(register, requests.record_mandate(mandates=list(powers.values())))
        for name, told in zip(powers, (made.envelope or {})["mandates"], strict=True):
            scene.mandates[name] = told["uid"]
        asked = await stage.do(welfare, scene.ask(scene.mandates["the old president"]))
        released = await stage.do(
            register,
            requests.release_exchange(
                asked.uid, request_envelope=asked.envelope or {}, response=RELEASED
            ),
        )
        await stage.do(
            welfare,
            requests.acknowledge_exchange(asked.uid, response_envelope=released.envelope or {}),
        )
        scene.exchange = asked.uid
        stage.narrator.confirm("he is in office: the register's extract is received, and equal")


async def elect(scene: Scene) -> None:
    """End the old board and install the new one, in one act."""
    stage = scene.stage
    with stage.narrator.step("The choir elects: one act ends the old board, installs the new one"):
        register, welfare = await stage.get_officer(REGISTER), await stage.get_officer(WELFARE)
        old = scene.mandates["the old president"]
        open_one = await stage.do(welfare, scene.ask(old, case="GR-2026-000052"))
        effective = get_now() + timedelta(seconds=8)

        def succeed(**changes: object) -> Request[Accepted]:
            given: dict[str, object] = {
                "body": CHOIR,
                "effective": effective,
                "resolution": {"assembly": "2026-11-21", "minutes": "M-12"},
                "ended": [scene.mandates["the bookkeeper"]],
                "offices": [
                    scene.build_office(NEW_PRESIDENT, "president"),
                    scene.build_office(NEW_TREASURER, "treasurer"),
                ],
            }
            return requests.succeed_board(**(given | changes))  # type: ignore[arg-type]

        def attempt(title: str, code: str, **changes: object) -> Attempt:
            return Attempt(title=title, code=code, client=register, request=succeed(**changes))

        await stage.show_refusals(
            [
                attempt(
                    "an office listed among the powers",
                    "succession_only_powers_are_listed",
                    ended=[old],
                ),
                attempt(
                    "somebody in office before the board is",
                    "succession_in_office_too_early",
                    offices=[
                        scene.build_office(
                            NEW_PRESIDENT, "president", valid_from=effective - timedelta(days=1)
                        )
                    ],
                ),
                Attempt(
                    title="an agency that does not keep the register",
                    code="succession_unknown_body",
                    client=welfare,
                    request=succeed(),
                ),
            ]
        )
        made = await stage.do(register, succeed())
        for name, told in zip(
            ("the new president", "the new treasurer"),
            (made.envelope or {})["mandates"],
            strict=True,
        ):
            scene.mandates[name] = told["uid"]
        now = get_now()
        if now < effective - timedelta(seconds=2):
            before = await welfare.send(requests.explain(scene.ask(old)))
            require(before.allowed, f"the old president is out too early: {before.refusal}")
            stage.narrator.say("Until the effective time the old president is in office.")
        await stage.wait_until(effective)
        stage.narrator.confirm(f"the new board is in office from {effective:%H:%M:%S}")
        stage.narrator.say(f"One request of the old president is still open: {open_one.uid[:18]}…")
        await refuse_the_old_board(scene, open_one)


async def refuse_the_old_board(scene: Scene, open_one: Accepted) -> None:
    """Refuse the old board and the listed power; let the lawyer and the new board act."""
    stage = scene.stage
    register, welfare = await stage.get_officer(REGISTER), await stage.get_officer(WELFARE)
    known = scene.mandates
    await stage.show_refusals(
        [
            Attempt(
                title="the old president applies",
                code="mandate_office_ended",
                client=welfare,
                request=scene.ask(known["the old president"]),
            ),
            Attempt(
                title="a release for what he asked while in office",
                code="mandate_office_ended",
                client=register,
                request=requests.release_exchange(
                    open_one.uid, request_envelope=open_one.envelope or {}, response=RELEASED
                ),
            ),
            Attempt(
                title="the bookkeeper, whose power was listed",
                code="mandate_ended",
                client=welfare,
                request=scene.ask(known["the bookkeeper"], acts=("keep-books",)),
            ),
            Attempt(
                title="the lawyer, beyond the power",
                code="mandate_out_of_scope",
                client=welfare,
                request=scene.ask(known["the lawyer"], acts=("sign-contract",)),
            ),
        ]
    )
    survives = await welfare.send(requests.explain(scene.ask(known["the lawyer"])))
    require(survives.allowed, f"the lawyer's power did not survive: {survives.refusal}")
    asked = await stage.do(welfare, scene.ask(known["the new president"], case="GR-2026-000053"))
    record = await welfare.send(requests.get_exchange(asked.uid))
    require(record.state == "approved", f"the new president's request is {record.state}")
    old = await welfare.send(requests.get_mandate(known["the old president"]))
    require(
        old.ended is not None and old.board == 1,
        "the old president's mandate does not say that its board went out of office",
    )
    stage.narrator.confirm("office ended, power survived; the new president applies")


async def audit(scene: Scene) -> None:
    """Read the case and the provenance, and search for people."""
    stage = scene.stage
    with stage.narrator.step(f"An auditor asks about case {CASE}, and where it came from"):
        answer = await show_case(stage, WELFARE, CASE)
        require(len(answer["exchanges"]) == 1, "the case does not have its one exchange")
        await show_provenance(
            stage,
            SUPERVISOR,
            scene.exchange,
            rests_on=(scene.mandates["the old president"], scene.law, scene.register),
        )
        auditor = await stage.get_auditor(SUPERVISOR)
        old = await auditor.send(requests.get_mandate(scene.mandates["the old president"]))
        board = await auditor.send(requests.get_body(old.body or ""))
        require(board.board == 2, f"the choir's board is number {board.board}, not 2")
        stage.narrator.confirm(
            "asked in office, and so it stays; the ledger knows the choir's second board"
        )
    await search_for_people(
        stage,
        {
            "the old president": OLD_PRESIDENT["name"],
            "the new president": NEW_PRESIDENT["name"],
            "the treasurer": NEW_TREASURER["name"],
            "the lawyer": LAWYER["name"],
            "a document": OLD_PRESIDENT["document"],
            "an imported name": "President 0007",
            "the choir": CHOIR.number,
            "an officer": OFFICER["name"],
            "a case number": CASE,
        },
        control=scene.exchange,
    )


async def tell(stage: LawStage) -> None:
    """Tell it all, step by step."""
    scene = Scene(stage=stage)
    await describe(scene)
    await import_register(scene)
    await apply(scene)
    await elect(scene)
    await audit(scene)


STORY: Final = Story(
    name="d4",
    summary="An association elects a new board; the old one's offices end, powers survive.",
    parties=(REGISTER, WELFARE, SUPERVISOR),
    tell=tell,
)

if __name__ == "__main__":
    sys.exit(run(STORY))
