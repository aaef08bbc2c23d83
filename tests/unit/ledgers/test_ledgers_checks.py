"""Checking a document on an API of several ledgers, and on one that does not hold its ledger."""

import json
from typing import Any

import pytest
from atesta_client.credentials import Credential, decode_credential
from atesta_client.holder_keys import HolderKey
from atesta_client.presentations import Occasion, encode_presentation, present

from tests.unit.ledgers.two_ledgers import (
    DOCUMENT,
    MACAO,
    OWN_SCHEMA,
    SHARED,
    SHARED_SCHEMA,
    TwoLedgers,
    agree,
)
from tests.unit.rest.ledger_world import Caller


@pytest.fixture
async def callers(
    world: TwoLedgers, laboratory: Caller, bureau: Caller, commission: Caller
) -> dict[str, Caller]:
    await agree(world, laboratory, bureau)
    return {"laboratory": laboratory, "bureau": bureau, "commission": commission}


async def issue(
    world: TwoLedgers, laboratory: Caller, name: str, schema: str, key: HolderKey
) -> Credential:
    """Make a credential on a ledger, under a sealed root of it, and return the holder's file."""
    place = f"/ledgers/{name}"
    body = {"schema_uid": schema, "document": DOCUMENT, "holder_key": key.public_key.to_field()}
    made = await laboratory.post(f"{place}/credentials", body, status=201)
    sealed = {"schema_uid": schema, "members": [made["uid"]]}
    await laboratory.post(f"{place}/batches", sealed)
    await world.settle()
    kept = await laboratory.get(f"{place}/credentials/{made['uid']}")
    return decode_credential(kept["credential"])


async def show(
    world: TwoLedgers, verifier: Caller, credential: Credential, key: HolderKey, place: str = ""
) -> dict[str, Any]:
    """Present it for a challenge of the verifier's own, and return the answer."""
    challenge = await verifier.post(
        f"{place}/verify/challenges", {"purpose": "checking"}, status=201
    )
    signed = present(
        credential,
        ["/result"],
        occasion=Occasion(
            verifier=challenge["verifier"], purpose="checking", nonce=challenge["nonce"]
        ),
        now_s=world.macao.now_s,
        key=key,
    )
    body = {"presentation": json.loads(encode_presentation(signed))}
    answer: dict[str, Any] = await verifier.post(f"{place}/verify", body, status=200)
    return answer


async def test_each_document_is_checked_on_its_own_ledger(
    world: TwoLedgers, callers: dict[str, Caller], key: HolderKey
) -> None:
    laboratory, bureau = callers["laboratory"], callers["bureau"]
    for name, schema in ((MACAO, OWN_SCHEMA), (SHARED, SHARED_SCHEMA)):
        credential = await issue(world, laboratory, name, schema, key)
        # The challenge may be given and answered under any ledger's name.
        for place in ("", "/ledgers/shared"):
            answer = await show(world, bureau, credential, key, place)
            assert (answer["result"], answer["ledger"]) == ("valid", name), answer["reasons"]
            assert answer["holder_checked"]


async def test_document_of_a_ledger_that_is_not_held_gets_no_verdict(
    world: TwoLedgers, callers: dict[str, Caller], key: HolderKey
) -> None:
    credential = await issue(world, callers["laboratory"], MACAO, OWN_SCHEMA, key)
    answer = await show(world, callers["commission"], credential, key)
    assert answer["result"] == "cannot_say"
    (reason,) = answer["reasons"]
    assert reason["code"] == "ledger_other"
    assert str(credential.record.ledger.chain_id) in reason["text"]
    assert credential.record.ledger.genesis_hash.hex() in reason["text"]
    assert "published" in answer["next_step"]
    assert answer["subject"] is None


async def test_challenge_is_not_spent_where_nothing_can_be_said(
    world: TwoLedgers, callers: dict[str, Caller], key: HolderKey
) -> None:
    credential = await issue(world, callers["laboratory"], MACAO, OWN_SCHEMA, key)
    commission = callers["commission"]
    challenge = await commission.post("/verify/challenges", {"purpose": "checking"}, status=201)
    occasion = Occasion(
        verifier=challenge["verifier"], purpose="checking", nonce=challenge["nonce"]
    )
    signed = present(credential, ["/result"], occasion=occasion, now_s=world.macao.now_s, key=key)
    body = {"presentation": json.loads(encode_presentation(signed))}
    for _ in range(2):
        answer = await commission.post("/verify", body, status=200)
        assert [reason["code"] for reason in answer["reasons"]] == ["ledger_other"]


async def test_forged_file_is_refused_whatever_ledger_it_names(
    world: TwoLedgers, callers: dict[str, Caller], key: HolderKey
) -> None:
    laboratory = callers["laboratory"]
    body = {"schema_uid": OWN_SCHEMA, "document": DOCUMENT, "holder_key": key.public_key.to_field()}
    made = await laboratory.post("/credentials", body, status=201)
    kept = await laboratory.get(f"/credentials/{made['uid']}")
    file = kept["credential"]
    file["document"]["result"] = "positive"
    answer = await callers["commission"].post("/verify", {"credential": file}, status=200)
    assert answer["result"] == "not_valid"
