"""Datasets, notices and purposes."""

from dataclasses import dataclass
from typing import Any

from atesta_client.answers.law_record import LawRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldItem:
    """One field of a dataset."""

    pointer: str
    """JSON pointer (RFC 6901) into what is released."""
    title: str
    """Name for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset(LawRecord):
    """A dataset of the catalogue."""

    owner: str
    """Whose data these are."""
    title: str | None
    """Name for people; ``None`` where this node lacks the text."""
    sharing: str
    """Under which conditions it is released."""
    sensitivity: str
    """How much harm its fields can do."""
    fields: tuple[FieldItem, ...] | None
    """The ordered fields; ``None`` where this node lacks the text."""
    field_count: int
    """Number of fields."""
    fields_hash: str
    """Hash of the text of fields."""
    conditions: dict[str, Any] | None
    """Its conditions, where this node has the text."""
    conditions_hash: str | None
    """Hash of this text."""
    legal_reference: dict[str, Any] | None
    """The law it names, where this node has the text."""
    legal_reference_hash: str | None
    """Hash of this text."""
    version: int
    """Version, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(LawRecord):
    """A notice: what residents are shown before they consent."""

    owner: str
    """Who published it."""
    language: str
    """BCP 47 tag."""
    title: str | None
    """Name for people."""
    text: str | None
    """The notice; ``None`` where this node lacks the text."""
    document_hash: str
    """Hash of the text."""
    version: int
    """Version, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose(LawRecord):
    """A purpose: what data may be used for."""

    owner: str
    """Who published it."""
    code: str | None
    """Code for programs."""
    title: str | None
    """Name for people."""
    description: str | None
    """What it covers."""
    dpv: str | None
    """Its term in W3C's Data Privacy Vocabulary."""
    document_hash: str
    """Hash of the text."""
    version: int
    """Version, from 1."""
