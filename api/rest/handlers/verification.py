"""Challenges and checks, on whichever of this API's ledgers a document stands."""

from atesta_client.credentials import RecordReference, decode_credential
from atesta_client.errors import MaterialRefused
from atesta_client.formats.named import read_named_token
from atesta_client.presentations import decode_presentation

from api.rest.call import Call, Reply
from api.rest.checking_models import (
    Challenge,
    ChallengeCreate,
    Finding,
    Subject,
    Verification,
    VerifyRequest,
)
from api.rest.finality_words import view_finality
from api.rest.predicate_models import ShownPredicate
from api.rest.services import RestServices
from api.rest.values import Result, encode_hex, parse_optional_time, parse_time
from api.rest.views import view_state, view_uid
from api.verification import findings
from api.verification.answer import Answer, CheckedRecord, ShownAnswer


async def create_challenge(call: Call) -> Reply:
    """Make a single-use nonce for a holder to sign."""
    body: ChallengeCreate = call.body
    agency = await call.services.identity.get_agency()
    challenge = await call.services.verifier.create_challenge(body.purpose)
    return Reply(
        model=Challenge(
            nonce=encode_hex(challenge.nonce),
            verifier=encode_hex(agency),
            purpose=challenge.purpose,
            issued=parse_time(challenge.issued_s),
            expires=parse_time(challenge.expires_s),
        )
    )


async def verify(call: Call) -> Reply:
    """Check a credential file, a presentation or a token on this node's last final block."""
    body: VerifyRequest = call.body
    services = await _find_services(call, body)
    verifier = services.verifier
    if body.credential is not None:
        answer = await verifier.verify_credential(body.credential, purpose=body.purpose)
    elif body.token is not None:
        answer = await verifier.verify_token(body.token, purpose=body.purpose)
    else:
        assert body.presentation is not None, "checked by the model"
        answer = await verifier.verify_presentation(body.presentation, purpose=body.purpose)
    subject = None if answer.record is None else await _view_subject(services, answer.record)
    return Reply(model=_view(services, answer, subject))


async def _find_services(call: Call, body: VerifyRequest) -> RestServices:
    """Return the services of the ledger that a document names, if this API serves it."""
    services = call.services
    if len(services.ledgers) == 1:
        return services
    try:
        record = _read_record(body)
    except MaterialRefused:
        # Whatever is wrong with it, the check says it better.
        return services
    return await services.ledgers.find(record.ledger) or services


def _read_record(body: VerifyRequest) -> RecordReference:
    if body.credential is not None:
        return decode_credential(body.credential).record
    if body.token is not None:
        return read_named_token(body.token).record
    return decode_presentation(body.presentation or {}).record


def _view(services: RestServices, answer: Answer, subject: Subject | None) -> Verification:
    finality = services.ledger.network.finality
    notices = list(answer.notices)
    if not finality.is_final:
        notices.append(findings.get_finding("network_reported"))
    return Verification(
        result=Result(answer.result),
        reasons=[_view_finding(finding) for finding in answer.reasons],
        notices=[_view_finding(finding) for finding in notices],
        next_step=answer.next_step,
        holder_checked=answer.holder_checked,
        disclosed=list(answer.disclosed),
        predicates=[_view_answer(shown) for shown in answer.answers],
        subject=subject,
        policy=answer.policy,
        recognition=view_uid(answer.recognition),
        block=answer.head.number,
        block_hash=encode_hex(answer.head.hash),
        block_time=parse_time(answer.head.time_s),
        checked=parse_time(answer.checked_s),
        behind_s=answer.behind_s,
        finality=view_finality(finality),
        ledger=services.ledger_name,
    )


def _view_answer(shown: ShownAnswer) -> ShownPredicate:
    return ShownPredicate(
        field=shown.pointer,
        value=shown.value,
        on=shown.on.isoformat(),
        rule=f"{shown.predicate.source} is {shown.predicate.rule}",
    )


def _view_finding(finding: findings.Finding) -> Finding:
    return Finding(code=finding.code, text=finding.text, field=finding.field)


async def _view_subject(services: RestServices, record: CheckedRecord) -> Subject:
    changed = record.block
    changed_time_s = record.block_time_s
    # A member of a batch that nothing ever happened to has no block of its own.
    if record.state_block not in {0, record.block}:
        block = await services.ledger.get_block(record.state_block)
        assert block is not None, "a record's block is known"
        changed, changed_time_s = block.number, block.time_s
    return Subject(
        uid=encode_hex(record.uid),
        issuer=encode_hex(record.issuer),
        issuer_name=services.names.get(record.issuer),
        schema_uid=encode_hex(record.schema_uid),
        batch=view_uid(record.batch),
        state=view_state(record.state),
        state_block=changed,
        state_time=parse_time(changed_time_s),
        valid_until=parse_optional_time(record.valid_until_s),
        attested_block=record.block,
        attested_time=parse_time(record.block_time_s),
    )
