"""From arguments by name to call data, and from a contract's answer to values by name."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from api.acts.act import Act
from api.ledger import Ledger
from contracts import codec
from contracts.loader import load_artifact


def order_args(
    contract: str, function: str, args: Mapping[str, Any], *, event_time_s: int | None = None
) -> tuple[Any, ...]:
    """Put arguments by name into the order of the signature; `event_time` is filled in.

    An argument that is missing or not known is our own mistake.
    """
    inputs = _get_inputs(contract, function)
    given = dict(args)
    if event_time_s is not None and any(entry["name"] == "event_time" for entry in inputs):
        given.setdefault("event_time", event_time_s)
    return _order(inputs, given, f"{contract}.{function}")


def encode_act(act: Act, args: Mapping[str, Any], event_time_s: int) -> bytes:
    """Return the call data of an act for an event time in seconds."""
    ordered = order_args(act.contract, act.function, args, event_time_s=event_time_s)
    return codec.encode_call(act.contract, act.function, ordered)


def has_function(contract: str, function: str) -> bool:
    """Tell whether a contract has a function of this name."""
    return any(
        entry["type"] == "function" and entry["name"] == function
        for entry in load_artifact(contract).abi
    )


async def read_contract(
    ledger: Ledger,
    contract: str,
    function: str,
    /,
    *args: Any,
    block: int | None = None,
    sender: bytes | None = None,
) -> Any:
    """Ask a contract after a block, the last final one if None; structs are dicts.

    Raises `Reverted` with the contract's reason.
    """
    data = codec.encode_call(contract, function, args)
    output = await ledger.call(ledger.book.get_address(contract), data, block=block, sender=sender)
    return codec.decode_output(contract, function, output)


@cache
def _get_inputs(contract: str, function: str) -> tuple[Mapping[str, Any], ...]:
    for entry in load_artifact(contract).abi:
        if entry["type"] == "function" and entry["name"] == function:
            return tuple(entry["inputs"])
    raise AssertionError(f"{contract} has no function {function}")


def _order(entries: Any, given: Mapping[str, Any], where: str) -> tuple[Any, ...]:
    names = [entry["name"] for entry in entries]
    assert set(names) == set(given), f"{where} takes {names}, not {sorted(given)}"
    return tuple(
        _fit(entry, entry["type"], given[entry["name"]], f"{where}.{entry['name']}")
        for entry in entries
    )


def _fit(entry: Mapping[str, Any], abi_type: str, value: Any, where: str) -> Any:
    if abi_type.endswith("]"):
        inner = abi_type[: abi_type.rindex("[")]
        return [_fit(entry, inner, item, where) for item in value]
    if abi_type == "tuple":
        return _order(entry["components"], value, where)
    return value
