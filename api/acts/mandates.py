"""Acts on mandates: offices, powers, guardianships, and the succession of a board."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from atesta_client.envelopes import EnvelopeKind, encode_envelope
from pydantic import Field

from api.access.callers import Role
from api.acts.act import MAX_GAS, Act, ActBody, CreationBody, PreparedAct
from api.acts.context import ActContext
from api.acts.mandate_items import (
    MAX_ENTRIES,
    BodyReference,
    MandateItem,
    OfficeItem,
    build_entry,
    seal_body,
)
from api.acts.private import keep_materials, seal
from api.rest.services import RestServices
from api.rest.values import (
    EXAMPLE_TIME,
    EXAMPLE_UID,
    JsonObject,
    Reason,
    Time,
    Uid,
    decode_hex,
    encode_hex,
    encode_time,
)
from api.rest.views import find_reason_code
from api.vault.materials import Material
from contracts.addresses import MANDATES_NAME
from contracts.codes import Role as KeyRole

MAX_ENDED: Final = 16
"""Most powers that one succession ends."""

RESOLUTION_ROLE: Final = "resolution"
"""Role of the election's record among the materials of a succession."""

LIST_ROLE: Final = "mandates"
"""Role of the list of uids among the materials of the first mandate of several, or of a
succession."""


class MandateRecord(ActBody):
    """Record mandates: one, or up to eight at once, all or none.

    People and bodies stay in this agency's vault; the ledger gets commitments.
    """

    mandates: Annotated[list[MandateItem], Field(min_length=1, max_length=MAX_ENTRIES)] = Field(
        description="The mandates."
    )


class MandateEnd(ActBody):
    """End a mandate at once; only the agency that recorded it may."""

    reason: Reason = Field(description="Neutral reason code.")


class BoardSucceed(CreationBody):
    """End all offices of a body's board and install the next board, in one step.

    Powers survive, but for those that are listed. Only the agency that keeps the body may.
    """

    body: BodyReference = Field(description="The association or company.")
    effective: Time = Field(
        description="From when the new board is in office.", examples=[EXAMPLE_TIME]
    )
    resolution: JsonObject = Field(
        description="The record of the election; it stays in the vault.",
        examples=[{"assembly": "2026-11-21", "minutes": "M-12"}],
    )
    ended: Annotated[list[Uid], Field(max_length=MAX_ENDED)] = Field(
        default_factory=list,
        description="Powers that end with the old board, at once.",
        examples=[[EXAMPLE_UID]],
    )
    offices: Annotated[list[OfficeItem], Field(min_length=1, max_length=MAX_ENTRIES)] = Field(
        description="The offices of the new board."
    )


async def _record(context: ActContext, body: MandateRecord) -> PreparedAct:
    entries: list[dict[str, Any]] = []
    materials: list[Material] = []
    told: list[dict[str, Any]] = []
    for place, item in enumerate(body.mandates):
        built = await build_entry(context, item, place=f"mandates.{place}")
        entries.append(built.entry)
        materials.extend(built.materials)
        told.append(built.envelope)
    uid: bytes = entries[0]["uid"]
    materials.append(_list_uids(uid, entries))
    return PreparedAct(
        uid=uid,
        args={"entries": entries},
        gas=min(MAX_GAS, 200_000 + 320_000 * len(entries)),
        keep=keep_materials(context, materials),
        envelope={"mandates": told},
    )


async def _end(context: ActContext, body: MandateEnd) -> PreparedAct:
    uid = context.get_uid()
    return PreparedAct(uid=uid, args={"uid": uid, "reason": find_reason_code(body.reason)})


async def _succeed(context: ActContext, body: BoardSucceed) -> PreparedAct:
    uid = context.take_uid(body.uid)
    body_uid, body_materials = seal_body(context, body.body)
    resolution = seal(EnvelopeKind.RESOLUTION, body.resolution, field="resolution")
    entries, told = [], []
    materials = [*body_materials, Material(uid=uid, role=RESOLUTION_ROLE, envelope=resolution)]
    for place, office in enumerate(body.offices):
        item = office.as_mandate(body.body, default_from=body.effective)
        built = await build_entry(context, item, place=f"offices.{place}")
        entries.append(built.entry)
        materials.extend(built.materials)
        told.append(built.envelope)
    materials.append(_list_uids(uid, entries))
    args: dict[str, Any] = {
        "uid": uid,
        "body": body_uid,
        "effective": encode_time(body.effective),
        "resolution": resolution.commitment,
        "ended": [decode_hex(ended) for ended in body.ended],
        "entries": entries,
    }
    return PreparedAct(
        uid=uid,
        args=args,
        record=f"/v1/mandates/{encode_hex(entries[0]['uid'])}",
        gas=min(MAX_GAS, 500_000 + 320_000 * len(entries) + 60_000 * len(body.ended)),
        keep=keep_materials(context, materials),
        envelope={"mandates": told},
        facts={"body": encode_hex(body_uid)},
    )


def _list_uids(uid: bytes, entries: Sequence[Mapping[str, Any]]) -> Material:
    """Return what says which mandates were recorded together, kept with the first or the act."""
    listed = {"uids": [encode_hex(entry["uid"]) for entry in entries]}
    sealed = seal(EnvelopeKind.MANDATE_RECORD, listed, field="mandates")
    return Material(uid=uid, role=LIST_ROLE, envelope=sealed)


async def _recall(services: RestServices, uid: bytes) -> dict[str, Any] | None:
    """Return the envelopes of mandates that were recorded together."""
    listed = await services.materials.find(uid, LIST_ROLE)
    if listed is None:
        return None
    told = []
    for text in listed.body["uids"]:
        opened = await services.materials.get_all(decode_hex(str(text)))
        told.append(
            {"uid": text}
            | {
                role: encode_envelope(opened[role])
                for role in ("grantor", "grantee", "record")
                if role in opened
            }
        )
    return {"mandates": told}


MANDATE_ACTS: Final = (
    Act(
        name="mandate.record",
        path="/mandates",
        summary="Record mandates, up to eight at once",
        contract=MANDATES_NAME,
        function="record",
        key_role=KeyRole.EXCHANGE,
        roles=(Role.OFFICER,),
        model=MandateRecord,
        prepare=_record,
        is_creation=True,
        gas=MAX_GAS,
        recall=_recall,
    ),
    Act(
        name="mandate.end",
        path="/mandates/{uid}/end",
        summary="End a mandate at once",
        contract=MANDATES_NAME,
        function="end",
        key_role=KeyRole.EXCHANGE,
        roles=(Role.OFFICER,),
        model=MandateEnd,
        prepare=_end,
    ),
    Act(
        name="board.succeed",
        path="/mandates/successions",
        summary="End a board's offices and install the next board",
        contract=MANDATES_NAME,
        function="succeed",
        key_role=KeyRole.EXCHANGE,
        roles=(Role.OFFICER,),
        model=BoardSucceed,
        prepare=_succeed,
        is_creation=True,
        gas=MAX_GAS,
        recall=_recall,
    ),
)
"""In the order of the documentation."""
