"""The check itself.

Every question is asked, so that one answer names every reason: is the file what the issuer made
(commitment, schema, tree size); who presents it (signature over verifier, purpose, nonce, time);
does the ledger have it (issuer, accreditation at the block of issue, state, validity); and do the
policy of both sides and this agency's own recognise it. All ledger questions are put to one block,
the last final one.

The nonce is spent only with an answer of valid or not valid. Whoever hears "cannot say" has
learned nothing and may present the same signature again.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from atesta_client.credentials import RecordReference, decode_credential
from atesta_client.errors import MaterialRefused, PresentationRefused, ReasonCode
from atesta_client.formats.named import is_export, read_named_token
from atesta_client.presentations import decode_presentation

from api.ledger import Ledger
from api.records import Records
from api.verification.answer import Answer, CheckedRecord
from api.verification.answered import FindPredicates, check_answers
from api.verification.challenges import Challenges, StoredChallenge
from api.verification.check import Check
from api.verification.files import check_credential, check_presentation
from api.verification.findings import ACCEPT, get_finding
from api.verification.occasions import Occasions
from api.verification.policies import VerificationSettings
from api.verification.recognition import Recognition
from api.verification.standing import Standing
from api.verification.tokens import IssuerKeys, Tokens


class Verifier:
    """Checks documents for one agency."""

    def __init__(
        self,
        *,
        find_agency: Callable[[], Awaitable[bytes | None]],
        ledger: Ledger,
        challenges: Challenges,
        settings: VerificationSettings,
        find_predicates: FindPredicates,
        now: Callable[[], float] = time.time,
    ) -> None:
        records = Records(ledger)
        self._find_agency = find_agency
        self._ledger = ledger
        self._standing = Standing(ledger=ledger, records=records)
        self._recognition = Recognition(
            ledger=ledger, records=records, assurances=settings.assurances
        )
        self._challenges = challenges
        self._occasions = Occasions(challenges=challenges, find_agency=find_agency)
        self._tokens = Tokens(
            keys=IssuerKeys(records),
            occasions=self._occasions,
            max_age_s=settings.max_signature_age_s,
        )
        self._settings = settings
        self._find_predicates = find_predicates
        self._now = now

    async def create_challenge(self, purpose: str) -> StoredChallenge:
        """Make a nonce that a holder signs."""
        return await self._challenges.create(purpose, int(self._now()))

    async def verify_credential(self, file: dict[str, Any], *, purpose: str | None) -> Answer:
        """Check a whole credential file."""
        check = await self._begin(purpose)
        try:
            credential = decode_credential(file)
            check_credential(check, credential)
        except MaterialRefused as refused:
            check.refuse_material(refused)
            return self._answer(check)
        return await self._conclude(check, credential.record)

    async def verify_presentation(self, file: dict[str, Any], *, purpose: str | None) -> Answer:
        """Check a presentation; a nonce that it answers is spent with the answer."""
        check = await self._begin(purpose)
        try:
            presentation = decode_presentation(file)
        except MaterialRefused as refused:
            check.refuse_material(refused)
            return self._answer(check)
        await check_presentation(
            check,
            presentation,
            occasions=self._occasions,
            max_age_s=self._settings.max_signature_age_s,
        )
        return await self._conclude(check, presentation.record)

    async def verify_token(self, text: str, *, purpose: str | None) -> Answer:
        """Check an export in another format; a nonce that it answers is spent with the answer."""
        check = await self._begin(purpose)
        try:
            if not is_export(text):
                check.refuse("token_foreign")
                return self._answer(check)
            named = read_named_token(text)
        except MaterialRefused as refused:
            check.refuse_material(refused)
            return self._answer(check)
        # A key of another ledger's registry is not looked for in this one's.
        if await self._standing.is_here(named.record):
            await self._tokens.check(check, text, named)
        return await self._conclude(check, named.record)

    async def _begin(self, purpose: str | None) -> Check:
        return Check(head=await self._ledger.get_head(), now_s=int(self._now()), purpose=purpose)

    async def _conclude(self, check: Check, reference: RecordReference) -> Answer:
        """Compare with the ledger, ask the policies, and spend the nonce that was answered."""
        check.record = await self._standing.check(check, reference)
        if check.record is not None:
            check.judgement = await self._recognition.judge(
                check.record,
                agency=await self._find_agency(),
                is_holder_checked=check.holder_checked,
                head=check.head,
            )
            self._check_policy(check, check.record)
            await self._check_answers(check, check.record)
        answer = self._answer(check)
        if check.challenge is None or answer.result == "cannot_say":
            return answer
        if not await self._challenges.use(check.challenge.nonce, check.now_s):
            check.refuse("challenge_replayed")
            return self._answer(check)
        return answer

    def _check_policy(self, check: Check, record: CheckedRecord) -> None:
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

    async def _check_answers(self, check: Check, record: CheckedRecord) -> None:
        """Say what the yes/no fields among those shown are; the schema's text tells which."""
        if check.document_hash is not None:
            found = await self._find_predicates(record.schema_uid, check.document_hash)
            check.answers = check_answers(check, found)

    def _answer(self, check: Check) -> Answer:
        """Weigh the findings: what lasts decides; what may have changed needs a current node.

        Of a record on another ledger nothing is known but what its file shows.
        """
        behind_s = max(0, check.now_s - check.head.time_s)
        is_behind = behind_s > self._settings.max_lag_s
        reasons = list(check.reasons)
        notices = list(check.notices)
        is_known = not is_behind and not check.is_elsewhere
        if any(finding.lasting for finding in reasons) or (reasons and is_known):
            result = "not_valid"
            next_step = next((f for f in reasons if f.lasting), reasons[0]).next_step
        elif check.is_elsewhere:
            result = "cannot_say"
            next_step = reasons[0].next_step
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
            answers=check.answers,
            record=check.record,
            policy=check.policy.purpose if check.policy is not None else None,
            recognition=check.judgement.policy,
            head=check.head,
            checked_s=check.now_s,
            behind_s=behind_s,
        )
