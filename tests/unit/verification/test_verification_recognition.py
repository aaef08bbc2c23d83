"""What both sides of a border have signed on the ledger decides about a document from there."""

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from atesta_client.credentials import (
    Credential,
    LedgerReference,
    encode_credential,
    make_credential,
)
from atesta_client.holder_keys import HolderKey
from atesta_client.presentations import Occasion, format_presentation, present
from atesta_client.schemas import Schema

from api.verification.answer import Answer
from api.verification.policies import Assurance, RecognitionPolicy, VerificationSettings
from api.verification.recognition import _CODES
from contracts.addresses import (
    ATTESTATIONS,
    ATTESTATIONS_NAME,
    POLICIES,
    POLICIES_NAME,
    SCHEMAS,
    SCHEMAS_NAME,
)
from contracts.development import CHAIN_ID
from contracts.labels import encode_label
from contracts.refusals import load_refusals
from tests.engines import ON_BOTH_ENGINES
from tests.unit.rest.ledger_world import START_S, Agency, FakeLedger

SCHEMA = Schema(uid=bytes([0x5C]) * 32, pointers=("/balance_band", "/cnf"))
LABORATORY, BUREAU = encode_label("mo-health-laboratory"), encode_label("mo-health-bureau")
MACAO, GUANGDONG = encode_label("MO"), encode_label("CN-GD")
POLICY, NEWER = bytes([0x70]) * 32, bytes([0x71]) * 32
AGREEMENT = bytes([0xA9]) * 32
PURPOSE = "mortgage"


def list_codes(answer: Answer) -> list[str]:
    return [finding.code for finding in answer.reasons]


class Border:
    """A document of Macao's laboratory, shown in Guangdong; issuer 1, Macao 2, Guangdong 3."""

    def __init__(self, ledger: FakeLedger, folder: Path) -> None:
        self.ledger = ledger
        self.folder = folder
        self.key = HolderKey.generate()
        self.agencies: dict[int, Agency] = {}

    def get_agency(self, number: int, **assurances: Assurance) -> Agency:
        if number not in self.agencies:
            settings = VerificationSettings(
                policies=(RecognitionPolicy(purpose=PURPOSE, required=("/balance_band",)),),
                assurances={encode_label(label): one for label, one in assurances.items()},
            )
            folder = self.folder / str(number)
            self.agencies[number] = Agency(self.ledger, folder, number, verification=settings)
        return self.agencies[number]

    def do(self, number: int, function: str, *args: object) -> None:
        outcome = self.ledger.act(number, POLICIES, POLICIES_NAME, function, *args)
        assert outcome.succeeded, outcome.reason

    def agree(
        self,
        uid: bytes = POLICY,
        *,
        max_age_s: int = 0,
        assurance: Assurance = Assurance.LOW,
        valid_from: int = START_S,
        valid_until: int = 0,
        issuers: tuple[bytes, ...] = (),
        schema: bytes = SCHEMA.uid,
    ) -> None:
        """Let Macao propose and Guangdong sign: Guangdong recognises Macao's documents."""
        terms = {
            "from_jurisdiction": MACAO,
            "to_jurisdiction": GUANGDONG,
            "schema": schema,
            "max_age_s": max_age_s,
            "assurance": int(assurance),
            "valid_from": valid_from,
            "valid_until": valid_until,
            "document_hash": AGREEMENT,
        }
        self.do(2, "propose_policy", uid, tuple(terms.values()), list(issuers), START_S)
        self.do(3, "sign_policy", uid, AGREEMENT, START_S)

    async def check(
        self, credential: Credential, *, number: int = 3, is_signed: bool = True
    ) -> Answer:
        verifier = self.get_agency(number)
        if not is_signed:
            return await verifier.services.verifier.verify_credential(
                json.loads(encode_credential(credential)), purpose=PURPOSE
            )
        challenge = await verifier.services.verifier.create_challenge(PURPOSE)
        occasion = Occasion(
            verifier=await verifier.get_id(),
            purpose=PURPOSE,
            nonce="0x" + challenge.nonce.hex(),
        )
        shown = present(
            credential,
            ["/balance_band"],
            occasion=occasion,
            now_s=self.ledger.now_s,
            key=self.key if credential.holder_key is not None else None,
        )
        return await verifier.services.verifier.verify_presentation(
            format_presentation(shown), purpose=PURPOSE
        )

    def issue(self, *, has_key: bool = True, event_time_s: int | None = None) -> Credential:
        made = make_credential(
            {"balance_band": "over 500,000"},
            schema=SCHEMA,
            issuer=LABORATORY,
            ledger=LedgerReference(chain_id=CHAIN_ID, genesis_hash=self.ledger.blocks[0].hash),
            random_bytes=secrets.token_bytes,
            holder_key=self.key.public_key if has_key else None,
        )
        record = made.record
        when_s = self.ledger.now_s if event_time_s is None else event_time_s
        args = (record.uid, SCHEMA.uid, record.commitment, 1, 0, when_s, bytes(32))
        outcome = self.ledger.act(1, ATTESTATIONS, ATTESTATIONS_NAME, "attest", *args)
        assert outcome.succeeded, outcome.reason
        return made


@pytest.fixture
async def border(tmp_path: Path) -> AsyncIterator[Border]:
    ledger = FakeLedger()
    uid, hashed = SCHEMA.uid, SCHEMA.pointers_hash
    ledger.act(2, SCHEMAS, SCHEMAS_NAME, "register", uid, hashed, hashed, 2, START_S, bytes(32))
    ledger.act(2, SCHEMAS, SCHEMAS_NAME, "accredit", uid, LABORATORY, START_S)
    border = Border(ledger, tmp_path)
    yield border
    for agency in border.agencies.values():
        agency.services.close()


async def test_recognition_by_both_sides_is_named_in_the_answer(border: Border) -> None:
    credential = border.issue()
    before = await border.check(credential)
    assert (before.result, before.recognition) == ("valid", None)
    assert [finding.code for finding in before.notices] == ["recognition_none"]
    border.agree()
    after = await border.check(credential)
    assert (after.result, after.recognition, after.notices) == ("valid", POLICY, ())


async def test_recognition_needs_no_policy_within_a_jurisdiction(border: Border) -> None:
    border.agree(valid_until=START_S + 1)
    answer = await border.check(border.issue(), number=2)
    assert (answer.result, answer.recognition, answer.notices) == ("valid", None, ())


@ON_BOTH_ENGINES
async def test_recognition_suspended_by_one_side_refuses_until_reinstated(border: Border) -> None:
    credential = border.issue()
    border.agree()
    border.do(2, "suspend_policy", POLICY, 5, border.ledger.now_s)
    answer = await border.check(credential)
    assert (answer.result, list_codes(answer)) == ("not_valid", ["recognition_suspended"])
    assert answer.recognition == POLICY
    border.do(2, "reinstate_policy", POLICY, 5, border.ledger.now_s)
    assert (await border.check(credential)).result == "valid"
    border.do(3, "end_policy", POLICY, 3, border.ledger.now_s)
    answer = await border.check(credential)
    assert (answer.result, list_codes(answer)) == ("not_valid", ["recognition_ended"])


async def test_recognition_suspended_may_be_over_where_a_node_is_behind(border: Border) -> None:
    credential = border.issue()
    border.agree()
    border.do(3, "suspend_policy", POLICY, 5, border.ledger.now_s)
    border.ledger.now_s += 601
    answer = await border.check(credential)
    assert answer.result == "cannot_say"
    assert list_codes(answer) == ["node_behind", "recognition_suspended"]


async def test_recognition_proposed_by_one_side_only_is_none(border: Border) -> None:
    border.agree(valid_until=START_S + 100_000)
    terms = (MACAO, GUANGDONG, SCHEMA.uid, 1, 3, START_S, 0, AGREEMENT)
    border.do(2, "propose_policy", NEWER, terms, [], START_S)
    answer = await border.check(border.issue())
    assert (answer.result, answer.recognition) == ("valid", POLICY)


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"issuers": (BUREAU,)}, "recognition_issuer"),
        ({"issuers": (BUREAU, LABORATORY)}, None),
        ({"max_age_s": 3_600}, "recognition_age"),
        ({"max_age_s": 86_400}, None),
        ({"valid_from": START_S + 86_400}, "recognition_not_live"),
        ({"valid_until": START_S + 3_600}, "recognition_expired"),
        ({"assurance": Assurance.SUBSTANTIAL}, None),
        ({"assurance": Assurance.HIGH}, "recognition_assurance"),
    ],
)
async def test_recognition_asks_what_both_sides_agreed(
    border: Border, terms: dict[str, object], code: str | None
) -> None:
    credential = border.issue()
    border.agree(**terms)  # type: ignore[arg-type]
    border.ledger.mine(period_s=7_200)
    answer = await border.check(credential)
    assert list_codes(answer) == ([] if code is None else [code])
    assert answer.recognition == POLICY


async def test_recognition_trusts_an_issuer_as_far_as_the_agency_does(border: Border) -> None:
    border.get_agency(3, **{"mo-health-laboratory": Assurance.HIGH})
    border.agree(assurance=Assurance.HIGH)
    assert (await border.check(border.issue())).result == "valid"
    border.agree(NEWER, assurance=Assurance.SUBSTANTIAL)
    without_key = await border.check(border.issue(has_key=False), is_signed=False)
    assert list_codes(without_key) == ["recognition_assurance"]
    assert without_key.recognition == NEWER


async def test_recognition_allows_for_clocks_that_differ(border: Border) -> None:
    border.agree()
    credential = border.issue(event_time_s=border.ledger.now_s + 50)
    assert (await border.check(credential)).result == "valid"


async def test_recognition_lets_the_agency_ask_for_more(border: Border) -> None:
    border.agree()
    credential = border.issue()
    verifier = border.get_agency(3)
    challenge = await verifier.services.verifier.create_challenge(PURPOSE)
    occasion = Occasion(
        verifier=await verifier.get_id(), purpose=PURPOSE, nonce="0x" + challenge.nonce.hex()
    )
    shown = present(credential, [], occasion=occasion, now_s=border.ledger.now_s, key=border.key)
    answer = await verifier.services.verifier.verify_presentation(
        format_presentation(shown), purpose=PURPOSE
    )
    assert list_codes(answer) == ["field_missing"]


def test_recognition_words_every_refusal_of_the_contract() -> None:
    told = {one.text for one in load_refusals().values() if "policies.check" in one.functions}
    # The verifier asks only for policies that both sides signed, never about a time to come.
    never = {
        "policy: unknown",
        "policy: not signed by both sides",
        "policy: issued in the future",
    }
    assert told - never == set(_CODES)
