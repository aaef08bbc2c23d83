"""The case register: what a case is for, and which fields of which datasets it needs.

A case file is an envelope in the vault, found by the case number. It is optional: exchanges name
their case anyway; with a file this node can say what is asked beyond need, and what may be asked.
"""

import secrets
from dataclasses import dataclass
from typing import Annotated, Any, Final

from atesta_client.envelopes import EnvelopeKind
from pydantic import Field, StringConstraints

from api.acts.exchange_request import CASE_ROLE
from api.acts.private import seal
from api.errors import NotFound, UserFault
from api.rest.call import Call, Reply
from api.rest.services import RestServices
from api.rest.values import (
    EXAMPLE_TIME,
    EXAMPLE_UID,
    Model,
    Pointer,
    Time,
    Uid,
    parse_time,
)
from api.vault.materials import Material

FILE_ROLE: Final = "case_file"
"""Role of a case file among the vault's materials."""

CaseNumber = Annotated[str, StringConstraints(min_length=1, max_length=200)]
EXAMPLE_NUMBER: Final = "HS-2026-000417"


class Need(Model):
    """Fields of one dataset that a case needs."""

    dataset: Uid = Field(description="The dataset.", examples=[EXAMPLE_UID])
    fields: Annotated[list[Pointer], Field(min_length=1, max_length=256)] = Field(
        description="The smallest set that serves.", examples=[["/income_band"]]
    )


class CaseCreate(Model):
    """Open a case file; it stays in the vault."""

    number: CaseNumber = Field(description="The agency's case number.", examples=[EXAMPLE_NUMBER])
    procedure: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="Which procedure it is.", examples=["housing-subsidy"]
    )
    purpose: Uid = Field(description="Purpose of what is asked.", examples=[EXAMPLE_UID])
    needs: Annotated[list[Need], Field(max_length=64)] = Field(
        default_factory=list, description="What it needs from others."
    )


class CaseFileView(CaseCreate):
    """A case file."""

    opened: Time = Field(description="When it was opened.", examples=[EXAMPLE_TIME])


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """What this agency noted of a case."""

    number: str
    procedure: str
    purpose: str
    needs: dict[str, tuple[str, ...]]
    """Pointers by dataset's uid in hexadecimal."""
    opened_s: int


async def create_case(call: Call) -> Reply:
    """Open a case file; an equal one is found again."""
    body: CaseCreate = call.body
    services = call.services
    known = await find_case_file(services, body.number)
    told = body.model_dump(mode="json")
    if known is not None:
        if _describe(known) != told:
            raise UserFault(
                "there is another case file with this number",
                code="case_exists",
                field="number",
                status=409,
                next_step="use the case's own number",
            )
        return Reply(model=_view(known))
    opened_s = int(services.now())
    envelope = seal(EnvelopeKind.CASE, told | {"opened": opened_s}, field="body")
    material = Material(
        uid=secrets.token_bytes(32), role=FILE_ROLE, envelope=envelope, reference=body.number
    )
    await services.materials.put((material,), now_s=opened_s)
    return Reply(model=CaseFileView(**body.model_dump(), opened=parse_time(opened_s)))


async def find_case_file(services: RestServices, number: str) -> CaseFile | None:
    """Return the file of a case; None if there is none. Raises `NoVault`."""
    uids = await services.materials.list_by_reference(FILE_ROLE, number, limit=1)
    envelope = await services.materials.find(uids[0], FILE_ROLE) if uids else None
    if envelope is None:
        return None
    body: dict[str, Any] = dict(envelope.body)
    return CaseFile(
        number=body["number"],
        procedure=body["procedure"],
        purpose=body["purpose"],
        needs={need["dataset"]: tuple(need["fields"]) for need in body["needs"]},
        opened_s=body["opened"],
    )


async def list_case_exchanges(services: RestServices, number: str) -> tuple[bytes, ...]:
    """Return the uids of the exchanges of a case, in the order in which they were asked."""
    return await services.materials.list_by_reference(CASE_ROLE, number)


def refuse_unknown(number_field: str = "number") -> NotFound:
    """Return the refusal for a case that this agency does not know."""
    error = NotFound(
        "this agency has no case with this number", field=number_field, code="case_not_found"
    )
    error.next_step = "check the number; cases of other agencies are with them"
    return error


def view_case_file(known: CaseFile | None) -> CaseFileView | None:
    """Return a case file as REST shows it."""
    return None if known is None else _view(known)


def _view(known: CaseFile) -> CaseFileView:
    return CaseFileView(**_describe(known), opened=parse_time(known.opened_s))


def _describe(known: CaseFile) -> dict[str, Any]:
    return {
        "number": known.number,
        "procedure": known.procedure,
        "purpose": known.purpose,
        "needs": [
            {"dataset": dataset, "fields": list(fields)} for dataset, fields in known.needs.items()
        ],
    }
