"""What an answer says of its ledger: the name, and paths that lead to the same ledger.

Handlers speak of one ledger and write paths as the own ledger has them. Here, on the way out, each
record is told the name of its ledger, and a path of another ledger than the own gets its prefix.
Where an answer gathers records of several ledgers, its handler has named them already.
"""

from typing import Any, Final

from pydantic import Field

from api.rest.ledgers import OWN_NAME, PREFIX
from api.rest.values import Model

HEADER: Final = "Atesta-Ledger"
"""Set on every answer of REST: the name of the ledger that was asked."""

_PATHS: Final = ("record", "follow", "rejects")
"""Members that hold a path of REST."""


def describe_ledger() -> Any:
    """Return the field of a model that says on which ledger a record stands."""
    return Field(
        default="",
        description="Name of the ledger that it stands on, as `GET /v1/ledgers` has it.",
        examples=[OWN_NAME],
    )


def name_ledger(model: Model, name: str, prefix: str) -> Model:
    """Return an answer, or a page of records, that names its ledger and leads to it."""
    known = type(model).model_fields
    told: dict[str, Any] = {}
    if "ledger" in known and getattr(model, "ledger") == "":  # noqa: B009 - not every model has it
        told["ledger"] = name
    if prefix != PREFIX:
        for member in known.keys() & set(_PATHS):
            path = getattr(model, member)
            if isinstance(path, str):
                told[member] = place_path(path, prefix)
    items = getattr(model, "items", None)
    if isinstance(items, list) and items and isinstance(items[0], Model):
        told["items"] = [name_ledger(item, name, prefix) for item in items]
    return model.model_copy(update=told) if told else model


def place_path(path: str, prefix: str) -> str:
    """Return a path of the own ledger as the same one under another prefix."""
    if not path.startswith(PREFIX + "/") or path.startswith(prefix + "/"):
        return path
    return prefix + path.removeprefix(PREFIX)
