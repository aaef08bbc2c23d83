"""The erasure list, outside the database: what is erased or to be, and which epoch keys are gone.

It is a file of frames beside the epoch keys, in each of their places, and only ever grows. A
database that comes back from a backup does not know what was erased since, ordered to be erased, or
restricted to storage; this list does, and is applied whenever the vault is opened. It names uids
(random bytes), times, neutral codes and laws.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """Records are to be erased."""

    uids: tuple[bytes, ...]
    reason: str
    """A neutral code."""
    ordered_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restricted:
    """Records are kept for storage only (`api.vault.restrictions`), until they are erased."""

    uids: tuple[bytes, ...]
    cause: str
    basis: bytes | None
    legal_reference: str | None
    restricted_s: int
    until_s: int | None


Decision = Ordered | Restricted
"""What was decided of records that are still there."""
Entry = Erased | Destroyed | Decision


def encode_entry(entry: Entry) -> bytes:
    """Return the frame of an entry; equal entries have equal frames."""
    match entry:
        case Erased():
            payload = ["erased", list(entry.uids), entry.reason, entry.erased_s]
        case Destroyed():
            payload = ["destroyed", entry.epoch, entry.destroyed_s]
        case Ordered():
            payload = ["ordered", list(entry.uids), entry.reason, entry.ordered_s]
        case Restricted():
            law = [entry.cause, entry.basis, entry.legal_reference]
            payload = ["restricted", list(entry.uids), *law, entry.restricted_s, entry.until_s]
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
        self.ordered: dict[bytes, Ordered] = {}
        """By uid, the first order of each, carried out or not."""
        self._restricted: dict[bytes, Restricted] = {}
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
            case Ordered():
                for uid in entry.uids:
                    self.ordered.setdefault(uid, entry)
            case Restricted():
                for uid in entry.uids:
                    if self.find_restricted(uid) is None:
                        self._restricted[uid] = entry
            case _:
                assert_never(entry)

    def find_restricted(self, uid: bytes) -> Restricted | None:
        """Return how a record is restricted; a restriction ends with what it was set on."""
        found, erased = self._restricted.get(uid), self.erased.get(uid)
        is_over = found is not None and erased is not None and found.restricted_s <= erased.erased_s
        return None if is_over else found

    def list_restricted(self) -> dict[bytes, Restricted]:
        """Return all restrictions that have not ended, by uid."""
        found = {uid: self.find_restricted(uid) for uid in self._restricted}
        return {uid: entry for uid, entry in found.items() if entry is not None}


def _decode(payload: list[Any]) -> Entry:
    match payload:
        case ["erased", list() as uids, str() as reason, int() as erased_s]:
            return Erased(uids=tuple(uids), reason=reason, erased_s=erased_s)
        case ["destroyed", int() as epoch, int() as destroyed_s]:
            return Destroyed(epoch=epoch, destroyed_s=destroyed_s)
        case ["ordered", list() as uids, str() as reason, int() as ordered_s]:
            return Ordered(uids=tuple(uids), reason=reason, ordered_s=ordered_s)
        case [
            "restricted",
            list() as uids,
            str() as cause,
            (bytes() | None) as basis,
            (str() | None) as legal_reference,
            int() as restricted_s,
            (int() | None) as until_s,
        ]:
            return Restricted(
                uids=tuple(uids),
                cause=cause,
                basis=basis,
                legal_reference=legal_reference,
                restricted_s=restricted_s,
                until_s=until_s,
            )
    raise JournalDamaged("an entry is of a kind that this version does not know")


def _encode_length(size: int) -> bytes:
    half = size.to_bytes(_HEAD_SIZE // 2, "big")
    return half + bytes(byte ^ 0xFF for byte in half)


def _compute_check(payload: bytes) -> bytes:
    return hashlib.sha256(payload).digest()[:_CHECK_SIZE]
