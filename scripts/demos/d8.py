"""D8: a pensioner abroad proves to be alive: one proof for three agencies, and what she may stop.

    scripts/demos/d8 [--keep]

The story, with real node processes. A department in Guangdong meets the pensioner and attests one
proof of life, which she carries; three agencies in Macao check it, each for its own purpose, and
nothing of it goes on the chain. Then she consents that the department tells the social security
fund, which hands it on to two more agencies; she withdraws, and every recipient answers: stopped,
deleted, retained under a law until a date. An auditor reads it all.
"""

import sys
from typing import Final

from scripts.demos.law_auditing import search_for_people, show_case, show_provenance
from scripts.demos.law_run import Story, run
from scripts.demos.law_stage import LawStage
from scripts.demos.life_checks import DOCUMENT, agree, check_at_three_counters, revoke
from scripts.demos.life_onward import consent, hand_on, withdraw
from scripts.demos.life_scene import (
    CASES,
    CIVIL,
    FUND,
    INSURED,
    MET,
    PENSIONS,
    RETIRED,
    SUPERVISOR,
    WELFARE,
    Scene,
    describe,
)


async def audit(scene: Scene, proof: str) -> None:
    """Read two cases and the provenance of proof and exchanges, and search for the pensioner."""
    stage = scene.stage
    with stage.narrator.step("An auditor asks about two of the cases, and where it all came from"):
        await show_case(stage, FUND, CASES[FUND.label])
        await show_case(stage, WELFARE, CASES[WELFARE.label])
        await show_provenance(stage, SUPERVISOR, proof, rests_on=())
        await show_provenance(
            stage,
            SUPERVISOR,
            scene.onward[WELFARE.label],
            rests_on=(scene.exchange, scene.sharing_law, scene.pensioners),
        )
        await show_provenance(
            stage,
            SUPERVISOR,
            scene.exchange,
            rests_on=(*scene.consents.values(), scene.law, scene.instrument, scene.sightings),
        )
    await search_for_people(
        stage,
        {
            "a name": "Ilda-Noronha",
            "the department's number": MET,
            "the fund's number": INSURED,
            "the others' number": RETIRED,
            "an officer's name": "Carlos Meireles",
            "a birth date": DOCUMENT["birth_date"],
            "a case number": CASES[FUND.label],
        },
        control=scene.exchange,
    )


async def tell(stage: LawStage) -> None:
    """Tell it all, step by step."""
    scene = Scene(stage=stage)
    await describe(scene)
    schema, policy = await agree(scene)
    carried = await check_at_three_counters(scene, schema, policy)
    await consent(scene)
    await hand_on(scene)
    await withdraw(scene)
    await revoke(scene, carried)
    await audit(scene, carried.uid)


STORY: Final = Story(
    name="d8",
    summary="A pensioner abroad proves to be alive: one proof that she carries to three agencies, "
    "and a withdrawal that reaches everybody.",
    parties=(CIVIL, FUND, PENSIONS, WELFARE, SUPERVISOR),
    tell=tell,
)

if __name__ == "__main__":
    sys.exit(run(STORY))
