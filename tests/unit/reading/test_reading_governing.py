"""Posts, proposals and rules through REST."""

from typing import Any

from contracts.codes import Role
from contracts.decisions import DecisionKind, encode_payload
from tests.contracts.contract_harness import (
    COMMISSION,
    NOTHING,
    bureau,
    commission,
    laboratory,
    uid_of,
)
from tests.unit.reading.conftest import write_uid
from tests.unit.rest.ledger_world import Caller

POST = uid_of(8001)
OFFICERS = [uid_of(8010 + number) for number in range(3)]


async def test_post_tells_every_officer_there_was(stage: Any, reader: Caller) -> None:
    stage.do(bureau, "posts", "establish", [POST, uid_of(8002), stage.now])
    for seat, officer in ((0, OFFICERS[0]), (1, OFFICERS[1])):
        appointment = (officer, 0, 0, uid_of(8003))
        stage.do(bureau, "posts", "appoint", [POST, seat, appointment, stage.now])
    stage.pass_time(10)
    successor = (OFFICERS[2], 0, 0, uid_of(8004))
    stage.do(bureau, "posts", "hand_over", [POST, successor, [], False, stage.now])
    await reader.agency.services.index.catch_up()
    (listed,) = (await reader.get("/posts"))["items"]
    assert (listed["uid"], listed["terms"]) == (write_uid(POST), None)
    post = await reader.get(f"/posts/{write_uid(POST)}")
    held = [(term["seat"], term["officer"], term["valid_until"] is None) for term in post["terms"]]
    assert held == [
        (0, write_uid(OFFICERS[0]), False),
        (0, write_uid(OFFICERS[2]), True),
        (1, write_uid(OFFICERS[1]), True),
    ]
    history = await reader.get(f"/posts/{write_uid(POST)}/history")
    assert "post.handed_over" in [event["kind"] for event in history["items"]]


async def test_proposal_is_told_with_its_votes(stage: Any, reader: Caller) -> None:
    payload = encode_payload(DecisionKind.SET_ROLES, [COMMISSION, int(Role.GOVERN | Role.ISSUE)])
    expires = stage.now + 3600
    for _ in range(2):
        stage.do(
            bureau,
            "agency_registry",
            "propose",
            [int(DecisionKind.SET_ROLES), payload, uid_of(8020), expires],
        )
    (event,) = stage.do(bureau, "agency_registry", "propose", [14, uid_of(1), NOTHING, expires])
    number = event.args["proposal"] - 1
    stage.do(laboratory, "agency_registry", "vote", [number, True])
    stage.do(commission, "agency_registry", "vote", [number, False])
    told = await reader.get(f"/proposals/{number}")
    assert (told["decision"], told["state"], told["passing"]) == ("set_roles", "open", False)
    assert told["parameters"]["agency"] == COMMISSION.rstrip(b"\0").decode()
    assert sorted(vote["approves"] for vote in told["votes"]) == [False, True]
    page = await reader.get("/proposals?limit=2")
    rest = await reader.get(f"/proposals?cursor={page['next']}")
    numbers = [item["number"] for item in page["items"] + rest["items"]]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 3
    assert (await reader.get("/proposals?state=executed"))["items"] == []
    missing = await reader.get("/proposals/99", status=404)
    assert missing["code"] == "proposal_not_found"
    await reader.get("/proposals/x", status=400)
    rules = await reader.get("/governing-rules")
    assert (rules["total_percent"], rules["jurisdiction_percent"]) == (50, 50)
