"""Acts on legal bases and cross-border instruments; entered by those who do not use them."""

from typing import Annotated, Any, Final

from atesta_client.envelopes import EnvelopeKind
from pydantic import Field

from api.access.callers import Role
from api.acts.act import Act, ActBody, CreationBody, PreparedAct
from api.acts.calls import order_args
from api.acts.context import ActContext
from api.acts.private import keep_materials, seal
from api.acts.texts import LanguageTag, LegalReference, build_text
from api.records import NO_UID
from api.rest.references import Reference
from api.rest.values import (
    EXAMPLE_TIME,
    EXAMPLE_UID,
    JsonObject,
    Model,
    Pointer,
    Reason,
    TargetState,
    Time,
    Uid,
    decode_hex,
    encode_time,
)
from api.rest.views import find_reason_code, find_state_code
from api.rest.words import BasisKind, InstrumentKind, SensitivityLevel, encode_word
from api.texts.text import NO_LANGUAGE, PublicText, TextKind
from api.vault.materials import Material
from contracts.addresses import BASES_NAME
from contracts.codes import Role as KeyRole

FILING_ROLE: Final = "filing"
"""Role of a filing's envelope among the materials of an instrument."""


class ScopeItem(Model):
    """One scope of a legal basis; scopes of the same parties add up."""

    provider: Reference | None = Field(
        default=None, description="Who gives; null for any.", examples=["mo-financial-bureau"]
    )
    recipient: Reference | None = Field(
        default=None, description="Who gets; null for any.", examples=["mo-housing-institute"]
    )
    dataset: Uid = Field(description="Which data.", examples=[EXAMPLE_UID])
    purpose: Uid = Field(description="What for.", examples=[EXAMPLE_UID])
    fields: Annotated[list[Pointer], Field(min_length=1, max_length=256)] | None = Field(
        default=None,
        description="Which fields; null for all that the dataset has.",
        examples=[["/income_band"]],
    )


class BasisEnter(CreationBody):
    """Enter a legal basis: law and article, and all that it covers.

    A supervisor enters it by its own decision, unless it is named in it. Any other agency enters it
    once the agencies have resolved on it: `explain` tells the hash to vote on (`resolution`).
    """

    kind: BasisKind = Field(
        description="`statute` needs no consent; `consent` needs one.", examples=["consent"]
    )
    law: LegalReference = Field(description="Law and article; a public text.")
    language: LanguageTag | None = Field(
        default=None, description="Language of the reference (BCP 47).", examples=["en"]
    )
    sensitivity: SensitivityLevel = Field(
        default=SensitivityLevel.ORDINARY, description="The highest that it covers."
    )
    from_jurisdiction: Reference | None = Field(
        default=None, description="Only data that leave from here; null for any.", examples=["MO"]
    )
    to_jurisdiction: Reference | None = Field(
        default=None, description="Only data that go to here; null for any.", examples=["MO"]
    )
    must_notify: bool = Field(
        default=False, description="Whether people must be told.", examples=[True]
    )
    valid_from: Time = Field(description="In force from.", examples=[EXAMPLE_TIME])
    valid_until: Time | None = Field(
        default=None, description="In force until; null for no end.", examples=[None]
    )
    scopes: Annotated[list[ScopeItem], Field(min_length=1, max_length=16)] = Field(
        description="What it covers."
    )


class LawState(ActBody):
    """Suspend, reinstate (`active`) or end (`revoked`) for good."""

    state: TargetState = Field(description="The new state.")
    reason: Reason = Field(description="Neutral reason code.")


class InstrumentEnter(CreationBody):
    """Enter an instrument under which data of one dataset may leave a jurisdiction.

    It holds for one provider, one recipient and so one direction. The filing stays in this agency's
    vault; the ledger gets a commitment to it.
    """

    kind: InstrumentKind = Field(
        description="Standard contract, assessment or permit.", examples=["contract"]
    )
    filing: JsonObject = Field(
        description="The filing: number, dates, authority.", examples=[{"number": "GBA-2026-17"}]
    )
    assessment: JsonObject | None = Field(
        default=None,
        description="The assessment behind it, as a public text.",
        examples=[{"title": "Impact assessment 17/2026", "result": "acceptable"}],
    )
    provider: Reference = Field(description="Who gives.", examples=["mo-health-bureau"])
    recipient: Reference = Field(description="Who gets.", examples=["gd-health-commission"])
    dataset: Uid = Field(description="Which data.", examples=[EXAMPLE_UID])
    onward: bool = Field(
        default=False, description="Whether the recipient may hand them on.", examples=[False]
    )
    valid_from: Time = Field(description="In force from.", examples=[EXAMPLE_TIME])
    valid_until: Time | None = Field(
        default=None, description="In force until; null for no end.", examples=[None]
    )


async def _enter_basis(context: ActContext, body: BasisEnter) -> PreparedAct:
    uid = context.take_uid(body.uid)
    law = PublicText(
        kind=TextKind.LAW,
        language=body.language or NO_LANGUAGE,
        body=body.law.model_dump(mode="json", exclude_none=True),
    )
    terms = {
        "kind": encode_word(body.kind),
        "law_hash": law.hash,
        "sensitivity": encode_word(body.sensitivity),
        "from_jurisdiction": await context.find_jurisdiction(
            body.from_jurisdiction, field="from_jurisdiction"
        ),
        "to_jurisdiction": await context.find_jurisdiction(
            body.to_jurisdiction, field="to_jurisdiction"
        ),
        "must_notify": body.must_notify,
        "valid_from": encode_time(body.valid_from),
        "valid_until": encode_time(body.valid_until),
    }
    scopes = [
        await _build_scope(context, scope, f"scopes.{place}")
        for place, scope in enumerate(body.scopes)
    ]
    return PreparedAct(uid=uid, args={"uid": uid, "terms": terms, "scopes": scopes}, texts=(law,))


async def _build_scope(context: ActContext, scope: ScopeItem, place: str) -> dict[str, Any]:
    dataset = decode_hex(scope.dataset)
    where = f"{place}.dataset"
    if scope.fields is None:
        record = await context.get_dataset(dataset, field=where)
        mask = (1 << record["terms"]["field_count"]) - 1
    else:
        mask = await context.get_mask(
            dataset, scope.fields, field=f"{place}.fields", dataset_field=where
        )
    return {
        "provider": await context.find_agency(scope.provider, field=f"{place}.provider"),
        "recipient": await context.find_agency(scope.recipient, field=f"{place}.recipient"),
        "dataset": dataset,
        "purpose": decode_hex(scope.purpose),
        "fields": mask,
    }


async def _tell_basis(context: ActContext, prepared: PreparedAct) -> dict[str, Any]:
    """Tell the hash on which the agencies vote where no supervisor enters it."""
    args = order_args(BASES_NAME, "hash_basis", prepared.args)
    return {"resolution": "0x" + (await context.read(BASES_NAME, "hash_basis", *args)).hex()}


async def _change_basis(context: ActContext, body: LawState) -> PreparedAct:
    uid = context.get_uid()
    return PreparedAct(uid=uid, args=_build_change(uid, body), basis=uid)


async def _tell_change(context: ActContext, prepared: PreparedAct) -> dict[str, Any]:
    args = (prepared.args["uid"], prepared.args["state"], prepared.args["reason"])
    subject = await context.read(BASES_NAME, "hash_basis_change", *args)
    return {"resolution": "0x" + subject.hex()}


async def _enter_instrument(context: ActContext, body: InstrumentEnter) -> PreparedAct:
    uid = context.take_uid(body.uid)
    filing = seal(EnvelopeKind.FILING, body.filing, field="filing")
    assessment = build_text(TextKind.ASSESSMENT, body.assessment, NO_LANGUAGE)
    dataset = decode_hex(body.dataset)
    terms = {
        "kind": encode_word(body.kind),
        "filing": filing.commitment,
        "assessment_hash": NO_UID if assessment is None else assessment.hash,
        "provider": await context.find_agency(body.provider, field="provider"),
        "recipient": await context.find_agency(body.recipient, field="recipient"),
        "dataset": dataset,
        "is_onward_allowed": body.onward,
        "valid_from": encode_time(body.valid_from),
        "valid_until": encode_time(body.valid_until),
    }
    return PreparedAct(
        uid=uid,
        args={"uid": uid, "terms": terms},
        texts=() if assessment is None else (assessment,),
        keep=keep_materials(context, [Material(uid=uid, role=FILING_ROLE, envelope=filing)]),
        dataset=dataset,
    )


async def _change_instrument(context: ActContext, body: LawState) -> PreparedAct:
    uid = context.get_uid()
    return PreparedAct(uid=uid, args=_build_change(uid, body))


def _build_change(uid: bytes, body: LawState) -> dict[str, Any]:
    return {
        "uid": uid,
        "state": find_state_code(body.state.value),
        "reason": find_reason_code(body.reason),
    }


BASIS_ACTS: Final = (
    Act(
        name="basis.enter",
        path="/bases",
        summary="Enter a legal basis",
        contract=BASES_NAME,
        function="enter_basis",
        key_role=KeyRole.SUPERVISE | KeyRole.GOVERN,
        roles=(Role.SUPERVISOR, Role.GOVERNOR),
        model=BasisEnter,
        prepare=_enter_basis,
        is_creation=True,
        gas=3_000_000,
        facts=_tell_basis,
    ),
    Act(
        name="basis.state",
        path="/bases/{uid}/state",
        summary="Suspend, reinstate or end a legal basis",
        contract=BASES_NAME,
        function="set_basis_state",
        key_role=KeyRole.SUPERVISE | KeyRole.GOVERN,
        roles=(Role.SUPERVISOR, Role.GOVERNOR),
        model=LawState,
        prepare=_change_basis,
        facts=_tell_change,
    ),
    Act(
        name="instrument.enter",
        path="/instruments",
        summary="Enter a cross-border instrument",
        contract=BASES_NAME,
        function="enter_instrument",
        key_role=KeyRole.SUPERVISE,
        roles=(Role.SUPERVISOR,),
        model=InstrumentEnter,
        prepare=_enter_instrument,
        is_creation=True,
    ),
    Act(
        name="instrument.state",
        path="/instruments/{uid}/state",
        summary="Suspend, reinstate or end an instrument",
        contract=BASES_NAME,
        function="set_instrument_state",
        key_role=KeyRole.SUPERVISE,
        roles=(Role.SUPERVISOR,),
        model=LawState,
        prepare=_change_instrument,
    ),
)
"""In the order of the documentation."""
