"""Leaves: every text of the vault with where it stands, and whether it tells of a person.

A leaf is left out only where it is clear that it tells of nobody. What names somebody is never
common, however often it stands there: the values that a schema names as its reference, an agency's
own references of persons, everything with five or more digits, and so every date but those of the
last two years, which are in every log. Of the rest, a word without digits is a code word if it
stands with five persons, and anything is common if it stands with fifty and with one in fifty.

Persons are told apart by what names them: of the documents in which a text stands, those that share
a number, a birth date or a reference are one person's. A resident with sixty records has a name
that stands in sixty documents, and with one person.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

CODE_PERSONS: Final = 5
"""A word that stands with so many persons is a code for many."""
COMMON_PERSONS: Final = 50
"""What stands with so many persons, and with one in fifty, is none of theirs."""
NAMING_DIGITS: Final = 5
"""So many digits may be a number of a person."""
_COMMON_SHARE: Final = 0.02
_SMALL: Final = 10_000_000
"""JSON numbers below are amounts and durations as well, so they can be common."""
_SHORTEST: Final = 4
_RECENT: Final = timedelta(days=731)
_WORD: Final = re.compile(r"[a-z][a-z_-]{0,39}|[A-Z]{2,3}(-[A-Z]{2,3})?")
_CODE: Final = re.compile(r"[a-z/][a-z0-9_./-]{0,63}|[A-Z]{2,3}(-[A-Z]{2,3})?")
# Twenty bytes and more: addresses, uids, hashes, keys, signatures.
_PUBLIC_HEX: Final = re.compile(r"0x(?:[0-9a-fA-F]{2}){20,}|[0-9a-f]{64}")
_LAST_TIME_S: Final = 4_102_444_800
"""The year 2100 in seconds since 1970: larger numbers are no times."""
_MOMENT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ][0-9:.]{5,15}(?:Z|[+-][0-9:]{2,6})?)?"
)


class JsonNumber(str):
    """The digits of a JSON number, which may be a time in seconds; digits in a text never are."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A text and where it first stood."""

    text: str
    label: str
    """Row and pointer, for reports."""
    names_person: bool = False
    """Whether its place says that it names somebody: a reference."""
    is_coded: bool = False
    """Whether its place takes codes only: a member of this system's own formats."""


class LeafBook:
    """All leaves of a vault, each once, with the documents in which they stand."""

    def __init__(self, *, today: date, public: Collection[str] = ()) -> None:
        """`public` are texts that everybody may read."""
        self._since = today - _RECENT
        self._public = frozenset(public)
        self._leaves: dict[str, Leaf] = {}
        self._documents: dict[str, set[str]] = defaultdict(set)
        self._naming: set[str] = set()
        self._uncoded: set[str] = set()

    def add(self, leaf: Leaf, document: str) -> None:
        """Note a leaf of a document, which is named by its uid."""
        self._leaves.setdefault(leaf.text, leaf)
        self._documents[leaf.text].add(document)
        if leaf.names_person:
            self._naming.add(leaf.text)
        if not leaf.is_coded:
            self._uncoded.add(leaf.text)

    def judge(self) -> Iterator[tuple[Leaf, str | None]]:
        """Yield every leaf, and why it is not looked for; None if it is."""
        persons = self._tell_persons()
        everybody = len({persons[name] for names in self._documents.values() for name in names})
        for text, leaf in self._leaves.items():
            count = len({persons[name] for name in self._documents[text]})
            yield leaf, self._find_reason(text, count, everybody)

    def _tell_persons(self) -> dict[str, str]:
        """Return for each document what stands for its person: what names it most often, or it."""
        persons = {name: name for names in self._documents.values() for name in names}
        naming = [text for text in self._leaves if self._is_naming(text)]
        for text in sorted(naming, key=lambda text: (len(self._documents[text]), text)):
            persons |= dict.fromkeys(self._documents[text], f"named {text}")
        return persons

    def _is_naming(self, text: str) -> bool:
        if is_recent(text, self._since):
            return False
        if text in self._naming:
            return True
        if _PUBLIC_HEX.fullmatch(text) or text in self._public:
            return False
        if isinstance(text, JsonNumber) and abs(int(text)) < _SMALL:
            return False
        return has_number(text)

    def _find_reason(self, text: str, persons: int, everybody: int) -> str | None:
        if len(text.encode("utf-8", "surrogatepass")) < _SHORTEST:
            return "too short to be told from chance"
        if is_recent(text, self._since):
            return "recent dates"
        if text in self._naming:
            return None
        if _PUBLIC_HEX.fullmatch(text):
            return "public identifiers"
        if text in self._public:
            return "public texts"
        if self._is_naming(text):
            return None
        if self._is_code(text, persons):
            return "code words"
        is_common = persons >= COMMON_PERSONS and persons >= everybody * _COMMON_SHARE
        return "common to many persons" if is_common else None

    def _is_code(self, text: str, persons: int) -> bool:
        if text not in self._uncoded and (isinstance(text, JsonNumber) or _CODE.fullmatch(text)):
            return True
        return persons >= CODE_PERSONS and _WORD.fullmatch(text) is not None


def has_number(text: str) -> bool:
    """Say whether a text has digits enough for a number of a person, in any script."""
    return sum(character.isdigit() for character in text) >= NAMING_DIGITS


def is_recent(text: str, since: date) -> bool:
    """Say whether a text is a date, a time or a span since a day.

    A JSON number may be a time in seconds; a text of digits never is.
    """
    if isinstance(text, JsonNumber):
        first_s = int(datetime(since.year, since.month, since.day, tzinfo=UTC).timestamp())
        return first_s <= int(text) < _LAST_TIME_S
    moments = [_MOMENT.fullmatch(part) for part in text.split("/", 1)]
    return all(moment is not None and f"{since}" <= moment[1] for moment in moments)
