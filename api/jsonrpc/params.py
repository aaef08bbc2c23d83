"""Reading the arguments of a call; every refusal names the place, e.g. `params[0].to`.

Values are never repeated in a refusal: a caller who pastes a document by mistake must not find it
again in the answer or in a log.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from eth_typing import Address, Hash32

from api.errors import InvalidField

_QUANTITY: Final = re.compile(r"0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,63})\Z")
_DATA: Final = re.compile(r"0x[0-9a-fA-F]*\Z")
_NUMBERED: Final = 1 << 64


class BlockTag(StrEnum):
    """The names under which a block may be asked for."""

    EARLIEST = "earliest"
    LATEST = "latest"
    SAFE = "safe"
    FINALIZED = "finalized"
    PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSelector:
    """Which block a caller means: exactly one of the three is set."""

    tag: BlockTag | None = None
    number: int | None = None
    hash: Hash32 | None = None


_TAGS: Final = frozenset(tag.value for tag in BlockTag)

LATEST: Final = BlockSelector(tag=BlockTag.LATEST)


class Params:
    """The positional arguments of one call."""

    def __init__(self, values: Any) -> None:
        if values is None:
            values = []
        if not isinstance(values, list):
            raise InvalidField("params", "arguments are given by position, as a list")
        self._values: list[Any] = values

    def check_count(self, most: int) -> None:
        """Refuse surplus arguments: what is silently ignored is a trap."""
        if len(self._values) > most:
            raise InvalidField("params", f"this method takes at most {most} arguments")

    def has(self, index: int) -> bool:
        """Return whether an argument is present and not null."""
        return index < len(self._values) and self._values[index] is not None

    def raw(self, index: int) -> Any:
        """Return an argument as it came, or None."""
        return self._values[index] if index < len(self._values) else None

    def address(self, index: int) -> Address:
        """Read a 20-byte address."""
        return read_address(self.raw(index), f"params[{index}]")

    def hash(self, index: int) -> Hash32:
        """Read a 32-byte hash."""
        return read_hash(self.raw(index), f"params[{index}]")

    def quantity(self, index: int) -> int:
        """Read a quantity."""
        return read_quantity(self.raw(index), f"params[{index}]")

    def data(self, index: int) -> bytes:
        """Read bytes of any length."""
        return read_data(self.raw(index), f"params[{index}]")

    def flag(self, index: int, *, default: bool) -> bool:
        """Read a boolean."""
        value = self.raw(index)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise InvalidField(f"params[{index}]", "expected true or false")
        return value

    def slot(self, index: int) -> int:
        """Read a storage slot: a quantity, or 32 bytes of data as many libraries send it."""
        return read_slot(self.raw(index), f"params[{index}]")

    def block(self, index: int) -> BlockSelector:
        """Read a block selector; absent means latest."""
        if not self.has(index):
            return LATEST
        return read_block(self.raw(index), f"params[{index}]")

    def mapping(self, index: int) -> dict[str, Any]:
        """Read a JSON object."""
        value = self.raw(index)
        if not isinstance(value, dict):
            raise InvalidField(f"params[{index}]", "expected an object")
        return value


def read_block(value: Any, field: str) -> BlockSelector:
    """Read a tag, a height, a hash, or the object form of EIP-1898."""
    if isinstance(value, dict):
        return _read_block_object(value, field)
    if isinstance(value, str):
        if value in _TAGS:
            return BlockSelector(tag=BlockTag(value))
        if len(value) == 66:
            return BlockSelector(hash=read_hash(value, field))
    number = read_quantity(value, field, expected="expected a block tag, height or hash")
    if number >= _NUMBERED:
        raise InvalidField(field, "a height has at most 64 bits")
    return BlockSelector(number=number)


def read_quantity(
    value: Any, field: str, *, expected: str = "expected a quantity: 0x and the shortest hex number"
) -> int:
    """Read a quantity of at most 256 bits."""
    if not isinstance(value, str) or not _QUANTITY.match(value):
        raise InvalidField(field, expected)
    return int(value, 16)


def read_data(value: Any, field: str, *, size: int | None = None) -> bytes:
    """Read bytes; `size` fixes their number."""
    if not isinstance(value, str) or len(value) % 2 or not _DATA.match(value):
        raise InvalidField(field, "expected data: 0x and two hex digits per byte")
    data = bytes.fromhex(value[2:])
    if size is not None and len(data) != size:
        raise InvalidField(field, f"expected {size} bytes")
    return data


def read_address(value: Any, field: str) -> Address:
    """Read a 20-byte address; a mixed-case checksum is not checked."""
    return Address(read_data(value, field, size=20))


def read_hash(value: Any, field: str) -> Hash32:
    """Read a 32-byte hash."""
    return Hash32(read_data(value, field, size=32))


def read_slot(value: Any, field: str) -> int:
    """Read a storage slot in either of its two spellings."""
    if isinstance(value, str) and len(value) == 66:
        return int.from_bytes(read_data(value, field, size=32), "big")
    return read_quantity(value, field, expected="expected a storage slot: a quantity or 32 bytes")


def _read_block_object(value: dict[str, Any], field: str) -> BlockSelector:
    unknown = set(value) - {"blockHash", "blockNumber", "requireCanonical"}
    if unknown or ("blockHash" in value) == ("blockNumber" in value):
        raise InvalidField(field, "expected either blockHash or blockNumber (EIP-1898)")
    if "blockHash" in value:
        return BlockSelector(hash=read_hash(value["blockHash"], f"{field}.blockHash"))
    return BlockSelector(number=read_quantity(value["blockNumber"], f"{field}.blockNumber"))
