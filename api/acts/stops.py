"""Acts of the supervisor that stop a dataset, a pair of agencies or a legal basis."""

from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from api.access.callers import Role
from api.acts.act import Act, ActBody, CreationBody, PreparedAct
from api.acts.context import ActContext
from api.acts.texts import build_text
from api.rest.faults import Contradiction
from api.rest.references import Reference
from api.rest.values import (
    EXAMPLE_TIME,
    EXAMPLE_UID,
    JsonObject,
    Time,
    Uid,
    decode_hex,
    encode_time,
)
from api.rest.words import StopKind, encode_word
from api.texts.text import NO_LANGUAGE, TextKind
from contracts.addresses import BASES_NAME
from contracts.codes import Role as KeyRole


class StopOrder(CreationBody):
    """Stop a dataset, a pair of agencies or a legal basis until a date.

    Give exactly one of `dataset`, `pair`, `basis`. While it is stopped nothing is asked or released
    that needs it. The decision is a public text.
    """

    dataset: Uid | None = Field(
        default=None, description="The dataset to stop.", examples=[EXAMPLE_UID]
    )
    pair: Annotated[list[Reference], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="The two agencies between which nothing goes.", examples=[None]
    )
    basis: Uid | None = Field(default=None, description="The basis to stop.", examples=[None])
    until: Time = Field(description="Until when; ten years ahead at most.", examples=[EXAMPLE_TIME])
    decision: JsonObject = Field(
        description="The decision as published.",
        examples=[{"number": "Decision 3/2026", "text": "Releases stop until the leak is mended."}],
    )

    @model_validator(mode="after")
    def _check_one_subject(self) -> Self:
        if sum(part is not None for part in (self.dataset, self.pair, self.basis)) != 1:
            raise Contradiction(
                "give exactly one of dataset, pair, basis", "dataset", "pair", "basis"
            )
        return self


class StopLift(ActBody):
    """Lift a stop before its end; only the supervisor who ordered it may."""


async def _order(context: ActContext, body: StopOrder) -> PreparedAct:
    uid = context.take_uid(body.uid)
    decision = build_text(TextKind.DECISION, body.decision, NO_LANGUAGE)
    assert decision is not None, "the body has one"
    kind, subject = await _find_subject(context, body)
    args: dict[str, Any] = {
        "uid": uid,
        "kind": encode_word(kind),
        "subject": subject,
        "until": encode_time(body.until),
        "decision_hash": decision.hash,
    }
    return PreparedAct(uid=uid, args=args, texts=(decision,))


async def _find_subject(context: ActContext, body: StopOrder) -> tuple[StopKind, bytes]:
    if body.dataset is not None:
        dataset = decode_hex(body.dataset)
        await context.get_dataset(dataset)
        return StopKind.DATASET, dataset
    if body.basis is not None:
        basis = decode_hex(body.basis)
        await context.get_basis(basis)
        return StopKind.BASIS, basis
    assert body.pair is not None, "checked by the model"
    one, other = [
        await context.find_agency(reference, field=f"pair.{place}")
        for place, reference in enumerate(body.pair)
    ]
    return StopKind.PAIR, await context.read(BASES_NAME, "pair_of", one, other)


async def _lift(context: ActContext, _body: StopLift) -> PreparedAct:
    uid = context.get_uid()
    return PreparedAct(uid=uid, args={"uid": uid})


STOP_ACTS: Final = (
    Act(
        name="stop.order",
        path="/stops",
        summary="Stop a dataset, a pair of agencies or a legal basis",
        contract=BASES_NAME,
        function="stop",
        key_role=KeyRole.SUPERVISE,
        roles=(Role.SUPERVISOR,),
        model=StopOrder,
        prepare=_order,
        is_creation=True,
    ),
    Act(
        name="stop.lift",
        path="/stops/{uid}/lift",
        summary="Lift a stop before its end",
        contract=BASES_NAME,
        function="lift",
        key_role=KeyRole.SUPERVISE,
        roles=(Role.SUPERVISOR,),
        model=StopLift,
        prepare=_lift,
    ),
)
"""In the order of the documentation."""
