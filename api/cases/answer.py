"""What is said of a case: who asked whom for what, when, why, on which basis, what is missing."""

from typing import Any, Literal

from pydantic import Field

from api.acts.exchange_request import OFFICER_ROLE
from api.acts.exchanges import DECISION_ROLE
from api.cases.facts import ExchangeFacts, RecordFacts
from api.cases.marks import CaseMark
from api.cases.register import CaseFileView
from api.cases.rules import list_irregularities
from api.reading.facts import view_digest, view_moment
from api.reading.models import EXAMPLE_OTHER_PARTY, EXAMPLE_PARTY, Party, view_agency
from api.rest.ledger_words import describe_ledger
from api.rest.ledgers import OWN_NAME
from api.rest.values import (
    EXAMPLE_TIME,
    EXAMPLE_UID,
    JsonObject,
    Model,
    Reason,
    Time,
    Uid,
    parse_time,
)
from api.rest.words import ConsentType, ExchangeStatus, find_word
from api.vault.restrictions import Restriction
from contracts.codes import ExchangeState


class Irregularity(Model):
    """Something that is missing or not in order."""

    code: str = Field(description="Stable code.", examples=["decision_overdue"])
    text: str = Field(
        description="What is wrong.",
        examples=["the provider has not decided, and the time is over"],
    )
    next_step: str = Field(
        description="What to do.", examples=["remind the provider's data officer"]
    )


class CaseConsent(Model):
    """A consent that an exchange rests on."""

    uid: Uid = Field(description="The consent.", examples=[EXAMPLE_UID])
    kind: ConsentType | None = Field(description="What it is for.")
    notice: Uid = Field(description="The notice that was shown.", examples=[EXAMPLE_UID])
    notice_version: int | None = Field(description="Its version.", examples=[2])
    notice_title: str | None = Field(description="Its title.", examples=["Your data"])
    language: str | None = Field(description="Its language.", examples=["zh-Hant"])
    given: Time = Field(description="When it was given.", examples=[EXAMPLE_TIME])
    live_then: bool = Field(description="In force whenever the law was checked.", examples=[True])
    withdrawn: Time | None = Field(description="When it was withdrawn.", examples=[None])


class CaseBasis(Model):
    """The legal basis of an exchange."""

    uid: Uid = Field(description="The basis.", examples=[EXAMPLE_UID])
    law: str | None = Field(description="Law.", examples=["Law 8/2005"])
    article: str | None = Field(description="Article.", examples=["Article 6, 4)"])
    live_then: bool = Field(description="In force whenever the law was checked.", examples=[True])


class StorageOnly(Model):
    """Why what the vault has of a record stays closed."""

    cause: Literal["request", "withdrawal", "term"] = Field(
        description=(
            "`request`: the person asked for erasure, and a law asks to keep it. `withdrawal`: the"
            " consent was withdrawn, and the data declared retained. `term`: a class of retention."
        ),
        examples=["withdrawal"],
    )
    purpose: str = Field(
        description="The only purpose for which it opens: the uid of a basis, or `retained`.",
        examples=[EXAMPLE_UID],
    )
    legal_reference: str | None = Field(
        description="The law, where a class of retention cites it.", examples=["PIPL, article 56"]
    )
    until: Time | None = Field(description="When it is erased.", examples=[EXAMPLE_TIME])


class CaseExchange(Model):
    """One exchange of a case."""

    uid: Uid = Field(description="The exchange.", examples=[EXAMPLE_UID])
    ledger: str = describe_ledger()
    state: ExchangeStatus | None = Field(description="Where it stands.")
    requester: Party = Field(description="Who asked.", examples=[EXAMPLE_PARTY])
    officer: JsonObject | None = Field(
        description="Which officer, from the vault.", examples=[{"number": "12"}]
    )
    provider: Party = Field(description="Whom.", examples=[EXAMPLE_OTHER_PARTY])
    decided_by: JsonObject | None = Field(
        description="Which data officer, where this vault knows.", examples=[None]
    )
    dataset: Uid = Field(description="For which data.", examples=[EXAMPLE_UID])
    dataset_title: str | None = Field(description="Its title.", examples=["Income bands"])
    fields: list[str] | None = Field(description="For which fields.", examples=[["/income_band"]])
    purpose: Uid = Field(description="What for.", examples=[EXAMPLE_UID])
    purpose_title: str | None = Field(description="Its title.", examples=["Housing subsidy"])
    basis: CaseBasis | None = Field(description="On which legal basis.")
    consents: list[CaseConsent] = Field(description="On which consents.")
    requested: Time = Field(description="When it was asked.", examples=[EXAMPLE_TIME])
    due: Time | None = Field(description="When the answer was due.", examples=[EXAMPLE_TIME])
    decided: Time | None = Field(description="When it was decided.", examples=[EXAMPLE_TIME])
    released: Time | None = Field(description="When data went over.", examples=[EXAMPLE_TIME])
    received: Time | None = Field(description="When they arrived.", examples=[EXAMPLE_TIME])
    received_equal: bool | None = Field(
        description="Whether what arrived is what was released; null before.", examples=[True]
    )
    kept_until: Time | None = Field(
        description="Until when they may be kept.", examples=[EXAMPLE_TIME]
    )
    storage_only: StorageOnly | None = Field(
        description="Set where what the vault has of it is kept for storage only."
    )
    missing: list[Irregularity] = Field(
        description="What is missing or not in order.", examples=[[]]
    )


class ErasedPart(Model):
    """Something of a case that was erased; which record it was, nothing says."""

    what: Literal["exchange", "case_file"] = Field(
        description="An exchange, or the case's file.", examples=["exchange"]
    )
    reason: Reason = Field(description="Why.", examples=["holder_request"])
    erased: Time = Field(description="When.", examples=[EXAMPLE_TIME])


class CaseAnswer(Model):
    """All about a case, from its number alone."""

    number: str = Field(description="The case.", examples=["HS-2026-000417"])
    file: CaseFileView | None = Field(description="Its file, if one was opened.")
    exchanges: list[CaseExchange] = Field(description="In the order asked.")
    erased: list[ErasedPart] = Field(
        description="What was erased of it, oldest first.", examples=[[]]
    )
    missing: list[str] = Field(
        description="Codes of all that is missing; empty if all is in order.", examples=[[]]
    )
    block: int = Field(ge=0, description="Last final block read.", examples=[1250])
    ledgers: dict[str, int | None] = Field(
        description=(
            "Every ledger that was asked, with the last final block read of it; null where it could"
            " not be read, so that exchanges on it are not told here."
        ),
        examples=[{OWN_NAME: 1250}],
    )


def view_mark(mark: CaseMark) -> ErasedPart:
    """Return what was erased of a case as REST shows it."""
    return ErasedPart(
        what=mark.what, reason=Reason(mark.reason.value), erased=parse_time(mark.erased_s)
    )


def view_case_exchange(facts: ExchangeFacts, ledger: str) -> CaseExchange:
    """Return one exchange of a case, with the name of its ledger."""
    asked = facts.asked
    decided = facts.find_event(ExchangeState.APPROVED) or facts.find_event(ExchangeState.REFUSED)
    response, received = view_digest(facts.live["response"]), view_digest(facts.live["received"])
    arrived = facts.find_event(ExchangeState.RECEIVED) or facts.find_event(ExchangeState.DISPUTED)
    return CaseExchange(
        uid="0x" + bytes(facts.row.uid).hex(),
        ledger=ledger,
        state=find_word(ExchangeStatus, facts.row.state),
        requester=view_agency(facts.row.agency),
        officer=_open(facts, OFFICER_ROLE),
        provider=view_agency(facts.row.counterparty),
        decided_by=_open(facts, DECISION_ROLE),
        dataset=asked["dataset"],
        dataset_title=_find_title(facts, facts.dataset, "terms", "fields_hash"),
        fields=facts.fields,
        purpose=asked["purpose"],
        purpose_title=_find_title(facts, facts.purpose, "document_hash"),
        basis=_view_basis(facts),
        consents=[_view_consent(facts, consent) for consent in facts.consents],
        requested=parse_time(facts.row.event_time_s),
        due=view_moment(asked["due"]),
        decided=_get_time(decided),
        released=_get_time(facts.find_event(ExchangeState.RELEASED)),
        received=_get_time(arrived),
        received_equal=None if received is None else received == response,
        kept_until=view_moment(asked["retention_until"]),
        storage_only=_view_restriction(facts.restriction),
        missing=[
            Irregularity(code=rule.code, text=rule.text, next_step=rule.next_step)
            for rule in list_irregularities(facts)
        ],
    )


def _view_restriction(restriction: Restriction | None) -> StorageOnly | None:
    if restriction is None:
        return None
    return StorageOnly(
        cause=restriction.cause.value,
        purpose=restriction.purpose,
        legal_reference=restriction.legal_reference,
        until=view_moment(restriction.until_s),
    )


def _view_basis(facts: ExchangeFacts) -> CaseBasis | None:
    if facts.basis is None:
        return None
    law = facts.around.find_body(facts.basis.terms["terms"]["law_hash"]) or {}
    return CaseBasis(
        uid=facts.asked["basis"],
        law=law.get("law"),
        article=law.get("article"),
        live_then=all(map(facts.basis.was_active, facts.judged_s)),
    )


def _view_consent(facts: ExchangeFacts, consent: RecordFacts) -> CaseConsent:
    uid = consent.terms["terms"]["notice"]
    notice = facts.notices.get(uid)
    text = None if notice is None else facts.around.find_text(notice.terms["document_hash"])
    return CaseConsent(
        uid="0x" + bytes(consent.row.uid).hex(),
        kind=find_word(ConsentType, consent.row.subkind),
        notice=uid,
        notice_version=None if notice is None else notice.row.place,
        notice_title=None if text is None else text.body.get("title"),
        language=None if text is None else text.language,
        given=parse_time(consent.row.event_time_s),
        live_then=all(map(consent.was_active, facts.judged_s)),
        withdrawn=view_moment(consent.row.ended_s),
    )


def _find_title(facts: ExchangeFacts, record: RecordFacts | None, *path: str) -> str | None:
    value: Any = None if record is None else record.terms
    for name in path:
        value = None if value is None else value[name]
    body = facts.around.find_body(value)
    return None if body is None else body.get("title")


def _open(facts: ExchangeFacts, role: str) -> dict[str, Any] | None:
    envelope = facts.materials.get(role)
    return None if envelope is None else dict(envelope.body)


def _get_time(event: Any) -> Any:
    return None if event is None else parse_time(event.event_time_s)
