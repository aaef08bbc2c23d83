"""What a request said is forgotten with its record: no guess of a body can be tested any more."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.erasing.eraser import Eraser
from api.outbox.forgetting import FORGOTTEN, TOMBSTONE
from api.outbox.tables import OPERATIONS
from api.vault.erasure import ErasureReason
from tests.unit.rest.ledger_world import Caller
from tests.unit.rest.test_rest_attestations import make_document

KEY = "0b8f6a52-6f0e-4a51-8b0f-3c6f1f0f9a11"
OTHER_KEY = "5f0f5ad4-0d3c-4a38-a3b0-6b2b0b1a2c33"
CREATION = "attestation.create"


def build_body(schema: str, number: int) -> dict[str, Any]:
    return {"schema_uid": schema, "document": make_document(number)}


async def attest(laboratory: Caller, schema: str, number: int, key: str) -> bytes:
    made = await laboratory.post("/attestations", build_body(schema, number), key=key)
    await laboratory.agency.settle()
    return bytes.fromhex(made["uid"][2:])


def read_fingerprints(laboratory: Caller) -> dict[tuple[bytes, str], bytes]:
    """Return all fingerprints of bodies in the outbox, by uid and kind."""
    database = laboratory.agency.services.outbox._database
    columns = (OPERATIONS.c.uid, OPERATIONS.c.kind, OPERATIONS.c.body_fingerprint)
    rows = database.read_now(lambda c: c.execute(select(*columns)).all())
    return {(bytes(row.uid), row.kind): bytes(row.body_fingerprint) for row in rows}


async def test_fingerprint_of_a_body_is_nothing_without_the_callers_key(
    laboratory: Caller, schema: str
) -> None:
    uid = await attest(laboratory, schema, 1, KEY)
    kept = read_fingerprints(laboratory)[uid, CREATION]
    body = json.dumps(build_body(schema, 1), sort_keys=True, separators=(",", ":"))
    guess = laboratory.agency.services.compute_body_fingerprint
    names = [
        json.dumps(["create_attestation", *key, [], []]).encode()
        for key in ([], [OTHER_KEY], [KEY])
    ]
    tested = [guess(name + body.encode()) == kept for name in names]
    assert tested == [False, False, True], "whoever knows the key still guesses, until it is erased"


async def test_erasing_takes_the_fingerprint_out_of_the_outbox_and_its_files(
    laboratory: Caller, schema: str, tmp_path: Path
) -> None:
    gone = await attest(laboratory, schema, 1, KEY)
    stays = await attest(laboratory, schema, 2, OTHER_KEY)
    before = read_fingerprints(laboratory)
    old = before[gone, CREATION]
    assert old != FORGOTTEN
    await laboratory.post(f"/credentials/0x{gone.hex()}/erase", {"reason": "holder_request"})
    await laboratory.agency.settle()
    await Eraser(laboratory.agency.services).turn()
    after = read_fingerprints(laboratory)
    assert after[gone, CREATION] == FORGOTTEN
    assert after[stays, CREATION] == before[stays, CREATION]
    assert after[gone, TOMBSTONE] != FORGOTTEN, "no body is behind it"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any("outbox" in path.name for path in files)
    assert [path.name for path in files if old in path.read_bytes()] == []
    again = await laboratory.post("/attestations", build_body(schema, 1), key=KEY, status=409)
    assert again["code"] == "idempotency_key_reused"
    repeated = await laboratory.post("/attestations", build_body(schema, 2), key=OTHER_KEY)
    assert repeated["uid"] == "0x" + stays.hex()


async def test_what_a_command_of_the_vault_erased_is_forgotten_in_the_next_turn(
    laboratory: Caller, schema: str
) -> None:
    uid = await attest(laboratory, schema, 1, KEY)
    services = laboratory.agency.services
    eraser = Eraser(services)
    await eraser.turn()
    assert read_fingerprints(laboratory)[uid, CREATION] != FORGOTTEN
    reason = ErasureReason.ENDED_BY_LAW
    await services.vault.erase([uid], reason=reason, now_s=int(services.now()))
    await eraser.turn()
    assert read_fingerprints(laboratory)[uid, CREATION] == FORGOTTEN
