"""Decoding of what has a fixed size in the contract ABI: one 32-byte word after another.

Most of what the ledger's contracts say consists of numbers, hashes and addresses alone, at places
that the types fix beforehand. Such values are read off here, several times faster than by a general
decoder, and checked as strictly: a value that does not fill its word must leave the rest of it zero
(Solidity ABI specification, "Formal Specification of the Encoding"). For everything else, arrays
and signed numbers among it, there is no reader, and eth_abi decodes it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from eth_abi.exceptions import InsufficientDataBytes, NonEmptyPaddingBytes

WORD: Final = 32
"""Bytes of a word."""

_ADDRESS_AT: Final = 12
"""Bytes before the address in its word."""

Read = Callable[[bytes, int], Any]
"""Reads a value that begins at a byte; the data is long enough."""

Reader = Callable[[bytes], tuple[Any, ...]]


def build_reader(entries: Sequence[Mapping[str, Any]]) -> Reader | None:
    """Return what decodes values of these ABI entries; None if one has no fixed size.

    A struct is read as a dict by field name, an address as 20 bytes. The reader raises eth_abi's
    errors; bytes after the last value are left alone.
    """
    parts = _place(entries)
    if parts is None:
        return None
    places, size = parts

    def read(data: bytes) -> tuple[Any, ...]:
        if len(data) < size:
            raise InsufficientDataBytes(f"{size} bytes are needed, not {len(data)}")
        return tuple([read_one(data, start) for read_one, start in places])

    return read


def _place(
    entries: Sequence[Mapping[str, Any]],
) -> tuple[list[tuple[Read, int]], int] | None:
    """Return the readers of values with where each begins, and the bytes that all take."""
    places, start = [], 0
    for entry in entries:
        part = _build(entry)
        if part is None:
            return None
        read, size = part
        places.append((read, start))
        start += size
    return places, start


def _build(entry: Mapping[str, Any]) -> tuple[Read, int] | None:
    kind: str = entry["type"]
    if kind == "tuple":
        return _build_struct(entry["components"])
    if kind == "bytes32":
        return _read_word, WORD
    if kind == "address":
        return _read_address, WORD
    if kind == "bool":
        return _read_truth, WORD
    if kind.startswith("uint") and kind.removeprefix("uint").isdigit():
        return _build_number(int(kind.removeprefix("uint"))), WORD
    if kind.startswith("bytes") and kind.removeprefix("bytes").isdigit():
        return _build_bytes(int(kind.removeprefix("bytes"))), WORD
    return None


def _build_struct(entries: Sequence[Mapping[str, Any]]) -> tuple[Read, int] | None:
    parts = _place(entries)
    if parts is None:
        return None
    places, size = parts
    named = [(entry["name"], *place) for entry, place in zip(entries, places, strict=True)]

    def read(data: bytes, start: int) -> dict[str, Any]:
        return {name: read_one(data, start + offset) for name, read_one, offset in named}

    return read, size


def _build_number(bits: int) -> Read:
    beyond = 1 << bits

    def read(data: bytes, start: int) -> int:
        value = int.from_bytes(data[start : start + WORD], "big")
        if value >= beyond:
            raise NonEmptyPaddingBytes(f"a number of {bits} bits fills more")
        return value

    return read


def _build_bytes(size: int) -> Read:
    rest = bytes(WORD - size)

    def read(data: bytes, start: int) -> bytes:
        if data[start + size : start + WORD] != rest:
            raise NonEmptyPaddingBytes(f"{size} bytes fill more")
        return data[start : start + size]

    return read


_BEFORE_ADDRESS: Final = bytes(_ADDRESS_AT)
_TRUTHS: Final = {bytes(WORD): False, bytes(WORD - 1) + b"\x01": True}


def _read_word(data: bytes, start: int) -> bytes:
    return data[start : start + WORD]


def _read_address(data: bytes, start: int) -> bytes:
    if data[start : start + _ADDRESS_AT] != _BEFORE_ADDRESS:
        raise NonEmptyPaddingBytes("an address fills more")
    return data[start + _ADDRESS_AT : start + WORD]


def _read_truth(data: bytes, start: int) -> bool:
    value = _TRUTHS.get(data[start : start + WORD])
    if value is None:
        raise NonEmptyPaddingBytes("a truth value is 0 or 1")
    return value
