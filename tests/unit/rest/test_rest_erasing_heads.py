"""An agency's chained head still proves that its list is complete after one record was erased."""

from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak

from tests.unit.rest.ledger_world import Caller
from tests.unit.rest.test_rest_erasing import BODY, make, settle, verify

ATTESTATION = 1
"""The kind of an attestation in heads, and below its states (docs/contracts.md, Heads)."""

STATES = {"active": 1, "erased": 5}


async def test_head_proves_all_attestations_after_one_was_erased(
    laboratory: Caller, commission: Caller, schema: str
) -> None:
    made = []
    for number in (1, 2, 3):
        one = await make(laboratory, schema, number)
        await laboratory.post(f"/credentials/{one['uid']}/attest", {})
        await laboratory.agency.settle()
        made.append(one)
    await laboratory.post(f"/credentials/{made[1]['uid']}/erase", BODY)
    await settle(laboratory)
    await commission.agency.services.index.catch_up()
    steps: list[Any] = []
    for one in made:
        history = await commission.get(f"/attestations/{one['uid']}/history")
        steps += history["items"]
    head = bytes(32)
    for event in sorted(steps, key=lambda event: (event["block"], event["log_index"])):
        uid = bytes.fromhex(event["uid"][2:])
        words = [head, ATTESTATION, uid, STATES[event["state"]], event["block"]]
        head = keccak(encode(["bytes32", "uint256", "bytes32", "uint256", "uint256"], words))
    issuer = (await commission.get(f"/attestations/{made[0]['uid']}"))["issuer"]
    told = await commission.get(f"/agencies/{issuer}")
    assert (told["attestations"], told["head"]) == (4, "0x" + head.hex())
    results = [(await verify(commission, one["credential"]))["result"] for one in made]
    assert results == ["valid", "not_valid", "valid"]
