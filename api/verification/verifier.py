"""The check itself.

Every question is asked, so that one answer names every reason: is the file what the issuer made
(commitment, schema, tree size); who presents it (signature over verifier, purpose, nonce, time);
does the ledger have it (issuer, accreditation at the block of issue, state, validity); and do the
policy of both sides and this agency's own recognise it. All ledger questions are put to one block,
the last final one.

The nonce is spent only with an answer of valid or not valid. Whoever hears "cannot say" has
learned nothing and may present the same signature again.
"""

import base64
import binascii
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from atesta_client.canonical import load_json
from atesta_client.credentials import Credential, RecordReference, decode_credential
from atesta_client.disclosure import validate_fields
from atesta_client.errors import MaterialRefused, PresentationRefused, ProofRefused, ReasonCode
from atesta_client.holder_keys import HOLDER_KEY_POINTER
from atesta_client.pointers import Absent
from atesta_client.presentations import (
    HolderCheck,
    Occasion,
    Presentation,
    decode_presentation,
    validate_presentation,
)

from api.ledger import BlockSummary, Ledger
from api.records import Records
from api.verification.answer import Answer, CheckedRecord
from api.verification.challenges import Challenges, StoredChallenge
from api.verification.findings import ACCEPT, Finding, find_refusal, get_finding
from api.verification.policies import RecognitionPolicy, VerificationSettings
from api.verification.recognition import Judgement, Recognition
from contracts.codes import RecordState

_STATE_CODES = {
    RecordState.SUSPENDED: "state_suspended",
    RecordState.REVOKED: "state_revoked",
    RecordState.SUPERSEDED: "state_superseded",
    RecordState.ERASED: "state_erased",
}


@dataclass(slots=True, kw_only=True)
class _Check:
    """What has been found so far."""

    head: BlockSummary
    now_s: int
    purpose: str | None
    reasons: list[Finding] = field(default_factory=list)
    notices: list[Finding] = field(default_factory=list)
    disclosed: tuple[str, ...] = ()
    holder_checked: bool = False
    challenge: StoredChallenge | None = None
    record: CheckedRecord | None = None
    policy: RecognitionPolicy | None = None
    judgement: Judgement = field(default_factory=Judgement)

    def refuse(self, code: str) -> None:
        """Add a reason."""
        self.reasons.append(get_finding(code))

    def refuse_material(self, refused: MaterialRefused) -> None:
        """Add what the client library found wrong."""
        self.reasons.append(find_refusal(refused))


class Verifier:
    """Checks documents for one agency."""

    def __init__(
        self,
        *,
        find_agency: Callable[[], Awaitable[bytes | None]],
        ledger: Ledger,
        challenges: Challenges,
        settings: VerificationSettings,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._find_agency = find_agency
        self._ledger = ledger
        self._records = Records(ledger)
        self._recognition = Recognition(
            ledger=ledger, records=self._records, assurances=settings.assurances
        )
        self._challenges = challenges
        self._settings = settings
        self._now = now

    async def create_challenge(self, purpose: str) -> StoredChallenge:
        """Make a nonce that a holder signs."""
        return await self._challenges.create(purpose, int(self._now()))

    async def verify_credential(self, file: dict[str, Any], *, purpose: str | None) -> Answer:
        """Check a whole credential file."""
        check = await self._begin(purpose)
        try:
            credential = decode_credential(file)
            self._check_credential(check, credential)
        except MaterialRefused as refused:
            check.refuse_material(refused)
            return self._answer(check)
        await self._check_record(check, credential.record)
        return self._answer(check)

    async def verify_presentation(self, file: dict[str, Any], *, purpose: str | None) -> Answer:
        """Check a presentation; a nonce that it answers is spent with the answer."""
        check = await self._begin(purpose)
        try:
            presentation = decode_presentation(file)
        except MaterialRefused as refused:
            check.refuse_material(refused)
            return self._answer(check)
        await self._check_presentation(check, presentation)
        await self._check_record(check, presentation.record)
        answer = self._answer(check)
        if check.challenge is None or answer.result == "cannot_say":
            return answer
        if not await self._challenges.use(check.challenge.nonce, check.now_s):
            check.refuse("challenge_replayed")
            return self._answer(check)
        return answer

    async def _begin(self, purpose: str | None) -> _Check:
        return _Check(head=await self._ledger.get_head(), now_s=int(self._now()), purpose=purpose)

    def _check_credential(self, check: _Check, credential: Credential) -> None:
        """Recompute the commitment; a file alone never proves who holds it."""
        credential.commit()
        check.disclosed = credential.record.schema.pointers
        if credential.holder_key is not None:
            raise PresentationRefused(
                ReasonCode.HOLDER_NOT_PROVED,
                "the document has a holder's key, and it did not sign",
                pointer=HOLDER_KEY_POINTER,
            )

    async def _check_presentation(self, check: _Check, presentation: Presentation) -> None:
        """Check proofs and the holder's signature against this verifier's own challenge."""
        occasion = await self._find_occasion(check, presentation)
        try:
            if occasion is None:
                record = presentation.record
                values = validate_fields(
                    presentation.fields, record.schema, record.commitment, record.algorithm
                )
                check.disclosed = _list_present(values)
                return
            checked = validate_presentation(
                presentation,
                occasion=occasion,
                now_s=check.now_s,
                max_age_s=self._settings.max_signature_age_s,
            )
        except (PresentationRefused, ProofRefused, MaterialRefused) as refused:
            check.refuse_material(refused)
            # A nonce is spent only by a signature that holds.
            check.challenge = None
            return
        check.disclosed = _list_present(checked.values)
        check.holder_checked = checked.holder is HolderCheck.PROVED
        if not check.holder_checked:
            check.challenge = None

    async def _find_occasion(self, check: _Check, presentation: Presentation) -> Occasion | None:
        """Return what the holder should have signed; None if it is no challenge of ours."""
        nonce = _read_nonce(presentation.signature)
        if nonce is None:
            # Unsigned, or not readable as a signature: the library says which is allowed. What is
            # signed over no nonce of ours must never pass, so it is compared with a fresh one.
            return Occasion(verifier="", purpose="", nonce=secrets.token_hex(32))
        challenge = await self._challenges.find(nonce)
        if challenge is None:
            check.refuse("challenge_unknown")
            return None
        if challenge.used_s is not None:
            check.refuse("challenge_replayed")
        elif check.now_s >= challenge.expires_s:
            check.refuse("challenge_expired")
        else:
            check.challenge = challenge
        if check.purpose is None:
            check.purpose = challenge.purpose
        elif check.purpose != challenge.purpose:
            check.refuse_material(
                PresentationRefused(
                    ReasonCode.WRONG_PURPOSE, "the challenge was made for another purpose"
                )
            )
        return Occasion(
            verifier="0x" + (await self._find_agency() or b"").hex(),
            purpose=challenge.purpose,
            nonce="0x" + challenge.nonce.hex(),
        )

    async def _check_record(self, check: _Check, reference: RecordReference) -> None:
        """Compare with the ledger at the check's block, then ask the agency's policy."""
        here = (await self._ledger.get_chain_id(), await self._ledger.get_genesis_hash())
        if (reference.ledger.chain_id, reference.ledger.genesis_hash) != here:
            check.refuse("ledger_other")
            return
        block = check.head.number
        schema = await self._records.get_schema(reference.schema.uid, block)
        if schema is None:
            check.refuse("schema_unknown")
        elif (schema.pointers_hash, schema.leaf_count) != (
            reference.schema.pointers_hash,
            reference.schema.size,
        ):
            check.refuse("schema_mismatch")
        if reference.batch is None:
            check.record = await self._find_single(check, reference)
        else:
            check.record = await self._find_member(check, reference)
        if check.record is None:
            return
        await self._check_issuer(check, check.record)
        if check.record.state is not RecordState.ACTIVE:
            check.refuse(_STATE_CODES[check.record.state])
        if check.record.valid_until_s and check.now_s >= check.record.valid_until_s:
            check.refuse("record_expired")
        check.judgement = await self._recognition.judge(
            check.record,
            agency=await self._find_agency(),
            is_holder_checked=check.holder_checked,
            head=check.head,
        )
        self._check_policy(check, check.record)

    async def _find_single(self, check: _Check, reference: RecordReference) -> CheckedRecord | None:
        found = await self._records.get_attestation(reference.uid, check.head.number)
        if found is None:
            check.refuse("record_not_attested")
            return None
        if (
            found.issuer,
            found.schema_uid,
            found.commitment,
            int(found.algorithm),
            found.valid_until_s,
        ) != (
            reference.issuer,
            reference.schema.uid,
            reference.commitment,
            int(reference.algorithm),
            reference.valid_until_s,
        ):
            check.refuse("record_mismatch")
            return None
        return CheckedRecord(
            uid=reference.uid,
            issuer=found.issuer,
            schema_uid=found.schema_uid,
            batch=None,
            state=found.state,
            state_block=found.state_block,
            valid_until_s=found.valid_until_s,
            block=found.block,
            block_time_s=await self._get_time(found.block),
            event_time_s=found.event_time_s,
        )

    async def _find_member(self, check: _Check, reference: RecordReference) -> CheckedRecord | None:
        assert reference.batch is not None, "asked only for members"
        block = check.head.number
        found = await self._records.get_batch(reference.batch.uid, block)
        if found is None:
            check.refuse("record_not_attested")
            return None
        try:
            root = reference.compute_batch_root()
        except ProofRefused as refused:
            check.refuse_material(refused)
            return None
        if (found.issuer, found.schema_uid, found.root, int(found.algorithm), found.count) != (
            reference.issuer,
            reference.schema.uid,
            root,
            int(reference.algorithm),
            reference.batch.count,
        ):
            check.refuse("record_mismatch")
            return None
        leaf = await self._records.get_leaf(reference.batch.uid, reference.batch.index, block)
        if leaf is None:
            check.refuse("record_mismatch")
            return None
        return CheckedRecord(
            uid=reference.uid,
            issuer=found.issuer,
            schema_uid=found.schema_uid,
            batch=found.uid,
            state=leaf.state,
            state_block=leaf.block,
            valid_until_s=reference.valid_until_s,
            block=found.block,
            block_time_s=await self._get_time(found.block),
            event_time_s=found.event_time_s,
        )

    async def _check_issuer(self, check: _Check, record: CheckedRecord) -> None:
        """Judge the accreditation at the block of issue, as the ledger's law does."""
        block = check.head.number
        if not await self._records.is_accredited(
            record.schema_uid, record.issuer, at_block=record.block, block=block
        ):
            check.refuse("issuer_not_accredited")
        agency = await self._records.get_agency(record.issuer, block)
        if agency is not None and not agency.is_active:
            check.notices.append(get_finding("issuer_suspended"))

    def _check_policy(self, check: _Check, record: CheckedRecord) -> None:
        check.reasons += check.judgement.reasons
        check.notices += check.judgement.notices
        policy = self._settings.find_policy(check.purpose)
        if policy is None:
            if check.judgement.policy is None:
                check.notices.append(get_finding("policy_none"))
            return
        check.policy = policy
        if policy.issuers is not None and record.issuer not in policy.issuers:
            check.refuse("policy_issuer")
        if policy.schemas is not None and record.schema_uid not in policy.schemas:
            check.refuse("policy_schema")
        if policy.max_age_s is not None and check.now_s - record.event_time_s > policy.max_age_s:
            check.refuse("policy_age")
        if policy.needs_holder and not check.holder_checked:
            check.refuse("policy_holder")
        for pointer in policy.required:
            if pointer not in check.disclosed:
                check.refuse_material(
                    PresentationRefused(
                        ReasonCode.FIELD_MISSING,
                        f"the purpose needs the field {pointer!r}, which is not shown",
                        pointer=pointer,
                    )
                )

    async def _get_time(self, number: int) -> int:
        block = await self._ledger.get_block(number)
        assert block is not None, "a record's block is known"
        return block.time_s

    def _answer(self, check: _Check) -> Answer:
        """Weigh the findings: what lasts decides; what may have changed needs a current node."""
        behind_s = max(0, check.now_s - check.head.time_s)
        is_behind = behind_s > self._settings.max_lag_s
        reasons = list(check.reasons)
        notices = list(check.notices)
        if any(finding.lasting for finding in reasons) or (reasons and not is_behind):
            result = "not_valid"
            next_step = next((f for f in reasons if f.lasting), reasons[0]).next_step
        elif is_behind:
            result = "cannot_say"
            reasons.insert(0, get_finding("node_behind"))
            next_step = reasons[0].next_step
        else:
            result = "valid"
            next_step = ACCEPT
            if not check.holder_checked:
                notices.insert(0, get_finding("holder_not_checked"))
                next_step = notices[0].next_step
        return Answer(
            result=result,
            reasons=tuple(reasons),
            notices=tuple(notices),
            next_step=next_step,
            holder_checked=check.holder_checked,
            disclosed=check.disclosed,
            record=check.record,
            policy=check.policy.purpose if check.policy is not None else None,
            recognition=check.judgement.policy,
            head=check.head,
            checked_s=check.now_s,
            behind_s=behind_s,
        )


def _list_present(values: Any) -> tuple[str, ...]:
    return tuple(pointer for pointer, value in values.items() if not isinstance(value, Absent))


def _read_nonce(signature: str | None) -> bytes | None:
    """Read the nonce out of a signature not yet checked, to find the challenge it answers."""
    try:
        part = (signature or "").split(".")[1]
        claims = load_json(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        nonce = claims["nonce"]
        return bytes.fromhex(nonce.removeprefix("0x")) if len(nonce) == 66 else None
    except (MaterialRefused, LookupError, TypeError, AttributeError, ValueError, binascii.Error):
        return None
