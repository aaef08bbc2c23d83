"""Acts on withdrawals: taking one, handing in a signed one, answering one.

A withdrawal binds from its declaration. Each recipient answers within the time that the consent
sets: stopped, deleted, or retained for storage only under a legal basis and until a date.
"""

from typing import Annotated, Any, Final, Self

from atesta_client.envelopes import EnvelopeKind
from pydantic import Field, model_validator

from api.access.callers import Role
from api.acts.act import Act, ActBody, PreparedAct
from api.acts.context import ActContext
from api.acts.private import keep_materials, seal
from api.records import NO_UID
from api.rest.acting_models import EXAMPLE_SIGNATURE, SignatureText
from api.rest.faults import Contradiction
from api.rest.values import (
    EXAMPLE_TIME,
    EXAMPLE_UID,
    JsonObject,
    Time,
    Uid,
    decode_hex,
    encode_time,
)
from api.rest.words import WithdrawalOutcome, encode_word
from api.rest.writes import find_event_time
from api.vault.materials import Material
from contracts.addresses import CONSENTS_NAME
from contracts.codes import ALL_ROLES
from contracts.codes import Role as KeyRole

WITHDRAWAL_ROLE: Final = "withdrawal_form"
"""Role of the form among the materials of a consent."""


class ConsentWithdraw(ActBody):
    """Take a withdrawal that a resident declared to this agency; it binds from its declaration."""

    declared_at: Time | None = Field(
        default=None,
        description="When the resident declared it; the event time when absent.",
        examples=[EXAMPLE_TIME],
    )
    form: JsonObject = Field(
        description="The form or the recording; kept in the vault.",
        examples=[{"form": "F-13", "archive": "2026/118"}],
    )


class ConsentWithdrawSigned(ActBody):
    """Hand in a withdrawal that the resident's own key signed; numbers as they were prepared."""

    declared_at: Time = Field(description="As signed.", examples=[EXAMPLE_TIME])
    nonce: Annotated[int, Field(ge=0, lt=2**256)] = Field(
        description="As signed.", examples=[12345]
    )
    deadline: Time = Field(description="As signed.", examples=[EXAMPLE_TIME])
    signature: SignatureText = Field(
        description="r, s (the lower one) and v, 65 bytes.", examples=[EXAMPLE_SIGNATURE]
    )


class WithdrawalAnswer(ActBody):
    """Say what this agency, as a recipient, has done about a withdrawal."""

    outcome: WithdrawalOutcome = Field(
        description="`stopped`, `deleted`, or `retained` for storage only.", examples=["deleted"]
    )
    basis: Uid | None = Field(
        default=None, description="Under which basis they are retained.", examples=[EXAMPLE_UID]
    )
    until: Time | None = Field(
        default=None, description="Until when they are retained.", examples=[EXAMPLE_TIME]
    )

    @model_validator(mode="after")
    def _check_retention(self) -> Self:
        if self.outcome is WithdrawalOutcome.RETAINED and None in (self.basis, self.until):
            missing = [name for name in ("basis", "until") if getattr(self, name) is None]
            raise Contradiction("what is retained needs basis and until", *missing)
        return self


async def _withdraw(context: ActContext, body: ConsentWithdraw) -> PreparedAct:
    uid = context.get_uid()
    form = seal(EnvelopeKind.FORM, body.form, field="form")
    field = "event_time" if body.declared_at is None else "declared_at"
    declared_s = find_event_time(context.services, body.declared_at or body.event_time, field=field)
    args: dict[str, Any] = {
        "uid": uid,
        "form": form.commitment,
        "declared_at": declared_s,
    }
    return PreparedAct(
        uid=uid,
        args=args,
        keep=keep_materials(context, [Material(uid=uid, role=WITHDRAWAL_ROLE, envelope=form)]),
    )


async def _withdraw_signed(context: ActContext, body: ConsentWithdrawSigned) -> PreparedAct:
    uid = context.get_uid()
    args = {
        "uid": uid,
        "declared_at": encode_time(body.declared_at),
        "nonce": body.nonce,
        "deadline": encode_time(body.deadline),
        "signature": decode_hex(body.signature),
    }
    return PreparedAct(uid=uid, args=args)


async def _answer(context: ActContext, body: WithdrawalAnswer) -> PreparedAct:
    uid = context.get_uid()
    basis = NO_UID if body.basis is None else decode_hex(body.basis)
    args = {
        "uid": uid,
        "outcome": encode_word(body.outcome),
        "basis": basis,
        "until": encode_time(body.until),
    }
    return PreparedAct(uid=uid, args=args, basis=None if body.basis is None else basis)


WITHDRAWAL_ACTS: Final = (
    Act(
        name="consent.withdraw",
        path="/consents/{uid}/withdrawal",
        summary="Take a resident's withdrawal of a consent",
        contract=CONSENTS_NAME,
        function="withdraw",
        key_role=KeyRole.EXCHANGE,
        roles=(Role.OFFICER,),
        model=ConsentWithdraw,
        prepare=_withdraw,
    ),
    Act(
        name="consent.withdraw_signed",
        path="/consents/{uid}/withdrawal/signed",
        summary="Hand in a withdrawal that a resident signed",
        contract=CONSENTS_NAME,
        function="withdraw_signed",
        # Whoever may send at all: its author is the resident.
        key_role=ALL_ROLES,
        roles=(Role.OFFICER, Role.WRITER),
        model=ConsentWithdrawSigned,
        prepare=_withdraw_signed,
    ),
    Act(
        name="withdrawal.answer",
        path="/consents/{uid}/withdrawal/answer",
        summary="Say what this agency did about a withdrawal",
        contract=CONSENTS_NAME,
        function="answer_withdrawal",
        key_role=KeyRole.EXCHANGE,
        roles=(Role.OFFICER,),
        model=WithdrawalAnswer,
        prepare=_answer,
    ),
)
"""In the order of the documentation."""
