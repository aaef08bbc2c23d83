"""The agencies that a new record is between, as its body names them.

What follows a record (a release, a withdrawal, a period) is on the record's ledger already. What
has no other party than its author, or is for everybody on a ledger (catalogue, keys, policies), is
not judged by its parties.
"""

from collections.abc import Mapping
from typing import Final

from api.acts.act import Act, ActBody
from api.acts.context import ActContext

_REQUESTER: Final = "requester"
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "exchange.request": ("provider",),
    "consent.record": ("provider", "recipient"),
}
"""Members of the bodies of acts that name parties."""

_AUTHORED: Final = ("exchange.request",)
"""Acts whose author is a party."""


def find_parties(context: ActContext, act: Act, body: ActBody) -> dict[str, bytes]:
    """Return the parties of the record that an act makes, by field; none for other acts."""
    named = {name: context.find_id(getattr(body, name)) for name in _FIELDS.get(act.name, ())}
    return {_REQUESTER: context.agency, **named} if act.name in _AUTHORED else named
