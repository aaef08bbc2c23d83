"""Events as a node would log them: topics and data by the contracts' own interfaces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.abi import collapse_if_tuple

from contracts.codec import get_event_topic
from contracts.loader import load_artifact

_NOTHING: Final[Mapping[str, Any]] = {"address": bytes(20), "bool": False}
"""What a member is that was not said, by its type; a number is 0 and bytes are zeros."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a contract says in one event."""

    contract: str
    event: str
    args: Mapping[str, Any]
    """By name; what is left out is a zero word, as on the ledger."""
    sender: bytes
    """Account that sends the transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    topic: bytes
    indexed: tuple[Mapping[str, Any], ...]
    data: tuple[Mapping[str, Any], ...]
    data_types: tuple[str, ...]


def encode_log(
    contract: str, event: str, args: Mapping[str, Any]
) -> tuple[tuple[bytes, ...], bytes]:
    """Return topics and data of an event; the inverse of `contracts.codec.decode_log`."""
    shape = _get_shape(contract, event)
    topics = [
        encode([item["type"]], [_fill(item, args.get(item["name"]))]) for item in shape.indexed
    ]
    values = [_fill(item, args.get(item["name"])) for item in shape.data]
    return (shape.topic, *topics), encode(shape.data_types, values)


@cache
def _get_shape(contract: str, event: str) -> _Shape:
    inputs: Sequence[dict[str, Any]] = next(
        entry["inputs"]
        for entry in load_artifact(contract).abi
        if entry["type"] == "event" and entry["name"] == event
    )
    data = tuple(item for item in inputs if not item["indexed"])
    return _Shape(
        topic=get_event_topic(contract, event),
        indexed=tuple(item for item in inputs if item["indexed"]),
        data=data,
        data_types=tuple(collapse_if_tuple(item) for item in data),
    )


def _fill(item: Mapping[str, Any], value: Any) -> Any:
    kind: str = item["type"]
    if kind.endswith("]"):
        inner = {**item, "type": kind[: kind.rindex("[")]}
        count = kind[kind.rindex("[") + 1 : -1]
        return [_fill(inner, one) for one in value or [None] * int(count or 0)]
    if kind == "tuple":
        return tuple(_fill(part, (value or {}).get(part["name"])) for part in item["components"])
    if value is not None:
        return value
    if kind.startswith("bytes"):
        return bytes(int(kind.removeprefix("bytes") or 0))
    return _NOTHING.get(kind, 0)
