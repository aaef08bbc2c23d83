"""Gathering what a page of records names: datasets and notices of the ledger, and public texts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row

from api.index import law_queries
from api.reading.facts import Surroundings
from api.rest.services import RestServices

_RECORDS: Final = frozenset({"dataset", "notice"})
"""Members of terms that name a record by its uid."""

_TEXTS: Final = frozenset(
    {
        "fields_hash",
        "conditions_hash",
        "legal_reference",
        "document_hash",
        "law_hash",
        "decision_hash",
        "scope_list_hash",
        "duties_hash",
    }
)
"""Members of terms that name a public text by its hash."""


@dataclass(slots=True)
class _Named:
    """What terms name, in the hexadecimal of the terms."""

    records: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)

    def add(self, value: Any) -> None:
        """Note what a value names, wherever in it that stands."""
        if isinstance(value, dict):
            for name, item in value.items():
                if isinstance(item, str):
                    if name in _RECORDS:
                        self.records.add(item)
                    elif name in _TEXTS:
                        self.texts.add(item)
                elif isinstance(item, dict | list):
                    self.add(item)
        elif isinstance(value, list):
            for item in value:
                self.add(item)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the index knows of what some records name."""

    datasets: Mapping[bytes, Mapping[str, Any]]
    """Terms of datasets by uid."""
    notices: Mapping[bytes, int]
    """Versions of notices by uid."""
    texts: Sequence[bytes]
    """Hashes of the public texts that are named, by datasets too."""


def read_known(connection: Connection, terms: Sequence[Mapping[str, Any]]) -> Known:
    """Return what the index knows of what some terms name."""
    named = _Named()
    for entry in terms:
        named.add(entry)
    uids = _read_all(named.records)
    rows = law_queries.get_law_records(connection, uids, kinds=sorted(_RECORDS)) if uids else {}
    datasets = {uid: json.loads(row.terms) for uid, row in rows.items() if row.kind == "dataset"}
    for dataset in datasets.values():
        named.add(dataset)
    return Known(
        datasets=datasets,
        notices={uid: row.place for uid, row in rows.items() if row.kind == "notice"},
        texts=_read_all(named.texts),
    )


async def add_texts(services: RestServices, known: Known) -> Surroundings:
    """Return what the index knows, with the texts that this node has."""
    return Surroundings(
        texts=await services.texts.find_many(known.texts),
        datasets=known.datasets,
        notices=known.notices,
    )


async def gather_surroundings(services: RestServices, rows: Sequence[Row[Any]]) -> Surroundings:
    """Return the texts, datasets and notices that these records name."""
    terms = [json.loads(row.terms) for row in rows]
    return await add_texts(services, await services.index.read(lambda c: read_known(c, terms)))


def _read_all(texts: set[str]) -> list[bytes]:
    return [bytes.fromhex(text[2:]) for text in texts]
