"""The resident-carried check over REST: every refusal has its reason."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from atesta_client.credentials import Credential, decode_credential
from atesta_client.holder_keys import HolderKey
from atesta_client.presentations import Occasion, format_presentation, present

from tests.unit.rest.ledger_world import Agency, Caller, FakeLedger

SHOWN = ["/result"]
PURPOSE = "border-crossing"


@pytest.fixture
def holder() -> HolderKey:
    return HolderKey.generate()


class Resident:
    """Carries one credential and presents it."""

    def __init__(self, issuer: Caller, schema: str, holder: HolderKey) -> None:
        self.issuer = issuer
        self.schema = schema
        self.holder = holder
        self.file: dict[str, Any] = {}

    @property
    def credential(self) -> Credential:
        return decode_credential(self.file)

    @property
    def uid(self) -> str:
        return "0x" + self.credential.record.uid.hex()

    async def obtain(self, number: int = 1, **members: Any) -> None:
        document = {
            "certificate": f"MO-{number:04}",
            "name": "Chan Tai Man",
            "birth_date": "1990-01-01",
            "result": "negative",
        }
        made = await self.issuer.post(
            "/credentials",
            {
                "schema_uid": self.schema,
                "document": document,
                "holder_key": self.holder.public_key.to_field(),
            }
            | members,
            status=201,
        )
        self.file = made["credential"]

    async def carry(self) -> None:
        await self.issuer.post(f"/credentials/{self.uid}/attest", {})
        await self.issuer.agency.settle()

    async def present(
        self,
        verifier: Caller,
        *,
        key: HolderKey | None = None,
        credential: Credential | None = None,
    ) -> dict[str, Any]:
        challenge = await verifier.post("/verify/challenges", {"purpose": PURPOSE}, status=201)
        occasion = Occasion(
            verifier=challenge["verifier"], purpose=challenge["purpose"], nonce=challenge["nonce"]
        )
        return format_presentation(
            present(
                credential or self.credential,
                SHOWN,
                occasion=occasion,
                now_s=verifier.agency.ledger.now_s,
                key=key or self.holder,
            )
        )


@pytest.fixture
async def resident(laboratory: Caller, schema: str, holder: HolderKey) -> Resident:
    resident = Resident(laboratory, schema, holder)
    await resident.obtain()
    return resident


async def verify(verifier: Caller, presentation: dict[str, Any]) -> Any:
    return await verifier.post("/verify", {"presentation": presentation}, status=200)


def list_codes(answer: Any) -> list[str]:
    return [reason["code"] for reason in answer["reasons"]]


async def test_verification_of_a_carried_presentation_is_valid(
    commission: Caller, resident: Resident, ledger: FakeLedger
) -> None:
    before = ledger.blocks[-1].number
    answer = await verify(commission, await resident.present(commission))
    assert (answer["result"], list_codes(answer)) == ("not_valid", ["record_not_attested"])
    assert ledger.blocks[-1].number == before
    await resident.carry()
    answer = await verify(commission, await resident.present(commission))
    assert answer["result"] == "valid", answer
    assert answer["reasons"] == []
    assert answer["holder_checked"] is True
    assert answer["disclosed"] == ["/result", "/cnf"]
    assert answer["subject"]["issuer"] == await resident.issuer.agency.get_id()
    # Macao's document in Guangdong, and no policy of both sides stands.
    assert answer["recognition"] is None
    assert [notice["code"] for notice in answer["notices"]] == ["recognition_none", "policy_none"]
    assert answer["block"] == ledger.blocks[-1].number
    assert answer["next_step"] == "Accept the document."
    assert "Chan" not in str(answer)


async def test_verification_refuses_a_replayed_presentation(
    commission: Caller, bureau: Caller, resident: Resident
) -> None:
    await resident.carry()
    presentation = await resident.present(commission)
    elsewhere = await verify(bureau, presentation)
    assert list_codes(elsewhere) == ["challenge_unknown"]
    assert (await verify(commission, presentation))["result"] == "valid"
    replay = await verify(commission, presentation)
    assert (replay["result"], list_codes(replay)) == ("not_valid", ["challenge_replayed"])


async def test_verification_remembers_a_spent_nonce_over_a_restart(
    commission: Caller, resident: Resident, ledger: FakeLedger, tmp_path: Path
) -> None:
    await resident.carry()
    presentation = await resident.present(commission)
    assert (await verify(commission, presentation))["result"] == "valid"
    commission.agency.services.close()
    restarted = Agency(ledger, tmp_path / "commission", 3)
    replay = await restarted.services.verifier.verify_presentation(presentation, purpose=None)
    restarted.services.close()
    assert replay.result == "not_valid"
    assert [reason.code for reason in replay.reasons] == ["challenge_replayed"]


async def test_verification_spends_a_nonce_once_among_many_at_once(
    commission: Caller, resident: Resident
) -> None:
    await resident.carry()
    presentation = await resident.present(commission)
    answers = await asyncio.gather(*(verify(commission, presentation) for _ in range(8)))
    assert sorted(answer["result"] for answer in answers) == ["not_valid"] * 7 + ["valid"]


async def test_verification_refuses_a_copied_file(commission: Caller, resident: Resident) -> None:
    await resident.carry()
    whole = await commission.post("/verify", {"credential": resident.file}, status=200)
    assert list_codes(whole) == ["holder_not_proved"]
    thief = await resident.present(commission, key=HolderKey.generate())
    assert list_codes(await verify(commission, thief)) == ["holder_signature_invalid"]
    unsigned = dict(await resident.present(commission), signature=None)
    assert list_codes(await verify(commission, unsigned)) == ["holder_not_proved"]


async def test_verification_refuses_a_presentation_signed_over_no_nonce(
    commission: Caller, resident: Resident
) -> None:
    await resident.carry()
    verifier = await commission.agency.get_id()
    for occasion in (
        Occasion(verifier=verifier, purpose=PURPOSE, nonce="0x" + "ab" * 32),
        Occasion(verifier=verifier, purpose=PURPOSE, nonce=""),
        Occasion(verifier=verifier, purpose="", nonce=""),
        Occasion(verifier="", purpose="", nonce=""),
    ):
        presentation = present(
            resident.credential,
            SHOWN,
            occasion=occasion,
            now_s=commission.agency.ledger.now_s,
            key=resident.holder,
        )
        answer = await verify(commission, format_presentation(presentation))
        assert answer["result"] == "not_valid"
        assert answer["holder_checked"] is False


async def test_verification_names_what_was_changed(commission: Caller, resident: Resident) -> None:
    await resident.carry()
    changed = await resident.present(commission)
    changed["fields"][0]["value"] = "positive"
    answer = await verify(commission, changed)
    assert answer["result"] == "not_valid"
    assert list_codes(answer) == ["field_mismatch"]
    salted = await resident.present(commission)
    salted["fields"][0]["salt"] = "0x" + "00" * 32
    assert (await verify(commission, salted))["result"] == "not_valid"
    outside = dict(resident.file, document={**resident.file["document"], "telephone": "62112233"})
    answer = await commission.post("/verify", {"credential": outside}, status=200)
    assert list_codes(answer) == ["field_outside_schema"]
    assert answer["reasons"][0]["field"] == "/telephone"
    assert "62112233" not in str(answer)
    widened = dict(
        resident.file,
        schema={
            **resident.file["schema"],
            "pointers": [*resident.file["schema"]["pointers"], "/x"],
        },
        salts=[*resident.file["salts"], "0x" + "00" * 32],
    )
    answer = await commission.post("/verify", {"credential": widened}, status=200)
    assert answer["result"] == "not_valid"


async def test_verification_follows_the_record_state(
    commission: Caller, laboratory: Caller, resident: Resident
) -> None:
    await resident.carry()
    path = f"/attestations/{resident.uid}/state"
    for state, codes in (
        ("suspended", ["state_suspended"]),
        ("active", []),
        ("revoked", ["state_revoked"]),
    ):
        await laboratory.post(path, {"state": state, "reason": "error"})
        await laboratory.agency.settle()
        answer = await verify(commission, await resident.present(commission))
        assert list_codes(answer) == codes


async def test_verification_refuses_superseded_and_expired(
    commission: Caller, resident: Resident, ledger: FakeLedger
) -> None:
    await resident.carry()
    old = resident.file
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ledger.now_s + 100))
    await resident.obtain(previous=resident.uid, valid_until=moment)
    await resident.carry()
    new = await verify(commission, await resident.present(commission))
    assert new["result"] == "valid"
    answer = await verify(
        commission, await resident.present(commission, credential=decode_credential(old))
    )
    assert list_codes(answer) == ["state_superseded"]
    ledger.mine(count=100)
    answer = await verify(commission, await resident.present(commission))
    assert list_codes(answer) == ["record_expired"]


async def test_verification_judges_accreditation_at_the_block_of_issue(
    commission: Caller, bureau: Caller, resident: Resident
) -> None:
    await resident.carry()
    issuer = await resident.issuer.agency.get_id()
    async with bureau.client.delete(
        f"/v1/schemas/{resident.schema}/accreditations/{issuer}",
        headers={"Idempotency-Key": "withdraw"},
    ) as response:
        assert response.status == 202, await response.text()
    await bureau.agency.settle()
    assert (await verify(commission, await resident.present(commission)))["result"] == "valid"
    await resident.obtain(2)
    problem = await resident.issuer.post(f"/credentials/{resident.uid}/attest", {}, status=422)
    assert problem["code"] == "not_accredited"


async def test_verification_cannot_say_when_this_node_is_behind(
    commission: Caller, resident: Resident, ledger: FakeLedger
) -> None:
    await resident.carry()
    presentation = await resident.present(commission)
    # The clock goes on, the chain does not.
    ledger.now_s += 200
    assert (await verify(commission, await resident.present(commission)))["result"] == "valid"
    ledger.now_s += 500
    presentation = await resident.present(commission)
    answer = await verify(commission, presentation)
    assert (answer["result"], list_codes(answer)) == ("cannot_say", ["node_behind"])
    assert answer["behind_s"] == 700
    changed = dict(presentation)
    changed["fields"] = [dict(changed["fields"][0], value="positive"), *changed["fields"][1:]]
    assert (await verify(commission, changed))["result"] == "not_valid"
    ledger.mine()
    # Nothing was learned, so nothing was spent.
    assert (await verify(commission, presentation))["result"] == "valid"


async def test_verification_without_holder_key_asks_to_compare(
    commission: Caller, laboratory: Caller, schema: str
) -> None:
    accepted = await laboratory.post(
        "/attestations",
        {"schema_uid": schema, "document": {"certificate": "MO-9", "result": "negative"}},
    )
    await laboratory.agency.settle()
    made = await laboratory.get(f"/credentials/{accepted['uid']}")
    answer = await commission.post("/verify", {"credential": made["credential"]}, status=200)
    assert answer["result"] == "valid"
    assert answer["holder_checked"] is False
    assert answer["notices"][0]["text"] == "Holder not checked: compare name and birth date."
    presentation = present(
        decode_credential(made["credential"]),
        SHOWN,
        occasion=Occasion(verifier="", purpose="", nonce=""),
        now_s=0,
    )
    answer = await verify(commission, format_presentation(presentation))
    assert (answer["result"], answer["holder_checked"]) == ("valid", False)


async def test_verification_refuses_an_expired_challenge(
    commission: Caller, resident: Resident, ledger: FakeLedger
) -> None:
    await resident.carry()
    presentation = await resident.present(commission)
    ledger.mine(period_s=301)
    codes = list_codes(await verify(commission, presentation))
    assert codes == ["challenge_expired", "presentation_stale"]


async def test_verification_of_garbage_is_not_valid(commission: Caller) -> None:
    for body in ({"presentation": {"x": 1}}, {"credential": {"type": "atesta-credential"}}):
        answer = await commission.post("/verify", body, status=200)
        assert answer["result"] == "not_valid"
        assert answer["subject"] is None
    problem = await commission.post("/verify", {"credential": {}, "presentation": {}}, status=400)
    assert problem["code"] == "invalid_field"
