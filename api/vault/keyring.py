"""The keyring: everything that is sealed in the vault's database goes through it.

It holds the keys of the erasure epochs that live, unwrapped in memory, and says under which one new
records go. An epoch takes some thousand records or lasts some weeks; then the next begins. Several
processes may serve one vault: what one of them changes in the key folder the others see by its
stamp, and what they decide on older knowledge is refused by the database and done again.

Nothing here keeps a key longer than its file: a key that another process has destroyed is dropped
on the next look at the folder. Python cannot wipe memory, so a running process that was taken over
knows the keys that it used; `docs/threat-model.md` says so.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Connection

from api.databases import Database
from api.errors import UpstreamFault
from api.vault import epochs
from api.vault.ciphers import Sealed, VaultDamaged
from api.vault.epoch_keys import EpochKey, make_epoch_key, open_epoch_key, open_record
from api.vault.epochs import EpochClosed, EpochState
from api.vault.erasure_journal import Erased, ErasureList
from api.vault.key_folder import FolderHeader, KeyFolder, KeyFolderFault
from api.vault.keys import MasterKey, StandingSecrets, decode_standing
from api.vault.sealed_tables import SEALED_TABLES

LOOK_S: Final = 1.0
"""A running process looks this often whether another one has changed the key folder."""

STANDING_USE: Final = b"atesta-standing-2"
"""What the standing secrets are wrapped for."""

_TRIES: Final = 8
_READS: Final = 3
_CHOICES: Final = 16
_DAY_S: Final = 24 * 3600

Result = TypeVar("Result")
Progress = Callable[[int, int], None]
"""Told of rows done and rows in all."""
Rows = TypeVar("Rows")


class EpochGone(VaultDamaged):
    """A row's epoch has no key: it was read before it was wrapped anew, or its copy is dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochLimits:
    """How much an epoch takes before the next begins."""

    records: int = 5_000
    """About so many sealed rows; an erasure wraps at most these anew."""
    days: int = 30
    """Days that an epoch takes new records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyringStatus:
    """What an operator and a metric want to know of the keys."""

    epochs: int
    """Epochs whose keys exist."""
    closing: int
    """Epochs whose living are still to be moved away."""
    current: int
    """The epoch that takes new records."""
    erased: int
    """Records on the erasure list."""


class Keyring:
    """The keys of one vault; `api.vault.opening` makes it."""

    def __init__(
        self,
        *,
        database: Database,
        folder: KeyFolder,
        read_master: Callable[[], MasterKey],
        limits: EpochLimits,
        now: Callable[[], float],
    ) -> None:
        """Hold nothing until `load` is called; `read_master` reads the master key's file."""
        self.database = database
        self.folder = folder
        self.limits = limits
        self._read_master = read_master
        self._now = now
        self._header: FolderHeader | None = None
        self._master = read_master()
        self._standing: StandingSecrets | None = None
        self._keys: dict[int, EpochKey] = {}
        self._erasures = ErasureList()
        self._current = 0
        self._filled = 0
        self._stamp: tuple[int, ...] = ()
        self._looked_s = 0.0

    @property
    def master(self) -> MasterKey:
        """The master key in use."""
        return self._master

    @property
    def header(self) -> FolderHeader:
        """What names the vault."""
        assert self._header is not None, "the keyring was loaded"
        return self._header

    @property
    def fingerprints(self) -> StandingSecrets:
        """The keys of fingerprints and of secrets that no erasure concerns."""
        assert self._standing is not None, "the keyring was loaded"
        return self._standing

    @property
    def erasures(self) -> ErasureList:
        """What was erased, as of the last look at the folder."""
        return self._erasures

    def on(self, database: Database) -> "Keyring":
        """Return the same keys over another database, for rows that were restored into it."""
        other = Keyring(
            database=database,
            folder=self.folder,
            read_master=self._read_master,
            limits=self.limits,
            now=self._now,
        )
        other.load()
        return other

    def find_erased(self, uid: bytes) -> Erased | None:
        """Return how a record was erased; None if it was not."""
        return self._erasures.erased.get(uid)

    def find_key(self, number: int) -> EpochKey | None:
        """Return the key of an epoch, if there is one."""
        return self._keys.get(number)

    def list_keys(self) -> tuple[int, ...]:
        """Return the numbers of the epochs whose keys exist."""
        return tuple(sorted(self._keys))

    def unwrap(self, epoch: int | None, wrapped_key: bytes, identity: bytes) -> bytes:
        """Return a row's data key; raises `EpochGone` or `VaultDamaged`."""
        if epoch is None:
            return self._master.open_first(wrapped_key, identity)
        key = self._keys.get(epoch)
        if key is None:
            raise EpochGone
        return key.unwrap(wrapped_key, identity)

    def open(self, sealed: Sealed, identity: bytes) -> bytes:
        """Decrypt a row; raises `EpochGone`, and `VaultDamaged` unless it is what was sealed."""
        data_key = self.unwrap(sealed.epoch, sealed.wrapped_key, identity)
        return open_record(data_key, sealed.ciphertext, identity)

    def unveil(self, epoch: int, stored: bytes) -> bytes:
        """Return a row's fingerprint; raises `EpochGone`."""
        key = self._keys.get(epoch)
        if key is None:
            raise EpochGone
        return key.unveil(stored)

    def find_veils(self, connection: Connection, fingerprint: bytes) -> list[bytes]:
        """Return how a fingerprint may be stored, one for each epoch there is.

        Raises `EpochGone` if another process has begun an epoch that is not known here yet.
        """
        keys = self._keys
        if epochs.get_newest(connection) > max(keys, default=0):
            raise EpochGone
        return [key.veil(fingerprint) for key in keys.values()]

    async def write(
        self,
        build: Callable[[EpochKey], Rows],
        work: Callable[[Connection, Rows], Result],
        *,
        count: int = 1,
    ) -> Result:
        """Seal `count` rows with `build` on a worker thread and store them with `work`, durably.

        Both run again, with another key, if the epoch has closed meanwhile. Raises what they raise
        and what `Database.write` raises.
        """
        for _ in range(_TRIES):
            key = await self._take_current()
            rows = await asyncio.to_thread(build, key)

            def store(connection: Connection, key: EpochKey = key, rows: Rows = rows) -> Result:
                epochs.confirm_open(connection, key.number)
                return work(connection, rows)

            try:
                stored = await self.database.write(store)
            except (EpochClosed, EpochGone):
                self._looked_s = 0.0
                self._current = 0
                continue
            self._filled += count
            return stored
        raise UpstreamFault("the vault's epochs change too fast", code="vault_busy")

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """Read and open rows; reads again if they were wrapped anew meanwhile."""
        return await self.retry(lambda: self.database.read(work))

    async def retry(self, attempt: Callable[[], Awaitable[Result]]) -> Result:
        """Do what opens rows once more if their epoch's key is gone; raises `VaultDamaged`."""
        for _ in range(_READS - 1):
            try:
                return await attempt()
            except EpochGone:
                await asyncio.to_thread(self.reload)
        return await attempt()

    async def look(self) -> None:
        """See what other processes have changed, at most every `LOOK_S` seconds."""
        if time.monotonic() - self._looked_s >= LOOK_S:
            await asyncio.to_thread(self._look)

    def get_status(self) -> KeyringStatus:
        """Return what the keyring knows of its epochs."""
        known = self.database.read_now(epochs.list_epochs)
        return KeyringStatus(
            epochs=len(self._keys),
            closing=sum(1 for epoch in known.values() if epoch.state is EpochState.CLOSING),
            current=self._current,
            erased=len(self._erasures.erased),
        )

    def reload(self) -> None:
        """Read everything anew, while others may be changing it."""
        try:
            self.load()
        except (VaultDamaged, KeyFolderFault):
            # The master key is being changed; that takes a moment only.
            with self.folder.locked():
                self.load()

    def load(self) -> None:
        """Read the key folder and the table of epochs; raises `KeyFolderFault`, `VaultDamaged`."""
        self._looked_s = time.monotonic()
        self._stamp = self.folder.get_stamp()
        self._master = self._read_master()
        header = self.folder.read_header()
        assert header is not None, "the folder of an open vault has a header"
        self._header = header
        self._standing = decode_standing(self._master.unwrap(header.standing, STANDING_USE))
        self._erasures = self.folder.read_erasures()
        files = self.folder.read_epochs()
        self._keys = {
            number: self._keys.get(number) or open_epoch_key(file, self._master, header.vault_id)
            for number, file in files.items()
            if number not in self._erasures.destroyed
        }
        self._choose()

    def make_epoch(self) -> EpochKey:
        """Begin another epoch; call it with the folder held. Durable on return."""
        known = self.database.read_now(epochs.list_epochs)
        number = 1 + max([0, *self._keys, *known, *self._erasures.destroyed])
        key = make_epoch_key(number, int(self._now()))
        self.folder.write_epoch(key.protect(self._master, self.header.vault_id))
        self.database.write_now(lambda c: epochs.register(c, number, key.created_s))
        self._keys[number] = key
        self._stamp = self.folder.get_stamp()
        self._choose()
        return key

    def take_key(self) -> EpochKey:
        """Return the key for new rows; call it with the folder held."""
        key = self._keys.get(self._current)
        return self.make_epoch() if key is None or self._is_full(key) else key

    def note_rows(self, count: int) -> None:
        """Count rows that were stored under the current epoch without `write`."""
        self._filled += count

    def now_s(self) -> int:
        """Return the time."""
        return int(self._now())

    def forget(self, number: int) -> None:
        """Drop a key whose file is destroyed."""
        self._keys.pop(number, None)
        if self._current == number:
            self._current = 0

    async def _take_current(self) -> EpochKey:
        await self.look()
        key = self._keys.get(self._current)
        if key is not None and not self._is_full(key):
            return key
        return await asyncio.to_thread(self._begin_next)

    def _begin_next(self) -> EpochKey:
        self.reload()
        key = self._keys.get(self._current)
        if key is not None and not self._is_full(key):
            return key
        with self.folder.locked():
            # Another thread or process may have been first.
            self.load()
            return self.take_key()

    def _is_full(self, key: EpochKey) -> bool:
        is_old = self._now() >= key.created_s + self.limits.days * _DAY_S
        return is_old or self._filled >= self.limits.records

    def _choose(self) -> None:
        """Find the epoch that takes new records: the last open one with room, and its rows."""
        known = self.database.read_now(epochs.list_epochs)
        usable = [
            self._keys[number]
            for number, epoch in sorted(known.items(), reverse=True)
            if epoch.state is EpochState.OPEN and number in self._keys
        ]
        self._current = 0
        for key in usable[:_CHOICES]:
            number = key.number
            self._filled = self.database.read_now(
                partial(epochs.count_rows, tables=SEALED_TABLES, number=number)
            )
            if not self._is_full(key):
                self._current = number
                return

    def _look(self) -> None:
        self._looked_s = time.monotonic()
        if self.folder.get_stamp() != self._stamp:
            self.reload()
