"""Erasing records so that no copy of them anywhere opens again.

Deleting rows is not enough: backups, the write-ahead log, free pages and old copies of the files
keep them. But all of those are ciphertext, under data keys that are wrapped under an epoch's key,
and that key is outside the database. So the living of the epoch are wrapped under a new key, and
the old one is destroyed; with it die all copies of what was not wrapped anew.

The duties, each durable before the next begins:

1. the successor of every epoch concerned exists: its key is in the folder and in the table;
2. **the erasure list has the uids.** From here on the records are erased: a process that dies
   before has changed nothing, one that dies after has its work finished by the next opening;
3. one transaction deletes the rows, notes the erasure and closes the epochs;
4. the living of each closing epoch move to its successor, some hundred rows a transaction;
5. the wraps of the living are kept beside the keys, so that an old backup still brings them back;
6. the list says that the epoch's key is destroyed; its file is written over and removed,
   everywhere;
7. free pages and the write-ahead log of the database are cleaned as far as its engine lets us;
8. the table of epochs says that it is done.

Whoever opens the vault does 3 to 8 again for what stands on the list or closes, so they may all
happen twice. The folder is held for 1 to 3, and for each epoch from 4 to 6.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection, delete, insert, select, update

from api.errors import ApiError
from api.imports.queries import forget_erased
from api.imports.tables import IMPORT_LINES
from api.vault import epochs
from api.vault.epochs import EpochState
from api.vault.erasure_journal import Destroyed, Erased
from api.vault.key_folder import KeyFolderFault, Wrap
from api.vault.keyring import Keyring, Progress
from api.vault.sealed_tables import (
    DELETED_TABLES,
    ERASED_LINE,
    SEALED_TABLES,
    SealedTable,
)
from api.vault.tables import ERASURES

log = structlog.get_logger(__name__)

_CHUNK: Final = 500

Item = TypeVar("Item")


class ErasureReason(StrEnum):
    """Why a record is erased: the neutral codes that may stand on the chain."""

    ERROR = "error"
    SUPERSEDED = "superseded"
    ENDED_BY_LAW = "ended_by_law"
    HOLDER_REQUEST = "holder_request"
    SECURITY = "security"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureReport:
    """What an erasure came to."""

    erased: int
    """Records that this call put on the list; none if all were on it."""
    rewrapped: int
    """Rows of the living that were wrapped anew."""
    destroyed: tuple[int, ...]
    """Epochs whose keys are gone."""
    notes: tuple[str, ...]
    """What the database's engine did not let us clean; dead all the same."""


def erase_records(
    keyring: Keyring,
    uids: Collection[bytes],
    *,
    reason: ErasureReason,
    now_s: int,
    progress: Progress | None = None,
) -> ErasureReport:
    """Erase records with everything that is sealed for them; on return nothing opens them again.

    Erasing what is erased or unknown changes nothing but the list. Raises `KeyFolderFault` or
    `UpstreamFault`; whether the records are erased then, `Keyring.find_erased` says.
    """
    with keyring.folder.locked():
        keyring.folder.require_places()
        keyring.load()
        fresh = tuple(uid for uid in dict.fromkeys(uids) if keyring.find_erased(uid) is None)
        successors = _make_successors(keyring, fresh, {})
        if fresh:
            entry = Erased(uids=fresh, reason=reason, erased_s=now_s)
            keyring.folder.append(entry)
            keyring.erasures.add(entry)
        # Also what an earlier call left when a place of the keys failed under it.
        settle(keyring, successors)
    report = finish(keyring, progress)
    return ErasureReport(
        erased=len(fresh),
        rewrapped=report.rewrapped,
        destroyed=report.destroyed,
        notes=report.notes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Concerned:
    """What an erasure would touch."""

    records: int
    """Of the uids, those that anything is kept for."""
    rows: int
    """Sealed rows that would go."""
    rewrapped: int
    """Sealed rows of others that would be wrapped anew."""


def count_concerned(keyring: Keyring, uids: Collection[bytes]) -> Concerned:
    """Return what erasing these would touch; changes nothing."""

    def count(connection: Connection) -> Concerned:
        found: set[bytes] = set()
        rows = 0
        for chunk in _chunks(list(uids)):
            for sealed in SEALED_TABLES:
                column = sealed.table.c.uid
                held = connection.execute(
                    select(column).where(column.in_(chunk), sealed.table.c.wrapped_key.is_not(None))
                ).scalars()
                mine = [bytes(uid) for uid in held]
                found.update(mine)
                rows += len(mine)
        touched = _find_epochs(connection, list(uids))
        together = sum(epochs.count_rows(connection, SEALED_TABLES, n) for n in touched)
        return Concerned(records=len(found), rows=rows, rewrapped=max(0, together - rows))

    return keyring.database.read_now(count)


def renew_epochs(
    keyring: Keyring, numbers: Sequence[int], progress: Progress | None = None
) -> ErasureReport:
    """Move everything under some epochs to new ones and destroy the old keys; erases nothing."""
    with keyring.folder.locked():
        keyring.folder.require_places()
        keyring.load()
        successors = {n: keyring.make_epoch().number for n in numbers if keyring.find_key(n)}
        keyring.database.write_now(lambda c: epochs.close(c, successors))
    return finish(keyring, progress)


def settle(keyring: Keyring, successors: Mapping[int, int] | None = None) -> int:
    """Take from the database what the list says is erased; returns how many records.

    Call it with the folder held. `successors` are epochs made beforehand for those concerned.
    """
    listed = keyring.erasures.erased
    pending = [
        uid
        for chunk in _chunks(list(listed))
        for uid in keyring.database.read_now(partial(_find_unknown, uids=chunk))
    ]
    made = dict(successors or {})
    if pending:
        made = _make_successors(keyring, pending, made)
        entries = [listed[uid] for uid in pending]
        # A running process may have added a row under another epoch meanwhile; the transaction
        # that deletes finds these, and is done again with a successor for that one too.
        delete_all = partial(_delete, keyring=keyring, uids=pending, entries=entries)
        while missing := keyring.database.write_now(partial(delete_all, successors=made)):
            made |= {number: keyring.make_epoch().number for number in missing}
    return len(pending)


def finish(keyring: Keyring, progress: Progress | None = None) -> ErasureReport:
    """Retire every epoch that closes; call it without holding the folder."""
    closing = keyring.database.read_now(_list_closing)
    total = keyring.database.read_now(
        lambda c: sum(epochs.count_rows(c, SEALED_TABLES, number) for number in closing)
    )
    done = 0

    def tell(rows: int) -> None:
        nonlocal done
        done += rows
        if progress is not None:
            progress(done, total)

    tell(0)
    for number in closing:
        with keyring.folder.locked():
            keyring.load()
            retire(keyring, number, tell)
    notes = _clean(keyring) if closing else ()
    keyring.database.write_now(lambda c: epochs.mark_destroyed(c, closing))
    return ErasureReport(erased=0, rewrapped=done, destroyed=tuple(closing), notes=notes)


def retire(keyring: Keyring, number: int, tell: Callable[[int], None]) -> None:
    """Move the living of a closing epoch to its successor and destroy its key.

    Call it with the folder held. Does nothing if that was done.
    """
    if number in keyring.erasures.destroyed:
        return
    successor = keyring.database.read_now(epochs.list_epochs)[number].successor
    assert successor is not None, "a closing epoch has a successor"
    if keyring.find_key(number) is None or keyring.find_key(successor) is None:
        raise KeyFolderFault("the key of an erasure epoch is missing")
    for sealed in SEALED_TABLES:
        move = partial(_move, keyring=keyring, sealed=sealed, number=number, successor=successor)
        while moved := keyring.database.write_now(move):
            tell(moved)
    keyring.folder.write_wraps(
        successor, keyring.database.read_now(lambda c: _collect_wraps(c, successor))
    )
    destroyed = Destroyed(epoch=number, destroyed_s=keyring.now_s())
    keyring.folder.append(destroyed)
    keyring.erasures.add(destroyed)
    keyring.forget(number)
    keyring.folder.destroy_epoch(number)
    log.info("erasure epoch retired", epoch=number, successor=successor)


def reattach(keyring: Keyring) -> int:
    """Give rows that come from an older database the wraps kept beside the keys; returns how many.

    Rows that have none were erased, or were made anew since; they stay closed for ever, and a check
    of the vault counts them. Call it with the folder held.
    """
    known = keyring.database.read_now(epochs.list_epochs)
    stale = [
        number
        for number in sorted(keyring.erasures.destroyed)
        if number not in known or known[number].state is not EpochState.DESTROYED
    ]
    if not stale:
        return 0
    wraps = keyring.folder.find_wraps()

    def attach(connection: Connection) -> int:
        count = 0
        for number in stale:
            for sealed in SEALED_TABLES:
                moves = []
                for row in epochs.iterate_rows(connection, sealed, number):
                    found = wraps.get(sealed.compute_place(sealed.build_identity(row)))
                    if found is not None:
                        moves.append(
                            epochs.Move(
                                row=row,
                                epoch=found.epoch,
                                wrapped_key=found.wrapped_key,
                                private=found.private,
                            )
                        )
                epochs.move_rows(connection, sealed, moves)
                count += len(moves)
        epochs.mark_destroyed(connection, stale)
        return count

    return keyring.database.write_now(attach)


def _make_successors(
    keyring: Keyring, uids: Sequence[bytes], made: Mapping[int, int]
) -> dict[int, int]:
    touched = keyring.database.read_now(lambda c: _find_epochs(c, uids))
    return dict(made) | {
        number: keyring.make_epoch().number
        for number in sorted(touched - made.keys())
        if keyring.find_key(number) is not None
    }


def _delete(
    connection: Connection,
    *,
    keyring: Keyring,
    uids: Sequence[bytes],
    entries: Sequence[Erased],
    successors: Mapping[int, int],
) -> set[int]:
    """Delete the rows and close their epochs; or return the epochs that lack a successor."""
    living = {number for number in _find_epochs(connection, uids) if keyring.find_key(number)}
    if missing := living - successors.keys():
        return missing
    for chunk in _chunks(uids):
        for table in DELETED_TABLES:
            connection.execute(delete(table).where(table.c.uid.in_(chunk)))
        connection.execute(
            update(IMPORT_LINES)
            .where(IMPORT_LINES.c.uid.in_(chunk), IMPORT_LINES.c.wrapped_key.is_not(None))
            .values(**ERASED_LINE)
        )
    connection.execute(
        insert(ERASURES),
        [
            {"uid": uid, "reason": entry.reason, "erased_s": entry.erased_s}
            for uid, entry in zip(uids, entries, strict=True)
        ],
    )
    forget_erased(connection)
    epochs.close(connection, {number: successors[number] for number in living})
    return set()


def _move(
    connection: Connection, *, keyring: Keyring, sealed: SealedTable, number: int, successor: int
) -> int:
    old, new = keyring.find_key(number), keyring.find_key(successor)
    assert old is not None, "it was there before"
    assert new is not None, "it was there before"
    rows = epochs.take_rows(connection, sealed, number)
    moves = []
    for row in rows:
        identity = sealed.build_identity(row)
        data_key = old.unwrap(bytes(row.wrapped_key), identity)
        moves.append(
            epochs.Move(
                row=row,
                epoch=successor,
                wrapped_key=new.wrap(data_key, identity),
                private=[
                    None if stored is None else new.veil(old.unveil(stored))
                    for stored in sealed.read_private(row)
                ],
            )
        )
    epochs.move_rows(connection, sealed, moves)
    return len(rows)


def _collect_wraps(connection: Connection, number: int) -> dict[bytes, Wrap]:
    return {
        sealed.compute_place(sealed.build_identity(row)): Wrap(
            epoch=number, wrapped_key=bytes(row.wrapped_key), private=sealed.read_private(row)
        )
        for sealed in SEALED_TABLES
        for row in epochs.iterate_rows(connection, sealed, number)
    }


def _find_epochs(connection: Connection, uids: Sequence[bytes]) -> set[int]:
    """Return the epochs under which anything of these records is sealed."""
    return {
        number
        for chunk in _chunks(uids)
        for sealed in SEALED_TABLES
        for number in connection.execute(
            select(sealed.table.c.epoch)
            .where(sealed.table.c.uid.in_(chunk), sealed.table.c.epoch.is_not(None))
            .distinct()
        ).scalars()
    }


def _find_unknown(connection: Connection, uids: Sequence[bytes]) -> list[bytes]:
    known = connection.execute(select(ERASURES.c.uid).where(ERASURES.c.uid.in_(uids))).scalars()
    noted = {bytes(uid) for uid in known}
    return [uid for uid in uids if uid not in noted]


def _list_closing(connection: Connection) -> list[int]:
    known = epochs.list_epochs(connection).values()
    return sorted(epoch.number for epoch in known if epoch.state is EpochState.CLOSING)


def _clean(keyring: Keyring) -> tuple[str, ...]:
    """Clean the database; what cannot be cleaned is dead, so failing is no failure to erase."""
    try:
        notes = keyring.database.scrub_now()
    except ApiError as error:
        notes = (error.reason,)
    for note in notes:
        log.warning("erased bytes were left in the database", reason=note)
    return notes


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
