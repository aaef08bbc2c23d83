"""Acts on consents: recording one, handing in a signed one, demanding and giving confirmation.

A consent that a resident signs comes from `api.acts.resident_signing`; here it is only carried to
the ledger. `withdrawals.py` has its end.
"""

from typing import Annotated, Any, Final

from atesta_client.envelopes import EnvelopeKind
from pydantic import Field

from api.access.callers import Role
from api.acts.act import Act, ActBody, PreparedAct
from api.acts.consent_terms import ConsentTerms, build_consent, recall_consent
from api.acts.context import ActContext
from api.acts.mandate_use import MandateActs, read_mandate
from api.acts.private import keep_materials, seal
from api.acts.resident_messages import read_signed_consent
from api.rest.acting_models import EXAMPLE_SIGNATURE, SignatureText
from api.rest.values import (
    EXAMPLE_ADDRESS,
    EXAMPLE_UID,
    AddressText,
    JsonObject,
    Uid,
    decode_hex,
)
from api.rest.words import AssuranceLevel, ChannelWord, encode_word
from api.vault.materials import Material
from contracts.addresses import CONSENTS_NAME
from contracts.codes import ALL_ROLES
from contracts.codes import Role as KeyRole

CLERK_ROLE: Final = "clerk"
FORM_ROLE: Final = "form"
CONFIRMATION_ROLE: Final = "confirmation"
"""Roles of envelopes among the materials of a consent."""


class ConsentRecord(ConsentTerms):
    """Record a consent that a resident gave to this agency.

    The ledger says that this agency recorded it, and how; if this agency is its recipient, the
    provider may demand that another agency confirms it.
    """

    channel: ChannelWord = Field(description="How it was given.", examples=["counter"])
    assurance: AssuranceLevel = Field(
        description="How well the person was identified.", examples=["substantial"]
    )
    clerk: JsonObject = Field(
        description="Who took it; kept in the vault.", examples=[{"number": "4711"}]
    )
    form: JsonObject = Field(
        description="The form or the recording; kept in the vault.",
        examples=[{"form": "F-12", "archive": "2026/117"}],
    )
    mandate: MandateActs | None = Field(
        default=None,
        description="The mandate of whoever gave it for the person; null if the person did.",
    )


class ConsentGive(ActBody):
    """Hand in a consent that a resident signed.

    What was prepared at this node needs no more than its uid. From elsewhere, give the signed
    message too. The event time is the one that was signed.
    """

    uid: Uid = Field(description="Uid of the consent.", examples=[EXAMPLE_UID])
    signature: SignatureText = Field(
        description="r, s (the lower one) and v, 65 bytes.", examples=[EXAMPLE_SIGNATURE]
    )
    holder: AddressText | None = Field(
        default=None, description="The resident's key; not needed here.", examples=[EXAMPLE_ADDRESS]
    )
    message: Annotated[dict[str, str], Field(max_length=17)] | None = Field(
        default=None,
        description="`message` of the typed data that was signed; not needed here.",
        examples=[None],
    )


class ConfirmationDemand(ActBody):
    """Demand that a consent which its recipient recorded is confirmed; it waits until then."""


class ConsentConfirm(ActBody):
    """Confirm, having asked the resident, a consent that its recipient recorded."""

    confirmation: JsonObject = Field(
        description="How the resident confirmed it; kept in the vault.",
        examples=[{"call": "2026-11-22T08:00:00Z", "clerk": "4711"}],
    )


async def _record(context: ActContext, body: ConsentRecord) -> PreparedAct:
    built = await build_consent(context, body)
    clerk = seal(EnvelopeKind.CLERK, body.clerk, field="clerk")
    form = seal(EnvelopeKind.FORM, body.form, field="form")
    mandate = await read_mandate(context, body.mandate)
    materials = (
        *built.materials,
        Material(uid=built.uid, role=CLERK_ROLE, envelope=clerk),
        Material(uid=built.uid, role=FORM_ROLE, envelope=form),
    )
    args: dict[str, Any] = {
        "uid": built.uid,
        "terms": built.terms,
        "channel": encode_word(body.channel),
        "assurance": encode_word(body.assurance),
        "clerk": clerk.commitment,
        "form": form.commitment,
        "mandate": mandate.uid,
        "mandate_scope": mandate.scope,
    }
    return PreparedAct(
        uid=built.uid,
        args=args,
        keep=keep_materials(context, materials),
        envelope=built.envelope,
        dataset=decode_hex(body.dataset),
        facts={"by_beneficiary": context.agency == context.find_id(body.recipient)},
    )


async def _give(context: ActContext, body: ConsentGive) -> PreparedAct:
    uid = decode_hex(body.uid)
    signed = await read_signed_consent(context, uid, body.holder, body.message)
    return PreparedAct(
        uid=uid,
        args={**signed.args, "signature": decode_hex(body.signature)},
        envelope=await recall_consent(context.services, uid) if body.message is None else None,
        dataset=bytes(signed.args["terms"]["dataset"]),
    )


async def _demand(context: ActContext, _body: ConfirmationDemand) -> PreparedAct:
    uid = context.get_uid()
    return PreparedAct(uid=uid, args={"uid": uid})


async def _confirm(context: ActContext, body: ConsentConfirm) -> PreparedAct:
    uid = context.get_uid()
    sealed = seal(EnvelopeKind.FORM, body.confirmation, field="confirmation")
    material = Material(uid=uid, role=CONFIRMATION_ROLE, envelope=sealed)
    return PreparedAct(
        uid=uid,
        args={"uid": uid, "commitment": sealed.commitment},
        keep=keep_materials(context, [material]),
    )


CONSENT_ACTS: Final = (
    Act(
        name="consent.record",
        path="/consents",
        summary="Record a consent that a resident gave to this agency",
        contract=CONSENTS_NAME,
        function="record",
        key_role=KeyRole.EXCHANGE,
        roles=(Role.OFFICER,),
        model=ConsentRecord,
        prepare=_record,
        is_creation=True,
        recall=recall_consent,
    ),
    Act(
        name="consent.give",
        path="/consents/signed",
        summary="Hand in a consent that a resident signed",
        contract=CONSENTS_NAME,
        function="give",
        # Whoever may send at all: its author is the resident.
        key_role=ALL_ROLES,
        roles=(Role.OFFICER, Role.WRITER),
        model=ConsentGive,
        prepare=_give,
        is_creation=True,
        recall=recall_consent,
    ),
    Act(
        name="consent.demand_confirmation",
        path="/consents/{uid}/confirmation-demand",
        summary="Demand confirmation of a consent that its recipient recorded",
        contract=CONSENTS_NAME,
        function="demand_confirmation",
        key_role=KeyRole.EXCHANGE,
        roles=(Role.OFFICER,),
        model=ConfirmationDemand,
        prepare=_demand,
    ),
    Act(
        name="consent.confirm",
        path="/consents/{uid}/confirmation",
        summary="Confirm a consent that its recipient recorded",
        contract=CONSENTS_NAME,
        function="confirm",
        key_role=KeyRole.EXCHANGE,
        roles=(Role.OFFICER,),
        model=ConsentConfirm,
        prepare=_confirm,
    ),
)
"""In the order of the documentation."""
