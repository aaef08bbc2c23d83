"""Checking on the other side: with the issuer's node stopped, and with one's own cut off."""

import asyncio
import secrets
import statistics
import time

from atesta_client import requests
from atesta_client.presentations import HolderCheck, Occasion, present, validate_presentation

from scripts.demos.documents import KINDS
from scripts.demos.residents import check
from scripts.demos.stage import Stage, require


async def check_while_issuer_is_down(stage: Stage) -> None:
    """Stop the issuer's node, check every certificate at the commission, start it again."""
    network, narrator, total = stage.network, stage.narrator, len(stage.residents)
    if network.laboratory == network.commission:
        await _check_without_any_node(stage)
        await _check_all(stage, "The node keeps what was final: every certificate is checked")
        return
    with narrator.step("The laboratory's node is stopped"):
        await network.stop(network.laboratory)
        narrator.confirm(f"{network.laboratory.name} is down")
        if len(network.nodes) == 2 and network.ground.is_own:
            narrator.say(
                "Of two validators both must sign, so nothing new can become final now. What is "
                "final already can be checked all the same."
            )
    verifier = await stage.get_verifier()
    before = (await verifier.send(requests.get_status())).block
    title = f"Guangdong checks all {total} certificates on its own node meanwhile"
    await _check_all(stage, title)
    with narrator.step("The laboratory's node comes back and catches up"):
        after = (await verifier.send(requests.get_status())).block
        if len(network.nodes) == 2 and network.ground.is_own:
            require(after <= before + 1, "a block became final without a quorum")
            narrator.say(f"The last final block is {after}, as when the laboratory went down.")
        else:
            narrator.say(f"The others went on without it: the last final block is {after}.")
        await network.start([network.laboratory])
        await stage.wait_caught_up(await stage.get_issuer())
        narrator.confirm(f"{network.laboratory.name} has every block again")


async def _check_all(stage: Stage, title: str) -> None:
    narrator, total = stage.narrator, len(stage.residents)
    with narrator.step(title, total=total) as step:
        verifier = await stage.get_verifier()
        durations, shown = [], set()
        for resident in stage.residents:
            started = time.monotonic()
            answer = await check(verifier, await resident.prepare(verifier))
            durations.append(time.monotonic() - started)
            stage.require_valid(answer, resident)
            shown.add((KINDS[resident.document.kind], ", ".join(sorted(answer.disclosed))))
            step.advance()
        narrator.confirm(
            f"{total} of {total} valid, {statistics.median(durations) * 1000:.0f} ms each "
            "(median, with challenge and signature); holders proved by their keys"
        )
        for kind, fields in sorted(shown):
            narrator.say(f"shown of a {kind}: {fields}")


async def _check_without_any_node(stage: Stage) -> None:
    """Stop the only node, check what can be checked without one, and start it again."""
    network, narrator, total = stage.network, stage.narrator, len(stage.residents)
    title = "The only node is stopped; certificates are checked as far as they can be without one"
    with narrator.step(title, total=total) as step:
        await network.stop(network.laboratory)
        narrator.say(
            "A single agency's verifier has no other node to ask: nothing can become final, and "
            "nobody can say what is attested. Proofs and signatures need no node."
        )
        for resident in stage.residents:
            occasion = Occasion(
                verifier="counter 1", purpose=resident.purpose, nonce=secrets.token_hex(32)
            )
            now_s = int(time.time())
            shown = present(
                resident.credential,
                resident.needed,
                occasion=occasion,
                now_s=now_s,
                key=resident.key,
            )
            checked = validate_presentation(
                shown, occasion=occasion, now_s=now_s, required=resident.needed
            )
            require(checked.holder is HolderCheck.PROVED, "a holder was not proved by the key")
            step.advance()
        narrator.confirm(
            f"{total} of {total} are what their issuer committed to, shown by their holders"
        )
        await network.start([network.laboratory])


async def cut_off_verifier(stage: Stage) -> None:
    """Let the commission's node fall behind its limit; it must not answer yes or no."""
    network, narrator = stage.network, stage.narrator
    if len(network.nodes) == 1:
        with narrator.step("A node that is cut off (skipped)"):
            narrator.say(
                "A single agency is its own quorum: there is nobody it could be cut off from."
            )
        return
    title = "Guangdong's node is cut off from all the others for longer than its limit"
    if not network.ground.is_own:
        title = "The network makes no block for longer than Guangdong's limit"
    with narrator.step(title):
        narrator.say(
            f"The limit is ten minutes by default; this node is set to {network.lag_limit_s} "
            "seconds, so that nobody has to wait. The other processes stand still meanwhile."
        )
        resident = stage.residents[0]
        verifier = await stage.get_verifier()
        presentation = await resident.prepare(verifier)
        network.freeze_others(network.commission)
        try:
            behind_s = 0
            while behind_s <= network.lag_limit_s:
                await asyncio.sleep(min(5.0, network.lag_limit_s + 1.0 - behind_s))
                behind_s = (await verifier.send(requests.get_status())).behind_s
            answer = await check(verifier, presentation)
        finally:
            network.thaw()
        require(answer.result == "cannot_say", f"a node cut off answered {answer.result}")
        narrator.confirm(f"cannot say: {answer.reasons[0].text}")
        narrator.say(f"At block {answer.block}, {answer.behind_s} s old. {answer.next_step}")
        await stage.wait_caught_up(verifier)
        for node in network.nodes:
            await stage.wait_caught_up(await network.get_client(node))
        answer = await check(verifier, presentation)
        if any(reason.code == "presentation_stale" for reason in answer.reasons):
            answer = await check(verifier, await resident.prepare(verifier))
        stage.require_valid(answer, resident)
        narrator.confirm("Connected again, the same presentation is valid: it was not used up")
