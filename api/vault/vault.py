"""Keeping credentials, finding them again, and noticing the same certificate twice.

A record's identity (uid, schema, version) is authenticated with its ciphertext, so that a record
moved under another uid, or an older version put back, does not open. Erasing takes the record, with
everything else that is sealed for its uid, out of every copy there is (`api.vault.erasure`).

The reference rule, by which a certificate is attested once, is in `api.vault.claims`.
"""

import asyncio
import copy
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from atesta_client.credentials import (
    BatchPath,
    Credential,
    decode_credential,
    encode_credential,
    with_batch_path,
)
from atesta_client.hashing import DIGEST_SIZE
from atesta_client.pointers import JsonValue
from sqlalchemy import Connection, Delete, Row, delete, insert, select

from api.errors import ApiError, InvalidField
from api.vault.batching import Batcher
from api.vault.ciphers import Sealed
from api.vault.claims import Claim, Claims, compute_reference
from api.vault.epoch_keys import EpochKey
from api.vault.erasure import ErasureReason, ErasureReport, erase_records
from api.vault.erasure_journal import Erased
from api.vault.keyring import EpochGone, Keyring
from api.vault.restrictions import Restriction, check_purpose, find_restrictions
from api.vault.sealed_tables import build_record_identity
from api.vault.stored import (
    SELECT_CREDENTIALS,
    NewCredential,
    StoredCredential,
    UidTaken,
    find_by_key,
    find_stored,
    is_of_ledgers,
    read_stored,
    store,
)
from api.vault.tables import CLAIMS, MEMBERS, RECORDS
from api.vault.witness import CREDENTIAL, UNWITNESSED, Opened, Witness

__all__ = ["NewCredential", "StoredCredential", "UidTaken", "Vault"]

_MAX_VERSION: Final = 2**31 - 1
"""Versions are random, so that of what stood under a uid before nothing opens in a new row."""

_MOST: Final = 128


class Vault:
    """Credentials of one agency."""

    def __init__(self, keyring: Keyring, witness: Witness = UNWITNESSED) -> None:
        """Open under a keyring; `witness` is told of each credential that is opened."""
        self._keyring = keyring
        self._database = keyring.database
        self._witness = witness
        self._claims = Claims(keyring)
        self._puts = Batcher(self._put_all, most=_MOST)
        self._opens = Batcher(self._open_all, most=_MOST)

    def under(self, witness: Witness) -> "Vault":
        """Return the same vault, opened before another witness."""
        twin = copy.copy(self)
        twin._witness = witness  # noqa: SLF001 - its own, not shared yet
        return twin

    def compute_body_fingerprint(self, body: bytes) -> bytes:
        """Return a fingerprint of a request that only this vault can make; 32 bytes."""
        return self._keyring.fingerprints.compute_body_fingerprint(body)

    async def put(self, new: NewCredential) -> StoredCredential:
        """Keep a credential; durable on return. The same key returns the same record.

        Raises `UidTaken` or `IdempotencyKeyReused`; then nothing was stored.
        """
        if await self.find_erased(new.credential.record.uid) is not None:
            raise UidTaken
        return await self._puts.do(new)

    async def erase(
        self, uids: Collection[bytes], *, reason: ErasureReason, now_s: int
    ) -> ErasureReport:
        """Erase records with all that is sealed for them, in every copy; final on return.

        Uids of records that are erased, or that the vault never had, do no harm. Raises
        `UpstreamFault` where a place of the keys or the database fails; then `find_erased` says
        which side of the erasure the records are on.
        """
        return await asyncio.to_thread(
            erase_records, self._keyring, uids, reason=reason, now_s=now_s
        )

    async def find_erased(self, uid: bytes) -> Erased | None:
        """Return when and why a record was erased; None if it was not."""
        await self._keyring.look()
        return self._keyring.find_erased(uid)

    async def find_by_key(
        self, idempotency_key: str, body_fingerprint: bytes
    ) -> StoredCredential | None:
        """Return what an earlier, equal request made; raises `IdempotencyKeyReused`."""
        return await self._keyring.read(
            partial(
                find_by_key,
                idempotency_key=idempotency_key,
                body_fingerprint=body_fingerprint,
                unveil=self._keyring.unveil,
            )
        )

    async def find(self, uid: bytes) -> StoredCredential | None:
        """Return what is known of a credential without opening it."""
        return await self._database.read(lambda c: find_stored(c, [uid]).get(uid))

    async def open(self, uid: bytes) -> Credential | None:
        """Decrypt a credential, with its batch path where it has one; None if not here.

        Raises `VaultDamaged` if its bytes were changed, and `RecordRestricted` for one that is kept
        for storage only.
        """
        if await self.find_erased(uid) is not None:
            return None
        opened = await self._opens.do(uid)
        if opened is None:
            return None
        check_purpose(self._witness, opened.restriction)
        self._witness.note([Opened(uid, CREDENTIAL)])
        return opened.credential

    async def get_page(
        self,
        *,
        limit: int,
        before: int | None,
        schema_uid: bytes | None,
        ledgers: Collection[bytes | None] | None = None,
    ) -> list[StoredCredential]:
        """Return credentials newest first, unopened; those of `ledgers` only, if given."""
        query = SELECT_CREDENTIALS.order_by(RECORDS.c.sequence.desc()).limit(limit)
        if ledgers is not None:
            query = query.where(is_of_ledgers(ledgers))
        if before is not None:
            query = query.where(RECORDS.c.sequence < before)
        if schema_uid is not None:
            query = query.where(RECORDS.c.schema_uid == schema_uid)
        return await self._database.read(lambda c: [read_stored(row) for row in c.execute(query)])

    async def list_by_reference(
        self, schema_uid: bytes, document: JsonValue, pointers: Sequence[str]
    ) -> tuple[bytes, ...]:
        """Return the credentials of a schema that name the same certificate as a document."""
        reference = compute_reference(self._keyring, schema_uid, document, pointers)
        if reference is None:
            return ()

        def find(connection: Connection) -> tuple[bytes, ...]:
            uids = connection.execute(
                select(RECORDS.c.uid)
                .where(
                    RECORDS.c.schema_uid == schema_uid,
                    RECORDS.c.reference.in_(self._keyring.find_veils(connection, reference)),
                )
                .order_by(RECORDS.c.sequence)
            ).scalars()
            return tuple(bytes(uid) for uid in uids)

        return await self._keyring.read(find)

    async def claim(self, uid: bytes, now_s: int) -> Claim:
        """Claim a record's certificate and return whom that met (`api.vault.claims`)."""
        return await self._claims.claim(uid, now_s)

    async def claim_opened(
        self,
        uid: bytes,
        *,
        schema_uid: bytes,
        document: JsonValue,
        pointers: Sequence[str],
        now_s: int,
    ) -> Claim:
        """Claim the certificate of a document that is not kept (`api.vault.claims`)."""
        return await self._claims.claim_opened(
            uid, schema_uid=schema_uid, document=document, pointers=pointers, now_s=now_s
        )

    async def release(self, claim: Claim) -> None:
        """Give up a claim: the record was not attested after all."""
        await self._claims.release(claim)

    async def discard(self, uid: bytes) -> None:
        """Forget a credential that was made for an attestation which the ledger refused."""

        def remove(connection: Connection) -> None:
            connection.execute(delete(CLAIMS).where(CLAIMS.c.uid == uid))
            connection.execute(delete(RECORDS).where(RECORDS.c.uid == uid))

        await self._database.write(remove)

    async def seal_batch(self, paths: dict[bytes, BatchPath]) -> None:
        """Note for each credential the path to the batch root that will stand for it.

        Raises `InvalidField` if one is sealed in another batch already.
        """

        def add(connection: Connection) -> None:
            rows = []
            for uid, path in paths.items():
                present = connection.execute(
                    select(MEMBERS.c.batch).where(MEMBERS.c.uid == uid)
                ).scalar_one_or_none()
                if present is None:
                    rows.append(
                        {
                            "uid": uid,
                            "batch": path.uid,
                            "place": path.index,
                            "size": path.count,
                            "path": b"".join(path.path),
                        }
                    )
                elif bytes(present) != path.uid:
                    raise InvalidField("members", "a member is sealed in another batch already")
            if rows:
                connection.execute(insert(MEMBERS), rows)

        await self._database.write(add)

    async def unseal_batch(self, batch: bytes) -> None:
        """Forget the paths of a batch that was not accepted after all."""
        await self._database.write(
            partial(_delete, delete(MEMBERS).where(MEMBERS.c.batch == batch))
        )

    async def _put_all(
        self, items: Sequence[NewCredential]
    ) -> Sequence[StoredCredential | Exception]:
        return await self._keyring.write(
            lambda key: [self._seal(new, key) for new in items],
            partial(store, unveil=self._keyring.unveil),
            count=len(items),
        )

    async def _open_all(self, uids: Sequence[bytes]) -> Sequence["_Held | Exception | None"]:
        opened = await self._database.read(partial(self._load, uids=uids))
        for place, found in enumerate(opened):
            if isinstance(found, EpochGone):
                opened[place] = await self._open_again(uids[place])
        return opened

    async def _open_again(self, uid: bytes) -> "_Held | Exception | None":
        """Open a credential that was wrapped anew while it was read."""

        def load(connection: Connection) -> _Held | Exception | None:
            (found,) = self._load(connection, uids=[uid])
            if isinstance(found, EpochGone):
                raise found
            return found

        try:
            return await self._keyring.read(load)
        except ApiError as error:
            return error

    def _load(
        self, connection: Connection, *, uids: Sequence[bytes]
    ) -> list["_Held | Exception | None"]:
        query = SELECT_CREDENTIALS.where(RECORDS.c.uid.in_(uids))
        restrictions = find_restrictions(connection, uids)
        found: dict[bytes, _Held | Exception] = {}
        for row in connection.execute(query):
            uid = bytes(row.uid)
            try:
                found[uid] = _Held(credential=self._open(row), restriction=restrictions.get(uid))
            except ApiError as error:
                found[uid] = error
        return [found.get(uid) for uid in uids]

    def _seal(self, new: NewCredential, key: EpochKey) -> dict[str, Any]:
        record = new.credential.record
        reference = compute_reference(
            self._keyring, record.schema.uid, new.credential.document, new.reference
        )
        version = 1 + secrets.randbelow(_MAX_VERSION)
        sealed = key.seal(
            encode_credential(new.credential),
            build_record_identity(record.uid, record.schema.uid, version),
        )
        return {
            "uid": record.uid,
            "schema_uid": record.schema.uid,
            "ledger": record.ledger.genesis_hash,
            "version": version,
            "algorithm": int(record.algorithm),
            "commitment": record.commitment,
            "valid_until_s": record.valid_until_s,
            "previous": new.previous,
            "reference": None if reference is None else key.veil(reference),
            "created_s": new.created_s,
            "idempotency_key": new.idempotency_key,
            "body_fingerprint": key.veil(new.body_fingerprint),
            "epoch": sealed.epoch,
            "wrapped_key": sealed.wrapped_key,
            "ciphertext": sealed.ciphertext,
        }

    def _open(self, row: Row[Any]) -> Credential:
        uid, schema_uid = bytes(row.uid), bytes(row.schema_uid)
        plain = self._keyring.open(
            Sealed(
                epoch=row.epoch,
                wrapped_key=bytes(row.wrapped_key),
                ciphertext=bytes(row.ciphertext),
            ),
            build_record_identity(uid, schema_uid, row.version),
        )
        credential = decode_credential(plain)
        if row.batch is None:
            return credential
        joined = bytes(row.path)
        return with_batch_path(
            credential,
            BatchPath(
                uid=bytes(row.batch),
                index=row.place,
                count=row.size,
                path=tuple(
                    joined[start : start + DIGEST_SIZE]
                    for start in range(0, len(joined), DIGEST_SIZE)
                ),
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A credential as the vault has it, for whoever may have it."""

    credential: Credential
    restriction: Restriction | None


def _delete(statement: Delete, connection: Connection) -> None:
    connection.execute(statement)
