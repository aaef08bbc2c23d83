"""Who signed an act, and who handed it in, where these are two.

The account that sends a transaction is the author of its acts, but in two cases. A resident's own
key signs a consent or a withdrawal, which anybody may hand in. And an agency that keeps its keys
elsewhere lets another account carry what it signed; the contract then says so in `Relayed`, after
the act's own events.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from api.index.draft import Draft
from api.index.placed_event import PlacedEvent

RELAYED: Final = "Relayed"
"""The event that goes with every act which another account carried."""


def is_residents(event: PlacedEvent) -> bool:
    """Tell whether a resident's own key is the author of an event."""
    match event.name:
        case "ConsentGiven":
            return any(event.args["origin"]["holder"])
        case "ConsentWithdrawn":
            return not any(event.args["agency"])
    return False


def read_authors(draft: Draft, event: PlacedEvent) -> dict[str, Any]:
    """Return the columns `key` and `submitter` of an event's line of history."""
    if not is_residents(event):
        return {"key": event.args.get("key"), "submitter": None}
    return {"key": _find_holder(draft, event.args), "submitter": event.submitter}


def note_relay(draft: Draft, event: PlacedEvent) -> None:
    """Write to the events of a relayed act who carried it."""
    for line in draft.list_lines():
        if line["transaction_hash"] != event.transaction_hash:
            # The act's own events stand right before.
            return
        if line["key"] == event.args["signer"] and line["submitter"] is None:
            line["submitter"] = event.args["submitter"]


def _find_holder(draft: Draft, args: Mapping[str, Any]) -> bytes | None:
    """Return the resident's key, which the consent names when it is given."""
    origin = args.get("origin")
    if origin is not None:
        return bytes(origin["holder"])
    consent = draft.find("consent", args["uid"])
    return (
        None
        if consent is None
        else bytes.fromhex(json.loads(consent["terms"])["origin"]["holder"][2:])
    )
