"""Merging persons: two officers, both written down, and the way back."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api.access.callers import Role
from api.access.persons import read_person
from api.access.tokens import create_token, save_tokens
from api.errors import UpstreamFault
from api.settings import ApiSettings
from api.vault.subjects import Subjects
from tests.engines import ON_BOTH_ENGINES
from tests.unit.rest.ledger_world import Agency, Caller, FakeLedger, open_caller

FIRST, SECOND = "0x" + "07" * 32, "0x" + "08" * 32
REASON = "Both files show the same identity document."


class Desk:
    """An agency where two officers and an auditor have tokens of their own."""

    def __init__(self, caller: Caller, tokens: dict[str, str], counterparty: str) -> None:
        self.caller = caller
        self.tokens = tokens
        self.counterparty = counterparty

    async def ask(
        self, who: str, method: str, path: str, body: Any = None, *, status: int = 200
    ) -> Any:
        headers = {"Authorization": f"Bearer {self.tokens[who]}", "Idempotency-Key": path}
        async with self.caller.client.request(
            method, "/v1" + path, json=body, headers=headers
        ) as response:
            data = await response.json()
            assert response.status == status, data
            return data

    async def match(self, handle: str, reference: str, *, status: int = 200) -> Any:
        body = {"handle": handle, "counterparty": self.counterparty, "reference": reference}
        return await self.ask("chan", "POST", "/subjects/match", body, status=status)

    async def propose(
        self, handle: str, reference: str, *, who: str = "chan", status: int = 201
    ) -> Any:
        body = {"handle": handle, "counterparty": self.counterparty, "reference": reference}
        body |= {"reason": REASON}
        return await self.ask(who, "POST", "/subjects/merges", body, status=status)

    async def decide(self, who: str, merge: Any, *, approve: bool = True, status: int = 200) -> Any:
        path = f"/subjects/merges/{merge['uid']}/decision"
        return await self.ask(who, "POST", path, {"approve": approve}, status=status)

    async def reverse(self, merge: Any, *, status: int = 201) -> Any:
        path = f"/subjects/merges/{merge['uid']}/reversal"
        return await self.ask("lei", "POST", path, {"reason": "They are two."}, status=status)

    async def who_is(self, handle: str) -> str | None:
        """Return whom a handle means."""
        found = await Subjects(self.caller.agency.materials).find(bytes.fromhex(handle[2:]))
        return None if found is None else found.reference


@pytest.fixture
async def desk(ledger: FakeLedger, tmp_path: Path) -> AsyncIterator[Desk]:
    made = {
        name: create_token(name, [role], person=read_person(person, "person"))
        for name, role, person in (
            ("chan", Role.OFFICER, None),
            ("lei", Role.OFFICER, None),
            ("auditor", Role.AUDITOR, None),
            ("desk-1", Role.OFFICER, "staff-7"),
            ("desk-2", Role.OFFICER, "STAFF-7"),
            ("desk-3", Role.OFFICER, "staff-8"),
        )
    }
    save_tokens(tmp_path / "tokens.json", [record for _, record in made.values()])
    agency = Agency(ledger, tmp_path / "bureau", 2)
    caller = await open_caller(agency, ApiSettings(token_file=tmp_path / "tokens.json"))
    other = (await agency.services.records.get_agency_ids(0))[0]
    tokens = {name: token for name, (token, _) in made.items()}
    yield Desk(caller, tokens, "0x" + other.hex())
    await caller.client.close()
    agency.services.close()


async def test_one_officer_alone_merges_nobody(desk: Desk) -> None:
    await desk.match(FIRST, "file-1")
    refused = await desk.match(SECOND, "file-1", status=409)
    assert "merge" in refused["next_step"]
    merge = await desk.propose(SECOND, "file-1")
    assert (merge["state"], merge["proposer"], merge["decider"]) == ("proposed", "chan", None)
    await desk.decide("chan", merge, status=403)
    await desk.decide("auditor", merge, status=403)
    assert (await desk.who_is(FIRST), await desk.who_is(SECOND)) == ("file-1", None)
    done = await desk.decide("lei", merge)
    assert (done["state"], done["decider"]) == ("applied", "lei")
    assert [one["handle"] for one in done["before"]] == [FIRST]
    assert (await desk.who_is(FIRST), await desk.who_is(SECOND)) == (None, "file-1")


async def test_one_person_with_two_tokens_merges_nobody(desk: Desk) -> None:
    merge = await desk.propose(FIRST, "file-1", who="desk-1")
    assert merge["proposer"] == "person:staff-7"
    # Of whom nobody says who acts, nobody knows either that it is another.
    for same in ("desk-1", "desk-2", "chan"):
        refused = await desk.decide(same, merge, status=403)
        assert refused["code"] == "same_officer"
        await desk.decide(same, merge, approve=False, status=403)
    assert await desk.who_is(FIRST) is None
    done = await desk.decide("desk-3", merge)
    assert (done["state"], done["decider"]) == ("applied", "person:staff-8")
    assert await desk.who_is(FIRST) == "file-1"
    unnamed = await desk.propose(SECOND, "file-2")
    await desk.decide("desk-3", unnamed, status=403)
    assert (await desk.decide("lei", unnamed))["state"] == "applied"


@ON_BOTH_ENGINES
async def test_merge_moves_a_handle_to_another_person_and_back(desk: Desk) -> None:
    await desk.match(FIRST, "file-1")
    await desk.match(SECOND, "file-2")
    merge = await desk.decide("lei", await desk.propose(FIRST, "file-2"))
    assert {one["handle"] for one in merge["before"]} == {FIRST, SECOND}
    assert (await desk.who_is(FIRST), await desk.who_is(SECOND)) == ("file-2", None)
    back = await desk.reverse(merge)
    assert back["reverses"] == merge["uid"]
    await desk.decide("lei", back, status=403)
    assert (await desk.who_is(FIRST), await desk.who_is(SECOND)) == ("file-2", None)
    assert (await desk.decide("chan", back))["state"] == "applied"
    assert (await desk.who_is(FIRST), await desk.who_is(SECOND)) == ("file-1", "file-2")


async def test_reversal_of_what_has_changed_since_is_refused(desk: Desk) -> None:
    merge = await desk.decide("lei", await desk.propose(FIRST, "file-1"))
    back = await desk.reverse(merge)
    await desk.decide("lei", await desk.propose(FIRST, "file-3"))
    refused = await desk.decide("chan", back, status=409)
    assert refused["code"] == "subject_conflict"
    assert await desk.who_is(FIRST) == "file-3"


async def test_decision_counts_once(desk: Desk) -> None:
    merge = await desk.propose(FIRST, "file-1")
    done = await desk.decide("lei", merge)
    assert await desk.decide("lei", merge) == done
    refused = await desk.decide("lei", merge, approve=False, status=409)
    assert refused["code"] == "merge_decided"
    other = await desk.decide("lei", await desk.propose(SECOND, "file-2"), approve=False)
    assert other["state"] == "refused"
    assert await desk.who_is(SECOND) is None
    assert (await desk.reverse(other, status=409))["code"] == "merge_not_applied"
    again = await desk.propose(FIRST, "file-1", status=409)
    assert again["code"] == "subject_conflict"


@pytest.mark.parametrize("method", ["drop", "assign"])
async def test_approval_is_finished_after_a_crash(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    await desk.match(FIRST, "file-1")
    merge = await desk.propose(SECOND, "file-1")

    async def die(*_: Any, **__: Any) -> None:
        raise UpstreamFault("the process died", code="died")

    with monkeypatch.context() as broken:
        broken.setattr(Subjects, method, die)
        await desk.decide("lei", merge, status=503)
    path = f"/subjects/merges/{merge['uid']}"
    assert (await desk.ask("auditor", "GET", path))["state"] == "approved"
    done = await desk.decide("lei", merge)
    assert done["state"] == "applied"
    assert [one["handle"] for one in done["before"]] == [FIRST]
    assert (await desk.who_is(FIRST), await desk.who_is(SECOND)) == (None, "file-1")


async def test_journal_names_both_officers_and_no_person(desk: Desk) -> None:
    for number in range(3):
        handle = "0x" + bytes([number + 1]).hex() * 32
        merge = await desk.propose(handle, f"file-{number}")
        if number:
            await desk.decide("lei", merge)
    page = await desk.ask("auditor", "GET", "/subjects/merges?limit=2")
    assert [entry["state"] for entry in page["items"]] == ["applied", "applied"]
    assert {(entry["proposer"], entry["decider"]) for entry in page["items"]} == {("chan", "lei")}
    rest = await desk.ask("auditor", "GET", f"/subjects/merges?cursor={page['next']}")
    assert [entry["state"] for entry in rest["items"]] == ["proposed"]
    assert "file-" not in str(page)
    waiting = await desk.ask("auditor", "GET", "/subjects/merges?state=proposed")
    assert len(waiting["items"]) == 1
    opened = await desk.ask("auditor", "GET", f"/subjects/merges/{waiting['items'][0]['uid']}")
    assert opened["reason"] == REASON
    reads = await desk.ask("auditor", "GET", "/reads?what=subject_merge")
    assert any(read["caller"] == "auditor" for read in reads["items"])
