"""Acts of the catalogue: datasets, notices, purposes."""

from typing import Annotated, Any, Final

from pydantic import Field

from api.access.callers import Role
from api.acts.act import Act, ActBody, CreationBody, PreparedAct
from api.acts.context import ActContext
from api.acts.texts import LanguageTag, LegalReference, build_text
from api.errors import InvalidField
from api.records import NO_UID
from api.rest.values import (
    JsonObject,
    Model,
    Pointer,
    Reason,
    TargetState,
    Title,
    Uid,
    decode_hex,
)
from api.rest.views import find_reason_code, find_state_code
from api.rest.words import SensitivityLevel, SharingClass, encode_word
from api.texts.fields import MAX_FIELDS, build_fields_text
from api.texts.fields import Field as DatasetField
from api.texts.text import NO_LANGUAGE, PublicText, TextKind
from contracts.addresses import CATALOGUE_NAME
from contracts.codes import RecordKind
from contracts.codes import Role as KeyRole


class FieldItem(Model):
    """One field of a dataset."""

    pointer: Pointer = Field(
        description="JSON pointer (RFC 6901) into what is released.", examples=["/income_band"]
    )
    title: Title = Field(description="Name for people.", examples=["Income band"])


class DatasetRegister(CreationBody):
    """Enter a dataset into the catalogue.

    The list of fields, the conditions and the legal reference are public texts: this node keeps
    them, the ledger keeps their hashes.
    """

    title: Title = Field(description="Name for people.", examples=["Income bands"])
    language: LanguageTag | None = Field(
        default=None, description="Language of the texts (BCP 47).", examples=["en"]
    )
    fields: Annotated[list[FieldItem], Field(min_length=1, max_length=MAX_FIELDS)] = Field(
        description="The ordered fields; sets of fields are written with their pointers.",
        examples=[[{"pointer": "/income_band", "title": "Income band"}]],
    )
    sharing: SharingClass = Field(
        description=(
            "`unconditional`: released on a basis; `conditional`: also needs a decision of the"
            " data officer, and states its conditions; `not_shared`: never, by the law named."
        ),
        examples=["conditional"],
    )
    sensitivity: SensitivityLevel = Field(
        default=SensitivityLevel.ORDINARY,
        description="`sensitive` asks for a basis, and where that is consent, a consent, for it.",
    )
    conditions: JsonObject | None = Field(
        default=None,
        description="Under which conditions it is released; needed with `conditional`.",
        examples=[{"text": "Only for means-tested benefits."}],
    )
    legal_reference: LegalReference | None = Field(
        default=None, description="The law that it rests on; needed with `not_shared`."
    )
    previous: Uid | None = Field(
        default=None,
        description="The owner's dataset of which this is the next version.",
        examples=[None],
    )


class NoticePublish(CreationBody):
    """Publish a notice: what residents are shown before they consent, in one language."""

    title: Title = Field(description="Name for people.", examples=["Housing subsidy: your data"])
    language: LanguageTag = Field(description="Language (BCP 47).", examples=["en"])
    text: Annotated[str, Field(min_length=1, max_length=100_000)] = Field(
        description="The notice as residents read it.",
        examples=["We ask the tax bureau for your income band, once, to decide your application."],
    )
    previous: Uid | None = Field(
        default=None, description="The notice that it replaces.", examples=[None]
    )


class PurposePublish(CreationBody):
    """Publish a purpose: what data may be used for."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._:-]{0,99}$")] = Field(
        description="Short code for programs.", examples=["housing-subsidy"]
    )
    title: Title = Field(description="Name for people.", examples=["Deciding a housing subsidy"])
    description: Annotated[str, Field(max_length=10_000)] = Field(
        default="", description="What it covers, and what not.", examples=["One decision."]
    )
    language: LanguageTag | None = Field(
        default=None, description="Language of title and description (BCP 47).", examples=["en"]
    )
    dpv: Annotated[str, Field(max_length=200)] | None = Field(
        default=None,
        description="Its term in W3C's Data Privacy Vocabulary.",
        examples=["dpv:ServiceProvision"],
    )
    previous: Uid | None = Field(
        default=None, description="The purpose that it replaces.", examples=[None]
    )


class CatalogueState(ActBody):
    """Suspend, reinstate (`active`) or revoke; what is revoked stays so."""

    state: TargetState = Field(description="The new state.")
    reason: Reason = Field(description="Neutral reason code.")


async def _register_dataset(context: ActContext, body: DatasetRegister) -> PreparedAct:
    uid = context.take_uid(body.uid)
    pointers = [field.pointer for field in body.fields]
    for place, pointer in enumerate(pointers):
        if pointer in pointers[:place]:
            raise InvalidField(f"fields.{place}.pointer", "the dataset has this field already")
    language = body.language or NO_LANGUAGE
    fields = build_fields_text(
        body.title,
        [DatasetField(pointer=field.pointer, title=field.title) for field in body.fields],
        language=language,
    )
    conditions = build_text(TextKind.CONDITIONS, body.conditions, language)
    law = None if body.legal_reference is None else body.legal_reference.model_dump(mode="json")
    reference = build_text(TextKind.LEGAL_REFERENCE, law, language)
    terms = {
        "sharing": encode_word(body.sharing),
        "sensitivity": encode_word(body.sensitivity),
        "field_count": len(body.fields),
        "fields_hash": fields.hash,
        "conditions_hash": NO_UID if conditions is None else conditions.hash,
        "legal_reference": NO_UID if reference is None else reference.hash,
    }
    return PreparedAct(
        uid=uid,
        args={"uid": uid, "terms": terms, "previous": _read_uid(body.previous)},
        texts=tuple(text for text in (fields, conditions, reference) if text is not None),
        facts={"fields_text": "0x" + fields.hash.hex()},
    )


async def _set_dataset_state(context: ActContext, body: CatalogueState) -> PreparedAct:
    return PreparedAct(uid=context.get_uid(), args=_build_change(context, body))


async def _publish_notice(context: ActContext, body: NoticePublish) -> PreparedAct:
    text = PublicText(
        kind=TextKind.NOTICE,
        language=body.language,
        body={"title": body.title, "text": body.text},
    )
    return _publish(context, body, RecordKind.NOTICE, text)


async def _publish_purpose(context: ActContext, body: PurposePublish) -> PreparedAct:
    told = {"code": body.code, "title": body.title, "description": body.description}
    text = PublicText(
        kind=TextKind.PURPOSE,
        language=body.language or NO_LANGUAGE,
        body=told if body.dpv is None else told | {"dpv": body.dpv},
    )
    return _publish(context, body, RecordKind.PURPOSE, text)


async def _set_text_state(context: ActContext, body: CatalogueState) -> PreparedAct:
    return PreparedAct(uid=context.get_uid(), args=_build_change(context, body))


def _publish(
    context: ActContext, body: NoticePublish | PurposePublish, kind: RecordKind, text: PublicText
) -> PreparedAct:
    uid = context.take_uid(body.uid)
    args = {
        "uid": uid,
        "kind": int(kind),
        "document_hash": text.hash,
        "language": text.language.encode("ascii").ljust(32, b"\0"),
        "previous": _read_uid(body.previous),
    }
    return PreparedAct(uid=uid, args=args, texts=(text,), facts={"text": "0x" + text.hash.hex()})


def _build_change(context: ActContext, body: CatalogueState) -> dict[str, Any]:
    return {
        "uid": context.get_uid(),
        "state": find_state_code(body.state.value),
        "reason": find_reason_code(body.reason),
    }


def _read_uid(uid: str | None) -> bytes:
    return NO_UID if uid is None else decode_hex(uid)


CATALOGUE_ACTS: Final = (
    Act(
        name="dataset.register",
        path="/datasets",
        summary="Enter a dataset into the catalogue",
        contract=CATALOGUE_NAME,
        function="register_dataset",
        key_role=KeyRole.SCHEMA,
        roles=(Role.DESCRIBER,),
        model=DatasetRegister,
        prepare=_register_dataset,
        is_creation=True,
    ),
    Act(
        name="dataset.state",
        path="/datasets/{uid}/state",
        summary="Suspend, reinstate or revoke a dataset of this agency",
        contract=CATALOGUE_NAME,
        function="set_dataset_state",
        key_role=KeyRole.SCHEMA,
        roles=(Role.DESCRIBER,),
        model=CatalogueState,
        prepare=_set_dataset_state,
    ),
    Act(
        name="notice.publish",
        path="/notices",
        summary="Publish a notice to residents",
        contract=CATALOGUE_NAME,
        function="publish",
        key_role=KeyRole.SCHEMA,
        roles=(Role.DESCRIBER,),
        model=NoticePublish,
        prepare=_publish_notice,
        is_creation=True,
    ),
    Act(
        name="notice.state",
        path="/notices/{uid}/state",
        summary="Suspend, reinstate or revoke a notice of this agency",
        contract=CATALOGUE_NAME,
        function="set_text_state",
        key_role=KeyRole.SCHEMA,
        roles=(Role.DESCRIBER,),
        model=CatalogueState,
        prepare=_set_text_state,
    ),
    Act(
        name="purpose.publish",
        path="/purposes",
        summary="Publish a purpose",
        contract=CATALOGUE_NAME,
        function="publish",
        key_role=KeyRole.SCHEMA,
        roles=(Role.DESCRIBER,),
        model=PurposePublish,
        prepare=_publish_purpose,
        is_creation=True,
    ),
    Act(
        name="purpose.state",
        path="/purposes/{uid}/state",
        summary="Suspend, reinstate or revoke a purpose of this agency",
        contract=CATALOGUE_NAME,
        function="set_text_state",
        key_role=KeyRole.SCHEMA,
        roles=(Role.DESCRIBER,),
        model=CatalogueState,
        prepare=_set_text_state,
    ),
)
"""In the order of the documentation."""
