"""Acts that are posted late.

What was captured while the ledger was out of reach is posted later with its event time. Past the
ledger's limit (`late_after_s` of the contracts) it needs a second officer, who answers for it, and
a reason.
"""

from typing import Any

from pydantic import Field

from api.rest.values import JsonObject, Model
from api.rest.words import LateWord


class Lateness(Model):
    """A second officer who answers for an act that is posted past the ledger's limit."""

    reason: LateWord = Field(
        description="`outage`, `paper` (captured on paper or in the field) or `omission`."
    )
    officer: JsonObject = Field(
        description="The second officer; kept in the vault, the ledger gets a commitment.",
        examples=[{"name": "Example Officer", "number": "4711"}],
    )


Late = Lateness | None
LATE: Any = Field(
    default=None,
    description="Needed if it was captured longer ago than the ledger's limit, and only then.",
    examples=[None],
)
"""The member `late` of the body of an act."""
