"""What is known of one record before it is shown, and the small conversions of views.

Terms come as JSON: bytes as `0x` hexadecimal, numbers as numbers, those beyond 2^53 as hexadecimal.
Zero words mean "none" everywhere on the ledger, and are shown as null.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Row

from api.rest.values import encode_hex, parse_optional_time, parse_time
from api.rest.words import find_word
from api.texts.fields import list_pointers
from api.texts.text import PublicText
from contracts.labels import decode_label

Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What other records and texts a page of records names."""

    texts: Mapping[bytes, PublicText] = field(default_factory=dict)
    """Public texts by hash; only those that this node has."""
    datasets: Mapping[bytes, Mapping[str, Any]] = field(default_factory=dict)
    """Terms of datasets by uid."""
    notices: Mapping[bytes, int] = field(default_factory=dict)
    """Versions of notices by uid."""

    def find_text(self, text_hash: str | None) -> PublicText | None:
        """Return a text by its hash in hexadecimal."""
        return None if text_hash is None else self.texts.get(bytes.fromhex(text_hash[2:]))

    def find_body(self, text_hash: str | None) -> dict[str, Any] | None:
        """Return the body of a text by its hash in hexadecimal."""
        text = self.find_text(text_hash)
        return None if text is None else dict(text.body)

    def name_fields(self, dataset: str, mask: int) -> list[str] | None:
        """Return the pointers of a set of fields; None where the dataset's text is not here."""
        terms = self.datasets.get(bytes.fromhex(dataset[2:]))
        text = None if terms is None else self.find_text(terms["terms"]["fields_hash"])
        return None if text is None else list_pointers(text, mask)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known of one record."""

    row: Row[Any]
    """The record's row in the index."""
    terms: Mapping[str, Any]
    """The arguments of the event that made it, as JSON."""
    live: Mapping[str, Any] | None
    """What the contract says of it now, as JSON; None in lists."""
    around: Surroundings
    read_at_block: int

    @property
    def uid(self) -> str:
        """The record's uid."""
        return encode_hex(bytes(self.row.uid))


def read_number(value: int | str) -> int:
    """Return a number of terms, however it is written."""
    return value if isinstance(value, int) else int(value, 16)


def view_word(words: type[Word], value: int | str) -> Word | None:
    """Return the word of one of the ledger's few numbers."""
    return find_word(words, read_number(value))


def get_word(words: type[Word], value: int | str) -> Word:
    """Return a word that every record has; a number that this version lacks is our mistake."""
    word = view_word(words, value)
    assert word is not None, f"no word of {words.__name__} for {value}"
    return word


def view_digest(value: str | None) -> str | None:
    """Return 32 bytes in hexadecimal; None for a zero word."""
    return None if value is None or not value.strip("0x") else value


def view_party(value: str | bytes | None) -> str | None:
    """Return an agency or jurisdiction as its label, else in hexadecimal; None for a zero word."""
    if value is None:
        return None
    identifier = bytes.fromhex(value[2:]) if isinstance(value, str) else bytes(value)
    if not any(identifier):
        return None
    return decode_label(identifier) or encode_hex(identifier)


def view_moment(value: int | str | None) -> datetime | None:
    """Return a time; None for zero, which is the ledger's "no end"."""
    return None if value is None else parse_optional_time(read_number(value))


def view_time(value: int | str) -> datetime:
    """Return a time that is there."""
    return parse_time(read_number(value))
