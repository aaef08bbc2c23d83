"""The kinds of records of the ledger's law as pages offer them: a table.

A line names the collection of REST, the chapter that it stands in, and the members that a list
shows as columns. Everything else (filters, members and their types, history) comes from the
collection itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from api.reading.collection import Collection
from api.reading.models import LawRecord
from api.reading.table import COLLECTION_BY_KIND

CHAPTERS: Final = ("catalogue", "law", "people", "exchanges", "sides")
"""Chapters of the records, in the order in which they are offered."""

COMMON: Final = tuple(LawRecord.model_fields)
"""Members that every record has; a page shows them apart from what the record says."""

ATTESTED_PATHS: Final[Mapping[str, str]] = {
    "attestation": "attestations",
    "batch": "batches",
    "schema": "schemas",
}
"""Kinds with pages of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordKind:
    """One kind of record."""

    collection: Collection
    chapter: str
    columns: tuple[str, ...]
    """Members in a list, between the uid and the time of the record."""

    @property
    def name(self) -> str:
        """Its name in the index, and in the texts."""
        return self.collection.kind

    @property
    def path(self) -> str:
        """Its path below `/explorer`, as below `/v1`; without a slash."""
        return self.collection.path

    @property
    def list_operation(self) -> str:
        """REST's operation that lists it."""
        return f"list_{self.path.replace('-', '_')}"

    @property
    def own_members(self) -> tuple[str, ...]:
        """What only this kind says, in the order of its model."""
        return tuple(name for name in self.collection.model.model_fields if name not in COMMON)


def _offer(kind: str, chapter: str, *columns: str) -> RecordKind:
    return RecordKind(collection=COLLECTION_BY_KIND[kind], chapter=chapter, columns=columns)


KINDS: Final[tuple[RecordKind, ...]] = (
    _offer("dataset", "catalogue", "title", "owner", "sharing", "sensitivity", "version"),
    _offer("notice", "catalogue", "title", "owner", "language", "version"),
    _offer("purpose", "catalogue", "title", "code", "owner", "version"),
    _offer("basis", "law", "kind", "law", "entered_by", "sensitivity", "valid_until"),
    _offer("instrument", "law", "kind", "provider", "recipient", "dataset", "valid_until"),
    _offer("stop", "law", "kind", "entered_by", "subject", "until"),
    _offer("consent", "people", "kind", "provider", "recipient", "dataset", "valid_until"),
    _offer("key_binding", "people", "agency", "holder", "valid_until"),
    _offer("mandate", "people", "kind", "agency", "body", "board", "valid_until"),
    _offer("body", "people", "keeper", "board", "effective"),
    _offer("exchange", "exchanges", "requester", "provider", "dataset", "mode"),
    _offer("period", "exchanges", "exchange", "period", "requester", "provider"),
    _offer("policy", "sides", "from_jurisdiction", "to_jurisdiction", "schema_uid", "valid_until"),
    _offer("post", "sides", "agency", "duties"),
)
"""All kinds, in the order in which they are offered."""

KIND_BY_NAME: Final = {kind.name: kind for kind in KINDS}


def get_page_path(root: str, kind: str, uid: str) -> str:
    """Return the path of a record's page below a ledger's; of any kind that the index knows."""
    offered = KIND_BY_NAME.get(kind)
    path = ATTESTED_PATHS.get(kind) if offered is None else offered.path
    return f"{root}/{path or 'records'}/{uid}"
