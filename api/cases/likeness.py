"""What of a case is the same on another ledger: a text, where a uid is one ledger's.

A dataset or a purpose that is described on two ledgers has a uid on each, and the same public text
behind both, whose hash the records name. Within a ledger a case compares uids. Across ledgers it
compares texts, a dataset's together with its owner: so a case whose file names one ledger's purpose
may ask on another one as well, and who asks there for what was asked here asks twice.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Row

from api.cases.register import CaseFile
from api.index import law_queries
from api.index.law_queries import LawFilter
from api.index.queries import Page
from api.rest.services import RestServices
from contracts.codes import RecordState

Likeness = tuple[str, ...]
"""Equal for records that are the same on two ledgers."""

_MAX_PURPOSES: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedElsewhere:
    """An exchange of a case that stands on another ledger."""

    row: Row[Any]
    dataset: Likeness | None
    purpose: Likeness | None
    fields: Any
    """Which fields of the dataset, as the contract has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What the other ledgers of an API have of a case."""

    purpose: Likeness | None = None
    """The purpose of the case's file, if it stands on one of them."""
    needs: Mapping[Likeness, tuple[str, ...]] = field(default_factory=dict)
    """What the file says that the case needs of datasets there."""
    asked: Sequence[AskedElsewhere] = ()


async def look_elsewhere(
    services: RestServices, uids: Sequence[bytes], case_file: CaseFile | None
) -> Elsewhere:
    """Return what the indexes of the other ledgers have of a case and of its file."""
    purpose: Likeness | None = None
    needs: dict[Likeness, tuple[str, ...]] = {}
    asked: list[AskedElsewhere] = []
    for one in services.ledgers:
        if one.ledger_name == services.ledger_name:
            continue
        found = await one.index.read(lambda c: _load_asked(c, uids))
        asked += found
        if case_file is None:
            continue
        known = await one.index.read(partial(_load_file, file=case_file))
        purpose = purpose or known.get(case_file.purpose)
        needs |= {
            likeness: fields
            for uid, fields in case_file.needs.items()
            if (likeness := known.get(uid)) is not None
        }
    return Elsewhere(purpose=purpose, needs=needs, asked=asked)


async def find_purpose_here(services: RestServices, elsewhere: Elsewhere) -> bytes | None:
    """Return the uid of this ledger's own of a purpose that stands elsewhere; None for none."""
    if elsewhere.purpose is None:
        return None
    wanted = LawFilter(kind="purpose", state=RecordState.ACTIVE)
    rows = await services.index.read(
        lambda c: law_queries.list_law_records(c, Page(limit=_MAX_PURPOSES), wanted)
    )
    same = (row for row in rows if describe(row) == elsewhere.purpose)
    return next((bytes(row.uid) for row in same), None)


def describe(row: Row[Any]) -> Likeness:
    """Return what makes a dataset or a purpose the same on two ledgers."""
    terms: dict[str, Any] = json.loads(row.terms)
    if row.kind == "dataset":
        return ("dataset", bytes(row.agency).hex(), str(terms["terms"]["fields_hash"]))
    assert row.kind == "purpose", "a case names datasets and a purpose"
    return ("purpose", str(terms["document_hash"]))


def _load_asked(connection: Connection, uids: Sequence[bytes]) -> list[AskedElsewhere]:
    rows = law_queries.get_law_records(connection, uids, kinds=("exchange",))
    found = []
    for row in rows.values():
        asked: dict[str, Any] = json.loads(row.terms)["request"]
        found.append(
            AskedElsewhere(
                row=row,
                dataset=_describe(connection, asked["dataset"], "dataset"),
                purpose=_describe(connection, asked["purpose"], "purpose"),
                fields=asked["fields"],
            )
        )
    return found


def _load_file(connection: Connection, file: CaseFile) -> dict[str, Likeness]:
    """Return what of a case's file a ledger has, by uid."""
    named = {file.purpose: "purpose"} | dict.fromkeys(file.needs, "dataset")
    found = {uid: _describe(connection, uid, kind) for uid, kind in named.items()}
    return {uid: likeness for uid, likeness in found.items() if likeness is not None}


def _describe(connection: Connection, uid: str, kind: str) -> Likeness | None:
    row = law_queries.get_law_record(connection, bytes.fromhex(uid[2:]), kind=kind)
    return None if row is None else describe(row)
