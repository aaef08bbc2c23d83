"""Erasing a credential: the ledger's tombstone first, then the vault; all else verifies."""

from typing import Any

import pytest
from atesta_client.holder_keys import HolderKey

from api.erasing.eraser import WATCH_S, Eraser, open_orders
from api.errors import UpstreamFault
from api.vault.vault import Vault
from tests.unit.rest.ledger_world import Caller
from tests.unit.rest.test_rest_attestations import make_document
from tests.unit.rest.test_rest_verification import Resident

BODY = {"reason": "holder_request"}


async def make(laboratory: Caller, schema: str, number: int = 1) -> dict[str, Any]:
    made: dict[str, Any] = await laboratory.post(
        "/credentials", {"schema_uid": schema, "document": make_document(number)}, status=201
    )
    return made


async def settle(caller: Caller) -> None:
    """Let the tombstone become final, and the order be carried out."""
    await caller.agency.settle()
    await Eraser(caller.agency.services).turn()


async def verify(commission: Caller, file: Any) -> Any:
    return await commission.post("/verify", {"credential": file}, status=200)


async def test_erasing_marks_the_ledger_before_the_vault_forgets(
    laboratory: Caller, commission: Caller, schema: str
) -> None:
    made = await make(laboratory, schema)
    path = f"/credentials/{made['uid']}"
    await laboratory.post(f"{path}/attest", {})
    await laboratory.agency.settle()
    assert (await verify(commission, made["credential"]))["result"] == "valid"
    ordered = await laboratory.post(f"{path}/erase", BODY)
    assert (ordered["state"], ordered["block"], ordered["erased"]) == ("ordered", None, None)
    uid = bytes.fromhex(made["uid"][2:])
    assert await laboratory.agency.services.vault.find(uid) is not None
    await laboratory.get(path, status=410)
    await settle(laboratory)
    done = await laboratory.get(f"{path}/erasure")
    operation = await laboratory.get(f"/operations/{done['operation']}")
    assert (done["state"], done["block"]) == ("erased", operation["block"])
    assert done["erased"] >= done["block_time"] == operation["block_time"]
    assert await laboratory.agency.services.vault.find(uid) is None
    answer = await verify(commission, made["credential"])
    assert answer["result"] == "not_valid"
    assert [reason["code"] for reason in answer["reasons"]] == ["state_erased"]
    assert answer["subject"]["state"] == "erased"
    assert (answer["subject"]["state_block"], answer["subject"]["state_time"]) == (
        done["block"],
        done["block_time"],
    )
    record = await laboratory.get(f"/attestations/{made['uid']}")
    assert (record["state"], record["reason"]) == ("erased", "holder_request")


async def test_erased_is_never_told_without_the_block_of_the_tombstone(
    laboratory: Caller, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody asks between the vault's erasing and the end of the order."""
    made = await make(laboratory, schema)
    await laboratory.post(f"/credentials/{made['uid']}/attest", {})
    await laboratory.agency.settle()
    await laboratory.post(f"/credentials/{made['uid']}/erase", BODY)
    erase, told = Vault.erase, []

    async def erase_and_look(vault: Vault, *given: Any, **named: Any) -> Any:
        done = await erase(vault, *given, **named)
        told.append(await laboratory.get(f"/records/{made['uid']}/erasure"))
        return done

    monkeypatch.setattr(Vault, "erase", erase_and_look)
    await settle(laboratory)
    assert [answer["state"] for answer in told] == ["erased"]
    assert told[0]["block"] is not None
    assert told[0] == await laboratory.get(f"/records/{made['uid']}/erasure")


async def test_presentation_of_an_erased_credential_says_erased(
    laboratory: Caller, commission: Caller, schema: str
) -> None:
    resident = Resident(laboratory, schema, HolderKey.generate())
    await resident.obtain()
    await resident.carry()
    await laboratory.post(f"/credentials/{resident.uid}/erase", BODY)
    await settle(laboratory)
    answer = await commission.post(
        "/verify", {"presentation": await resident.present(commission)}, status=200
    )
    assert [reason["code"] for reason in answer["reasons"]] == ["state_erased"]
    assert answer["subject"]["state_block"] == answer["block"]


async def test_erasing_a_member_leaves_its_siblings_valid(
    laboratory: Caller, commission: Caller, schema: str
) -> None:
    made = [await make(laboratory, schema, number) for number in range(1, 6)]
    batch = await laboratory.post(
        "/batches", {"schema_uid": schema, "members": [each["uid"] for each in made]}
    )
    await laboratory.agency.settle()
    files = [(await laboratory.get(f"/credentials/{each['uid']}"))["credential"] for each in made]
    head = await laboratory.get(f"/batches/{batch['uid']}")
    await laboratory.post(f"/credentials/{made[2]['uid']}/erase", BODY)
    await settle(laboratory)
    answers = [await verify(commission, file) for file in files]
    assert [answer["result"] for answer in answers] == [
        "valid", "valid", "not_valid", "valid", "valid",
    ]  # fmt: skip
    assert answers[2]["subject"]["state"] == "erased"
    # The siblings' paths in the vault still lead to the same root.
    again = [
        (await laboratory.get(f"/credentials/{each['uid']}"))["credential"]
        for each in (made[0], made[1], made[3], made[4])
    ]
    assert again == [files[0], files[1], files[3], files[4]]
    after = await laboratory.get(f"/batches/{batch['uid']}")
    assert (after["root"], after["state"], after["changed_leaves"]) == (head["root"], "active", 1)
    # Members stand in the order of their uids, which are random.
    place = sorted(each["uid"] for each in made).index(made[2]["uid"])
    leaf = await laboratory.get(f"/batches/{batch['uid']}/leaves/{place}")
    assert (leaf["state"], leaf["reason"]) == ("erased", "holder_request")


async def test_erasing_what_was_never_attested_needs_no_tombstone(
    laboratory: Caller, schema: str
) -> None:
    made = await make(laboratory, schema)
    path = f"/credentials/{made['uid']}"
    sent = laboratory.agency.ledger.sent
    answer = await laboratory.post(f"{path}/erase", BODY)
    assert (answer["state"], answer["operation"], answer["block"]) == ("erased", None, None)
    problem = await laboratory.post(f"{path}/attest", {}, status=410)
    assert problem["code"] == "credential_erased"
    assert laboratory.agency.ledger.sent == sent
    laboratory.agency.ledger.mine(period_s=WATCH_S)
    assert await Eraser(laboratory.agency.services).turn() == 0


async def test_attestation_under_way_gets_its_tombstone(laboratory: Caller, schema: str) -> None:
    made = await make(laboratory, schema)
    path = f"/credentials/{made['uid']}"
    await laboratory.post(f"{path}/attest", {})
    ordered = await laboratory.post(f"{path}/erase", BODY)
    assert (ordered["state"], ordered["operation"]) == ("ordered", None)
    await settle(laboratory)
    await settle(laboratory)
    assert (await laboratory.get(f"{path}/erasure"))["state"] == "erased"
    assert (await laboratory.get(f"/attestations/{made['uid']}"))["state"] == "erased"


async def test_erasing_again_tells_what_is_known(laboratory: Caller, schema: str) -> None:
    made = await make(laboratory, schema)
    path = f"/credentials/{made['uid']}"
    await laboratory.get(f"{path}/erasure", status=404)
    await laboratory.post(f"{path}/attest", {})
    await laboratory.agency.settle()
    first = await laboratory.post(f"{path}/erase", BODY)
    assert await laboratory.post(f"{path}/erase", {"reason": "error"}) == first
    await settle(laboratory)
    done = await laboratory.post(f"{path}/erase", {"reason": "error"})
    assert (done["state"], done["reason"]) == ("erased", "holder_request")
    history = await laboratory.get(f"/attestations/{made['uid']}/history")
    assert [event["state"] for event in history["items"]] == ["active", "erased"]
    missing = await laboratory.post(f"/credentials/0x{'09' * 32}/erase", BODY, status=404)
    assert missing["code"] == "credential_not_found"


async def test_refused_erasure_changes_nothing(laboratory: Caller, schema: str) -> None:
    made = await make(laboratory, schema)
    path = f"/credentials/{made['uid']}"
    await laboratory.post(f"{path}/attest", {})
    await laboratory.agency.settle()
    await laboratory.post(f"{path}/erase", {"reason": "because"}, status=400)
    laboratory.agency.ledger.is_down = True
    await laboratory.post(f"{path}/erase", BODY, status=503)
    laboratory.agency.ledger.is_down = False
    await laboratory.get(f"{path}/erasure", status=404)
    assert (await laboratory.get(path))["uid"] == made["uid"]


STEPS = ("ordered", "promised", "final", "erased")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("is_member", [False, True])
async def test_erasure_is_carried_out_after_a_crash_at_any_step(
    laboratory: Caller,
    commission: Caller,
    schema: str,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    *,
    is_member: bool,
) -> None:
    """The process dies between any two durable steps; another one over the same files goes on."""
    made = [await make(laboratory, schema, number) for number in (1, 2)]
    if is_member:
        body = {"schema_uid": schema, "members": [each["uid"] for each in made]}
        await laboratory.post("/batches", body)
    else:
        for each in made:
            await laboratory.post(f"/credentials/{each['uid']}/attest", {})
    await laboratory.agency.settle()
    path = f"/credentials/{made[0]['uid']}"
    files = [(await laboratory.get(f"/credentials/{each['uid']}"))["credential"] for each in made]
    uid = bytes.fromhex(made[0]["uid"][2:])
    services = laboratory.agency.services
    eraser, orders = Eraser(services), open_orders(services)

    async def die(*_: Any, **__: Any) -> Any:
        raise UpstreamFault("the process died", code="died")

    # What the step leaves undone is made to fail, as if nothing after it had happened.
    with monkeypatch.context() as broken:
        if step == "ordered":
            broken.setattr(services.outbox, "submit", die)
        if step == "promised":
            broken.setattr("api.erasing.orders.ErasureOrders.save", die)
            broken.setattr("api.erasing.orders.ErasureOrders.save_problem", die)
        if step == "final":
            broken.setattr(Vault, "erase", die)
        ordered = await laboratory.post(
            f"{path}/erase", BODY, status=503 if step == "promised" else 202
        )
        assert step == "promised" or ordered["state"] == "ordered"
        await laboratory.agency.settle()
        if step == "final":
            await eraser.turn()
        if step == "erased":
            broken.setattr("api.erasing.orders.ErasureOrders.save_all", die)
            broken.setattr("api.erasing.orders.ErasureOrders.save_problem", die)
            with pytest.raises(UpstreamFault):
                await eraser.turn()
    order = await orders.find(uid)
    assert order is not None
    assert order.finished_s is None
    is_gone = await services.vault.find_erased(uid) is not None
    assert is_gone == (step == "erased")
    # A new process: nothing of the old one's memory is left.
    fresh = Eraser(services)
    for _ in range(2):
        await fresh.turn()
        await laboratory.agency.settle()
    assert await fresh.turn() == 0
    assert (await laboratory.get(f"{path}/erasure"))["state"] == "erased"
    answers = [(await verify(commission, file))["result"] for file in files]
    assert answers == ["not_valid", "valid"]
    operations = await laboratory.get(f"/operations?uid={made[0]['uid']}")
    kinds = [item["kind"] for item in operations["items"]]
    assert kinds.count("credential.erase") == 1
