"""D3: a restaurant's licence, applied for by an accountant with a mandate of the company.

    scripts/demos/d3 [--keep]

The story, with real node processes: the commercial registry records the manager's office and the
accountant's power, with its acts, its limit and its term. The accountant applies at the counter;
the clerk opens her envelope against the ledger; the municipal bureau asks the financial bureau for
tax clearance under the mandate, on a statute. What is out of scope, over the limit, out of term or
handed on without leave is refused. A power may be handed on where it says so, and everything ends
with it. A mandate that ends between request and release stops the release.
"""

import sys
from typing import Final

from atesta_client import requests
from atesta_client.answers import Accepted
from atesta_client.envelopes import EnvelopeKind, open_envelope
from atesta_client.errors import MaterialRefused
from atesta_client.requests import ConsentItems, MandateItem, Request, SubjectItem

from scripts.demos.law_auditing import search_for_people, show_case, show_provenance
from scripts.demos.law_run import Story, run
from scripts.demos.law_stage import Attempt, LawStage
from scripts.demos.licence_scene import (
    ACCOUNTANT,
    CASE,
    COMPANY,
    FEE,
    FINANCE,
    LIMIT,
    MANAGER,
    MUNICIPAL,
    OFFICER,
    REGISTRY,
    RELEASED,
    SUPERVISOR,
    TRAINEE,
    Scene,
    describe,
    record,
)
from scripts.demos.stage import require


async def apply(scene: Scene) -> None:
    """Identify the accountant by her envelope, ask under the mandate, get the clearance."""
    stage = scene.stage
    with stage.narrator.step("The accountant applies at the counter, with her mandate"):
        municipal, finance = await stage.get_officer(MUNICIPAL), await stage.get_officer(FINANCE)
        uid = scene.mandates["the accountant"]
        mandate = await municipal.send(requests.get_mandate(uid))
        commitment = bytes.fromhex(mandate.grantee[2:])
        opened = open_envelope(
            scene.told["grantee"], kind=EnvelopeKind.PERSON, commitment=commitment
        )
        require(dict(opened.body) == ACCOUNTANT, "the envelope does not say who she is")
        forged = scene.told["grantee"] | {"body": TRAINEE}
        try:
            open_envelope(forged, kind=EnvelopeKind.PERSON, commitment=commitment)
        except MaterialRefused as refused:
            stage.narrator.confirm(f"her name opens the ledger's; a forged one: {refused.code}")
        else:
            require(False, "a forged envelope opens the ledger's commitment")
        asked = await stage.do(municipal, scene.ask(uid))
        released = await stage.do(
            finance,
            requests.release_exchange(
                asked.uid, request_envelope=asked.envelope or {}, response=RELEASED
            ),
        )
        await stage.do(
            municipal,
            requests.acknowledge_exchange(asked.uid, response_envelope=released.envelope or {}),
        )
        told = await municipal.send(requests.get_exchange(asked.uid))
        require(
            (told.state, told.mandate, told.basis_kind) == ("received", uid, "statute"),
            f"the exchange is {told.state}, under {told.mandate}, on {told.basis_kind}",
        )
        scene.exchange = asked.uid
        stage.narrator.confirm(
            f"no tax debts: received; the fee of {FEE:,} is within her limit of {LIMIT:,}"
        )


async def refuse_what_is_not_covered(scene: Scene) -> None:
    """Try what the mandates do not cover."""
    stage = scene.stage
    with stage.narrator.step("What a mandate does not cover is refused"):
        municipal, registry = await stage.get_officer(MUNICIPAL), await stage.get_officer(REGISTRY)
        known = scene.mandates

        def ask(title: str, code: str, request: Request[Accepted]) -> Attempt:
            return Attempt(title=title, code=code, client=municipal, request=request)

        def note(title: str, code: str, item: MandateItem) -> Attempt:
            request = requests.record_mandate(mandates=[item])
            return Attempt(title=title, code=code, client=registry, request=request)

        accountant = known["the accountant"]
        await stage.show_refusals(
            [
                ask(
                    "she takes out a loan",
                    "mandate_out_of_scope",
                    scene.ask(accountant, acts=("borrow",)),
                ),
                ask(
                    "an act that no list has",
                    "field_unknown",
                    scene.ask(accountant, acts=("sell",)),
                ),
                ask(
                    "more than her limit",
                    "mandate_over_the_limit",
                    scene.ask(accountant, amount=LIMIT + 1),
                ),
                ask("last year's power", "mandate_expired", scene.ask(known["last year's power"])),
                ask(
                    "next year's power",
                    "mandate_not_live_yet",
                    scene.ask(known["next year's power"]),
                ),
                ask("a power nobody gave", "mandate_not_found", scene.ask("0x" + "5a" * 32)),
                ask(
                    "a consent beside the statute",
                    "exchange_a_statute_needs_no_consent",
                    scene.ask(
                        accountant,
                        consents=ConsentItems(general="0x" + "5a" * 32),
                        subject=SubjectItem(reference="licence-applicant-7"),
                    ),
                ),
                note(
                    "she hands her power on to a trainee",
                    "delegation_not_allowed",
                    scene.describe_power(TRAINEE, parent=accountant),
                ),
                note(
                    "the manager hands the office on",
                    "delegation_not_allowed",
                    scene.describe_power(TRAINEE, parent=known["the manager"]),
                ),
                Attempt(
                    title="another agency ends her power",
                    code="mandate_not_yours",
                    client=municipal,
                    request=requests.end_mandate(accountant, reason="error"),
                ),
            ]
        )


async def hand_on(scene: Scene) -> None:
    """Hand a power on that says that it may be; what was handed on ends with it."""
    stage = scene.stage
    with stage.narrator.step("A power that may be handed on is, within its own limits"):
        municipal, registry = await stage.get_officer(MUNICIPAL), await stage.get_officer(REGISTRY)
        parent = scene.mandates["a power to hand on"]
        first = await municipal.send(requests.get_mandate(parent))
        child = scene.describe_power(
            TRAINEE,
            parent=parent,
            acts=["request-clearance"],
            limit=LIMIT // 2,
            valid_until=first.valid_until,
        )

        def note(title: str, code: str, **changes: object) -> Attempt:
            changed = scene.describe_power(
                TRAINEE, **({"parent": parent, "valid_until": first.valid_until} | changes)
            )
            request = requests.record_mandate(mandates=[changed])
            return Attempt(title=title, code=code, client=registry, request=request)

        await stage.show_refusals(
            [
                note("with a higher limit", "delegation_over_the_limit", limit=LIMIT + 1),
                note("with more acts", "delegation_out_of_scope", acts=["borrow"]),
                note("without an end", "delegation_beyond_the_term", valid_until=None),
            ]
        )
        made = await stage.do(registry, requests.record_mandate(mandates=[child]))
        within = await municipal.send(requests.explain(scene.ask(made.uid, amount=1_000)))
        require(within.allowed, f"what was handed on does not serve: {within.refusal}")
        await stage.do(registry, requests.end_mandate(parent, reason="holder_request"))
        await stage.show_refusals(
            [
                Attempt(
                    title="the trainee, after the power above has ended",
                    code="mandate_ended",
                    client=municipal,
                    request=scene.ask(made.uid, amount=1_000),
                )
            ]
        )
        stage.narrator.confirm("half the limit, one act, the same end; and over with the first one")


async def end_in_between(scene: Scene) -> None:
    """End the accountant's power between a request and its release."""
    stage = scene.stage
    with stage.narrator.step("The company dismisses the accountant while a request is open"):
        municipal, registry = await stage.get_officer(MUNICIPAL), await stage.get_officer(REGISTRY)
        finance = await stage.get_officer(FINANCE)
        uid = scene.mandates["the accountant"]
        asked = await stage.do(municipal, scene.ask(uid, case="RL-2026-000094"))
        await stage.do(registry, requests.end_mandate(uid, reason="holder_request"))
        await stage.show_refusals(
            [
                Attempt(
                    title="the release, after her power has ended",
                    code="mandate_ended",
                    client=finance,
                    request=requests.release_exchange(
                        asked.uid, request_envelope=asked.envelope or {}, response=RELEASED
                    ),
                ),
                Attempt(
                    title="a new request with it",
                    code="mandate_ended",
                    client=municipal,
                    request=scene.ask(uid),
                ),
            ]
        )
        office = scene.mandates["the manager"]
        still = await municipal.send(requests.explain(scene.ask(office)))
        require(still.allowed, f"the manager's office does not serve any more: {still.refusal}")
        stage.narrator.confirm("the law is checked at request and at release; the manager stays")


async def audit(scene: Scene) -> None:
    """Read the case and its provenance, and search for people."""
    stage = scene.stage
    with stage.narrator.step(f"An auditor asks about case {CASE}, and where it came from"):
        answer = await show_case(stage, MUNICIPAL, CASE)
        require(len(answer["exchanges"]) == 1, "the case does not have its one exchange")
        await show_provenance(
            stage,
            SUPERVISOR,
            scene.exchange,
            rests_on=(scene.mandates["the accountant"], scene.law, scene.clearance),
        )
    await search_for_people(
        stage,
        {
            "the manager": MANAGER["name"],
            "the accountant": ACCOUNTANT["name"],
            "a document": ACCOUNTANT["document"],
            "an officer": OFFICER["name"],
            "the company": COMPANY.number,
            "a case number": CASE,
        },
        control=scene.exchange,
    )


async def tell(stage: LawStage) -> None:
    """Tell it all, step by step."""
    scene = Scene(stage=stage)
    await describe(scene)
    await record(scene)
    await apply(scene)
    await refuse_what_is_not_covered(scene)
    await hand_on(scene)
    await end_in_between(scene)
    await audit(scene)


STORY: Final = Story(
    name="d3",
    summary="A restaurant's licence, applied for by an accountant with a mandate of the company.",
    parties=(REGISTRY, MUNICIPAL, FINANCE, SUPERVISOR),
    tell=tell,
)

if __name__ == "__main__":
    sys.exit(run(STORY))
