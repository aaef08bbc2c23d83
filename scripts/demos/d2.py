"""D2: a housing subsidy for which nobody brings a tax paper: the income band, once, with consent.

    scripts/demos/d2 [--keep]

The story, with real node processes: the financial bureau describes its income bands; the
supervisor enters the law; a resident's fresh key, bound by the identification bureau, signs a
consent for one field, one purpose, one use; the housing institute asks, the financial bureau
releases, both halves are on the chain and equal. Then everything that the consent and the law do
not cover is tried, and refused. Two residents withdraw: one by key, one at a counter, after whose
declaration a release still went out and is listed for remedy. An auditor reads it all.
"""

import sys
from datetime import timedelta
from typing import Final

from atesta_client import requests
from atesta_client.requests import SubjectItem
from atesta_client.resident_keys import ResidentKey

from scripts.demos.law_auditing import (
    create_case,
    list_askable,
    search_for_people,
    show_case,
    show_provenance,
)
from scripts.demos.law_run import Story, run
from scripts.demos.law_stage import Attempt, LawStage, get_now
from scripts.demos.stage import require
from scripts.demos.subsidy_limits import refuse_what_is_not_covered, withdraw
from scripts.demos.subsidy_scene import (
    BAND,
    CASE,
    FINANCE,
    HOUSING,
    IDENTITY,
    PEOPLE,
    RELEASED,
    SUPERVISOR,
    Scene,
    describe,
)


async def open_case(scene: Scene) -> None:
    """Open Ana's case and ask what it may ask."""
    stage = scene.stage
    with stage.narrator.step("Ana applies. The institute asks the ledger: what may I ask?"):
        housing = await stage.get_officer(HOUSING)
        await housing.send(
            create_case(
                CASE,
                procedure="housing-subsidy",
                purpose=scene.subsidy,
                needs={scene.income: [BAND]},
            )
        )
        told = await housing.send(list_askable(CASE, scene.income))
        usable = {one["basis"]["uid"]: one for one in told["usable"]}
        require(set(usable) == {scene.law}, "what may be asked is not the one law in force")
        answer = usable[scene.law]
        require(
            (answer["fields"], answer["consents"]) == ([BAND], ["general"]),
            f"what may be asked is {answer['fields']} with {answer['consents']}",
        )
        refused = {one["basis"]: one["rule"] for one in told["refused"]}
        require(
            refused == {scene.expired_law: "basis: expired"},
            f"the bases that do not serve are told as {refused}",
        )
        stage.narrator.confirm(
            "one law serves: the smallest set of fields is the income band, and it needs the "
            "resident's consent; the programme of 2024 has expired"
        )


async def consent(scene: Scene) -> None:
    """Let Ana's own key, made for this once, sign her consent."""
    stage = scene.stage
    title = "Ana reads the notice and signs with a key that her device made for this consent"
    with stage.narrator.step(title):
        housing, finance = await stage.get_officer(HOUSING), await stage.get_officer(FINANCE)
        identity = await stage.get_officer(IDENTITY)
        for applicant, taxpayer in PEOPLE.values():
            known = await housing.send(
                requests.create_subject(reference=applicant, counterparty=FINANCE.label)
            )
            await finance.send(
                requests.match_subject(
                    reference=taxpayer, counterparty=HOUSING.label, handle=known.handle
                )
            )
            if applicant == PEOPLE["Ana"][0]:
                handle = known.handle
        key = scene.key = ResidentKey.generate()
        terms = scene.build_terms("Ana")
        until = get_now() + timedelta(days=1)
        await stage.do(
            identity,
            requests.create_key_binding(
                holder=key.address, subject=SubjectItem(handle=handle), valid_until=until
            ),
        )
        prepared = await housing.send(requests.prepare_consent(**terms, holder=key.address))
        signature = key.sign(prepared.typed_data)
        forged = requests.give_consent(
            uid=prepared.uid, signature=ResidentKey.generate().sign(prepared.typed_data)
        )
        await stage.show_refusals(
            [
                Attempt(
                    title="somebody else's key signs it",
                    code="signature_not_the_signers",
                    client=housing,
                    request=forged,
                )
            ]
        )
        await stage.do(housing, requests.give_consent(uid=prepared.uid, signature=signature))
        scene.consent = prepared.uid
        require(prepared.envelope is not None, "the prepared consent has no envelope")
        envelope = prepared.envelope or {}
        await finance.send(
            requests.keep_consent_envelope(
                prepared.uid, subject=envelope["subject"], record=envelope["record"]
            )
        )
        given = await finance.send(requests.get_consent(scene.consent))
        require(
            given.origin.given_by == "resident" and not given.origin.by_beneficiary,
            "the consent does not say that the resident's own key gave it",
        )
        stage.narrator.confirm(
            "the identification bureau says whose key it is; the ledger shows a consent by the "
            "resident: one field, one purpose, one use, ninety days"
        )


async def exchange(scene: Scene) -> None:
    """Ask, release, acknowledge: both halves, equal."""
    stage = scene.stage
    with stage.narrator.step("The institute asks, the bureau releases, the institute confirms"):
        housing, finance = await stage.get_officer(HOUSING), await stage.get_officer(FINANCE)
        asked = await stage.do(housing, scene.ask(scene.consent))
        scene.exchange, scene.envelope = asked.uid, asked.envelope
        too_much = requests.release_exchange(
            asked.uid,
            request_envelope=asked.envelope or {},
            response={**RELEASED, "year": 2025},
        )
        await stage.show_refusals(
            [
                Attempt(
                    title="the bureau sends more than was asked",
                    code="field_not_asked",
                    client=finance,
                    request=too_much,
                )
            ]
        )
        released = await stage.do(
            finance,
            requests.release_exchange(
                asked.uid, request_envelope=asked.envelope or {}, response=RELEASED
            ),
        )
        await stage.do(
            housing,
            requests.acknowledge_exchange(asked.uid, response_envelope=released.envelope or {}),
        )
        record = await housing.send(requests.get_exchange(asked.uid))
        require(
            record.state == "received"
            and record.progress is not None
            and record.progress.equal is True,
            f"the exchange is {record.state}, not received and equal",
        )
        stage.narrator.confirm("received equals released; on the chain there are commitments only")


async def audit(scene: Scene) -> None:
    """Read Ana's case and its provenance, and search for people."""
    stage = scene.stage
    with stage.narrator.step(f"An auditor asks about case {CASE}, and where it came from"):
        answer = await show_case(stage, HOUSING, CASE)
        require(
            [one["state"] for one in answer["exchanges"]] == ["received", "void"],
            "the case does not list Ana's exchange and the one that was voided",
        )
        await show_provenance(
            stage,
            SUPERVISOR,
            scene.exchange,
            rests_on=(scene.consent, scene.law, scene.income),
        )
    await search_for_people(
        stage,
        {
            "a name": "Ana-Xavier",
            "another name": "Rui-Sequeira",
            "a clerk's name": "Beatriz Fonseca",
            "an income band": RELEASED["income_band"],
            "a case number": CASE,
        },
        control=scene.exchange,
    )


async def tell(stage: LawStage) -> None:
    """Tell it all, step by step."""
    scene = Scene(stage=stage)
    await describe(scene)
    await open_case(scene)
    await consent(scene)
    await exchange(scene)
    await refuse_what_is_not_covered(scene)
    await withdraw(scene)
    await audit(scene)


STORY: Final = Story(
    name="d2",
    summary="A housing subsidy for which nobody brings a tax paper: the income band, once, with "
    "the resident's consent.",
    parties=(FINANCE, HOUSING, IDENTITY, SUPERVISOR),
    tell=tell,
)

if __name__ == "__main__":
    sys.exit(run(STORY))
