"""One mandate: from what people say of it to what the ledger keeps.

The body behind an office is named by its number in a register. Its commitment must be the same in
every record of the body, or offices of one board could not be told to belong together; so its salt
comes from the vault's key and the number, not from chance. Everything about a person has a fresh
salt in every record.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Self

from atesta_client.envelopes import Envelope, EnvelopeKind, encode_envelope
from pydantic import Field, StringConstraints, model_validator

from api.acts.context import ActContext
from api.acts.private import seal
from api.errors import UserFault
from api.records import NO_UID
from api.rest.faults import Contradiction
from api.rest.values import (
    EXAMPLE_HASH,
    EXAMPLE_TIME,
    EXAMPLE_UID,
    JsonObject,
    Model,
    Time,
    Uid,
    decode_hex,
    encode_hex,
    encode_time,
)
from api.rest.words import MandateType, encode_word
from api.texts.act_lists import ActUnknown, build_scope
from api.texts.shapes import TextMalformed, validate_shape
from api.texts.text import TextKind
from api.vault.materials import Material

MAX_ENTRIES: Final = 8
"""As many as fit into one transaction."""

BODY_ROLE: Final = "body"
"""Role of a body's envelope; it is kept under the body's own commitment."""

ActCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._:-]{0,99}$")]


class BodyReference(Model):
    """An association or company, by its number in a register."""

    register_name: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="Which register.", examples=["mo-associations"]
    )
    number: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="The number in it.", examples=["0042"]
    )


class MandateItem(Model):
    """One mandate."""

    uid: Uid | None = Field(
        default=None, description="32 random bytes; made here when absent.", examples=[EXAMPLE_UID]
    )
    kind: MandateType = Field(
        description="`office` of a body, `power` or `guardianship`.", examples=["office"]
    )
    body: BodyReference | None = Field(default=None, description="The body; needed for an office.")
    grantor: JsonObject | None = Field(
        default=None,
        description="Who gives it; the body itself when absent.",
        examples=[{"name": "Example Association"}],
    )
    grantee: JsonObject = Field(
        description="Who may act.", examples=[{"name": "Example Person", "document": "X0000000"}]
    )
    act_list: Uid = Field(
        description="Hash of the public text that lists the acts (`act_list`).",
        examples=[EXAMPLE_HASH],
    )
    acts: Annotated[list[ActCode], Field(min_length=1, max_length=256)] = Field(
        description="Codes of the acts that it covers.", examples=[["sign-contract"]]
    )
    limit: Annotated[int, Field(ge=0, lt=2**128)] = Field(
        default=0, description="Highest amount, in the list's unit; 0 for none.", examples=[100000]
    )
    valid_from: Time = Field(description="From when.", examples=[EXAMPLE_TIME])
    valid_until: Time | None = Field(
        default=None, description="Until when; null for no end.", examples=[None]
    )
    parent: Uid | None = Field(
        default=None, description="The power that is handed on.", examples=[None]
    )
    may_delegate: bool = Field(
        default=False, description="Whether a power may be handed on.", examples=[False]
    )
    record: JsonObject = Field(
        default_factory=dict,
        description="The full record: deed, register entry, remarks.",
        examples=[{"deed": "N-17/2026"}],
    )

    @model_validator(mode="after")
    def _check_grantor(self) -> Self:
        if self.body is None and self.grantor is None:
            raise Contradiction("a mandate has a grantor or a body", "grantor", "body")
        return self


class OfficeItem(Model):
    """One office of a new board."""

    uid: Uid | None = Field(
        default=None, description="32 random bytes; made here when absent.", examples=[EXAMPLE_UID]
    )
    grantee: JsonObject = Field(
        description="Who is in office.", examples=[{"name": "Example Person"}]
    )
    act_list: Uid = Field(
        description="Hash of the public text that lists the acts.", examples=[EXAMPLE_HASH]
    )
    acts: Annotated[list[ActCode], Field(min_length=1, max_length=256)] = Field(
        description="Codes of the acts that the office covers.", examples=[["sign-contract"]]
    )
    limit: Annotated[int, Field(ge=0, lt=2**128)] = Field(
        default=0, description="Highest amount; 0 for none.", examples=[0]
    )
    valid_from: Time | None = Field(
        default=None, description="From when; the board's first moment if absent.", examples=[None]
    )
    valid_until: Time | None = Field(
        default=None, description="Until when; null for no end.", examples=[None]
    )
    record: JsonObject = Field(
        default_factory=dict, description="The full record.", examples=[{"office": "president"}]
    )

    def as_mandate(self, body: BodyReference, *, default_from: datetime) -> MandateItem:
        """Return the office as a mandate of a body."""
        return MandateItem(
            uid=self.uid,
            kind=MandateType.OFFICE,
            body=body,
            grantee=self.grantee,
            act_list=self.act_list,
            acts=self.acts,
            limit=self.limit,
            valid_from=self.valid_from or default_from,
            valid_until=self.valid_until,
            record=self.record,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltMandate:
    """A mandate ready for the ledger."""

    entry: dict[str, Any]
    """The contract's `Entry`."""
    materials: tuple[Material, ...]
    envelope: dict[str, Any]
    """Its envelopes, for those entitled to see them."""


async def build_entry(context: ActContext, item: MandateItem, *, place: str) -> BuiltMandate:
    """Return a mandate as the contract takes it; `place` names it in refusals."""
    uid = context.take_uid(item.uid)
    body_uid = NO_UID
    body_materials: tuple[Material, ...] = ()
    if item.body is not None:
        body_uid, body_materials = seal_body(context, item.body)
    sealed = {
        "grantor": _seal_grantor(item, f"{place}.grantor"),
        "grantee": seal(EnvelopeKind.PERSON, item.grantee, field=f"{place}.grantee"),
        "record": seal(EnvelopeKind.MANDATE_RECORD, item.record, field=f"{place}.record"),
    }
    terms = {
        "kind": encode_word(item.kind),
        "body": body_uid,
        "grantor": sealed["grantor"].commitment,
        "grantee": sealed["grantee"].commitment,
        "scope": await get_scope(context, item.act_list, item.acts, place=place),
        "scope_list_hash": decode_hex(item.act_list),
        "limit": item.limit,
        "valid_from": encode_time(item.valid_from),
        "valid_until": encode_time(item.valid_until),
        "parent": NO_UID if item.parent is None else decode_hex(item.parent),
        "may_delegate": item.may_delegate,
        "record": sealed["record"].commitment,
    }
    materials = (
        Material(uid=uid, role=role, envelope=envelope) for role, envelope in sealed.items()
    )
    told = {role: encode_envelope(envelope) for role, envelope in sealed.items()}
    return BuiltMandate(
        entry={"uid": uid, "terms": terms},
        materials=(*body_materials, *materials),
        envelope={"uid": encode_hex(uid)} | told,
    )


def seal_body(context: ActContext, body: BodyReference) -> tuple[bytes, tuple[Material, ...]]:
    """Return a body's commitment, always the same in this vault, and its envelope to keep."""
    named = {"register": body.register_name, "number": body.number}
    salt = context.services.materials.derive_salt(
        EnvelopeKind.BODY, f"{len(body.register_name)}:{body.register_name}:{body.number}"
    )
    envelope = Envelope(kind=EnvelopeKind.BODY, salt=salt, body=named)
    uid = envelope.commitment
    return uid, (Material(uid=uid, role=BODY_ROLE, envelope=envelope, is_lasting=True),)


async def get_scope(context: ActContext, act_list: str, codes: list[str], *, place: str) -> int:
    """Return the word of a set of acts of a public list; raises `UserFault` by field."""
    text = await context.services.texts.find(decode_hex(act_list))
    if text is None or text.kind is not TextKind.ACT_LIST:
        raise UserFault(
            "this node does not hold a list of acts with this hash",
            code="text_missing",
            field=f"{place}.act_list",
            status=409,
            next_step="PUT the list to /v1/texts with the kind act_list",
        )
    try:
        validate_shape(text)
        return build_scope(text, codes)
    except (ActUnknown, TextMalformed) as error:
        number = error.place
        raise UserFault(
            "the list has no such act",
            code="field_unknown",
            field=f"{place}.acts.{number}",
            status=422,
            next_step="take the acts from the list",
        ) from None


def _seal_grantor(item: MandateItem, field: str) -> Envelope:
    if item.grantor is not None:
        return seal(EnvelopeKind.PERSON, item.grantor, field=field)
    assert item.body is not None, "checked by the model"
    named = {"register": item.body.register_name, "number": item.body.number}
    return seal(EnvelopeKind.BODY, named, field=field)
