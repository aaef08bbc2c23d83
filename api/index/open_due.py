"""Due times for which somebody still has to act, found among all those that are over.

A request is open until it is decided, a withdrawal until the consent's recipient has answered it.
"""

from collections.abc import Mapping
from typing import Any

from api.index.placed_event import PlacedEvent


def get_open_due(
    event: PlacedEvent, state: int | None, record: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what an event makes of its record's open due time; empty if it changes nothing."""
    match event.name:
        case "ConsentWithdrawn":
            return {"open_due_s": event.args["due"] or None}
        case "ExchangeChanged" if state is not None:
            return {"open_due_s": None}
        case "WithdrawalAnswered" if (
            record is not None and record["counterparty"] == event.args["recipient"]
        ):
            # Others who had the data answer too; what was waited for is the consent's recipient.
            return {"open_due_s": None}
    return {}
