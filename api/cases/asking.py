"""What may I ask? For a case and a dataset: the live bases, and the smallest field set that serves.

A basis serves as far as it covers fields that the case needs. Each answer comes from the contract's
own check, asked with just these fields, so that what is told here is what a request would meet.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field
from sqlalchemy import Row

from api.acts.calls import read_contract
from api.cases.likeness import describe, find_purpose_here, look_elsewhere
from api.cases.register import CaseNumber, find_case_file, refuse_unknown
from api.errors import InvalidField, NotFound
from api.index import law_queries
from api.index.law_events import PARTY
from api.index.law_queries import LawFilter
from api.index.queries import Page
from api.ledger import Reverted
from api.reading.bases import Basis, view_basis
from api.reading.facts import Facts, read_number
from api.reading.handlers import find_record
from api.reading.surroundings import gather_surroundings
from api.records import NO_UID
from api.rest.call import Call, Reply
from api.rest.values import EXAMPLE_UID, Model, Uid, encode_hex
from api.rest.words import BasisKind, ConsentType, find_word
from api.texts.fields import build_mask, list_pointers
from api.texts.text import PublicText
from contracts.addresses import BASES_NAME
from contracts.codes import RecordState, Sensitivity, Sharing

_MAX_BASES: Final = 500
_INSTRUMENT_RULES: Final = ("instrument", "exchange: instrument")


class UsableBasis(Model):
    """A legal basis on which this agency may ask now."""

    basis: Basis = Field(description="The basis.")
    fields: list[str] = Field(
        description="The smallest set that serves: what the case needs and the basis covers.",
        examples=[["/income_band"]],
    )
    missing_fields: list[str] = Field(
        description="What the case needs besides, and this basis does not cover.", examples=[[]]
    )
    instrument: Uid | None = Field(
        description="Instrument to name, where data leave a jurisdiction.", examples=[None]
    )
    consents: list[str] = Field(
        description="Kinds of consent to name: `general`, `sensitive`, `cross_border`.",
        examples=[["general"]],
    )
    needs_decision: bool = Field(
        description="Whether the provider's data officer decides.", examples=[True]
    )
    must_notify: bool = Field(description="Whether people must be told.", examples=[True])


class RefusedBasis(Model):
    """A legal basis on this dataset that does not serve now."""

    basis: Uid = Field(description="The basis.", examples=[EXAMPLE_UID])
    rule: str = Field(description="What the contract says against it.", examples=["basis: expired"])


class Askable(Model):
    """What a case may ask of a dataset."""

    case: str = Field(description="The case.", examples=["HS-2026-000417"])
    dataset: Uid = Field(description="The dataset.", examples=[EXAMPLE_UID])
    needed: list[str] = Field(description="What the case needs of it.", examples=[["/income_band"]])
    usable: list[UsableBasis] = Field(
        description="Bases that serve, those first that cover most and ask for least besides."
    )
    refused: list[RefusedBasis] = Field(description="Bases that do not, and why.")
    block: int = Field(ge=0, description="Last final block read.", examples=[1250])


async def find_askable(call: Call, number: CaseNumber) -> Reply:
    """Tell on which bases a case may ask for a dataset."""
    dataset_uid = call.find_digest("dataset")
    if dataset_uid is None:
        raise InvalidField("dataset", "with a case, the dataset is needed too")
    services = call.services
    known = await find_case_file(services, number)
    if known is None:
        raise refuse_unknown("case")
    elsewhere = await look_elsewhere(services, (), known)
    needed = known.needs.get(encode_hex(dataset_uid))
    if not needed and not elsewhere.needs:
        raise _refuse_need()
    row, block = await find_record(services, dataset_uid, "dataset")
    needed = needed or elsewhere.needs.get(describe(row))
    if not needed:
        raise _refuse_need()
    text = (await gather_surroundings(services, [row])).find_text(
        json.loads(row.terms)["terms"]["fields_hash"]
    )
    if text is None:
        raise NotFound(
            "this node does not have the dataset's text", field="dataset", code="text_not_found"
        )
    asking = _Asking(
        call=call,
        dataset=dataset_uid,
        provider=bytes(row.agency),
        recipient=await services.identity.get_agency(),
        purpose=await find_purpose_here(services, elsewhere) or bytes.fromhex(known.purpose[2:]),
        needed=build_mask(text, needed),
        text=text,
        block=block,
    )
    usable, refused = await _try_all(asking)
    usable.sort(key=lambda one: (len(one.missing_fields), len(one.consents), one.basis.uid))
    return Reply(
        model=Askable(
            case=number,
            dataset=encode_hex(dataset_uid),
            needed=list(needed),
            usable=usable,
            refused=refused,
            block=block,
        )
    )


def _refuse_need() -> NotFound:
    return NotFound(
        "the case file names no need of this dataset", field="dataset", code="need_not_found"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """What is to be asked of whom."""

    call: Call
    dataset: bytes
    provider: bytes
    recipient: bytes
    purpose: bytes
    needed: int
    text: PublicText
    block: int


async def _try_all(asking: _Asking) -> tuple[list[UsableBasis], list[RefusedBasis]]:
    """Ask the contract about every basis in force on the dataset and for the purpose."""
    wanted = LawFilter(kind="basis", links={"dataset": asking.dataset, "purpose": asking.purpose})
    index = asking.call.services.index
    rows = await index.read(
        lambda c: law_queries.list_law_records(c, Page(limit=_MAX_BASES), wanted)
    )
    usable: list[UsableBasis] = []
    refused: list[RefusedBasis] = []
    instruments = await _list_instruments(asking)
    for row in rows:
        found = await _try(asking, row, instruments)
        if isinstance(found, UsableBasis):
            usable.append(found)
        else:
            refused.append(found)
    return usable, refused


async def _try(
    asking: _Asking, row: Row[Any], instruments: Sequence[bytes]
) -> UsableBasis | RefusedBasis:
    services = asking.call.services
    terms = json.loads(row.terms)
    mask = _cover(terms["scopes"], asking) & asking.needed
    rule = "basis: not for these fields"
    for instrument in (NO_UID, *instruments):
        if mask == 0:
            break
        try:
            answer = await read_contract(
                services.ledger,
                BASES_NAME,
                "check",
                bytes(row.uid),
                instrument,
                asking.provider,
                asking.recipient,
                asking.dataset,
                mask,
                asking.purpose,
                block=asking.block,
            )
        except Reverted as reverted:
            rule = reverted.reason
            if not rule.startswith(_INSTRUMENT_RULES):
                break
            continue
        around = await gather_surroundings(services, [row])
        facts = Facts(row=row, terms=terms, live=None, around=around, read_at_block=asking.block)
        return UsableBasis(
            basis=view_basis(facts),
            fields=list_pointers(asking.text, mask),
            missing_fields=list_pointers(asking.text, asking.needed & ~mask),
            instrument=None if instrument == NO_UID else encode_hex(instrument),
            consents=_list_consents(answer),
            needs_decision=answer["sharing"] == Sharing.CONDITIONAL,
            must_notify=answer["must_notify"],
        )
    return RefusedBasis(basis=encode_hex(bytes(row.uid)), rule=rule)


async def _list_instruments(asking: _Asking) -> list[bytes]:
    """Return the instruments in force for this dataset and these parties."""
    wanted = LawFilter(
        kind="instrument",
        links={"dataset": asking.dataset, PARTY: asking.recipient},
        state=int(RecordState.ACTIVE),
    )
    rows = await asking.call.services.index.read(
        lambda c: law_queries.list_law_records(c, Page(limit=_MAX_BASES), wanted)
    )
    return [bytes(row.uid) for row in rows]


def _cover(scopes: Sequence[dict[str, Any]], asking: _Asking) -> int:
    """Return the fields that the scopes for these parties cover together."""
    mask = 0
    for scope in scopes:
        is_meant = all(
            bytes.fromhex(scope[name][2:]) in (NO_UID, party)
            for name, party in (("provider", asking.provider), ("recipient", asking.recipient))
        )
        is_named = (
            bytes.fromhex(scope["dataset"][2:]) == asking.dataset
            and bytes.fromhex(scope["purpose"][2:]) == asking.purpose
        )
        if is_meant and is_named:
            mask |= read_number(scope["fields"])
    return mask


def _list_consents(answer: dict[str, Any]) -> list[str]:
    """Return the kinds of consent that a request on this basis has to name."""
    if find_word(BasisKind, answer["kind"]) is not BasisKind.CONSENT:
        return []
    kinds = [ConsentType.GENERAL.value]
    if answer["sensitivity"] == Sensitivity.SENSITIVE:
        kinds.append(ConsentType.SENSITIVE.value)
    if answer["is_crossing"]:
        kinds.append(ConsentType.CROSS_BORDER.value)
    return kinds
