"""The person whom a consent or an exchange is about, inside the bodies of acts.

A caller names a person by the agency's own reference, or by the handle that it has with the other
side. The ledger gets a commitment to the handle under a fresh salt, so that no two records of a
person have anything in common there.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Self

from atesta_client.envelopes import Envelope, EnvelopeKind
from pydantic import Field, StringConstraints, model_validator

from api.acts.context import ActContext
from api.acts.private import seal
from api.errors import InvalidField, UserFault
from api.rest.faults import Contradiction
from api.rest.values import EXAMPLE_UID, Model, Uid, decode_hex, encode_hex
from api.vault.materials import Material
from contracts.addresses import CONSENTS_NAME

SUBJECT_ROLE: Final = "subject"
"""Role of a subject's envelope; its reference is the handle, so that a person's records are found
again."""

PersonReference = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)
]
"""An agency's own identifier of a person."""


class SubjectItem(Model):
    """A person: give exactly one of the two."""

    reference: PersonReference | None = Field(
        default=None,
        description="This agency's own identifier of the person; it stays in the vault.",
        examples=["file-2026-0042"],
    )
    handle: Uid | None = Field(
        default=None, description="The handle between the two agencies.", examples=[None]
    )

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.reference is None) == (self.handle is None):
            raise Contradiction("give exactly one of reference, handle", "reference", "handle")
        return self


async def find_handle(
    context: ActContext, item: SubjectItem, counterparty: bytes | None, *, field: str = "subject"
) -> tuple[bytes, tuple[Material, ...]]:
    """Return a person's handle with the other side, and what is to be kept at first contact.

    Keeping it raises `ReferenceTaken` where two first contacts meet; the act is then prepared again
    (`api.vault.subjects.look_again`), with the handle of the other. `counterparty` is None for an
    agency that is neither side: it has no handle of its own with them. Raises `InvalidField`.
    """
    if item.handle is not None:
        return decode_hex(item.handle), ()
    assert item.reference is not None, "checked by the model"
    if counterparty is None:
        raise InvalidField(
            f"{field}.reference",
            "this agency is neither provider nor recipient, so it has no handle with them",
            next_step="give the handle that one of them told you",
        )
    subjects = context.services.subjects
    found = await subjects.find_by_reference(counterparty, item.reference)
    if found is not None:
        return found.handle, ()
    proposed, material = subjects.propose(counterparty, item.reference)
    return proposed.handle, (material,)


async def check_consented(
    context: ActContext, consents: Sequence[str], provider: bytes, asked: bytes | None
) -> None:
    """Raise `UserFault` if this vault knows that a consent of this pair is of another person.

    Other agencies' consents the contract refuses; what is not opened here, the provider checks.
    """
    for uid in consents:
        known = await context.services.materials.find(decode_hex(uid), SUBJECT_ROLE)
        if known is None or read_handle(known) == asked:
            continue
        terms = (await context.read(CONSENTS_NAME, "consent", decode_hex(uid)))["terms"]
        pair = (bytes(terms["provider"]), bytes(terms["recipient"]))
        if pair == (provider, context.agency) and bytes(terms["subject"]) == known.commitment:
            raise UserFault(
                "the person asked for is not the one who consented",
                code="subject_mismatch",
                field="subject",
                status=422,
                next_step="name the person who consented, or this person's own consent",
                extra={"consent": uid},
            )


def seal_handle(uid: bytes, handle: bytes) -> Material:
    """Return the envelope of a person for one record, under a fresh salt."""
    return Material(
        uid=uid,
        role=SUBJECT_ROLE,
        envelope=seal(EnvelopeKind.SUBJECT, {"handle": encode_hex(handle)}, field="subject"),
        reference=handle.hex(),
    )


def read_handle(envelope: Envelope) -> bytes | None:
    """Return the handle in a subject's envelope; None for one that holds none."""
    text = envelope.body.get("handle")
    if not isinstance(text, str) or len(text) != len(EXAMPLE_UID) or text[:2] != "0x":
        return None
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        return None
