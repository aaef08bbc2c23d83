"""The folder of the vault's keys, in one place or in several that hold the same.

    vault.json            the vault's id, and its standing secrets under the master key
    epoch-NNNNNNNNNN.key  the key of one erasure epoch under the master key
    wraps-NNNNNNNNNN.bin  data keys under an epoch that took over from another: what an old backup
                          needs to come back without its own epoch's key
    erasures.journal      the erasure list
    lock                  held by whoever changes the folder

Every file but the journal is written beside and renamed, the journal only grows, and all of it is
on disk before the call returns, in every place. Keys that were destroyed are written over before
their names go; what that is worth on which disk stands in `docs/adr/0005-erasure-epochs.md`.

A place is there if it has `vault.json`, which comes to it last. While one is not there nothing is
written to any: under the mount point of a disk that is away, keys would survive every erasure. A
place that was away and comes back is brought up to date on opening: what it lacks is copied to it,
and what the others have destroyed is destroyed there too. A new or empty disk becomes a place only
when somebody says so (`api.vault.key_places`).

Each durable step is told to the `CommitWatch` as kind `vault_keys`.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgpack

from api.databases import CommitWatch, Unwatched
from api.durable_files import sync_folder
from api.errors import UpstreamFault
from api.vault.erasure_journal import (
    Entry,
    ErasureList,
    JournalDamaged,
    decode_journal,
    encode_entry,
)

WATCH_KIND: Final = "vault_keys"
"""What the folder's durable steps are called for crash tests."""

_pack: Callable[..., bytes] = msgpack.dumps
_unpack: Callable[..., Any] = msgpack.loads

_HEADER: Final = "vault.json"
_JOURNAL: Final = "erasures.journal"
_FORMAT: Final = 1


class KeyFolderFault(UpstreamFault):
    """A place of the vault's keys is missing, unreadable or damaged."""

    def __init__(self, reason: str, *, next_step: str | None = None) -> None:
        super().__init__(
            reason,
            code="vault_keys_failed",
            next_step=next_step
            or "mount or repair every place of api.vault_keys_dir and its mirrors; a damaged file "
            "is replaced by the same file of another place",
        )


class PlaceAway(KeyFolderFault):
    """A place of the vault's keys is not mounted, or its disk is new."""

    def __init__(self, place: Path) -> None:
        super().__init__(
            f"a place of the vault's keys is missing: {place}",
            next_step="mount its disk; if the disk is new or was replaced, fill it from the other "
            f"places: atesta vault add-mirror {place}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderHeader:
    """What names the vault."""

    vault_id: bytes
    """8 bytes: the id of its first master key."""
    master_id: bytes
    """The master key that wraps the standing secrets now."""
    standing: bytes
    """The standing secrets, wrapped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochFile:
    """The key of an epoch as it is stored."""

    number: int
    created_s: int
    master_id: bytes
    """The master key that wraps it."""
    wrapped: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrap:
    """What a sealed row needs of its epoch."""

    epoch: int
    wrapped_key: bytes
    private: tuple[bytes | None, ...]
    """The row's fingerprints, veiled."""


class KeyFolder:
    """The keys' files, the same in every place."""

    def __init__(self, places: Iterable[Path], *, watch: CommitWatch | None = None) -> None:
        """Make nothing; the first place counts where they differ."""
        self.places = tuple(places)
        assert self.places, "keys have at least one place"
        self.watch: CommitWatch = watch or Unwatched()

    def make_places(self) -> None:
        """Make the folders of a new vault's places, readable for the owner only."""
        try:
            for place in self.places:
                _make_place(place)
        except OSError as error:
            raise KeyFolderFault("a place of the vault's keys cannot be made") from error

    def is_there(self, place: Path) -> bool:
        """Tell whether a place is mounted and filled."""
        return (place / _HEADER).exists()

    def empty_place(self, place: Path) -> None:
        """Make a folder that is no place yet, and destroy what is left in it of keys."""
        assert not self.is_there(place), "keys of a vault are not destroyed here"
        try:
            _make_place(place)
            for path in [*_list_files(place), *place.glob(_JOURNAL), *place.glob("*.new")]:
                destroy_file(path)
        except OSError as error:
            raise KeyFolderFault("a place of the vault's keys cannot be made") from error

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder, against other processes and other threads of this one."""
        if not self.places[0].is_dir():
            raise PlaceAway(self.places[0])
        with (self.places[0] / "lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def require_places(self) -> None:
        """Make sure that every place is there, before anything is written to any.

        Raises `PlaceAway` for one that is not mounted or was emptied.
        """
        for place in self.places:
            if not self.is_there(place):
                raise PlaceAway(place)

    def require_one_vault(self) -> None:
        """Raise `KeyFolderFault` where a wrong disk is mounted, with another vault's keys."""
        found = [_read_json(place / _HEADER) for place in self.places]
        if len({body["vault"] for body in found if body is not None}) > 1:
            raise KeyFolderFault("the places of the vault's keys are of different vaults")

    def has_epochs(self) -> bool:
        """Tell whether any epoch has ever had a key, as far as the places that are there know."""
        if any(any(place.glob("epoch-*.key")) for place in self.places):
            return True
        return bool(self.read_erasures().destroyed)

    def get_stamp(self) -> tuple[int, ...]:
        """Return what changes whenever another process has changed the folder."""
        place = self.places[0]
        try:
            journal = (place / _JOURNAL).stat()
            return place.stat().st_mtime_ns, journal.st_size
        except FileNotFoundError:
            return (0, 0)
        except OSError as error:
            raise KeyFolderFault("the folder of the vault's keys cannot be read") from error

    def mend(self, master_id: bytes) -> ErasureList:
        """Bring all places to the same state; call it with the folder held, before reading.

        Of files that differ, the one under the master key in use counts. Returns the erasure list.
        Raises `KeyFolderFault`.
        """
        entries = list(dict.fromkeys(e for place in self.places for e in self._read_journal(place)))
        erasures = ErasureList(entries)
        for place in self.places:
            known = set(self._read_journal(place))
            missing = [entry for entry in entries if entry not in known]
            if missing or not (place / _JOURNAL).exists():
                self._append(place, missing)
        for number in sorted(erasures.destroyed):
            self.destroy_epoch(number)
        names = {p.name for place in self.places for p in _list_files(place)}
        # What makes it a place comes last.
        for name in sorted(names, key=lambda name: (name == _HEADER, name)):
            self._level(name, master_id)
        return erasures

    def read_header(self) -> FolderHeader | None:
        """Return what names the vault; None for a new folder."""
        for place in self.places:
            found = _read_json(place / _HEADER)
            if found is not None:
                return FolderHeader(
                    vault_id=bytes.fromhex(found["vault"]),
                    master_id=bytes.fromhex(found["master"]),
                    standing=bytes.fromhex(found["standing"]),
                )
        return None

    def write_header(self, header: FolderHeader) -> None:
        """Replace what names the vault."""
        body = {
            "format": _FORMAT,
            "vault": header.vault_id.hex(),
            "master": header.master_id.hex(),
            "standing": header.standing.hex(),
        }
        self._write(_HEADER, json.dumps(body, indent=1).encode())

    def read_epochs(self) -> dict[int, EpochFile]:
        """Return the keys of all epochs by number."""
        found: dict[int, EpochFile] = {}
        for place in self.places:
            for path in place.glob("epoch-*.key"):
                body = _read_json(path)
                if body is not None and body["epoch"] not in found:
                    found[body["epoch"]] = EpochFile(
                        number=body["epoch"],
                        created_s=body["created_s"],
                        master_id=bytes.fromhex(body["master"]),
                        wrapped=bytes.fromhex(body["wrapped"]),
                    )
        return found

    def write_epoch(self, epoch: EpochFile) -> None:
        """Write, or replace, the key of an epoch; raises `PlaceAway`."""
        self.require_places()
        body = {
            "format": _FORMAT,
            "epoch": epoch.number,
            "created_s": epoch.created_s,
            "master": epoch.master_id.hex(),
            "wrapped": epoch.wrapped.hex(),
        }
        self._write(_name_epoch(epoch.number), json.dumps(body, indent=1).encode())

    def destroy_epoch(self, number: int) -> None:
        """Write over the key of an epoch, and the wraps under it, and remove them everywhere."""
        for name in (_name_epoch(number), _name_wraps(number)):
            for place in self.places:
                if (place / name).exists():
                    with self.watch.around(WATCH_KIND):
                        destroy_file(place / name)

    def write_wraps(self, number: int, wraps: Mapping[bytes, Wrap]) -> None:
        """Keep what the living of an epoch need of it: wrap by the place of its row."""
        self.require_places()
        rows = {place: [wrap.wrapped_key, *wrap.private] for place, wrap in wraps.items()}
        self._write(_name_wraps(number), _pack(rows))

    def find_wraps(self) -> dict[bytes, Wrap]:
        """Return all kept wraps by the place of the row."""
        found: dict[bytes, Wrap] = {}
        for path in sorted(self.places[0].glob("wraps-*.bin")):
            number = int(path.stem.removeprefix("wraps-"))
            for place, (wrapped_key, *private) in _unpack(path.read_bytes()).items():
                found[place] = Wrap(epoch=number, wrapped_key=wrapped_key, private=tuple(private))
        return found

    def append(self, *entries: Entry) -> None:
        """Add to the erasure list; it stands when the first place has it."""
        self.require_places()
        for place in self.places:
            self._append(place, entries)

    def read_erasures(self) -> ErasureList:
        """Return the erasure list as it is on disk."""
        return ErasureList(e for place in self.places for e in self._read_journal(place))

    def _append(self, place: Path, entries: Iterable[Entry]) -> None:
        frames = b"".join(encode_entry(entry) for entry in entries)
        path = place / _JOURNAL
        try:
            with self.watch.around(WATCH_KIND) as torn, path.open("a+b") as file:
                path.chmod(0o600)
                file.seek(0)
                _, good = decode_journal(file.read())
                file.truncate(good)
                file.write(frames[: len(frames) // 2] if torn is True else frames)
                file.flush()
                os.fsync(file.fileno())
                sync_folder(place)
        except (OSError, JournalDamaged) as error:
            raise KeyFolderFault("the erasure list cannot be written") from error

    def _read_journal(self, place: Path) -> tuple[Entry, ...]:
        try:
            return decode_journal((place / _JOURNAL).read_bytes())[0]
        except FileNotFoundError:
            return ()
        except (OSError, JournalDamaged) as error:
            raise KeyFolderFault("the erasure list cannot be read") from error

    def _level(self, name: str, master_id: bytes) -> None:
        """Give every place the same content of one file."""
        contents = [
            (place / name).read_bytes() if (place / name).exists() else None
            for place in self.places
        ]
        present = [content for content in contents if content is not None]
        mark = b'"' + master_id.hex().encode() + b'"'
        best = next((content for content in present if mark in content), present[0])
        for place, content in zip(self.places, contents, strict=True):
            if content != best:
                self._write_one(place / name, best)

    def _write(self, name: str, content: bytes) -> None:
        for place in self.places:
            self._write_one(place / name, content)

    def _write_one(self, path: Path, content: bytes) -> None:
        temporary = path.with_name(path.name + ".new")
        try:
            with self.watch.around(WATCH_KIND) as torn:
                handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(content[: len(content) // 2] if torn is True else content)
                    file.flush()
                    os.fsync(file.fileno())
                if torn is not True:
                    temporary.replace(path)
                    sync_folder(path.parent)
        except OSError as error:
            raise KeyFolderFault("the vault's keys cannot be written") from error


def destroy_file(path: Path) -> None:
    """Write over a file with chance and with zeros, durably each time, then remove its name."""
    try:
        size = path.stat().st_size
        with path.open("r+b") as file:
            for content in (os.urandom(size), bytes(size)):
                file.seek(0)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        path.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise KeyFolderFault("a key cannot be destroyed") from error


def _make_place(place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.chmod(0o700)


def _read_json(path: Path) -> Any:
    """Return a file's content; None if it is missing, or was being destroyed in a crash."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyFolderFault("the vault's keys cannot be read") from error
    try:
        found = json.loads(data)
    except ValueError:
        return None
    if found.get("format") != _FORMAT:
        raise KeyFolderFault("the vault's keys were written by a newer version of this program")
    return found


def _list_files(place: Path) -> list[Path]:
    return [*place.glob(_HEADER), *place.glob("epoch-*.key"), *place.glob("wraps-*.bin")]


def _name_epoch(number: int) -> str:
    return f"epoch-{number:010}.key"


def _name_wraps(number: int) -> str:
    return f"wraps-{number:010}.bin"
