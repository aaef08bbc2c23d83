"""The erasure list: what was erased and which epoch keys were destroyed, outside the database.

It is a file of frames beside the epoch keys, in each of their places, and only ever grows. A
database that comes back from a backup does not know what was erased since; this list does, and is
applied whenever the vault is opened. It names uids (random bytes), times and neutral reason codes.

    frame = uint32 length ‖ the same with all bits turned ‖ MessagePack payload
            ‖ SHA-256(payload)[:8]

A frame that a crash left half written at the end was never promised to anybody, and is ignored and
written over. Anything else that is wrong is damage: the file must come from another place.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, assert_never

import msgpack

_pack: Callable[..., bytes] = msgpack.dumps
_unpack: Callable[..., Any] = msgpack.loads

_HEAD_SIZE: Final = 8
_CHECK_SIZE: Final = 8


class JournalDamaged(ValueError):
    """Frames in the middle of an erasure list are not what was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """Records were erased."""

    uids: tuple[bytes, ...]
    reason: str
    """A neutral code."""
    erased_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroyed:
    """The key of an epoch is gone, or about to go with nothing living under it."""

    epoch: int
    destroyed_s: int


Entry = Erased | Destroyed


def encode_entry(entry: Entry) -> bytes:
    """Return the frame of an entry; equal entries have equal frames."""
    match entry:
        case Erased():
            payload = ["erased", list(entry.uids), entry.reason, entry.erased_s]
        case Destroyed():
            payload = ["destroyed", entry.epoch, entry.destroyed_s]
        case _:
            assert_never(entry)
    data = _pack(payload)
    return _encode_length(len(data)) + data + _compute_check(data)


def decode_journal(data: bytes) -> tuple[tuple[Entry, ...], int]:
    """Return the entries of a file and how many of its bytes they take; the rest was torn.

    Raises `JournalDamaged`.
    """
    entries: list[Entry] = []
    position = 0
    while position < len(data):
        start = position + _HEAD_SIZE
        size = int.from_bytes(data[position : position + _HEAD_SIZE // 2], "big")
        end = start + size
        last = end + _CHECK_SIZE
        if data[position:start] != _encode_length(size):
            if any(data[start:]):
                raise JournalDamaged("an entry's length is not what was written")
            break
        if last > len(data):
            break
        payload = data[start:end]
        if _compute_check(payload) != data[end:last]:
            if last == len(data):
                break
            raise JournalDamaged("an entry is not what was written")
        entries.append(_decode(_unpack(payload)))
        position = last
    return tuple(entries), position


class ErasureList:
    """What the entries come to."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.erased: dict[bytes, Erased] = {}
        """By uid, the first erasure of each."""
        self.destroyed: set[int] = set()
        """Epochs whose keys are gone."""
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Take one more entry."""
        match entry:
            case Erased():
                for uid in entry.uids:
                    self.erased.setdefault(uid, entry)
            case Destroyed():
                self.destroyed.add(entry.epoch)
            case _:
                assert_never(entry)


def _decode(payload: list[Any]) -> Entry:
    match payload:
        case ["erased", list() as uids, str() as reason, int() as erased_s]:
            return Erased(uids=tuple(uids), reason=reason, erased_s=erased_s)
        case ["destroyed", int() as epoch, int() as destroyed_s]:
            return Destroyed(epoch=epoch, destroyed_s=destroyed_s)
    raise JournalDamaged("an entry is of a kind that this version does not know")


def _encode_length(size: int) -> bytes:
    half = size.to_bytes(_HEAD_SIZE // 2, "big")
    return half + bytes(byte ^ 0xFF for byte in half)


def _compute_check(payload: bytes) -> bytes:
    return hashlib.sha256(payload).digest()[:_CHECK_SIZE]
