"""One catalogue for every word on the explorer's pages, in three languages.

A text is looked up by its key and may have named places (`{number}`). English is complete by
definition; a test holds the other languages to the same keys and the same places. Words that come
from the ledger (labels, codes without a text) are shown as they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.explorer.texts.assurance import (
    CHINESE_ASSURANCE,
    ENGLISH_ASSURANCE,
    PORTUGUESE_ASSURANCE,
)
from api.explorer.texts.chinese import CHINESE
from api.explorer.texts.english import ENGLISH
from api.explorer.texts.events import write_events
from api.explorer.texts.law import write_law
from api.explorer.texts.members import write_members
from api.explorer.texts.missing import write_missing
from api.explorer.texts.portuguese import PORTUGUESE
from api.explorer.texts.reported import write_reported
from api.explorer.texts.schemas import write_schemas
from api.explorer.texts.words import write_words

Translate = Callable[..., str]
"""Takes a key and the values of its places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language of the pages."""

    tag: str
    """BCP 47, as in the `lang` attribute."""
    name: str
    """What its speakers call it."""
    texts: Mapping[str, str]

    def say(self, key: str, /, **values: Any) -> str:
        """Return a text; a key without one is a bug of ours."""
        return self.texts[key].format(**values) if values else self.texts[key]

    def name_code(self, group: str, code: str) -> str:
        """Return the text of a code such as a state, or the code itself."""
        return self.texts.get(f"{group}.{code}", code)


def _gather(place: int, *catalogues: Mapping[str, str]) -> Mapping[str, str]:
    """Return all texts of one language; what a page of its own says goes before a mere name."""
    texts: dict[str, str] = {}
    for write in (
        write_members,
        write_words,
        write_events,
        write_missing,
        write_law,
        write_schemas,
    ):
        texts |= write(place)
    for catalogue in catalogues:
        texts |= catalogue
    return texts


LANGUAGES: Final[Mapping[str, Language]] = {
    language.tag: language
    for language in (
        Language(tag="en", name="English", texts=_gather(0, ENGLISH, ENGLISH_ASSURANCE)),
        Language(tag="pt", name="Português", texts=_gather(1, PORTUGUESE, PORTUGUESE_ASSURANCE)),
        Language(tag="zh-Hant", name="繁體中文", texts=_gather(2, CHINESE, CHINESE_ASSURANCE)),
    )
}

DEFAULT: Final = LANGUAGES["en"]

AS_REPORTED: Final[Mapping[str, Language]] = {
    tag: Language(tag=tag, name=language.name, texts={**language.texts, **write_reported(place)})
    for place, (tag, language) in enumerate(LANGUAGES.items())
}
"""The same languages in front of another network, of which no page says that a block is final."""


def choose_language(wanted: str | None, accepted: str) -> Language:
    """Return the language a reader wants: chosen by tag, else by the Accept-Language header."""
    if wanted is not None and wanted in LANGUAGES:
        return LANGUAGES[wanted]
    for tag in _rank(accepted):
        for language in LANGUAGES.values():
            if tag.split("-")[0] == language.tag.split("-")[0].lower():
                return language
    return DEFAULT


def _rank(accepted: str) -> list[str]:
    """Return the tags of an Accept-Language header, most wanted first."""
    weighted: list[tuple[float, str]] = []
    for part in accepted[:500].split(","):
        tag, _, weight = part.strip().lower().partition(";q=")
        try:
            weighted.append((-float(weight or 1), tag))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighted, key=lambda pair: pair[0]) if weight]
