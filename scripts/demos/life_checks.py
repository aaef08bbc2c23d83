"""The first half of D8: one proof, three counters, and nothing of it on the chain."""

from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from atesta_client import requests
from atesta_client.presentations import Occasion, format_presentation, present

from api.access.callers import Role
from contracts.development import DevelopmentAgency
from scripts.demos.law_carrying import (
    Carried,
    issue,
    open_schema,
    recognise,
    require_refused,
    require_valid,
    show,
)
from scripts.demos.law_stage import LawStage, get_now
from scripts.demos.life_scene import CIVIL, FUND, PENSIONS, SUPERVISOR, WELFARE, Scene
from scripts.demos.stage import require

POINTERS: Final = ("/alive_on", "/seen_by", "/resides_in", "/name", "/birth_date", "/cnf")
DOCUMENT: Final = {
    "alive_on": "2026-11-19",
    "seen_by": "Civil Affairs Department, Zhuhai",
    "resides_in": "Zhuhai",
    "name": "Ilda-Noronha",
    "birth_date": "1951-03-08",
}
COUNTERS: Final[tuple[tuple[DevelopmentAgency, str, tuple[str, ...]], ...]] = (
    (FUND, "old-age-pension", ("/alive_on",)),
    (PENSIONS, "retirement-pension", ("/alive_on", "/seen_by")),
    (WELFARE, "old-age-allowance", ("/alive_on", "/resides_in")),
)
"""Who checks, for which purpose, and which fields that needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What the chain holds up to a block."""

    block: int
    events: int
    transactions: int


async def agree(scene: Scene) -> tuple[str, str]:
    """Open the form of the proof and sign, for both sides, that it counts; schema and policy."""
    stage = scene.stage
    with stage.narrator.step("Both sides sign that proofs of life from Guangdong count in Macao"):
        schema = await open_schema(stage, CIVIL, "Proof of life", POINTERS, [CIVIL])
        policy = await recognise(
            stage,
            CIVIL,
            FUND,
            schema_uid=schema,
            issuers=[CIVIL.label],
            max_age_s=30 * 86_400,
            assurance="substantial",
            agreement={
                "title": "Agreement on proofs of life (example)",
                "text": "Macao recognises proofs of life of Guangdong, 30 days old at most.",
            },
        )
        stage.narrator.confirm("one policy for all agencies of Macao, thirty days, holder's key")
    return schema, policy


async def check_at_three_counters(scene: Scene, schema: str, policy: str) -> Carried:
    """Show one proof at three counters; nothing of it may be on the chain."""
    stage = scene.stage
    with stage.narrator.step("Ilda is seen in Zhuhai and gets one proof on her device"):
        carried = await issue(stage, CIVIL, schema, DOCUMENT)
        stage.narrator.confirm("one attestation on the ledger: a commitment, no name")
    with stage.narrator.step("She shows it at three agencies in Macao, each for its own purpose"):
        before = await count_traces(stage)
        rows = []
        for counter, purpose, fields in COUNTERS:
            answer = await show(stage, counter, carried, fields, purpose)
            require_valid(answer, policy, f"the proof at {counter.name}")
            require(
                set(answer.disclosed) == {*fields, "/cnf"},
                f"{counter.name} saw {answer.disclosed}, not only what it needs",
            )
            rows.append((counter.name, purpose, ", ".join(fields), f"block {answer.block}"))
        stage.narrator.show(("counter", "purpose", "shown", "valid at"), rows)
        await refuse_what_was_signed_for_another(scene, carried)
        # Whatever the checks had sent would stand in one of the next blocks.
        await stage.wait_block(answer.block + 3)
        after = await count_traces(stage)
        require(
            (before.events, before.transactions) == (after.events, after.transactions),
            f"the checks left traces: {before}, then {after}",
        )
        stage.narrator.confirm(
            f"{len(rows)} of {len(rows)} valid; blocks {before.block + 1} to {after.block} hold no "
            "transaction: no check left anything on the chain"
        )
    return carried


async def refuse_what_was_signed_for_another(scene: Scene, carried: Carried) -> None:
    """Pass a presentation on to another agency, and show it twice: both are refused."""
    stage = scene.stage
    fund = await stage.get_client(FUND, Role.VERIFIER)
    pensions = await stage.get_client(PENSIONS, Role.VERIFIER)
    challenge = await fund.send(requests.create_challenge("old-age-pension"))
    occasion = Occasion(
        verifier=challenge.verifier, purpose=challenge.purpose, nonce=challenge.nonce
    )
    now_s = int(get_now().timestamp())
    signed = present(
        carried.credential, ("/alive_on",), occasion=occasion, now_s=now_s, key=carried.key
    )
    shown = requests.verify_presentation(format_presentation(signed))
    elsewhere = await pensions.send(shown)
    # Whoever answers no challenge of this agency has not proved to be the holder either.
    require_refused(
        elsewhere,
        "challenge_unknown",
        "what was signed for another agency",
        "recognition_assurance",
    )
    first = await fund.send(shown)
    require(first.result == "valid", f"the presentation itself is {first.result}")
    require_refused(await fund.send(shown), "challenge_replayed", "what was shown before")
    stage.narrator.say("passed on to another agency: challenge_unknown; twice: challenge_replayed")


async def revoke(scene: Scene, carried: Carried) -> None:
    """End the proof, as its holder asks; every counter refuses it from then on."""
    stage = scene.stage
    title = "Ilda moves back to Macao and has the proof ended: one act, three counters"
    with stage.narrator.step(title):
        issuer = await stage.get_client(CIVIL, Role.ISSUER)
        await stage.do(
            issuer, requests.change_state(carried.uid, state="revoked", reason="holder_request")
        )
        for counter, purpose, fields in COUNTERS:
            answer = await show(stage, counter, carried, fields, purpose)
            require_refused(answer, "state_revoked", f"the ended proof at {counter.name}")
        stage.narrator.confirm("3 of 3 refuse it: state_revoked")


async def count_traces(stage: LawStage) -> Traces:
    """Count events and transactions up to the last final block of the auditor's own node."""
    auditor = await stage.get_auditor(SUPERVISOR)
    events, cursor = 0, None
    block = (await auditor.send(requests.get_status())).block
    while True:
        page = await auditor.send(requests.list_events(limit=100, cursor=cursor))
        events += len(page.items)
        # A feed has a cursor also at its end, from which a later reader goes on.
        cursor = page.next
        if not page.items or cursor is None:
            break
    address = stage.ground.get_rpc_url(stage.get_node(SUPERVISOR))
    headers = {"Authorization": f"Bearer {stage.get_token(SUPERVISOR, Role.READER)}"}
    calls: list[dict[str, Any]] = [
        {
            "jsonrpc": "2.0",
            "id": number,
            "method": "eth_getBlockTransactionCountByNumber",
            "params": [hex(number)],
        }
        for number in range(block + 1)
    ]
    counted = 0
    async with aiohttp.ClientSession(headers=headers) as session:
        for first in range(0, len(calls), 50):
            async with session.post(address, json=calls[first : first + 50]) as response:
                answers = await response.json()
                require(
                    response.status == 200 and all("result" in one for one in answers),
                    f"the auditor's node does not count transactions: {answers}",
                )
                counted += sum(int(one["result"], 16) for one in answers)
    return Traces(block=block, events=events, transactions=counted)
