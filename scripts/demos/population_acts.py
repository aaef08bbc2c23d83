"""What a thousand residents live through: D1, D2 and D8, for each of them.

Every act goes through REST to the agency's own node, as in the other demonstrations, but not one
person after the other: all residents take a step side by side, and it is over when the last of its
transactions is final at every node. In each step they come in another order, as people do: who is
always the third is known by that (`population_order`).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from atesta_client import requests
from atesta_client.answers import Accepted, Verification
from atesta_client.credentials import decode_credential
from atesta_client.holder_keys import HolderKey
from atesta_client.requests import ConsentItems, SubjectItem
from atesta_client.resident_keys import ResidentKey
from atesta_client.rest import AsyncClient

from api.access.callers import Role
from contracts.development import DevelopmentAgency
from scripts.demos.law_carrying import Carried, require_valid, show
from scripts.demos.law_stage import LawStage, get_now
from scripts.demos.population_people import Person
from scripts.demos.population_scene import (
    BAND,
    CIVIL,
    COUNTERS,
    FINANCE,
    HEALTH,
    HOUSING,
    OFFICER,
    Ground,
)
from scripts.demos.residents import make_key
from scripts.demos.stage import require

HEALTH_RECORD: Final = "health certificate"
CONSENT: Final = "consent"
EXCHANGE: Final = "exchange"
LIFE_RECORD: Final = "life certificate"
AUTHORISED: Final = (CONSENT, EXCHANGE)
"""The two records that belong together for all to see: an exchange names its consent."""

_PARALLEL: Final = 16
_SETTLE_S: Final = 300.0
_POLL_S: Final = 0.3

Send = Callable[["Resident"], Awaitable[Accepted]]


@dataclass(slots=True, kw_only=True)
class Resident:
    """One person, and what the person's own device and the agencies' programs know."""

    person: Person
    key: ResidentKey = field(default_factory=ResidentKey.generate)
    """The key of the consent."""
    carried: dict[str, Carried] = field(default_factory=dict)
    """Documents on the device, by kind of record."""
    handle: str = ""
    """By which housing institute and financial bureau mean the person; in their vaults only."""
    consent: str = ""
    exchange: str = ""
    envelope: dict[str, Any] = field(default_factory=dict)
    """What the last act handed back for the other side."""
    transactions: dict[str, str] = field(default_factory=dict)
    """Kind of record by hash of transaction."""


class Population:
    """All residents, taking one step after the other together."""

    def __init__(
        self, stage: LawStage, ground: Ground, people: Sequence[Person], seed: int
    ) -> None:
        """Let these people live; `seed` draws the order in which they come, in each step anew."""
        self.residents = tuple(Resident(person=person) for person in people)
        self._chance = random.Random(f"order {seed}")  # noqa: S311 - the same orders for a seed
        self.last_block = 0
        """The last block with an act of theirs."""
        self.checks = 0
        """How often a document was shown and found valid."""
        self._stage = stage
        self._ground = ground
        self._gate = asyncio.Semaphore(_PARALLEL)

    async def live(self) -> None:
        """Go through D1, D2 and D8."""
        health = await self._stage.get_client(HEALTH, Role.ISSUER)
        civil = await self._stage.get_client(CIVIL, Role.ISSUER)
        housing = await self._stage.get_officer(HOUSING)
        finance = await self._stage.get_officer(FINANCE)
        binder = await self._stage.get_officer(HEALTH)
        act = self._act_all
        await act("D1: health certificates are attested", HEALTH_RECORD, health, self._attest)
        await self._do_all("D1: each is checked at the border", self._cross)
        await act("D2: an agency says whose keys they are", CONSENT, binder, self._bind)
        await act("D2: the residents sign their consents", CONSENT, housing, self._give)
        await self._do_all("D2: the bureau keeps its half of each consent", self._keep)
        await act("D2: the institute asks", EXCHANGE, housing, self._ask)
        await act("D2: the bureau releases", EXCHANGE, finance, self._release)
        await act("D2: the institute confirms", EXCHANGE, housing, self._acknowledge)
        await act("D8: proofs of life are attested", LIFE_RECORD, civil, self._attest_life)
        await self._do_all("D8: each is used at three agencies", self._use)

    # ------------------------------------------------------------------ steps

    async def _attest(self, resident: Resident) -> Accepted:
        person = resident.person
        document = {
            "name": person.name,
            "identity_number": person.identity,
            "birth_date": person.birth_date.isoformat(),
            "telephone": person.phone,
            "result": "negative",
        }
        return await self._issue(resident, HEALTH, HEALTH_RECORD, self._ground.health, document)

    async def _attest_life(self, resident: Resident) -> Accepted:
        person = resident.person
        document = {
            "name": person.name,
            "identity_number": person.identity,
            "birth_date": person.birth_date.isoformat(),
            "alive_on": get_now().date().isoformat(),
            "resides_in": "Zhuhai",
        }
        return await self._issue(resident, CIVIL, LIFE_RECORD, self._ground.life, document)

    async def _issue(
        self,
        resident: Resident,
        issuer: DevelopmentAgency,
        kind: str,
        schema_uid: str,
        document: dict[str, str],
    ) -> Accepted:
        key: HolderKey = make_key(resident.person.number)
        client = await self._stage.get_client(issuer, Role.ISSUER)
        made = await client.send(
            requests.create_credential(
                schema_uid=schema_uid,
                document=dict(document),
                holder_key=key.public_key,
                valid_until=get_now() + timedelta(days=90),
            )
        )
        credential = decode_credential(made.credential or {})
        credential.commit()
        carried = Carried(credential=credential, key=key)
        resident.carried[kind] = carried
        return await client.send(requests.attest_credential(carried.uid))

    async def _bind(self, resident: Resident) -> Accepted:
        housing, finance = (
            await self._stage.get_officer(HOUSING),
            await self._stage.get_officer(FINANCE),
        )
        known = await housing.send(
            requests.create_subject(reference=resident.person.identity, counterparty=FINANCE.label)
        )
        resident.handle = known.handle
        await finance.send(
            requests.match_subject(
                reference=resident.person.identity,
                counterparty=HOUSING.label,
                handle=known.handle,
            )
        )
        binder = await self._stage.get_officer(HEALTH)
        return await binder.send(
            requests.create_key_binding(
                holder=resident.key.address,
                subject=SubjectItem(handle=known.handle),
                valid_until=get_now() + timedelta(days=1),
            )
        )

    async def _give(self, resident: Resident) -> Accepted:
        housing = await self._stage.get_officer(HOUSING)
        prepared = await housing.send(
            requests.prepare_consent(
                **self._ground.build_terms(resident.person.identity),
                holder=resident.key.address,
            )
        )
        resident.consent = prepared.uid
        signature = resident.key.sign(prepared.typed_data)
        given = await housing.send(requests.give_consent(uid=prepared.uid, signature=signature))
        resident.envelope = prepared.envelope or {}
        return given

    async def _keep(self, resident: Resident) -> None:
        finance = await self._stage.get_officer(FINANCE)
        subject, record = resident.envelope["subject"], resident.envelope["record"]
        kept = requests.keep_consent_envelope(resident.consent, subject=subject, record=record)
        await finance.send(kept)

    async def _ask(self, resident: Resident) -> Accepted:
        housing = await self._stage.get_officer(HOUSING)
        asked = await housing.send(
            requests.request_exchange(
                provider=FINANCE.label,
                dataset=self._ground.income,
                fields=[BAND],
                purpose=self._ground.subsidy,
                basis=self._ground.law,
                case=resident.person.case,
                officer=OFFICER,
                subject=SubjectItem(reference=resident.person.identity),
                consents=ConsentItems(general=resident.consent),
                due=get_now() + timedelta(days=15),
                retention_until=get_now() + timedelta(days=365),
            )
        )
        resident.exchange, resident.envelope = asked.uid, asked.envelope or {}
        return asked

    async def _release(self, resident: Resident) -> Accepted:
        finance = await self._stage.get_officer(FINANCE)
        released = await finance.send(
            requests.release_exchange(
                resident.exchange,
                request_envelope=resident.envelope,
                response={"income_band": "Band C: 96,001 to 144,000"},
            )
        )
        resident.envelope = released.envelope or {}
        return released

    async def _acknowledge(self, resident: Resident) -> Accepted:
        housing = await self._stage.get_officer(HOUSING)
        return await housing.send(
            requests.acknowledge_exchange(resident.exchange, response_envelope=resident.envelope)
        )

    async def _cross(self, resident: Resident) -> None:
        answer = await show(
            self._stage, CIVIL, resident.carried[HEALTH_RECORD], ["/result"], "border-crossing"
        )
        self._count(answer, "a health certificate")

    async def _use(self, resident: Resident) -> None:
        for counter, purpose in COUNTERS:
            carried = resident.carried[LIFE_RECORD]
            answer = await show(self._stage, counter, carried, ["/alive_on"], purpose)
            self._count(answer, "a proof of life")

    def _count(self, answer: Verification, title: str) -> None:
        require_valid(answer, answer.recognition, title)
        require(answer.recognition is not None, f"{title} was judged by no policy")
        self.checks += 1

    # ------------------------------------------------------------------ together

    async def _act_all(self, title: str, kind: str, client: AsyncClient, send: Send) -> None:
        """Send for everybody, then see everybody's transaction through to its block."""
        residents = self._shuffle()
        with self._stage.narrator.step(title, total=2 * len(residents)) as step:

            async def send_one(resident: Resident) -> Accepted:
                async with self._gate:
                    accepted = await send(resident)
                step.advance()
                return accepted

            accepted = await asyncio.gather(*map(send_one, residents))
            for resident, one in zip(residents, accepted, strict=True):
                done = await client.follow(one, timeout_s=_SETTLE_S, interval_s=_POLL_S)
                require(done.block is not None, f"{done.kind} is final in no block")
                self.last_block = max(self.last_block, done.block or 0)
                resident.transactions[done.transaction] = kind
                step.advance()
            await self._stage.wait_block(self.last_block)

    async def _do_all(self, title: str, do_one: Callable[[Resident], Awaitable[None]]) -> None:
        with self._stage.narrator.step(title, total=len(self.residents)) as step:

            async def go(resident: Resident) -> None:
                async with self._gate:
                    await do_one(resident)
                step.advance()

            await asyncio.gather(*map(go, self._shuffle()))

    def _shuffle(self) -> list[Resident]:
        return self._chance.sample(self.residents, len(self.residents))
