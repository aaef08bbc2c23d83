"""Bulk imports of several ledgers: each goes on where it was sent to, and nowhere else."""

import json
from typing import Any

import pytest

from api.errors import UpstreamFault
from api.imports.parsing import ParsedLine
from api.imports.worker import ImportWorker
from api.rest.services import RestServices
from tests.engines import ON_BOTH_ENGINES
from tests.unit.acts.law_world import PURPOSE, make_uid
from tests.unit.ledgers.test_ledgers_rule import ask
from tests.unit.ledgers.two_ledgers import MACAO, SHARED, TwoLedgers
from tests.unit.rest.ledger_world import Caller

ON_SHARED = "/ledgers/shared"


def write_purposes(count: int) -> list[dict[str, Any]]:
    return [{"uid": make_uid(), **PURPOSE, "code": f"purpose-{number}"} for number in range(count)]


async def upload(
    caller: Caller,
    place: str,
    lines: list[dict[str, Any]],
    *,
    act: str = "purpose.publish",
    key: str = "import",
    status: int = 202,
) -> Any:
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": key}
    text = "".join(json.dumps(line) + "\n" for line in lines)
    async with caller.client.post(
        f"/v1{place}/imports", params={"act": act}, data=text.encode(), headers=headers
    ) as response:
        told = await response.json()
        assert response.status == status, told
        return told


async def turn(services: RestServices) -> bool:
    return await ImportWorker(services, services.imports).turn()


async def work_off(world: TwoLedgers, services: RestServices, import_id: str) -> Any:
    """Turn the worker of one ledger, and make blocks of both, until the import is done."""
    for _ in range(10):
        await turn(services)
        await world.settle()
        stored = await services.imports.find(import_id)
        assert stored is not None
        if stored.state == "done":
            return stored
    raise AssertionError(f"the import does not end: {stored}")


async def count_purposes(caller: Caller, place: str) -> int:
    return len((await caller.get(f"{place}/purposes?limit=50"))["items"])


@ON_BOTH_ENGINES
async def test_import_is_for_the_ledger_to_which_it_was_sent(
    world: TwoLedgers, bureau: Caller
) -> None:
    lines = write_purposes(3)
    started = await upload(bureau, ON_SHARED, lines)
    assert started["ledger"] == SHARED
    assert started["follow"] == f"/v1/ledgers/shared/imports/{started['id']}"
    assert started["rejects"] == f"{started['follow']}/rejects"
    # The worker of the other ledger has nothing to do, and its caller sees nothing.
    assert not await turn(world.get(world.bureau, MACAO))
    assert (await bureau.get("/imports"))["items"] == []
    unknown = await bureau.get(f"/imports/{started['id']}", status=404)
    assert unknown["code"] == "import_not_found"
    await bureau.get(f"/imports/{started['id']}/rejects", status=404)
    stored = await work_off(world, world.get(world.bureau, SHARED), started["id"])
    assert (stored.done, stored.rejected) == (3, 0)
    assert await count_purposes(bureau, ON_SHARED) == 3
    assert await count_purposes(bureau, "") == 0
    assert (await bureau.get("/operations"))["items"] == []
    (listed,) = (await bureau.get(f"{ON_SHARED}/imports"))["items"]
    assert (listed["id"], listed["state"], listed["ledger"]) == (started["id"], "done", SHARED)


async def test_imports_of_two_ledgers_run_beside_each_other(
    world: TwoLedgers, bureau: Caller
) -> None:
    # One key is used once on each ledger: the same file is two imports.
    lines = write_purposes(2)
    shared = await upload(bureau, ON_SHARED, lines)
    own = await upload(bureau, "", lines)
    assert own["id"] != shared["id"]
    assert (await upload(bureau, "/ledgers/macao", lines))["id"] == own["id"]
    assert own["ledger"] == MACAO
    assert (await work_off(world, world.get(world.bureau, MACAO), own["id"])).done == 2
    assert await count_purposes(bureau, ON_SHARED) == 0
    assert (await work_off(world, world.get(world.bureau, SHARED), shared["id"])).done == 2
    for place in ("", ON_SHARED):
        assert await count_purposes(bureau, place) == 2


@pytest.mark.parametrize("steps", range(1, 4))
async def test_import_goes_on_on_its_own_ledger_after_a_kill(
    world: TwoLedgers, bureau: Caller, steps: int
) -> None:
    started = await upload(bureau, ON_SHARED, write_purposes(5))
    services = world.get(world.bureau, SHARED)
    store, noted = services.imports, 0
    original = store.mark_promised

    async def stop(*arguments: Any) -> None:
        nonlocal noted
        noted += 1
        if noted == steps:
            raise KeyboardInterrupt
        await original(*arguments)

    store.mark_promised = stop  # type: ignore[assignment, method-assign]
    with pytest.raises(KeyboardInterrupt):
        await turn(services)
    # Another process opens the same databases.
    world.reopen_bureau()
    again = world.get(world.bureau, SHARED)
    assert not await turn(world.get(world.bureau, MACAO))
    stored = await work_off(world, again, started["id"])
    assert (stored.done, stored.rejected) == (5, 0)
    promised = await again.outbox.get_page(limit=50, before=None, state=None, uid=None)
    assert len(promised) == 5
    own = world.get(world.bureau, MACAO)
    assert await own.outbox.get_page(limit=50, before=None, state=None, uid=None) == []


async def test_import_for_a_ledger_that_was_taken_out_waits_for_it(
    world: TwoLedgers, bureau: Caller
) -> None:
    started = await upload(bureau, ON_SHARED, write_purposes(2))
    world.reopen_bureau(with_shared=False)
    own = world.bureau.services
    assert not await turn(own)
    assert await own.imports.get_page(limit=5, before=None) == []
    world.reopen_bureau()
    assert (await work_off(world, world.get(world.bureau, SHARED), started["id"])).done == 2


async def test_import_of_a_ledger_that_is_away_says_so_and_holds_up_no_other(
    world: TwoLedgers, bureau: Caller
) -> None:
    started = await upload(bureau, ON_SHARED, write_purposes(1))
    world.shared.is_down = True
    with pytest.raises(UpstreamFault):
        await turn(world.get(world.bureau, SHARED))
    told = await bureau.get(f"{ON_SHARED}/imports/{started['id']}")
    assert (told["state"], told["rejected"]) == ("running", 0)
    assert "does not answer" in told["problem"]
    own = await upload(bureau, "", write_purposes(1))
    services = world.get(world.bureau, MACAO)
    await turn(services)
    await services.outbox.turn()
    world.macao.mine()
    await services.outbox.turn()
    await turn(services)
    assert (await bureau.get(f"/imports/{own['id']}"))["state"] == "done"
    world.shared.is_down = False
    await work_off(world, world.get(world.bureau, SHARED), started["id"])
    assert (await bureau.get(f"{ON_SHARED}/imports/{started['id']}"))["problem"] is None


async def test_import_that_came_before_the_own_ledger_was_reached_is_for_it(
    world: TwoLedgers,
) -> None:
    world.macao.is_down = world.shared.is_down = True
    world.reopen_bureau()
    own, shared = (world.get(world.bureau, name) for name in (MACAO, SHARED))
    line = ParsedLine(line=1, body={"code": "x"}, fault=None)
    given: dict[str, Any] = {"idempotency_key": "k", "body_fingerprint": b"\1" * 32, "now_s": 1}
    with pytest.raises(UpstreamFault):
        await shared.imports.create("purpose.publish", [line], **given)
    stored = await own.imports.create("purpose.publish", [line], **given)
    world.macao.is_down = world.shared.is_down = False
    assert await shared.imports.take("worker", now_s=2) is None
    assert await own.imports.take("worker", now_s=2) == stored.id


async def test_line_that_belongs_on_another_ledger_is_rejected(
    world: TwoLedgers, laboratory: Caller
) -> None:
    lines = [ask("mo-health-bureau")]
    started = await upload(laboratory, ON_SHARED, lines, act="exchange.request")
    stored = await work_off(world, world.get(world.laboratory, SHARED), started["id"])
    assert (stored.done, stored.rejected) == (0, 1)
    (line,) = (await laboratory.get(f"{ON_SHARED}/imports/{started['id']}/rejects"))["items"]
    assert (line["code"], line["field"]) == ("ledger_wrong", "ledger")


async def test_line_is_not_rejected_because_its_ledger_was_never_reached(
    world: TwoLedgers, laboratory: Caller
) -> None:
    lines = [ask("mo-health-bureau")]
    started = await upload(laboratory, ON_SHARED, lines, act="exchange.request")
    world.reopen_laboratory()
    world.macao.is_down = True
    services = world.get(world.laboratory, SHARED)
    with pytest.raises(UpstreamFault):
        await turn(services)
    stored = await services.imports.find(started["id"])
    assert stored is not None
    assert (stored.state, stored.rejected) == ("running", 0)
    assert stored.problem is not None
