"""Promised writes: idempotency, nonces, refusals and what the ledger decides."""

import asyncio
import os
from pathlib import Path

import pytest

from api.errors import IdempotencyKeyReused, UpstreamFault, UserFault
from api.outbox.outbox import RESEND_S, Outbox
from api.outbox.store import ClaimTaken, StoredOperation, WriteRequest
from contracts.addresses import SCHEMAS, SCHEMAS_NAME
from contracts.codec import encode_call
from contracts.testkeys import get_address
from tests.engines import NewDatabase
from tests.unit.rest.ledger_world import START_S, Agency, FakeLedger

BUREAU = get_address(2, "account")


def build_request(number: int, *, uid: bytes | None = None, key: str | None = None) -> WriteRequest:
    uid = uid or os.urandom(32)
    data = encode_call(SCHEMAS_NAME, "register", (uid, uid, uid, 1, START_S, bytes(32)))
    return WriteRequest(
        idempotency_key=key or f"key-{number}",
        body_fingerprint=bytes([number]) * 32,
        kind="schema.create",
        uid=uid,
        account=BUREAU,
        target=SCHEMAS,
        data=data,
        record="/v1/schemas/0x" + uid.hex(),
        claim=f"schema:{uid.hex()}",
    )


def build_state_request(number: int, uid: bytes, state: int) -> WriteRequest:
    return WriteRequest(
        idempotency_key=f"state-{number}",
        body_fingerprint=bytes([number]) * 32,
        kind="schema.state",
        uid=uid,
        account=BUREAU,
        target=SCHEMAS,
        data=encode_call(SCHEMAS_NAME, "set_state", (uid, state, 1, START_S)),
        record="/v1/schemas/0x" + uid.hex(),
    )


async def test_outbox_returns_the_same_operation_for_the_same_key(outbox: Outbox) -> None:
    request = build_request(1)
    first, second = await asyncio.gather(outbox.submit(request), outbox.submit(request))
    third = await outbox.submit(request)
    assert first == second == third
    other = build_request(2, key="key-1")
    with pytest.raises(IdempotencyKeyReused):
        await outbox.submit(other)
    assert await outbox.count_open() == 1


@pytest.mark.parametrize("is_final", [False, True])
async def test_outbox_knows_a_retry_that_overlaps_with_its_first(
    outbox: Outbox, bureau: Agency, monkeypatch: pytest.MonkeyPatch, *, is_final: bool
) -> None:
    """The first request passes while its retry has been looked up but not checked."""
    request = build_request(1)
    find, stored = outbox.find, []

    async def find_too_early(key: str, fingerprint: bytes) -> StoredOperation | None:
        known = await find(key, fingerprint)
        monkeypatch.setattr(outbox, "find", find)
        stored.append(await outbox.submit(request))
        if is_final:
            await bureau.settle()
        return known

    monkeypatch.setattr(outbox, "find", find_too_early)
    retried = await outbox.submit(request)
    assert [retried.id] == [operation.id for operation in stored]


async def test_outbox_refuses_a_second_creation_of_one_uid(outbox: Outbox) -> None:
    uid = os.urandom(32)
    outcomes = await asyncio.gather(
        *(outbox.submit(build_request(number, uid=uid)) for number in range(1, 9)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, ClaimTaken) for outcome in outcomes) == 7
    assert await outbox.count_open() == 1


async def test_outbox_numbers_writes_without_gaps_across_processes(
    outbox: Outbox, ledger: FakeLedger, tmp_path: Path, database_urls: NewDatabase
) -> None:
    other = Agency(ledger, tmp_path, 2, urls=database_urls)
    try:
        operations = await asyncio.gather(
            *(
                (outbox if number % 2 else other.services.outbox).submit(build_request(number))
                for number in range(60)
            )
        )
        nonces = sorted(operation.nonce for operation in operations)
        assert nonces == list(range(60))
        await asyncio.gather(outbox.turn(), other.services.outbox.turn())
        ledger.mine()
        await asyncio.gather(outbox.turn(), other.services.outbox.turn())
        assert await outbox.count_open() == 0
        assert len(ledger.receipts) == 60
    finally:
        other.services.close()


async def test_outbox_refuses_in_the_dry_run_and_stores_nothing(
    outbox: Outbox, bureau: Agency
) -> None:
    uid = os.urandom(32)
    await outbox.submit(build_request(1, uid=uid))
    await bureau.settle()
    await outbox.submit(build_state_request(2, uid, 3))
    await bureau.settle()
    with pytest.raises(UserFault) as refused:
        await outbox.submit(build_state_request(3, uid, 1))
    assert refused.value.extra["rule"] == "schema: state is final"
    assert await outbox.find("state-3", bytes([3]) * 32) is None


async def test_outbox_tells_why_the_ledger_refused_at_last(outbox: Outbox, bureau: Agency) -> None:
    uid = os.urandom(32)
    await outbox.submit(build_request(1, uid=uid))
    await bureau.settle()
    # Both pass the dry run; by the time of the second one the state is taken.
    first = await outbox.submit(build_state_request(2, uid, 2))
    second = await outbox.submit(build_state_request(3, uid, 2))
    await bureau.settle()
    found = await outbox.get(first.id)
    assert found is not None
    assert (found.state, found.error) == ("final", None)
    failed = await outbox.get(second.id)
    assert failed is not None
    assert (failed.state, failed.error) == ("failed", "schema: state unchanged")
    assert failed.block == 2


async def test_outbox_gives_the_claim_of_a_failed_creation_back(
    outbox: Outbox, ledger: FakeLedger, bureau: Agency
) -> None:
    uid = os.urandom(32)
    operation = await outbox.submit(build_request(1, uid=uid))
    ledger.act(3, SCHEMAS, SCHEMAS_NAME, "register", uid, uid, uid, 1, START_S, bytes(32))
    await bureau.settle()
    found = await outbox.get(operation.id)
    assert found is not None
    assert (found.state, found.error) == ("failed", "schema: uid already used")
    assert await outbox.find_creation(f"schema:{uid.hex()}") is None
    with pytest.raises(UserFault) as refused:
        await outbox.submit(build_request(2, uid=uid))
    assert refused.value.code == "uid_exists"


async def test_outbox_signs_again_when_the_nonce_was_used_outside(
    outbox: Outbox, ledger: FakeLedger, bureau: Agency
) -> None:
    operations = [await outbox.submit(build_request(number)) for number in range(3)]
    outside = os.urandom(32)
    ledger.act(
        2, SCHEMAS, SCHEMAS_NAME, "register", outside, outside, outside, 1, START_S, bytes(32)
    )
    for _ in range(3):
        await bureau.settle()
    assert await outbox.count_open() == 0
    for operation in operations:
        found = await outbox.get("0x" + operation.transaction_hash.hex())
        assert found is not None
        assert (found.id, found.state, found.error) == (operation.id, "final", None)
    changed = await outbox.get(operations[0].id)
    assert changed is not None
    assert changed.nonce == 3
    assert len(ledger.receipts) == 4


async def test_outbox_keeps_a_promise_while_the_node_refuses(
    outbox: Outbox, ledger: FakeLedger, bureau: Agency
) -> None:
    operation = await outbox.submit(build_request(1))
    ledger.refusal = "the mempool is full"
    assert await outbox.turn() == 1
    found = await outbox.get(operation.id)
    assert found is not None
    assert (found.state, found.error) == ("queued", "node: the mempool is full")
    ledger.refusal = None
    ledger.is_down = True
    with pytest.raises(UpstreamFault):
        await outbox.turn()
    ledger.is_down = False
    await bureau.settle()
    found = await outbox.get(operation.id)
    assert found is not None
    assert (found.state, found.error) == ("final", None)


async def test_outbox_sends_again_what_the_node_lost(
    outbox: Outbox, ledger: FakeLedger, bureau: Agency
) -> None:
    operation = await outbox.submit(build_request(1))
    await outbox.turn()
    assert ledger.sent == 1
    await outbox.turn()
    assert ledger.sent == 1
    ledger.waiting.clear()
    ledger.mine(period_s=RESEND_S)
    await bureau.settle()
    found = await outbox.get(operation.id)
    assert found is not None
    assert found.state == "final"


async def test_outbox_loop_settles_on_its_own(outbox: Outbox, ledger: FakeLedger) -> None:
    async with outbox.run():
        operation = await outbox.submit(build_request(1))
        async with asyncio.timeout(60):
            while (found := await outbox.get(operation.id)) is None or found.state != "final":
                await asyncio.sleep(0.02)
                if ledger.waiting:
                    ledger.mine()
