"""The limits in D2: what neither consent nor law covers, another person, and withdrawals."""

from atesta_client import requests
from atesta_client.answers import Accepted
from atesta_client.requests import ConsentItems, LegalReference, Request, ScopeItem, SubjectItem

from scripts.demos.law_auditing import show_case
from scripts.demos.law_stage import Attempt, get_now
from scripts.demos.stage import require
from scripts.demos.subsidy_scene import (
    BAND,
    FINANCE,
    HOUSEHOLD,
    HOUSING,
    IDENTITY,
    PEOPLE,
    RELEASED,
    SUPERVISOR,
    YEAR,
    Scene,
)


async def refuse_what_is_not_covered(scene: Scene) -> None:
    """Try everything that consent and law do not cover."""
    stage = scene.stage
    with stage.narrator.step("What the consent or the law does not cover is refused"):
        housing, identity = await stage.get_officer(HOUSING), await stage.get_officer(IDENTITY)
        supervisor = await stage.get_supervisor(SUPERVISOR)
        spare = await stage.do(housing, scene.record("Ana", quota=5))
        general = await stage.do(
            housing,
            scene.record("Ana", dataset=scene.deductions, fields=["/medical_deduction"]),
        )
        elsewhere = SubjectItem(handle="0x" + "5a" * 32)
        uid = spare.uid

        def attempt(title: str, code: str, request: Request[Accepted]) -> Attempt:
            return Attempt(title=title, code=code, client=housing, request=request)

        await stage.show_refusals(
            [
                attempt(
                    "a second use of a consent for one",
                    "consent_quota_used_up",
                    scene.ask(scene.consent),
                ),
                attempt("no consent at all", "consent_missing", scene.ask(None)),
                Attempt(
                    title="another agency uses the consent",
                    code="consent_not_for_this_recipient",
                    client=identity,
                    request=scene.ask(uid, subject=elsewhere),
                ),
                attempt(
                    "another purpose: statistics",
                    "consent_not_for_this_purpose",
                    scene.ask(uid, purpose=scene.statistics),
                ),
                attempt(
                    "another field: the tax year",
                    "consent_not_for_these_fields",
                    scene.ask(uid, fields=[BAND, YEAR]),
                ),
                attempt(
                    "a field beyond the law: the household",
                    "basis_not_for_these_fields",
                    scene.ask(uid, fields=[BAND, HOUSEHOLD]),
                ),
                attempt(
                    "a programme that has ended",
                    "basis_expired",
                    scene.ask(uid, basis=scene.expired_law),
                ),
                attempt(
                    "one consent for general and sensitive at once",
                    "consent_not_of_this_kind",
                    scene.ask(
                        None,
                        dataset=scene.deductions,
                        fields=["/medical_deduction"],
                        basis=scene.sensitive_law,
                        consents=ConsentItems(general=general.uid, sensitive=general.uid),
                    ),
                ),
                attempt(
                    "data that are never shared",
                    "dataset_not_shared",
                    scene.ask(uid, dataset=scene.audits, fields=["/stage"]),
                ),
                Attempt(
                    title="a law that would share them",
                    code="dataset_not_shared",
                    client=supervisor,
                    request=requests.enter_basis(
                        kind="statute",
                        law=LegalReference(law="Example", article="1"),
                        valid_from=get_now(),
                        scopes=[ScopeItem(dataset=scene.audits, purpose=scene.subsidy)],
                    ),
                ),
            ]
        )
    await refuse_another_person(scene, uid)


async def refuse_another_person(scene: Scene, consent_uid: str) -> None:
    """Ask about Rui on Ana's consent: the chain cannot see it, the vaults of the agencies do."""
    stage = scene.stage
    with stage.narrator.step("The institute asks about Rui on Ana's consent"):
        housing, finance = await stage.get_officer(HOUSING), await stage.get_officer(FINANCE)
        rui = scene.ask(consent_uid, subject=SubjectItem(reference=PEOPLE["Rui"][0]))
        await stage.show_refusals(
            [
                Attempt(
                    title="another person than who consented",
                    code="subject_mismatch",
                    client=housing,
                    request=rui,
                )
            ]
        )
        needless = await stage.do(housing, scene.ask(consent_uid))
        for side in (housing, finance):
            await stage.do(side, requests.void_exchange(needless.uid, reason="error"))
        record = await housing.send(requests.get_exchange(needless.uid))
        left = await housing.send(requests.get_consent(consent_uid))
        require(record.state == "void", f"the needless request is {record.state}, not void")
        require(
            left.standing is not None and left.standing.reserved == 0,
            "the void did not give the consent's use back",
        )
        stage.narrator.confirm("a needless request: both sides sign it void; the use goes back")


async def withdraw(scene: Scene) -> None:
    """Withdraw twice: by key, and at a counter with a release between declaration and block."""
    stage = scene.stage
    housing, finance = await stage.get_officer(HOUSING), await stage.get_officer(FINANCE)
    with stage.narrator.step("Ana withdraws with the key that gave the consent"):
        assert scene.key is not None, "the key signed before"
        message = await housing.send(requests.prepare_withdrawal(scene.consent))
        await stage.do(
            housing,
            requests.withdraw_signed_consent(
                scene.consent,
                declared_at=message.moment,
                nonce=message.nonce,
                deadline=message.deadline,
                signature=scene.key.sign(message.typed_data),
            ),
        )
        await stage.show_refusals(
            [
                Attempt(
                    title="a request after the withdrawal",
                    code="consent_withdrawn",
                    client=housing,
                    request=scene.ask(scene.consent),
                ),
                Attempt(
                    title="another delivery after the withdrawal",
                    code="consent_withdrawn",
                    client=finance,
                    request=requests.release_exchange(
                        scene.exchange,
                        request_envelope=scene.envelope or {},
                        response=RELEASED,
                    ),
                ),
            ]
        )
        await stage.do(housing, requests.answer_withdrawal(scene.consent, outcome="deleted"))
        stage.narrator.confirm("the institute answers in time: deleted")
    await withdraw_at_the_counter(scene)


async def withdraw_at_the_counter(scene: Scene) -> None:
    """Let a release go out between Rui's declaration and its block: it is listed."""
    stage = scene.stage
    housing, finance = await stage.get_officer(HOUSING), await stage.get_officer(FINANCE)
    title = "Rui withdraws at a counter; before the clerk has typed it in, his data went out"
    with stage.narrator.step(title):
        case = "HS-2026-000418"
        rui = SubjectItem(reference=PEOPLE["Rui"][0])
        given = await stage.do(housing, scene.record("Rui"))
        envelope = given.envelope or {}
        await finance.send(
            requests.keep_consent_envelope(
                given.uid, subject=envelope["subject"], record=envelope["record"]
            )
        )
        asked = await stage.do(housing, scene.ask(given.uid, subject=rui, case=case))
        declared = get_now()
        stage.narrator.say(f"declared at {declared:%H:%M:%S}")
        released = await stage.do(
            finance,
            requests.release_exchange(
                asked.uid,
                request_envelope=asked.envelope or {},
                response={"income_band": "Band B: 60,001 to 96,000"},
            ),
        )
        await stage.do(
            housing,
            requests.acknowledge_exchange(asked.uid, response_envelope=released.envelope or {}),
        )
        await stage.do(
            housing,
            requests.withdraw_consent(given.uid, declared_at=declared, form={"form": "F-13"}),
        )
        record = await finance.send(requests.get_consent(given.uid))
        ended = None if record.standing is None else record.standing.withdrawal
        require(
            record.state == "revoked" and ended is not None and ended.releases_to_remedy == 1,
            f"the release after the declaration is not listed: {ended}",
        )
        stage.narrator.confirm("the ledger lists one release to be remedied")
        await show_case(stage, HOUSING, case, missing=["released_after_withdrawal"])
        await stage.do(housing, requests.answer_withdrawal(given.uid, outcome="deleted"))
