"""REST over the real chain, mempool and JSON-RPC, in one process: the whole of a carried check."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from atesta_client.credentials import decode_credential
from atesta_client.holder_keys import HolderKey
from atesta_client.presentations import Occasion, format_presentation, present

from api.errors import UserFault
from api.outbox.outbox import RESEND_S, ActTooLarge
from api.outbox.store import WriteRequest
from api.web3_provider import RawCall
from contracts import codec
from contracts.addresses import ATTESTATIONS, ATTESTATIONS_NAME, MANDATES_NAME
from tests.unit.acts.law_world import ACT_LIST, write_time
from tests.unit.acts.test_acts_mandates import build_office, build_power
from tests.unit.explorer.real_ledger import LABORATORY, RealLedger, open_ledger
from tests.unit.rest.conftest import POINTERS, SCHEMA
from tests.unit.rest.ledger_world import Agency, Caller, FakeLedger, open_caller

TEXT = {"title": "Test result", "pointers": POINTERS, "reference": ["/certificate"]}


class RealWorld:
    """The real ledger with the few members that an `Agency` of the tests uses."""

    def __init__(self, ledger: RealLedger) -> None:
        self.real = ledger
        self.late_s = 0

    @property
    def now_s(self) -> int:
        return self.real.now_s + self.late_s

    async def call(self, method: str, *arguments: Any) -> Any:
        return await self.real.connection.raw.call(method, *arguments)

    async def batch(self, calls: Sequence[RawCall]) -> list[Any]:
        return await self.real.connection.raw.batch(calls)

    def mine(self) -> None:
        self.real.mine()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[RealWorld]:
    async with open_ledger(tmp_path) as ledger:
        yield RealWorld(ledger)


async def open_agency(world: RealWorld, folder: Path, number: int) -> Caller:
    return await open_caller(Agency(cast("FakeLedger", world), folder, number))


@pytest.fixture
async def parties(world: RealWorld, tmp_path: Path) -> AsyncIterator[tuple[Caller, ...]]:
    """Laboratory, bureau and commission, the schema registered and accredited."""
    callers = tuple([await open_agency(world, tmp_path / str(n), n) for n in (1, 2, 3)])
    laboratory, bureau, _ = callers
    await bureau.post("/schemas", {"uid": SCHEMA, **TEXT})
    await bureau.agency.settle()
    issuer = await laboratory.agency.get_id()
    await bureau.post(f"/schemas/{SCHEMA}/accreditations", {"agency": issuer})
    await bureau.agency.settle()
    await laboratory.put(f"/schemas/{SCHEMA}/text", TEXT)
    yield callers
    for caller in callers:
        await caller.client.close()
        caller.agency.services.close()


async def test_rest_carries_a_credential_across_the_real_chain(
    parties: tuple[Caller, ...], world: RealWorld
) -> None:
    laboratory, _, commission = parties
    holder = HolderKey.generate()
    made = await laboratory.post(
        "/credentials",
        {
            "schema_uid": SCHEMA,
            "document": {"certificate": "MO-1", "name": "Chan Tai Man", "result": "negative"},
            "holder_key": holder.public_key.to_field(),
        },
        status=201,
    )
    accepted = await laboratory.post(f"/credentials/{made['uid']}/attest", {})
    await laboratory.agency.settle()
    operation = await laboratory.get(f"/operations/{accepted['operation']}")
    assert (operation["state"], operation["error"]) == ("final", None)
    results = []
    for state in (None, "revoked"):
        if state is not None:
            await laboratory.post(
                f"/attestations/{made['uid']}/state", {"state": state, "reason": "error"}
            )
            await laboratory.agency.settle()
        challenge = await commission.post("/verify/challenges", {"purpose": "entry"}, status=201)
        presentation = present(
            decode_credential(made["credential"]),
            ["/result"],
            occasion=Occasion(
                verifier=challenge["verifier"],
                purpose=challenge["purpose"],
                nonce=challenge["nonce"],
            ),
            now_s=world.now_s,
            key=holder,
        )
        body = {"presentation": format_presentation(presentation)}
        answer = await commission.post("/verify", body, status=200)
        results.append((answer["result"], [reason["code"] for reason in answer["reasons"]]))
    assert results == [("valid", []), ("not_valid", ["state_revoked"])]
    await commission.agency.services.index.catch_up()
    told = await commission.get(f"/provenance/{made['uid']}")
    assert [act["type"] for act in told["activities"]] == [
        "attestation.created",
        "attestation.state",
    ]
    assert "Chan" not in str(told)


async def test_rest_refusals_of_the_real_chain_reach_the_caller(
    parties: tuple[Caller, ...],
) -> None:
    laboratory, _, commission = parties
    body = {"schema_uid": SCHEMA, "document": {"certificate": "MO-1"}}
    accepted = await laboratory.post("/attestations", body)
    await laboratory.agency.settle()
    path = f"/attestations/{accepted['uid']}/state"
    change = {"state": "revoked", "reason": "error"}
    assert (await commission.post(path, change, status=403))["code"] == "foreign_record"
    bare = {"schema_uid": SCHEMA, "commitment": accepted["transaction"], "uid": accepted["uid"]}
    assert (await laboratory.post("/attestations", bare, status=409))["code"] == "uid_exists"
    # Both pass the dry run; the second is refused in its block, and says why.
    await laboratory.post(path, change)
    second = await laboratory.post(path, change)
    await laboratory.agency.settle()
    operation = await laboratory.get(f"/operations/{second['operation']}")
    assert operation["state"] == "failed"
    assert operation["error"] in {"attestation: state unchanged", "attestation: state is final"}


async def test_rest_survives_outside_use_of_its_account_and_sends_again(
    parties: tuple[Caller, ...], world: RealWorld
) -> None:
    laboratory = parties[0]
    outbox = laboratory.agency.services.outbox
    accepted = [
        await laboratory.post(
            "/attestations", {"schema_uid": SCHEMA, "document": {"certificate": f"MO-{number}"}}
        )
        for number in range(3)
    ]
    # The same account signs elsewhere before the outbox has sent anything.
    schema = bytes.fromhex(SCHEMA[2:])
    await world.real.act(
        LABORATORY, ATTESTATIONS, ATTESTATIONS_NAME, "attest",
        bytes([0xEE]) * 32, schema, bytes([0xC0]) * 32, 1, 0, world.now_s, bytes(32),
    )  # fmt: skip
    await outbox.turn()
    world.late_s += RESEND_S
    await outbox.turn()
    for _ in range(3):
        await laboratory.agency.settle()
    assert await outbox.count_open() == 0
    for answer in accepted:
        operation = await laboratory.get(f"/operations/{answer['operation']}")
        assert (operation["state"], operation["error"]) == ("final", None)
        assert (await laboratory.get(f"/attestations/{answer['uid']}"))["state"] == "active"
    agency = await laboratory.get(f"/agencies/{await laboratory.agency.get_id()}")
    assert agency["attestations"] == 4


async def test_rest_promises_the_most_that_one_transaction_bears(
    parties: tuple[Caller, ...],
) -> None:
    _, bureau, _ = parties
    act_list = (await bureau.put("/texts", ACT_LIST))["hash"]
    offices = [
        build_office(act_list, body={"register_name": "mo-associations", "number": str(number)})
        for number in range(8)
    ]
    powers = [build_power(act_list) for _ in range(8)]
    for mandates in (offices, powers):
        accepted = await bureau.post("/mandates", {"mandates": mandates})
        await bureau.agency.settle()
        operation = await bureau.get(f"/operations/{accepted['operation']}")
        assert (operation["state"], operation["error"]) == ("final", None)


async def test_rest_refuses_what_runs_out_of_gas_before_it_is_promised(
    parties: tuple[Caller, ...],
) -> None:
    """The contracts refuse with a reason; what has no gas for one is too large."""
    services = parties[1].agency.services
    request = WriteRequest(
        idempotency_key="dear",
        body_fingerprint=bytes(32),
        kind="mandate.end",
        uid=bytes(32),
        account=services.outbox.accounts[0],
        target=services.ledger.book.get_address(MANDATES_NAME),
        data=codec.encode_call(MANDATES_NAME, "end", [bytes(32), 1, 1]),
        record="/v1/mandates",
        gas=24_000,
    )
    with pytest.raises(ActTooLarge):
        await services.outbox.check(request)
    with pytest.raises(UserFault) as refused:
        await services.outbox.check(replace(request, gas=1_000_000))
    assert refused.value.code == "late_second_officer_missing"


async def test_rest_writes_the_first_block_of_a_ledger_founded_long_ago(
    world: RealWorld, tmp_path: Path
) -> None:
    """What is tried is tried now, and not at the time of a head that has stood still for days."""
    bureau = await open_agency(world, tmp_path / "bureau", 2)
    assert world.real.chain.head.number == 0
    world.late_s = world.real.ahead_s = 10 * 86_400
    captured = write_time(world.now_s - 80 * 3600)
    # Late by the clock, though the head is older still; and in time, though the head is not.
    text = {"code": "housing", "title": "Deciding a subsidy", "language": "en"}
    refused = await bureau.post("/purposes", text | {"event_time": captured}, status=422)
    assert refused["rule"] == "late: second officer missing"
    late = {"reason": "outage", "officer": {"number": "4712"}}
    tried = {"event_time": captured, "late": late} | text
    promised = [await bureau.post("/purposes", text), await bureau.post("/purposes", tried)]
    await bureau.agency.services.outbox.turn()
    world.real.mine(period_s=world.late_s)
    world.late_s = world.real.ahead_s = 0
    await bureau.agency.services.outbox.turn()
    for accepted in promised:
        operation = await bureau.get(f"/operations/{accepted['operation']}")
        assert (operation["state"], operation["error"]) == ("final", None)
    await bureau.client.close()
    bureau.agency.services.close()
