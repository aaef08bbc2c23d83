"""D7: a bank deposit in Macao is proved in Guangdong: asked for by the registry, then carried.

    scripts/demos/d7 [--keep]

The story, with real node processes. First the registry asks the bank: without an instrument for
data that leave, it is refused, until the supervisor has entered one; the buyer gives three separate
consents, and one consent for everything is refused. Then the buyer carries the proof: both sides
sign which documents they recognise, the registry's counter checks on its own node; Macao suspends
the policy, and from the next final block on the same document is refused in Guangdong, until it is
reinstated. An auditor reads it all.
"""

import sys
from typing import Final

from atesta_client import requests
from atesta_client.requests import ConsentItems

from scripts.demos.deposit_proof import agree, carry, suspend
from scripts.demos.deposit_scene import (
    ACCOUNTS,
    AUTHORITY,
    BAND,
    BANK,
    BUYER,
    CASE,
    CUSTOMER,
    DAY,
    REGISTRY,
    RELEASED,
    SUPERVISOR,
    Scene,
    describe,
)
from scripts.demos.law_auditing import (
    create_case,
    list_askable,
    search_for_people,
    show_case,
    show_provenance,
)
from scripts.demos.law_run import Story, run
from scripts.demos.law_stage import Attempt, LawStage
from scripts.demos.stage import require


async def consent(scene: Scene) -> None:
    """Take three consents, each a record of its own."""
    stage = scene.stage
    with stage.narrator.step("At the bank's counter the buyer signs three separate consents"):
        bank, registry = await stage.get_officer(BANK), await stage.get_officer(REGISTRY)
        for kind in ("general", "sensitive", "cross_border"):
            given = await stage.do(bank, scene.record(kind))
            envelope = given.envelope or {}
            await registry.send(
                requests.keep_consent_envelope(
                    given.uid, subject=envelope["subject"], record=envelope["record"]
                )
            )
            scene.consents[kind] = given.uid
        told = await registry.send(requests.get_consent(scene.consents["cross_border"]))
        require(
            (told.kind, told.origin.given_by, told.origin.by_beneficiary)
            == ("cross_border", "agency", False),
            "the cross-border consent is not told as one that the bank recorded",
        )
        stage.narrator.confirm(
            "general; for sensitive data; for data that leave Macao. None stands for another"
        )


async def need_an_instrument(scene: Scene) -> None:
    """Ask without an instrument: refused; then the supervisor enters one."""
    stage = scene.stage
    title = "The registry asks. No instrument lets these data leave Macao"
    with stage.narrator.step(title):
        registry = await stage.get_officer(REGISTRY)
        await registry.send(
            create_case(
                CASE,
                procedure="property-purchase",
                purpose=scene.purchase,
                needs={scene.deposits: [BAND, DAY]},
            )
        )
        bank = await stage.get_supervisor(BANK)
        await stage.show_refusals(
            [
                Attempt(
                    title="a request without instrument",
                    code="instrument_missing",
                    client=registry,
                    request=scene.ask(),
                ),
                Attempt(
                    title="the bank enters the instrument itself",
                    code="account_role_missing",
                    client=bank,
                    request=scene.enter_instrument(),
                ),
            ]
        )
    with stage.narrator.step("The supervisor enters the standard contract that was filed"):
        supervisor = await stage.get_supervisor(SUPERVISOR)
        scene.instrument = (await stage.do(supervisor, scene.enter_instrument())).uid
        told = await registry.send(list_askable(CASE, scene.deposits))
        (usable,) = told["usable"]
        require(
            (usable["instrument"], sorted(usable["consents"]))
            == (scene.instrument, ["cross_border", "general", "sensitive"]),
            f"what may be asked names {usable['instrument']} and {usable['consents']}",
        )
        stage.narrator.confirm(
            "the ledger now tells the registry what to name: this instrument, three consents"
        )


async def exchange(scene: Scene) -> None:
    """Refuse bundled and missing consents; then ask, release, acknowledge."""
    stage = scene.stage
    registry, bank = await stage.get_officer(REGISTRY), await stage.get_officer(BANK)
    general = scene.consents["general"]
    with stage.narrator.step("One consent for everything is no consent"):
        bundled = ConsentItems(general=general, sensitive=general, cross_border=general)
        attempts = {
            "general consent for all three": ("consent_not_of_this_kind", bundled),
            "no consent for sensitive data": (
                "consent_missing",
                ConsentItems(general=general, cross_border=scene.consents["cross_border"]),
            ),
            "no consent for data that leave": (
                "consent_missing",
                ConsentItems(general=general, sensitive=scene.consents["sensitive"]),
            ),
        }
        await stage.show_refusals(
            [
                Attempt(
                    title=name,
                    code=code,
                    client=registry,
                    request=scene.ask(consents=consents),
                )
                for name, (code, consents) in attempts.items()
            ]
            + [
                Attempt(
                    title="a field that nobody consented to",
                    code="basis_not_for_these_fields",
                    client=registry,
                    request=scene.ask(fields=[BAND, ACCOUNTS]),
                )
            ]
        )
    with stage.narrator.step("With all three the registry asks, the bank releases"):
        asked = await stage.do(registry, scene.ask())
        scene.exchange = asked.uid
        released = await stage.do(
            bank,
            requests.release_exchange(
                asked.uid, request_envelope=asked.envelope or {}, response=RELEASED
            ),
        )
        await stage.do(
            registry,
            requests.acknowledge_exchange(asked.uid, response_envelope=released.envelope or {}),
        )
        record = await bank.send(requests.get_exchange(asked.uid))
        require(
            record.state == "received"
            and record.progress is not None
            and record.progress.equal is True,
            f"the exchange is {record.state}, not received and equal",
        )
        await stage.show_refusals(
            [
                Attempt(
                    title="the same consents a second time",
                    code="consent_quota_used_up",
                    client=registry,
                    request=scene.ask(),
                )
            ]
        )
        stage.narrator.confirm("received equals released; each consent was for one use")


async def audit(scene: Scene) -> None:
    """Read the case and its provenance, and search for the buyer."""
    stage = scene.stage
    with stage.narrator.step(f"An auditor asks about case {CASE}, and where it came from"):
        answer = await show_case(stage, REGISTRY, CASE)
        kinds = sorted(one["kind"] for one in answer["exchanges"][0]["consents"])
        require(
            kinds == ["cross_border", "general", "sensitive"],
            f"the case names consents of {kinds}",
        )
        rests_on = (*scene.consents.values(), scene.law, scene.instrument, scene.deposits)
        await show_provenance(stage, SUPERVISOR, scene.exchange, rests_on=rests_on)
    await search_for_people(
        stage,
        {
            "a name": "Teresa-Lameiras",
            "the bank's customer number": CUSTOMER,
            "the registry's number": BUYER,
            "an officer's name": "Liang Wenjun",
            "a balance": RELEASED["balance_band"],
            "a case number": CASE,
        },
        control=scene.exchange,
    )


async def tell(stage: LawStage) -> None:
    """Tell it all, step by step."""
    scene = Scene(stage=stage)
    await describe(scene)
    await consent(scene)
    await need_an_instrument(scene)
    await exchange(scene)
    await agree(scene)
    carried = await carry(scene)
    await suspend(scene, carried)
    await audit(scene)


STORY: Final = Story(
    name="d7",
    summary="A deposit in Macao is proved in Guangdong: three consents, one instrument, and a "
    "policy that both sides signed.",
    parties=(BANK, AUTHORITY, REGISTRY, SUPERVISOR),
    tell=tell,
)

if __name__ == "__main__":
    sys.exit(run(STORY))
