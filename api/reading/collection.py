"""What a collection of REST is: a kind of record with its path, its filters and its view."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from api.ledger import Ledger
from api.reading.facts import Facts
from api.reading.models import LawRecord
from api.reading.named import AGENCY, JURISDICTION
from api.rest.values import Model

ReadLive = Callable[[Ledger, Row[Any], int], Awaitable[Mapping[str, Any]]]
"""Asks the contract for what changes: ledger, the record's row, block; the answer as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFilter:
    """A query parameter that selects the records which name something."""

    name: str
    """Of the parameter."""
    role: str
    """Of the link in the index."""
    description: str
    target: str
    """Kind of what it names: a kind of record, or one of `named`; empty for a mere identifier."""

    @property
    def is_party(self) -> bool:
        """Whether it may be given as a label."""
        return self.target in {AGENCY, JURISDICTION}


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One kind of record as REST offers it."""

    kind: str
    """Kind in the index, and noun of the operations: `list_consents`, `get_consent`."""
    path: str
    """Below `/v1`, without a slash."""
    title: str
    """What it is, for summaries: `consent`."""
    tag: str
    """Chapter of the documentation."""
    model: type[LawRecord]
    page: type[Model]
    view: Callable[[Facts], LawRecord]
    filters: tuple[LinkFilter, ...]
    subkinds: type[StrEnum] | None = None
    """Words of the record's own kind, for the filter `kind`; None where it has none."""
    states: Mapping[str, int]
    """Words of the filter `state` by the ledger's numbers."""
    live: ReadLive | None = None
    """What a single record adds; None where the index has all of it."""

    def make_page(
        self, items: Sequence[LawRecord], next_cursor: str | None, indexed_block: int
    ) -> Model:
        """Return a page of the list."""
        members = {"items": list(items), "next": next_cursor, "indexed_block": indexed_block}
        return self.page(**members)
