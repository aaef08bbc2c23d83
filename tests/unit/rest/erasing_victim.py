"""A process that dies by SIGKILL while it erases, each time at another durable step; what heals.

It reads jobs as JSON on standard input. The agencies and the ledger are made once; each job works
on a copy of the files, in a fork that has the ledger in memory. There another fork erases and is
killed at the planned step of outbox, vault or key folder; then the files are opened again as a node
opens them, turns are taken until nothing is left to do, and what is found is checked and printed.
"""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from api.erasing.eraser import Eraser, open_orders
from api.erasing.orders import ErasureOrder
from api.vault.erasure import ErasureReason
from contracts.codes import RecordState
from node.storage.crashpoints import CrashMoment, CrashPlan, CrashPoints
from tests.unit.rest.conftest import POINTERS, SCHEMA
from tests.unit.rest.ledger_world import Agency, FakeLedger, open_caller
from tests.unit.rest.test_rest_attestations import make_document
from tests.unit.vault.vault_victim import Armed

LABORATORY, BUREAU = 1, 2
TURNS = 4


async def make_world(ledger: FakeLedger, folder: Path) -> list[bytes]:
    """Let a laboratory attest two credentials; return their uids."""
    agencies = [Agency(ledger, folder / str(number), number) for number in (BUREAU, LABORATORY)]
    bureau, laboratory = [await open_caller(agency) for agency in agencies]
    text = {"title": "Test result", "pointers": POINTERS, "reference": ["/certificate"]}
    await bureau.post("/schemas", {"uid": SCHEMA, **text})
    await bureau.agency.settle()
    issuer = await laboratory.agency.get_id()
    await bureau.post(f"/schemas/{SCHEMA}/accreditations", {"agency": issuer})
    await bureau.agency.settle()
    await laboratory.agency.services.index.catch_up()
    await laboratory.put(f"/schemas/{SCHEMA}/text", text)
    uids = []
    for number in (1, 2):
        body = {"schema_uid": SCHEMA, "document": make_document(number)}
        made = await laboratory.post("/credentials", body, status=201)
        await laboratory.post(f"/credentials/{made['uid']}/attest", {})
        await laboratory.agency.settle()
        uids.append(bytes.fromhex(made["uid"][2:]))
    for caller in (bureau, laboratory):
        await caller.client.close()
        caller.agency.services.close()
    return uids


async def order(agency: Agency, uid: bytes) -> None:
    """Order the erasure and promise the tombstone."""
    wanted = ErasureOrder(
        uid=uid,
        reason=ErasureReason.HOLDER_REQUEST,
        caller="chan",
        ordered_s=int(agency.services.now()),
    )
    known = await open_orders(agency.services).put(wanted)
    await Eraser(agency.services).carry_out([known], gathers=False)


async def carry(agency: Agency) -> None:
    """Erase what the ledger has marked."""
    await Eraser(agency.services).turn()


async def prepare(ledger: FakeLedger, folder: Path, uid: bytes) -> None:
    """Bring an erasure as far as its final tombstone."""
    agency = Agency(ledger, folder, LABORATORY)
    await order(agency, uid)
    await agency.settle()
    agency.services.close()


async def be_killed(ledger: FakeLedger, folder: Path, uid: bytes, job: dict[str, Any]) -> None:
    plan = CrashPlan(number=job["number"], kind=None, moment=CrashMoment(job["moment"]))
    armed = Armed(CrashPoints(plan))
    agency = Agency(ledger, folder, LABORATORY, watch=armed)
    armed.is_armed = True
    await (order(agency, uid) if job["phase"] == "order" else carry(agency))
    agency.services.close()


async def heal(ledger: FakeLedger, folder: Path, uids: list[bytes]) -> str:
    """Take turns as a node does after a start; return which state it came to."""
    agency = Agency(ledger, folder, LABORATORY)
    for _ in range(TURNS):
        await carry(agency)
        await agency.settle()
    services = agency.services
    known = await open_orders(services).find(uids[0])
    head = await services.ledger.get_head()
    records = [await services.records.get_attestation(uid, head.number) for uid in uids]
    states = [None if record is None else record.state for record in records]
    opened = [await agency.unrecorded.vault.open(uid) is not None for uid in uids]
    erased = [await services.vault.find_erased(uid) is not None for uid in uids]
    page = await services.outbox.get_page(limit=50, before=None, state=None, uid=uids[0])
    tombstones = sum(operation.kind == "credential.erase" for operation in page)
    services.close()
    if known is None:
        assert (states, opened, tombstones) == ([RecordState.ACTIVE] * 2, [True, True], 0)
        assert erased == [False, False]
        return "old"
    assert known.finished_s is not None, "nothing is left to do"
    assert (known.block is not None, tombstones) == (True, 1)
    assert states == [RecordState.ERASED, RecordState.ACTIVE]
    assert (opened, erased) == ([False, True], [True, False])
    return "new"


def fork(work: Any) -> str:
    """Do work in a fork; return how that ended."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the parent only sees the code
            sys.stderr.write(f"{error!r}\n")
            os._exit(1)
        sys.stdout.flush()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return "killed" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"


def live(ledger: FakeLedger, uids: list[bytes], job: dict[str, Any]) -> None:
    folder = Path(job["folder"])
    if job["phase"] == "carry":
        asyncio.run(prepare(ledger, folder, uids[0]))
    end = fork(lambda: asyncio.run(be_killed(ledger, folder, uids[0], job)))
    left = asyncio.run(heal(ledger, folder, uids))
    sys.stdout.write("outcome " + json.dumps({"end": end, "left": left}) + "\n")


def main() -> None:
    jobs = json.load(sys.stdin)
    base = Path(sys.argv[1])
    ledger = FakeLedger()
    uids = asyncio.run(make_world(ledger, base))
    for job in jobs:
        shutil.copytree(base / str(LABORATORY), job["folder"])
        end = fork(lambda job=job: live(ledger, uids, job))
        assert end == "exit 0", f"{job}: {end}"


if __name__ == "__main__":
    main()
