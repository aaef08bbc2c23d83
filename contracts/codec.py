"""Calls, answers, logs and refusals of the ledger's contracts, on eth_abi and without web3.

Everything is named by the contract (`"attestations"`) and the function or event (`"attest"`), with
addresses and hashes as bytes. A struct is a dict by field name, so `agency(id)` answers a dict.
A contract stands behind a proxy, so the proxy's own functions and events belong to each of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_canonical_address
from eth_utils.crypto import keccak

from contracts.addresses import PROXY_NAME
from contracts.errors import CodecError
from contracts.loader import load_artifact
from contracts.words import Reader, build_reader

ERROR_SELECTOR: Final = keccak(text="Error(string)")[:4]
"""A revert with a reason is the ABI encoding of a call to Error(string)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedCall:
    """A call to a contract, taken apart."""

    contract: str
    function: str
    args: Mapping[str, Any]
    """By parameter name, in the order of the signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedLog:
    """An event of a contract, taken apart."""

    contract: str
    event: str
    args: Mapping[str, Any]
    """By parameter name, in the order of the declaration."""


def encode_call(contract: str, function: str, args: Sequence[Any] = ()) -> bytes:
    """Encode a call: selector and arguments in the order of the signature.

    Raises CodecError for an unknown function, a wrong number of arguments or a value that does not
    fit its type.
    """
    entry = _get_table(contract).functions.get(function)
    if entry is None:
        raise CodecError(f"{contract} has no function {function!r}")
    if len(args) != len(entry.inputs.types):
        raise CodecError(
            f"{contract}.{function} takes {len(entry.inputs.types)} arguments, not {len(args)}"
        )
    try:
        return entry.selector + encode(entry.inputs.types, args)
    except (EncodingError, TypeError, ValueError) as error:
        raise CodecError(f"{contract}.{function}: {error}") from error


def decode_call(contract: str, data: bytes) -> DecodedCall:
    """Take a transaction's input apart; CodecError if it is no call of this contract."""
    table = _get_table(contract)
    entry = table.by_selector.get(bytes(data[:4]))
    if entry is None:
        raise CodecError(f"{contract} has no function with selector 0x{bytes(data[:4]).hex()}")
    values = _decode(entry.inputs, data[4:], f"{contract}.{entry.name}")
    return DecodedCall(
        contract=contract,
        function=entry.name,
        args=dict(zip(entry.inputs.names, values, strict=True)),
    )


def decode_output(contract: str, function: str, data: bytes) -> Any:
    """Decode a call's answer.

    None for no output, the value itself for one (a struct as a dict), a tuple for several.
    """
    entry = _get_table(contract).functions.get(function)
    if entry is None:
        raise CodecError(f"{contract} has no function {function!r}")
    values = _decode(entry.outputs, data, f"{contract}.{function}")
    if not values:
        return None
    return values[0] if len(values) == 1 else values


def decode_log(contract: str, topics: Sequence[bytes], data: bytes) -> DecodedLog:
    """Take a log apart; CodecError if it is no event of this contract."""
    table = _get_table(contract)
    entry = table.by_topic.get(bytes(topics[0])) if topics else None
    if entry is None:
        raise CodecError(f"{contract} has no event with these topics")
    if len(topics) - 1 != len(entry.indexed.types):
        raise CodecError(f"{contract}.{entry.name}: {len(topics)} topics do not fit")
    values = dict(
        zip(
            entry.indexed.names,
            _decode(entry.indexed, b"".join(topics[1:]), f"{contract}.{entry.name}"),
            strict=True,
        )
    )
    values |= dict(
        zip(entry.data.names, _decode(entry.data, data, f"{contract}.{entry.name}"), strict=True)
    )
    return DecodedLog(
        contract=contract,
        event=entry.name,
        args={name: values[name] for name in entry.order},
    )


def decode_revert(output: bytes) -> str | None:
    """Read the reason out of a reverted call's output; None if it has none."""
    if bytes(output[:4]) != ERROR_SELECTOR:
        return None
    try:
        (reason,) = decode(["string"], bytes(output[4:]))
    except (DecodingError, UnicodeDecodeError):
        return None
    return str(reason)


def get_event_topic(contract: str, event: str) -> bytes:
    """Return the first topic of an event: keccak256 of its signature, 32 bytes."""
    for topic, entry in _get_table(contract).by_topic.items():
        if entry.name == event:
            return topic
    raise CodecError(f"{contract} has no event {event!r}")


def get_selector(contract: str, function: str) -> bytes:
    """Return the first four bytes of keccak256 of a function's signature."""
    entry = _get_table(contract).functions.get(function)
    if entry is None:
        raise CodecError(f"{contract} has no function {function!r}")
    return entry.selector


def clear_cache() -> None:
    """Forget all ABIs, after artifacts were written anew."""
    _get_table.cache_clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fields:
    names: tuple[str, ...]
    types: tuple[str, ...]
    entries: tuple[Mapping[str, Any], ...]
    read: Reader | None
    """Decodes them if all have a fixed size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Function:
    name: str
    selector: bytes
    inputs: _Fields
    outputs: _Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    name: str
    order: tuple[str, ...]
    indexed: _Fields
    data: _Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    functions: dict[str, _Function]
    by_selector: dict[bytes, _Function]
    by_topic: dict[bytes, _Event]


@cache
def _get_table(contract: str) -> _Table:
    table = _Table(functions={}, by_selector={}, by_topic={})
    names = (contract,) if contract == PROXY_NAME else (contract, PROXY_NAME)
    for name in names:
        for entry in load_artifact(name).abi:
            if entry["type"] == "function":
                function = _Function(
                    name=entry["name"],
                    selector=keccak(text=_get_signature(entry))[:4],
                    inputs=_get_fields(entry["inputs"]),
                    outputs=_get_fields(entry["outputs"]),
                )
                table.functions[function.name] = function
                table.by_selector[function.selector] = function
            elif entry["type"] == "event":
                table.by_topic[keccak(text=_get_signature(entry))] = _Event(
                    name=entry["name"],
                    order=tuple(item["name"] for item in entry["inputs"]),
                    indexed=_get_fields([item for item in entry["inputs"] if item["indexed"]]),
                    data=_get_fields([item for item in entry["inputs"] if not item["indexed"]]),
                )
    return table


def _get_signature(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({','.join(collapse_if_tuple(item) for item in entry['inputs'])})"


def _get_fields(entries: Sequence[Mapping[str, Any]]) -> _Fields:
    return _Fields(
        names=tuple(item["name"] for item in entries),
        types=tuple(collapse_if_tuple(dict(item)) for item in entries),
        entries=tuple(entries),
        read=build_reader(entries),
    )


def _decode(fields: _Fields, data: bytes, what: str) -> tuple[Any, ...]:
    try:
        if fields.read is not None:
            return fields.read(bytes(data))
        values = decode(fields.types, bytes(data))
    except (DecodingError, UnicodeDecodeError) as error:
        raise CodecError(f"{what}: {error}") from error
    return tuple(
        _to_native(entry, entry["type"], value)
        for entry, value in zip(fields.entries, values, strict=True)
    )


def _to_native(entry: Mapping[str, Any], abi_type: str, value: Any) -> Any:
    if abi_type.endswith("]"):
        inner = abi_type[: abi_type.rindex("[")]
        return tuple(_to_native(entry, inner, item) for item in value)
    if abi_type == "tuple":
        return {
            item["name"]: _to_native(item, item["type"], part)
            for item, part in zip(entry["components"], value, strict=True)
        }
    if abi_type == "address":
        return to_canonical_address(value)
    return value
