"""Issuing and carrying: credentials without a trace, then attestations when residents ask."""

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Final

from atesta_client import requests
from atesta_client.answers import Accepted
from atesta_client.errors import RestProblem

from scripts.demos.documents import KINDS, Document, count_peculiarities, make_control_certificate
from scripts.demos.residents import Resident
from scripts.demos.stage import Stage, require

_PARALLEL: Final = 8


async def make_credentials(stage: Stage) -> None:
    """Make a credential of every document, and see that the chain has nothing of it."""
    narrator, total = stage.narrator, len(stage.documents)
    title = f"The laboratory makes {total} credentials; nothing of them goes on the chain"
    with narrator.step(title, total=total) as step:
        found = count_peculiarities(stage.documents, now=datetime.now(UTC))
        kinds = Counter(KINDS[document.kind] for document in stage.documents)
        countries = len({document.country for document in stage.documents})
        narrator.say(
            f"{total} documents from {countries} "
            f"{'countries' if countries > 1 else 'country'}, {found.holders} holders: "
            + ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        )
        if found.sharing_identifier:
            narrator.say(
                f"{found.sharing_identifier} of them share a certificate identifier with a "
                "different certificate in the file; they are told apart by holder and date."
            )
        if found.repeated:
            narrator.say(
                f"Of {found.repeated} the file holds an earlier copy; the issuer will notice."
            )
        if found.past_clock:
            narrator.say(
                f"{found.past_clock} were made as test data for a moment that is past; what "
                "counts here is the validity that this issuer attests, 180 days from now."
            )
        before = await _count_records(stage)
        gate = asyncio.Semaphore(_PARALLEL)

        async def make(document: Document) -> Resident:
            async with gate:
                resident = await stage.issue(document)
                step.advance()
                return resident

        stage.residents = list(await asyncio.gather(*map(make, stage.documents)))
        require(
            await _count_records(stage) == before,
            "making credentials left a trace on the chain",
        )
        narrator.confirm(
            f"{total} credential files handed to their holders, each with the holder's own "
            "key; the chain has no record of any"
        )


async def carry_certificates(stage: Stage) -> None:
    """Attest what the residents ask to carry; the issuer notices what it attested before."""
    narrator, total = stage.narrator, len(stage.residents)
    title = "The residents ask to carry their certificates: the laboratory attests them"
    with narrator.step(title, total=total) as step:
        issuer = await stage.get_issuer()
        gate = asyncio.Semaphore(_PARALLEL)

        async def ask(resident: Resident) -> Accepted | None:
            async with gate:
                try:
                    return await issuer.send(requests.attest_credential(resident.uid))
                except RestProblem as problem:
                    if problem.status != 409:
                        raise
                    return None

        started = time.monotonic()
        answers = await asyncio.gather(*map(ask, stage.residents))
        carried: list[Resident] = []
        repeated: list[Resident] = []
        for resident, accepted in zip(stage.residents, answers, strict=True):
            if accepted is None:
                repeated.append(resident)
            else:
                await issuer.follow(accepted)
                carried.append(resident)
            step.advance()
        duration_s = time.monotonic() - started
        expected = count_peculiarities(stage.documents, now=datetime.now(UTC)).repeated
        require(
            len(repeated) == expected,
            f"the issuer noticed {len(repeated)} repeated certificates, not {expected}",
        )
        stage.residents = carried
        narrator.confirm(
            f"{len(carried)} attestations are final after {duration_s:.1f} s: each a "
            "commitment, a uid and times, sealed by a quorum"
        )
        if repeated:
            narrator.confirm(
                f"{len(repeated)} refused: the issuer's vault noticed the same "
                "certificate; its holder carries the attestation that exists"
            )
        await _plant_control(stage)
        last = carried[-1].uid
        for node in stage.network.nodes:
            await stage.wait_seen(await stage.network.get_client(node), last)


async def _count_records(stage: Stage) -> int:
    issuer = await stage.get_issuer()
    status = await issuer.send(requests.get_status())
    assert status.agency is not None, "the issuer is a member"
    return (await issuer.send(requests.get_agency(status.agency))).attestations


async def _plant_control(stage: Stage) -> None:
    """Attest one more record whose uid the privacy search must find in every store."""
    certificate = make_control_certificate()
    control = Document(number=0, country="", certificate=certificate, clock=None)
    await stage.carry(await stage.issue(control, uid=stage.control_uid))
