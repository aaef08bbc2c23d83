"""The second half of D8: what one agency received goes on to two more, and withdrawal reaches all.

A withdrawal binds everybody to whom the data came, directly or onward. Each says on the ledger what
it did: stopped, deleted, or retained for storage only, under a basis that it cites, until a date.
"""

from datetime import timedelta
from typing import Final

from atesta_client import requests
from atesta_client.answers import Accepted, Consent

from contracts.development import DevelopmentAgency
from scripts.demos.law_stage import Attempt, get_now
from scripts.demos.life_scene import CIVIL, FUND, PENSIONS, RELEASED, WELFARE, Scene
from scripts.demos.stage import require

HANDED_ON: Final = {"alive_on": RELEASED["last_seen_on"]}
KEPT: Final = timedelta(days=5 * 365)
"""How long the fund keeps its accounts, in this story."""


async def consent(scene: Scene) -> None:
    """Take two consents at the department's counter."""
    stage = scene.stage
    title = (
        "For the next time Ilda consents that the department tells the fund, and the fund others"
    )
    with stage.narrator.step(title):
        civil, fund = await stage.get_officer(CIVIL), await stage.get_officer(FUND)
        for kind in ("general", "cross_border"):
            given = await stage.do(civil, scene.record(kind))
            envelope = given.envelope or {}
            await fund.send(
                requests.keep_consent_envelope(
                    given.uid, subject=envelope["subject"], record=envelope["record"]
                )
            )
            scene.consents[kind] = given.uid
        stage.narrator.confirm(
            "two records: general, and for data that leave Guangdong; the full consent record "
            "names all three agencies and stays in the vaults"
        )


async def hand_on(scene: Scene) -> None:
    """Let the fund ask, then the two others ask the fund for what it received."""
    stage = scene.stage
    civil, fund = await stage.get_officer(CIVIL), await stage.get_officer(FUND)
    pensions = await stage.get_officer(PENSIONS)
    with stage.narrator.step("The fund asks the department; two more agencies ask the fund"):
        asked = await stage.do(fund, scene.ask_department())
        scene.exchange = asked.uid
        await stage.show_refusals(
            [
                Attempt(
                    title="the pension fund asks before anything arrived",
                    code="onward_nothing_received",
                    client=pensions,
                    request=scene.ask_fund(PENSIONS),
                )
            ]
        )
        released = await stage.do(
            civil,
            requests.release_exchange(
                asked.uid, request_envelope=asked.envelope or {}, response=RELEASED
            ),
        )
        await _acknowledge(scene, FUND, asked.uid, released)
        for recipient in (PENSIONS, WELFARE):
            client = await stage.get_officer(recipient)
            onward = await stage.do(client, scene.ask_fund(recipient))
            given = await stage.do(
                fund,
                requests.release_exchange(
                    onward.uid, request_envelope=onward.envelope or {}, response=HANDED_ON
                ),
            )
            await _acknowledge(scene, recipient, onward.uid, given)
            scene.onward[recipient.label] = onward.uid
        found = await fund.send(requests.list_exchanges(onward_of=scene.exchange))
        require(
            {one.uid for one in found.items} == set(scene.onward.values()),
            "the ledger does not list what was handed on from the first exchange",
        )
        stage.narrator.confirm(
            "three exchanges, both halves equal; the ledger lists two as handed on from the first"
        )


async def withdraw(scene: Scene) -> None:
    """Withdraw; nothing goes over any more, and every recipient answers."""
    stage = scene.stage
    civil, fund = await stage.get_officer(CIVIL), await stage.get_officer(FUND)
    pensions, welfare = await stage.get_officer(PENSIONS), await stage.get_officer(WELFARE)
    uid = scene.consents["general"]
    with stage.narrator.step("Ilda withdraws at the department's counter"):
        await stage.do(civil, requests.withdraw_consent(uid, form={"form": "D-8 withdrawal"}))
        told = await pensions.send(requests.get_consent(uid))
        bound = _list_answers(told)
        require(
            set(bound) == {FUND.label, PENSIONS.label, WELFARE.label}
            and all(outcome is None for outcome in bound.values()),
            f"the withdrawal binds {bound}",
        )
        stage.narrator.say(f"bound by it, each within ten days: {', '.join(sorted(bound))}")
        await stage.show_refusals(
            [
                Attempt(
                    title="the fund asks the department again",
                    code="consent_withdrawn",
                    client=fund,
                    request=scene.ask_department(),
                ),
                Attempt(
                    title="the welfare bureau asks the fund again",
                    code="onward_consent_withdrawn",
                    client=welfare,
                    request=scene.ask_fund(WELFARE),
                ),
                Attempt(
                    title="the department answers for others",
                    code="consent_not_yours",
                    client=civil,
                    request=requests.answer_withdrawal(uid, outcome="deleted"),
                ),
                Attempt(
                    title="the fund retains under a law that there is not",
                    code="withdrawal_retained_without_a_basis",
                    client=fund,
                    request=requests.answer_withdrawal(
                        uid, outcome="retained", basis="0x" + "5a" * 32, until=get_now() + KEPT
                    ),
                ),
            ]
        )
    await answer(scene, uid)


async def answer(scene: Scene, uid: str) -> None:
    """Let all three recipients answer, each in its own way."""
    stage = scene.stage
    title = "Stopped, deleted, retained under a law until a date: every recipient answers"
    with stage.narrator.step(title):
        fund, pensions = await stage.get_officer(FUND), await stage.get_officer(PENSIONS)
        welfare = await stage.get_officer(WELFARE)
        until = get_now() + KEPT
        await stage.do(welfare, requests.answer_withdrawal(uid, outcome="stopped"))
        await stage.do(pensions, requests.answer_withdrawal(uid, outcome="deleted"))
        await stage.do(
            fund,
            requests.answer_withdrawal(
                uid, outcome="retained", basis=scene.archive_law, until=until
            ),
        )
        told = await welfare.send(requests.get_consent(uid))
        answers = _list_answers(told)
        require(
            answers
            == {FUND.label: "retained", PENSIONS.label: "deleted", WELFARE.label: "stopped"},
            f"the answers are {answers}",
        )
        withdrawal = None if told.standing is None else told.standing.withdrawal
        assert withdrawal is not None, "just read"
        (kept,) = (one for one in withdrawal.answers if one.outcome == "retained")
        require(
            (kept.basis, kept.until) == (scene.archive_law, until),
            f"retained under {kept.basis} until {kept.until}",
        )
        require(
            not any(one.late or one.overdue for one in withdrawal.answers),
            "an answer in time is told as late",
        )
        rows = [
            (
                one.recipient,
                one.outcome or "",
                "" if one.basis is None else one.basis[:18] + "…",
                "" if one.until is None else f"{one.until:%Y-%m-%d}",
            )
            for one in withdrawal.answers
        ]
        stage.narrator.show(("recipient", "did", "under", "until"), rows)
        await stage.show_refusals(
            [
                Attempt(
                    title="the pension fund takes its deletion back",
                    code="withdrawal_already_answered",
                    client=pensions,
                    request=requests.answer_withdrawal(uid, outcome="stopped"),
                )
            ]
        )
        stage.narrator.confirm("three recipients, three answers, none open")


def _list_answers(told: Consent) -> dict[str, str | None]:
    """Return what each recipient answered, by label; None while it has not."""
    withdrawal = None if told.standing is None else told.standing.withdrawal
    require(withdrawal is not None, "the consent does not show its withdrawal")
    return {one.recipient: one.outcome for one in withdrawal.answers} if withdrawal else {}


async def _acknowledge(
    scene: Scene, recipient: DevelopmentAgency, uid: str, released: Accepted
) -> None:
    """Acknowledge what arrived; it must be what was released."""
    client = await scene.stage.get_officer(recipient)
    await scene.stage.do(
        client, requests.acknowledge_exchange(uid, response_envelope=released.envelope or {})
    )
    record = await client.send(requests.get_exchange(uid))
    require(
        record.state == "received"
        and record.progress is not None
        and record.progress.equal is True,
        f"the exchange of {recipient.name} is {record.state}, not received and equal",
    )
