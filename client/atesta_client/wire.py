"""Reading the JSON of files strictly: every member accounted for, every fault named by its key.

Credential files and presentations come from residents' phones and strangers' programs. Each is
read through an :class:`ObjectReader`, which hands out members by type and, at the end, refuses
those that nobody asked for: an unknown member might be meant to change the meaning.
"""

import re
from typing import Any, Final, NoReturn

from atesta_client.errors import CredentialRefused, ReasonCode
from atesta_client.hashing import DIGEST_SIZE
from atesta_client.pointers import JsonValue

MAX_TIME_S: Final = 2**53 - 1
"""Latest time accepted, in seconds since 1970: the largest integer that every JSON reader keeps."""

_HEX = re.compile(r"0x(?:[0-9a-f]{2})*")


class ObjectReader:
    """Hands out the members of one JSON object by type and remembers which were read.

    Every method raises :class:`CredentialRefused` with the path of the member at fault.
    """

    def __init__(self, value: JsonValue, where: str) -> None:
        if not isinstance(value, dict):
            refuse_file(f"{where} is not an object")
        self._members: dict[str, Any] = value
        self._where = where
        self._read: set[str] = set()

    def get(self, name: str) -> JsonValue:
        """Return a member of any type; it must be there."""
        self._read.add(name)
        if name not in self._members:
            refuse_file(f"{self._where}.{name} is missing")
        return self._members[name]

    def has(self, name: str) -> bool:
        """Tell whether a member is there."""
        return name in self._members

    def get_text(self, name: str, *, longest: int = 512) -> str:
        """Return a text of bounded length."""
        value = self.get(name)
        if not isinstance(value, str) or len(value) > longest:
            refuse_file(f"{self._where}.{name} is not a text of at most {longest} characters")
        return value

    def get_integer(self, name: str, *, largest: int = MAX_TIME_S) -> int:
        """Return a whole number from 0 to ``largest``."""
        value = self.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= largest:
            refuse_file(f"{self._where}.{name} is not a whole number from 0 to {largest}")
        return value

    def get_digest(self, name: str) -> bytes:
        """Return 32 bytes written as lower-case hex with a leading ``0x``."""
        return parse_digest(self.get(name), f"{self._where}.{name}")

    def get_list(self, name: str, *, longest: int) -> list[JsonValue]:
        """Return an array of bounded length."""
        value = self.get(name)
        if not isinstance(value, list) or len(value) > longest:
            refuse_file(f"{self._where}.{name} is not an array of at most {longest} elements")
        return value

    def get_digests(self, name: str, *, longest: int) -> tuple[bytes, ...]:
        """Return an array of 32-byte values in hex."""
        return tuple(
            parse_digest(value, f"{self._where}.{name}[{place}]")
            for place, value in enumerate(self.get_list(name, longest=longest))
        )

    def get_object(self, name: str) -> "ObjectReader":
        """Return a reader of a member that is an object."""
        return ObjectReader(self.get(name), f"{self._where}.{name}")

    def finish(self) -> None:
        """Refuse the object if it has members that were never read."""
        unknown = sorted(set(self._members) - self._read)
        if unknown:
            refuse_file(f"{self._where}.{unknown[0]} is not a known member")


def parse_digest(value: JsonValue, where: str) -> bytes:
    """Return 32 bytes from lower-case hex with a leading ``0x``; ``where`` names it in errors."""
    if not isinstance(value, str) or len(value) != 2 + 2 * DIGEST_SIZE or not _HEX.fullmatch(value):
        refuse_file(f"{where} is not {DIGEST_SIZE} bytes in lower-case hex after 0x")
    return bytes.fromhex(value[2:])


def format_digest(value: bytes) -> str:
    """Write bytes as lower-case hex with a leading ``0x``."""
    return "0x" + value.hex()


def refuse_file(message: str) -> NoReturn:
    """Refuse a file as malformed."""
    raise CredentialRefused(ReasonCode.FILE_MALFORMED, f"the file is refused: {message}")
