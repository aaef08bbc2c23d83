"""Three copies of the sign state, and what their disagreement means.

Copies are written in one order: first file, second file, database. The message leaves only when all
three are durable, so after a crash each may be at most one record behind the one before it. Any
other finding (a copy missing, damaged, further behind, or ahead of an earlier one) means that a
disk forgot or that somebody restored a backup, and this validator no longer knows what it has
signed. Then it does not sign, until the operator resumes it (`resume`).

A node's first key has its two files in the folder itself. A key that is made for the same node
later has them in a folder within, named by its address (`find_sign_folder`), and takes nothing of
the old key's away: who goes back to that one finds what it has signed.

The database keeps the newest record under one key. It is useless on its own, since databases are
what loses synced writes, but it notices when the files were replaced by older ones.
"""

from dataclasses import replace
from pathlib import Path

from consensus.errors import LocalFault as ConsensusLocalFault
from consensus.sign_state import (
    SignIdentity,
    SignRecord,
    SignState,
    decode_record,
    encode_record,
    make_floor,
)
from consensus.types import Address, Height
from node.storage.crashpoints import CrashPoints
from node.storage.keys import SIGN_STATES
from node.storage.kv import KeyValueStore, WriteBatch
from node.validator.errors import SignStateExists, SignStateForeign, SignStateUnusable
from node.validator.ports import FileAccess
from node.validator.sign_files import FILE_NAMES, SignFiles

FOLDER_NAME = "sign_state"
"""Folder of the two files inside the node's data folder."""

_WRITE_KIND = "sign_state_copy"
_NO_HEIGHT = Height(0)


class DurableSignState:
    """The sign state of one key on disk; a `SignStateStore`."""

    def __init__(
        self,
        folder: Path,
        store: KeyValueStore,
        identity: SignIdentity,
        *,
        crash_points: CrashPoints | None = None,
        access: FileAccess | None = None,
    ) -> None:
        """Use the files in `folder` and the copy in `store`, for the key and chain given.

        A simulator gives an `access` to files of its own.
        """
        self._folder = folder
        self._files = SignFiles(folder, crash_points=crash_points, access=access)
        self._store = store
        self._identity = identity

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self._folder

    def load(self) -> SignState:
        """Return the guard with the last record.

        Raises SignStateUnusable, with what to do, if the copies do not agree as a crash would leave
        them; SignStateForeign if they belong to another key or chain.
        """
        first, second = self._files.read()
        for name, record in zip(FILE_NAMES, (first, second), strict=True):
            self._validate_identity(record, name)
        if first.number - second.number not in (0, 1):
            raise SignStateUnusable(
                f"{FILE_NAMES[0]} is record {first.number}, {FILE_NAMES[1]} is {second.number}; "
                "no crash leaves them so"
            )
        if first.number == second.number and first != second:
            raise SignStateUnusable(f"the two files disagree about record {first.number}")
        self._validate_copy(first, second)
        if second.number < first.number:
            # The crash came between the two files. Nothing was sent, but the place is taken.
            self._files.write(first)
        self._write_copy(encode_record(first))
        return SignState(first)

    def persist(self, record: SignRecord) -> None:
        """Write all copies; durable on return. Raises SignStateNotWritten or a storage error."""
        assert record.identity == self._identity, "a record of another key or chain"
        data = encode_record(record)
        self._files.write_encoded(data)
        self._write_copy(data)

    def reset(self, height: Height) -> SignState:
        """Forbid everything up to `height` and allow what is above; ends a resume.

        A readable record that is above `height` stays in force. With one copy sound it is the last
        one that was sent, or one that was not, since a message leaves after the third copy.
        """
        known = (*self._files.read_intact(), *self.read_copies())
        number = max((record.number for record in known), default=0) + 1
        above = [r for r in known if r.identity == self._identity and r.height > height]
        if above:
            newest = max(above, key=lambda record: record.number)
            record = replace(newest, number=number)
        else:
            record = make_floor(self._identity, number=number, height=height)
        self.persist(record)
        return SignState(record)

    def get_highest_known(self) -> Height | None:
        """Return the highest height of any copy that can still be read, None if none can."""
        records = (*self._files.read_intact(), *self.read_copies())
        heights = [record.height for record in records if record.identity == self._identity]
        return max(heights, default=None)

    def read_copies(self) -> tuple[SignRecord, ...]:
        """Return the database copy if it can be read."""
        data = self._store.get(_copy_key(self._identity.validator))
        try:
            return () if data is None else (decode_record(data),)
        except ConsensusLocalFault:
            return ()

    def _validate_identity(self, record: SignRecord, where: str) -> None:
        if record.identity.validator != self._identity.validator:
            raise SignStateForeign(
                f"{where} is of key 0x{record.identity.validator.hex()}, "
                f"not 0x{self._identity.validator.hex()}",
                field="sign state",
                next_step="Use the data folder that belongs to this key",
            )
        if record.identity != self._identity:
            raise SignStateForeign(
                f"{where} is of chain {record.identity.chain_id} with genesis "
                f"0x{record.identity.genesis_hash.hex()}, not of this chain",
                field="sign state",
                next_step="A validator key serves one chain; make a new key for this one",
            )

    def _validate_copy(self, first: SignRecord, second: SignRecord) -> None:
        data = self._store.get(_copy_key(self._identity.validator))
        if data is None:
            if second.number == 0:
                return  # a new key: its first start
            raise SignStateUnusable("the database has no copy of it although the files have")
        try:
            copy = decode_record(data)
        except ConsensusLocalFault as fault:
            raise SignStateUnusable(f"its copy in the database is damaged: {fault}") from None
        self._validate_identity(copy, "the copy in the database")
        if copy.number > second.number:
            raise SignStateUnusable(
                f"the files are at record {second.number}, behind the database at {copy.number}: "
                "they were replaced by older ones"
            )
        if copy.number < first.number - 1:
            raise SignStateUnusable(
                f"the database is at record {copy.number}, behind the files at {first.number}: "
                "it has lost writes"
            )

    def _write_copy(self, data: bytes) -> None:
        batch = WriteBatch()
        batch.put(_copy_key(self._identity.validator), data)
        self._store.write(batch, kind=_WRITE_KIND)


def find_sign_folder(root: Path, validator: Address) -> Path:
    """Return where a key's files are in a node's sign-state folder: its own folder, if it has one.

    `root` is the folder of the node's first key, and of a key whose files have been lost.
    """
    own = root / f"0x{validator.hex()}"
    return own if own.exists() else root


def create_sign_state(root: Path, identity: SignIdentity) -> None:
    """Give a key that has just been made its first sign state, beside those of older keys.

    Only whoever makes a new key may call this: for a key that has ever signed, an empty sign state
    is a licence to contradict itself. Raises SignStateExists if there is one already, or one whose
    key cannot be read.
    """
    files = SignFiles(root)
    if files.exist():
        found = files.read_intact()
        if not found or any(record.identity.validator == identity.validator for record in found):
            raise _refuse_replacement(root)
        own = root / f"0x{identity.validator.hex()}"
        files = SignFiles(own)
        if files.exist():
            raise _refuse_replacement(own)
    files.write(make_floor(identity, number=0, height=_NO_HEIGHT))


def finish_sign_state(folder: Path, identity: SignIdentity) -> None:
    """Go on after a crash while a key's first sign state was being made, or right after it.

    What the crash left is the empty record of this key and chain, in the first file or in both;
    what has signed anything has a higher record. Raises SignStateExists if anything else is there.
    """
    files = SignFiles(folder)
    empty = make_floor(identity, number=0, height=_NO_HEIGHT)
    present = [(folder / name).exists() for name in FILE_NAMES]
    found = files.read_intact()
    is_damaged = len(found) != sum(present) or present == [False, True]
    if is_damaged or any(record != empty for record in found):
        raise _refuse_replacement(folder)
    files.write(empty)


def _refuse_replacement(folder: Path) -> SignStateExists:
    return SignStateExists(
        f"{folder} holds a sign state already",
        field="sign state",
        next_step="Keep it; a validator must not forget what it signed",
    )


def _copy_key(validator: Address) -> bytes:
    return SIGN_STATES + validator
