"""What the contracts refuse, in words: every text with its field, its meaning and the next step.

A contract refuses with `module: reason`, which is short because it costs gas. This table says it to
people. It is `refusals.json`, one entry for each text of the sources: meaning and next step are
written by hand, the functions are read out of the sources (`contracts/reverts.py`) when
`scripts/make_genesis` runs. A test compares the two, so no text is without words.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from contracts.errors import ArtifactMissing

REFUSALS_PATH: Final = Path(__file__).parent / "refusals.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One text with which a contract refuses."""

    text: str
    """As the contract says it, `module: reason`."""
    functions: tuple[str, ...]
    """Which functions can answer so, as `contract.function`, also by asking another contract;
    `relay` and `act_late` answer besides as the act that they carry."""
    field: str | None
    """The argument that it is about, by its name in the ABI; None if it is about the caller."""
    meaning: str
    """What is the matter, one sentence."""
    next_step: str
    """What to do, one sentence."""


@cache
def load_refusals() -> Mapping[str, Refusal]:
    """Load the table by text, in alphabetical order; ArtifactMissing if it cannot be read."""
    try:
        entries = json.loads(REFUSALS_PATH.read_text(encoding="utf-8"))
        return MappingProxyType({entry["text"]: _parse(entry) for entry in entries})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactMissing(f"the table of refusals cannot be read: {error}") from error


def find_refusal(text: str | None) -> Refusal | None:
    """Find what a contract's answer means; None for no text or one that is not the ledger's."""
    return None if text is None else load_refusals().get(text)


def render_refusals(functions: Mapping[str, tuple[str, ...]]) -> str:
    """Return the table's file with these functions by text; texts that are gone are left out."""
    written = load_refusals()
    entries = [
        asdict(written[text]) | {"functions": names}
        for text, names in sorted(functions.items())
        if text in written
    ]
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"


def _parse(entry: Mapping[str, Any]) -> Refusal:
    return Refusal(**(dict(entry) | {"functions": tuple(entry["functions"])}))
