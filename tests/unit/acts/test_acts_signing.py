"""Acts signed on a device of the agency's own: the signer stays the author."""

from typing import Any

from eth_account import Account as EthAccount
from eth_account.messages import encode_typed_data
from eth_typing import Hash32

from api.acts.calls import read_contract
from contracts.addresses import AGENCY_REGISTRY_NAME, CATALOGUE_NAME
from contracts.testkeys import get_address, get_private_key
from contracts.typed_data import sign_digest
from tests.unit.acts.law_world import LATER, read, write_time
from tests.unit.acts.test_acts_catalogue import DATASET, PURPOSE
from tests.unit.rest.ledger_world import Caller


async def prepare(carrier: Caller, signer: int, act: str, body: Any, **more: Any) -> Any:
    request = {"act": act, "body": body, "signer": "0x" + get_address(signer, "account").hex()}
    return await carrier.post("/prepared-acts", request | more, status=201)


def sign(prepared: Any, signer: int) -> str:
    """Sign as a wallet does, from the typed data alone."""
    message = encode_typed_data(full_message=prepared["typed_data"])
    signed = EthAccount.sign_message(message, get_private_key(signer, "account"))
    return "0x" + bytes(signed.signature).hex()


async def test_signing_elsewhere_keeps_the_signer_the_author(
    bureau: Caller, commission: Caller
) -> None:
    prepared = await prepare(commission, 2, "dataset.register", DATASET)
    digest = Hash32(bytes.fromhex(prepared["digest"][2:]))
    signature = sign(prepared, 2)
    assert signature == "0x" + sign_digest(digest, get_private_key(2, "account")).hex()
    accepted = await commission.post(
        "/signed-acts", {"prepared": prepared["id"], "signature": signature}
    )
    assert accepted["uid"] == prepared["uid"]
    await commission.agency.settle()
    operation = await commission.get(f"/operations/{accepted['operation']}")
    assert (operation["state"], operation["error"]) == ("final", None)
    record = await read_contract(
        bureau.agency.services.ledger, CATALOGUE_NAME, "dataset", bytes.fromhex(accepted["uid"][2:])
    )
    assert "0x" + record["owner"].hex() == await bureau.agency.get_id()
    # The texts came with what was prepared.
    assert await commission.get(f"/texts/0x{record['terms']['fields_hash'].hex()}")


async def test_signing_a_call_that_was_prepared_at_another_node(
    bureau: Caller, commission: Caller
) -> None:
    prepared = await prepare(bureau, 2, "purpose.publish", PURPOSE)
    names = ("contract", "call", "nonce", "deadline", "signer")
    handed = {name: prepared[name] for name in names} | {"signature": sign(prepared, 2)}
    accepted = await commission.post("/signed-acts", handed)
    assert accepted["uid"] == prepared["uid"]
    await commission.agency.settle()
    assert (await commission.get(f"/operations/{accepted['operation']}"))["state"] == "final"
    again = await bureau.post("/signed-acts", handed, status=409)
    assert again["rule"] == "signature: nonce already used"


async def test_signing_refuses_what_was_changed_on_the_way(
    bureau: Caller, commission: Caller
) -> None:
    prepared = await prepare(commission, 2, "purpose.publish", PURPOSE)
    stranger = {"prepared": prepared["id"], "signature": sign(prepared, 3)}
    refused = await commission.post("/signed-acts", stranger, status=403)
    assert refused["rule"] == "signature: not the signer's"
    unknown = {"prepared": "pa-000", "signature": sign(prepared, 2)}
    refused = await commission.post("/signed-acts", unknown, status=404)
    assert refused["code"] == "prepared_act_not_found"
    both = {"prepared": prepared["id"], "nonce": 1, "signature": sign(prepared, 2)}
    assert (await bureau.post("/signed-acts", both, status=400))["code"] == "invalid_field"


async def test_signing_prepares_only_what_the_signer_may_do(commission: Caller) -> None:
    body = {"state": "revoked", "reason": "error"}
    request = {
        "act": "dataset.state",
        "path": {"uid": "0x" + "22" * 32},
        "body": body,
        "signer": "0x" + "33" * 20,
    }
    refused = await commission.post("/prepared-acts", request, status=400)
    assert refused["field"] == "signer"
    request["signer"] = "0x" + get_address(2, "account").hex()
    refused = await commission.post("/prepared-acts", request, status=404)
    assert (refused["code"], refused["rule"]) == ("dataset_not_found", "dataset: unknown")
    made = await prepare(commission, 2, "purpose.publish", PURPOSE)
    assert await commission.get(f"/prepared-acts/{made['id']}") == made


async def test_signing_states_and_schemas_that_have_handlers_of_their_own(
    bureau: Caller, commission: Caller
) -> None:
    text = {"title": "Result", "pointers": ["/result"]}
    prepared = await prepare(commission, 2, "schema.create", text)
    handed = {"prepared": prepared["id"], "signature": sign(prepared, 2)}
    accepted = await commission.post("/signed-acts", handed)
    await commission.agency.settle()
    assert (await commission.get(f"/operations/{accepted['operation']}"))["state"] == "final"
    schema = await bureau.get(f"/schemas/{accepted['uid']}")
    assert (schema["owner"], schema["title"]) == (await bureau.agency.get_id(), None)
    await bureau.put(f"/schemas/{accepted['uid']}/text", text)
    change = await prepare(
        commission,
        2,
        "schema.state",
        {"state": "suspended", "reason": "error"},
        path={"uid": accepted["uid"]},
    )
    names = ("contract", "call", "nonce", "deadline", "signer")
    handed = {name: change[name] for name in names} | {"signature": sign(change, 2)}
    await bureau.post("/signed-acts", handed)
    await bureau.agency.settle()
    assert (await bureau.get(f"/schemas/{accepted['uid']}"))["state"] == "suspended"


async def test_signing_takes_no_document(bureau: Caller, commission: Caller) -> None:
    request = {
        "act": "attestation.create",
        "body": {"schema_uid": "0x" + "01" * 32, "document": {"result": "x"}},
        "signer": "0x" + get_address(2, "account").hex(),
    }
    refused = await commission.post("/prepared-acts", request, status=400)
    assert refused["field"] == "body.document"
    assert (await bureau.get("/credentials"))["items"] == []


async def test_late_act_is_posted_with_a_second_officer(bureau: Caller) -> None:
    ledger = bureau.agency.ledger
    captured = write_time(ledger.now_s)
    ledger.mine(1, period_s=80 * 3600)
    body = PURPOSE | {"event_time": captured}
    refused = await bureau.post("/purposes", body, status=422)
    assert (refused["rule"], refused["field"]) == ("late: second officer missing", "event_time")
    late = {"reason": "outage", "officer": {"name": "Lei", "number": "4712"}}
    accepted = await bureau.post("/purposes", body | {"late": late})
    await bureau.agency.settle()
    operation = await bureau.get(f"/operations/{accepted['operation']}")
    assert (operation["state"], operation["error"]) == ("final", None)
    uid = bytes.fromhex(accepted["uid"][2:])
    officer = await bureau.agency.materials.find(uid, "late_officer")
    assert officer is not None
    assert officer.body == late["officer"]
    noted = await read(
        bureau,
        CATALOGUE_NAME,
        "late_officer",
        await bureau.agency.get_id(),
        await read(bureau, CATALOGUE_NAME, "count", await bureau.agency.get_id()),
    )
    assert noted == officer.commitment
    early = await bureau.post("/purposes", PURPOSE | {"late": late}, status=422)
    assert early["rule"] == "late: act is in time"
    # Acts with handlers of their own go the same way.
    schema = await bureau.post("/schemas", {"title": "Result", "pointers": ["/result"]})
    await bureau.agency.settle()
    change = {"state": "suspended", "reason": "error", "event_time": captured}
    path = f"/schemas/{schema['uid']}/state"
    assert (await bureau.post(path, change, status=422))["rule"] == "late: second officer missing"
    await bureau.post(path, change | {"late": late})
    await bureau.agency.settle()
    assert (await bureau.get(f"/schemas/{schema['uid']}"))["state"] == "suspended"


async def test_vote_signed_elsewhere_counts_for_the_signers_agency(
    bureau: Caller, commission: Caller
) -> None:
    body = {
        "decision": "suspend_agency",
        "parameters": {"agency": "mo-health-laboratory"},
        "document": {"title": "Suspension", "text": "Its key was lost."},
        "expires": LATER,
    }
    await bureau.post("/proposals", body)
    await bureau.agency.settle()
    number = await read(bureau, AGENCY_REGISTRY_NAME, "proposal_count")
    prepared = await prepare(
        commission, 2, "proposal.vote", {"approve": True}, path={"number": str(number)}
    )
    accepted = await commission.post(
        "/signed-acts", {"prepared": prepared["id"], "signature": sign(prepared, 2)}
    )
    await commission.agency.settle()
    operation = await commission.get(f"/operations/{accepted['operation']}")
    assert (operation["state"], operation["error"]) == ("final", None)
    votes = (await commission.get(f"/proposals/{number}"))["votes"]
    assert votes == [{"agency": "mo-health-bureau", "approves": True}]
