"""Which laws stand behind a rule of the ledger, by jurisdiction.

The contracts know no jurisdiction: they ask for a separate consent, an instrument, an end of
keeping, whoever takes part. That these are asked for has its reason in laws, which `laws.json`
names: for each rule a topic, for each topic law and article by jurisdiction. It is data: only
articles that are certain stand there, and a jurisdiction that joins adds its own. A rule of order
(a uid that is taken, a time in the future) has none.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

LAWS_PATH: Final = Path(__file__).parent / "laws.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article of a law."""

    jurisdiction: str
    """As its agencies are labelled, or the country's ISO 3166 code."""
    law: str
    article: str


@cache
def load_laws() -> Mapping[str, Sequence[Article]]:
    """Return the articles behind each rule that has any, by the contract's words."""
    found = json.loads(LAWS_PATH.read_text(encoding="utf-8"))
    laws = {
        topic: tuple(Article(**entry) for entry in entries)
        for topic, entries in found["laws"].items()
    }
    return MappingProxyType({rule: laws[topic] for rule, topic in found["rules"].items()})


def find_reference(rule: str) -> dict[str, Any] | None:
    """Return the `legal_reference` of a rule; None where no law is named."""
    articles = load_laws().get(rule)
    return None if articles is None else {"laws": [asdict(article) for article in articles]}
