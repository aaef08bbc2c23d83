"""Many cases, a few of them irregular: all of these are named, and none is invented."""

import hashlib
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from atesta_client.envelopes import Envelope, EnvelopeKind, seal_envelope
from eth_typing import Hash32

from api.acts.exchange_request import CASE_ROLE, OFFICER_ROLE, REQUEST_ROLE
from api.acts.exchanges import RECEIVED_ROLE
from api.cases.register import FILE_ROLE
from api.vault.materials import Material
from tests.contracts import consent_harness, exchange_harness
from tests.contracts.contract_harness import LABORATORY, bureau, laboratory, uid_of
from tests.contracts.exchange_harness import OFFICER
from tests.contracts.law_harness import CONDITIONAL, CONSENT_BASIS, ORDINARY, OTHER_PURPOSE, PURPOSE
from tests.unit.reading.conftest import stage, write_uid
from tests.unit.rest.ledger_world import Agency, Caller, open_caller

__all__ = ["stage"]

SEED = 20261122
DAY_S = 86_400
SOON_S, FAR_S = 600, 30 * DAY_S

Done = Callable[["Office", int], None]


@dataclass(slots=True)
class Office:
    """The laboratory's clerks: they ask, receive, and file what belongs to a case."""

    stage: Any
    chance: random.Random
    kept: list[Material] = field(default_factory=list)
    serial: int = 0

    def ask(self, case: int, **changes: Any) -> bytes:
        """Ask the bureau under a case, and file the envelopes."""
        self.serial += 1
        uid = uid_of(1_000_000 + self.serial)
        request = self.seal(EnvelopeKind.REQUEST, {"serial": self.serial})
        file = self.seal(EnvelopeKind.CASE, {"number": name(case)})
        officer = self.seal(EnvelopeKind.OFFICER, {"number": str(self.chance.randrange(90))})
        terms = {
            "case_commitment": file.commitment,
            "officer": officer.commitment,
            "request_commitment": request.commitment,
            "due": self.stage.now + FAR_S,
            "retention_until": self.stage.now + 365 * DAY_S,
            "dataset": CONDITIONAL,
        }
        exchange_harness.request(self.stage, uid, **(terms | changes))
        self.file(uid, CASE_ROLE, file, name(case))
        self.file(uid, OFFICER_ROLE, officer)
        self.file(uid, REQUEST_ROLE, request)
        return uid

    def approve(self, uid: bytes) -> None:
        self.act(bureau, "decide", uid, True, 0, OFFICER)

    def release(self, uid: bytes) -> Envelope:
        """Let the bureau release; returns what it sends."""
        response = self.seal(EnvelopeKind.RESPONSE, {"exchange": uid.hex()})
        request = next(m for m in self.kept if m.uid == uid and m.role == REQUEST_ROLE)
        self.act(bureau, "release", uid, request.envelope.commitment, response.commitment)
        return response

    def receive(self, uid: bytes, response: Envelope) -> None:
        self.act(laboratory, "acknowledge", uid, response.commitment)
        self.file(uid, RECEIVED_ROLE, response)

    def run(self, case: int, **changes: Any) -> bytes:
        """Do all of one exchange as it should be."""
        uid = self.ask(case, **changes)
        if changes.get("dataset", CONDITIONAL) == CONDITIONAL:
            self.approve(uid)
        self.receive(uid, self.release(uid))
        return uid

    def file(self, uid: bytes, role: str, envelope: Envelope, reference: str | None = None) -> None:
        self.kept.append(Material(uid=uid, role=role, envelope=envelope, reference=reference))

    def lose(self, uid: bytes, role: str) -> None:
        self.kept = [m for m in self.kept if (m.uid, m.role) != (uid, role)]

    def act(self, sender: Any, function: str, uid: bytes, *args: Any) -> None:
        self.stage.do(sender, "exchanges", function, [uid, *args, self.stage.now])

    def seal(self, kind: str, body: dict[str, Any]) -> Envelope:
        return seal_envelope(kind, body, self.chance.randbytes)


def name(case: int) -> str:
    return f"HS-2026-{case:06}"


def leave_undecided(office: Office, case: int) -> None:
    office.ask(case, due=office.stage.now + SOON_S)


def decide_late(office: Office, case: int) -> None:
    uid = office.ask(case, due=office.stage.now + 2)
    office.stage.pass_time(5)
    office.approve(uid)
    office.receive(uid, office.release(uid))


def leave_unreleased(office: Office, case: int) -> None:
    office.approve(office.ask(case, due=office.stage.now + SOON_S))


def leave_unacknowledged(office: Office, case: int) -> None:
    uid = office.ask(case)
    office.approve(uid)
    office.release(uid)


def receive_another(office: Office, case: int) -> None:
    uid = office.ask(case)
    office.approve(uid)
    office.release(uid)
    office.receive(uid, office.seal(EnvelopeKind.RESPONSE, {"exchange": "another"}))


def keep_too_long(office: Office, case: int) -> None:
    office.run(case, retention_until=office.stage.now + DAY_S)


def sign_half_a_void(office: Office, case: int) -> None:
    office.act(laboratory, "void_exchange", office.run(case), 1)


def ask_twice(office: Office, case: int) -> None:
    office.run(case)
    office.run(case)


def withdraw_unanswered(office: Office, case: int) -> None:
    consent = Hash32(hashlib.sha256(name(case).encode()).digest())
    consent_harness.record(office.stage, consent, recipient=LABORATORY)
    office.run(case, dataset=ORDINARY, basis=CONSENT_BASIS, consent=consent)
    now = office.stage.now
    office.stage.do(bureau, "consents", "withdraw", [consent, uid_of(9), now, now])


def lose_material(role: str, office: Office, case: int) -> None:
    office.lose(office.run(case), role)


def swap_case(office: Office, case: int) -> None:
    uid = office.run(case)
    office.lose(uid, CASE_ROLE)
    other = office.seal(EnvelopeKind.CASE, {"number": "another"})
    office.file(uid, CASE_ROLE, other, name(case))


def open_file(office: Office, case: int, *, purpose: bytes, fields: list[str]) -> None:
    needs = [{"dataset": write_uid(CONDITIONAL), "fields": fields}]
    body = {
        "number": name(case),
        "procedure": "housing",
        "purpose": "0x" + purpose.hex(),
        "needs": needs,
        "opened": 1,
    }
    office.file(
        hashlib.sha256(b"file" + name(case).encode()).digest(),
        FILE_ROLE,
        office.seal(EnvelopeKind.CASE, body),
        name(case),
    )


def follow_another_purpose(office: Office, case: int) -> None:
    open_file(office, case, purpose=OTHER_PURPOSE, fields=["/a"])
    office.run(case)


PLANTS: dict[str, Done] = {
    "decision_overdue": leave_undecided,
    "decided_late": decide_late,
    "not_released": leave_unreleased,
    "not_acknowledged": leave_unacknowledged,
    "received_unequal": receive_another,
    "kept_too_long": keep_too_long,
    "half_void": sign_half_a_void,
    "asked_twice": ask_twice,
    "withdrawal_unanswered": withdraw_unanswered,
    "officer_unknown": partial(lose_material, OFFICER_ROLE),
    "request_gap": partial(lose_material, REQUEST_ROLE),
    "received_gap": partial(lose_material, RECEIVED_ROLE),
    "case_file_gap": swap_case,
    "other_purpose": follow_another_purpose,
}
"""Kinds of irregularity by how they come about."""

PLANTED = 20


@pytest.fixture
async def office(stage: Any, tmp_path: Path) -> AsyncIterator[tuple[Office, Caller]]:
    agency = Agency(stage.fake, tmp_path / "laboratory", 1)
    caller = await open_caller(agency)
    yield Office(stage=stage, chance=random.Random(SEED)), caller
    await caller.client.close()
    agency.services.close()


@pytest.mark.parametrize("cases", [40, pytest.param(200, marks=pytest.mark.long)])
async def test_every_planted_irregularity_is_named_and_none_invented(
    office: tuple[Office, Caller], cases: int
) -> None:
    clerks, caller = office
    kinds = [*PLANTS, *list(PLANTS)[: PLANTED - len(PLANTS)]]
    irregular = dict(zip(clerks.chance.sample(range(cases), PLANTED), kinds, strict=True))
    for case in range(cases):
        if case in irregular:
            PLANTS[irregular[case]](clerks, case)
        else:
            if clerks.chance.random() < 0.3:
                open_file(clerks, case, purpose=PURPOSE, fields=["/a", "/b"])
            clerks.run(case)
    clerks.stage.pass_time(5 * DAY_S)
    services = caller.agency.services
    await services.materials.put(tuple(clerks.kept), now_s=clerks.stage.now)
    await services.index.catch_up()
    found = {}
    for case in range(cases):
        missing = (await caller.get(f"/cases/{name(case)}"))["missing"]
        if missing:
            found[case] = missing
    assert found == {case: [kind] for case, kind in sorted(irregular.items())}, f"seed {SEED}"
