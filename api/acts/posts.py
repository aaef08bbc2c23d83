"""Acts on an agency's posts: who holds them, who stands in, and with which keys.

Officers stay in this agency's vault; the ledger gets salted commitments, from when to when.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from atesta_client.envelopes import EnvelopeKind, encode_envelope
from pydantic import Field

from api.access.callers import Role
from api.acts.act import Act, ActBody, CreationBody, PreparedAct
from api.acts.context import ActContext
from api.acts.private import keep_materials, seal
from api.acts.texts import build_text
from api.rest.values import (
    EXAMPLE_ADDRESS,
    EXAMPLE_TIME,
    AddressText,
    JsonObject,
    Model,
    Time,
    decode_hex,
    encode_time,
)
from api.rest.words import KeyRoleWord, encode_roles
from api.texts.text import NO_LANGUAGE, TextKind
from api.vault.materials import Material
from contracts.addresses import POSTS_NAME
from contracts.codes import Role as KeyRole

LAST_SEAT: Final = 4
MAX_KEYS: Final = 4

Seat = Annotated[int, Field(ge=0, le=LAST_SEAT)]


class NewKey(Model):
    """A key that the post gets; nobody has used it before."""

    address: AddressText = Field(description="Its address.", examples=[EXAMPLE_ADDRESS])
    roles: Annotated[list[KeyRoleWord], Field(min_length=1)] = Field(
        description="What it may do for the agency.", examples=[["decide"]]
    )
    valid_until: Time | None = Field(
        default=None, description="Until when; null for no end.", examples=[None]
    )


class PostEstablish(CreationBody):
    """Enter a post of this agency, such as that of its data officer."""

    duties: JsonObject = Field(
        description="What the post is for; a public text.",
        examples=[{"title": "Data officer", "text": "Decides on requests for our data."}],
    )


class TermBody(ActBody):
    """An officer's term, and the resolution behind it; both stay in the vault."""

    officer: JsonObject = Field(
        description="The officer.", examples=[{"name": "Example Officer", "number": "4711"}]
    )
    resolution: JsonObject = Field(
        description="The resolution.", examples=[{"number": "Despatch 12/2026"}]
    )
    valid_from: Time | None = Field(
        default=None, description="From when; now when absent.", examples=[EXAMPLE_TIME]
    )
    valid_until: Time | None = Field(
        default=None, description="Until when; null for no end.", examples=[None]
    )


class OfficerAppoint(TermBody):
    """Appoint an officer to a seat of a post that is free from then on."""

    seat: Seat = Field(
        default=0, description="0 the holder, 1 to 4 deputies in their order.", examples=[0]
    )


class PostHandOver(TermBody):
    """Hand a post over to the next officer, with its keys, in one step."""

    keys: Annotated[list[NewKey], Field(max_length=MAX_KEYS)] = Field(
        default_factory=list, description="The post's new keys; the old ones end."
    )
    ends_deputies: bool = Field(
        default=False, description="Whether the deputies go as well.", examples=[False]
    )


class TermEnd(ActBody):
    """End the term of a seat; with the holder's term the post's keys end."""

    seat: Seat = Field(default=0, description="0 the holder, 1 to 4 deputies.", examples=[1])
    effective: Time | None = Field(
        default=None, description="From when; now when absent.", examples=[None]
    )
    resolution: JsonObject = Field(
        description="The resolution.", examples=[{"number": "Despatch 13/2026"}]
    )


class PostKeyGive(ActBody):
    """Enter a new key of this agency that the post holds."""

    key: NewKey = Field(description="The key.")


class PostKeyChange(ActBody):
    """Name a key of this agency."""

    address: AddressText = Field(description="Its address.", examples=[EXAMPLE_ADDRESS])


class PostAbolish(ActBody):
    """Abolish a post for good, with its terms and keys."""

    resolution: JsonObject = Field(
        description="The resolution.", examples=[{"number": "Despatch 14/2026"}]
    )


async def _establish(context: ActContext, body: PostEstablish) -> PreparedAct:
    uid = context.take_uid(body.uid)
    duties = build_text(TextKind.DOCUMENT, body.duties, NO_LANGUAGE, field="duties")
    assert duties is not None, "the body has them"
    return PreparedAct(uid=uid, args={"uid": uid, "duties_hash": duties.hash}, texts=(duties,))


async def _appoint(context: ActContext, body: OfficerAppoint) -> PreparedAct:
    return _begin_term(context, body, "appointment", {"seat": body.seat})


async def _hand_over(context: ActContext, body: PostHandOver) -> PreparedAct:
    args = {"keys": _write_keys(body.keys), "ends_deputies": body.ends_deputies}
    return _begin_term(context, body, "successor", args)


def _begin_term(
    context: ActContext, body: TermBody, argument: str, args: dict[str, Any]
) -> PreparedAct:
    uid = context.get_uid()
    officer = seal(EnvelopeKind.OFFICER, body.officer, field="officer")
    resolution = seal(EnvelopeKind.RESOLUTION, body.resolution, field="resolution")
    appointment = {
        "commitment": officer.commitment,
        "valid_from": encode_time(body.valid_from),
        "valid_until": encode_time(body.valid_until),
        "resolution": resolution.commitment,
    }
    kept = [
        _keep_under(uid, "officer", officer),
        _keep_under(uid, "resolution", resolution),
    ]
    return PreparedAct(
        uid=uid,
        args={"uid": uid, argument: appointment} | args,
        keep=keep_materials(context, kept),
        envelope={"officer": encode_envelope(officer)},
        gas=2_000_000,
    )


async def _end_term(context: ActContext, body: TermEnd) -> PreparedAct:
    args = {"seat": body.seat, "effective": encode_time(body.effective)}
    return _resolve(context, body.resolution, args)


async def _abolish(context: ActContext, body: PostAbolish) -> PreparedAct:
    return _resolve(context, body.resolution, {})


def _resolve(context: ActContext, told: dict[str, Any], args: dict[str, Any]) -> PreparedAct:
    uid = context.get_uid()
    resolution = seal(EnvelopeKind.RESOLUTION, told, field="resolution")
    return PreparedAct(
        uid=uid,
        args={"uid": uid, "resolution": resolution.commitment} | args,
        keep=keep_materials(context, [_keep_under(uid, "resolution", resolution)]),
        gas=2_000_000,
    )


async def _give_key(context: ActContext, body: PostKeyGive) -> PreparedAct:
    uid = context.get_uid()
    return PreparedAct(uid=uid, args={"uid": uid, "new": _write_keys([body.key])[0]})


async def _change_key(context: ActContext, body: PostKeyChange) -> PreparedAct:
    uid = context.get_uid()
    return PreparedAct(uid=uid, args={"uid": uid, "account": decode_hex(body.address)})


def _keep_under(uid: bytes, what: str, envelope: Any) -> Material:
    """Place an envelope under a piece of its commitment, because a post has many officers."""
    return Material(uid=uid, role=f"{what}:{envelope.commitment.hex()[:16]}", envelope=envelope)


def _write_keys(keys: Sequence[NewKey]) -> list[dict[str, Any]]:
    return [
        {
            "account": decode_hex(key.address),
            "roles": encode_roles(key.roles),
            "valid_until": encode_time(key.valid_until),
        }
        for key in keys
    ]


_SHARED: Final[dict[str, Any]] = {
    "contract": POSTS_NAME,
    "key_role": KeyRole.ADMIN,
    "roles": (Role.GOVERNOR,),
}

POST_ACTS: Final = (
    Act(
        name="post.establish",
        path="/posts",
        summary="Enter a post of this agency",
        function="establish",
        model=PostEstablish,
        prepare=_establish,
        is_creation=True,
        **_SHARED,
    ),
    Act(
        name="officer.appoint",
        path="/posts/{uid}/terms",
        summary="Appoint an officer to a post, or a deputy",
        function="appoint",
        model=OfficerAppoint,
        prepare=_appoint,
        **_SHARED,
    ),
    Act(
        name="term.end",
        path="/posts/{uid}/terms/end",
        summary="End the term of a post's holder or deputy",
        function="end_term",
        model=TermEnd,
        prepare=_end_term,
        **_SHARED,
    ),
    Act(
        name="post.hand_over",
        path="/posts/{uid}/hand-over",
        summary="Hand a post over to the next officer, with its keys",
        function="hand_over",
        model=PostHandOver,
        prepare=_hand_over,
        **_SHARED,
    ),
    Act(
        name="post_key.give",
        path="/posts/{uid}/keys",
        summary="Give a post a new key",
        function="give_key",
        model=PostKeyGive,
        prepare=_give_key,
        **_SHARED,
    ),
    Act(
        name="post_key.assign",
        path="/posts/{uid}/keys/assign",
        summary="Put a key of this agency into the hands of a post",
        function="assign_key",
        model=PostKeyChange,
        prepare=_change_key,
        **_SHARED,
    ),
    Act(
        name="post_key.end",
        path="/posts/{uid}/keys/end",
        summary="End a key of a post at once",
        function="end_key",
        model=PostKeyChange,
        prepare=_change_key,
        **_SHARED,
    ),
    Act(
        name="post.abolish",
        path="/posts/{uid}/abolish",
        summary="Abolish a post for good",
        function="abolish",
        model=PostAbolish,
        prepare=_abolish,
        **_SHARED,
    ),
)
"""In the order of the documentation."""
