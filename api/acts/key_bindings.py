"""Binding a resident's fresh key to a person.

The resident makes a key for one consent. An agency that knows the person, and does not benefit from
the consent, says whose key it is. The ledger gets the key's address and a commitment to the
person's handle.
"""

from typing import Any, Final

from atesta_client.envelopes import Envelope, EnvelopeKind, encode_envelope
from pydantic import Field

from api.access.callers import Role
from api.acts.act import Act, ActBody, PreparedAct
from api.acts.context import ActContext
from api.acts.private import keep_materials, seal
from api.acts.subjects import SubjectItem, find_handle
from api.rest.references import Reference
from api.rest.services import RestServices
from api.rest.values import (
    EXAMPLE_ADDRESS,
    EXAMPLE_TIME,
    AddressText,
    Time,
    decode_hex,
    encode_hex,
    encode_time,
)
from api.vault.materials import Material
from contracts.addresses import CONSENTS_NAME
from contracts.codes import Role as KeyRole

BINDING_ROLE: Final = "key_binding"
"""Role of a binding's envelope; its uid is the key's address with zeros in front, its reference the
person's handle."""


class KeyBindingCreate(ActBody):
    """Say, having checked it, whose key this is; the key then gives one consent.

    An agency other than the consent's recipient does so.
    """

    holder: AddressText = Field(
        description="Address of the key that the resident made.", examples=[EXAMPLE_ADDRESS]
    )
    subject: SubjectItem = Field(description="Whose key it is.")
    counterparty: Reference | None = Field(
        default=None,
        description="The other agency of the handle; needed with `subject.reference`.",
        examples=["mo-housing-institute"],
    )
    valid_until: Time = Field(
        description="Until when the key may give its consent.", examples=[EXAMPLE_TIME]
    )


async def _create(context: ActContext, body: KeyBindingCreate) -> PreparedAct:
    holder = decode_hex(body.holder)
    counterparty = None
    if body.counterparty is not None:
        counterparty = await context.find_agency(body.counterparty, field="counterparty")
    handle, first_contact = await find_handle(context, body.subject, counterparty)
    binding = {"holder": encode_hex(holder), "handle": encode_hex(handle)}
    envelope = seal(EnvelopeKind.KEY_BINDING, binding, field="subject")
    uid = place_binding(holder)
    args: dict[str, Any] = {
        "holder": holder,
        "commitment": envelope.commitment,
        "valid_until": encode_time(body.valid_until),
    }
    material = Material(uid=uid, role=BINDING_ROLE, envelope=envelope, reference=handle.hex())
    return PreparedAct(
        uid=uid,
        args=args,
        keep=keep_materials(context, [*first_contact, material]),
        envelope={BINDING_ROLE: encode_envelope(envelope)},
    )


async def find_binding(services: RestServices, holder: bytes) -> Envelope | None:
    """Return the envelope of a binding that this agency made; None if it made none."""
    return await services.materials.find(place_binding(holder), BINDING_ROLE)


def place_binding(holder: bytes) -> bytes:
    """Return the uid of a key's binding."""
    return holder.rjust(32, b"\0")


async def _recall(services: RestServices, uid: bytes) -> dict[str, Any] | None:
    envelope = await services.materials.find(uid, BINDING_ROLE)
    return None if envelope is None else {BINDING_ROLE: encode_envelope(envelope)}


KEY_BINDING_ACTS: Final = (
    Act(
        name="key_binding.create",
        path="/key-bindings",
        summary="Say whose key a resident's fresh key is",
        contract=CONSENTS_NAME,
        function="bind_key",
        key_role=KeyRole.EXCHANGE,
        roles=(Role.OFFICER,),
        model=KeyBindingCreate,
        prepare=_create,
        is_creation=True,
        recall=_recall,
    ),
)
"""In the order of the documentation."""
