"""Claims: who is about to attest a certificate, or has attested it.

A schema names which fields together name one certificate. Their keyed fingerprint is claimed when a
record of it is about to be attested; all other claims on the same fingerprint are the rivals.
Whether a rival is alive is for the ledger to say, so the rivals are returned and the caller
decides: a record may be attested only if each of them is dead or is the one that it supersedes.

Whoever claims writes first and looks then, and transactions that write follow each other
(`api.databases`). So of two that claim at once at least one meets the other, in whatever order they
come; and a record that claims again, because its first attempt came to nothing, meets also those
that came after its first claim.

A credential file that is opened to this node and not kept leaves a claim too, for otherwise the
same certificate could be attested beside it: the fingerprint, in an envelope that says nothing
else. It is a material of the record, so it moves from epoch to epoch, is in backups, and goes when
the record is erased, like all that is sealed.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from atesta_client.canonical import dump_canonical
from atesta_client.envelopes import encode_envelope, seal_envelope
from atesta_client.pointers import Absent, JsonValue, get_value, parse_pointer
from sqlalchemy import Connection, Delete, delete, insert, select, update

from api.vault.epoch_keys import EpochKey
from api.vault.keyring import Keyring
from api.vault.sealed_tables import build_material_identity
from api.vault.stored import Rival
from api.vault.tables import CLAIMS, MATERIALS, RECORDS

CERTIFICATE_ROLE: Final = "certificate"
"""Role of the material that is the claim of a record whose credential is not kept."""

IN_FLIGHT_S: Final = 60
"""A claim this young may belong to a request that is still being served."""

_KIND: Final = "certificate-claim"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A record's claim on its certificate, and whom it met."""

    uid: bytes
    claimed_s: int
    """Grows with each claim of the record, so it names this one."""
    replaced_s: int | None
    """When the record's earlier claim was made, whose place this one took; None without one."""
    rivals: tuple[Rival, ...]
    """Other records that claim the certificate, oldest first."""
    commitment: bytes | None = None
    """Of the envelope, where the credential is not kept."""

    @property
    def is_shared(self) -> bool:
        """Whether another request for the same record may rest on it as well."""
        return self.replaced_s is not None and self.claimed_s - self.replaced_s < IN_FLIGHT_S


class Claims:
    """The claims of one agency's records on their certificates."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._database = keyring.database

    async def claim(self, uid: bytes, now_s: int) -> Claim:
        """Claim the certificate of a credential of the vault, anew if it was claimed before.

        A record whose schema names no reference, or without values there, has no rivals.
        """

        def add(connection: Connection) -> Claim:
            row = connection.execute(
                select(RECORDS.c.schema_uid, RECORDS.c.reference, RECORDS.c.epoch).where(
                    RECORDS.c.uid == uid
                )
            ).one()
            if row.reference is None:
                return _claim_nothing(uid, now_s)
            mine = CLAIMS.c.uid == uid
            replaced_s = connection.execute(
                select(CLAIMS.c.claimed_s).where(mine)
            ).scalar_one_or_none()
            claimed_s = _choose_time(now_s, replaced_s)
            if replaced_s is None:
                values = {"schema_uid": row.schema_uid, "reference": row.reference, "uid": uid}
                connection.execute(insert(CLAIMS).values(**values, claimed_s=claimed_s))
            else:
                connection.execute(update(CLAIMS).where(mine).values(claimed_s=claimed_s))
            fingerprint = self._keyring.unveil(row.epoch, bytes(row.reference))
            return Claim(
                uid=uid,
                claimed_s=claimed_s,
                replaced_s=replaced_s,
                rivals=self._find_rivals(connection, uid, bytes(row.schema_uid), fingerprint),
            )

        return await self._keyring.retry(lambda: self._database.write(add))

    async def claim_opened(
        self,
        uid: bytes,
        *,
        schema_uid: bytes,
        document: JsonValue,
        pointers: Sequence[str],
        now_s: int,
    ) -> Claim:
        """Claim the certificate of a document of which nothing else is kept here.

        `pointers` are those whose values name the certificate.
        """
        fingerprint = compute_reference(self._keyring, schema_uid, document, pointers)
        if fingerprint is None:
            return _claim_nothing(uid, now_s)
        # There is nothing to say in it: that it is there is the claim.
        envelope = seal_envelope(_KIND, {}, secrets.token_bytes)
        plain = dump_canonical(encode_envelope(envelope))
        veiled = self._compute_material_reference(fingerprint)

        def add(connection: Connection, key: EpochKey) -> Claim:
            mine = (MATERIALS.c.uid == uid, MATERIALS.c.role == CERTIFICATE_ROLE)
            earlier = connection.execute(
                select(MATERIALS.c.created_s, MATERIALS.c.version).where(*mine)
            ).one_or_none()
            version = 1 if earlier is None else (earlier.version or 0) + 1
            replaced_s = None if earlier is None else earlier.created_s
            claimed_s = _choose_time(now_s, replaced_s)
            connection.execute(delete(MATERIALS).where(*mine))
            sealed = key.seal(plain, build_material_identity(uid, CERTIFICATE_ROLE, version))
            connection.execute(
                insert(MATERIALS).values(
                    uid=uid,
                    role=CERTIFICATE_ROLE,
                    commitment=envelope.commitment,
                    reference=key.veil(veiled),
                    created_s=claimed_s,
                    version=version,
                    epoch=sealed.epoch,
                    wrapped_key=sealed.wrapped_key,
                    ciphertext=sealed.ciphertext,
                )
            )
            return Claim(
                uid=uid,
                claimed_s=claimed_s,
                replaced_s=replaced_s,
                rivals=self._find_rivals(connection, uid, schema_uid, fingerprint),
                commitment=envelope.commitment,
            )

        return await self._keyring.write(lambda key: key, add)

    async def release(self, claim: Claim) -> None:
        """Give a claim up, because its record was not attested after all.

        One that another request for the same record has made anew, or may rest on, stays; it
        counts for `IN_FLIGHT_S` if nothing comes of it.
        """
        if claim.is_shared:
            return
        if claim.commitment is None:
            statement = delete(CLAIMS).where(
                CLAIMS.c.uid == claim.uid, CLAIMS.c.claimed_s == claim.claimed_s
            )
        else:
            statement = delete(MATERIALS).where(
                MATERIALS.c.uid == claim.uid,
                MATERIALS.c.role == CERTIFICATE_ROLE,
                MATERIALS.c.commitment == claim.commitment,
            )
        await self._database.write(partial(_execute, statement))

    def _find_rivals(
        self, connection: Connection, uid: bytes, schema_uid: bytes, fingerprint: bytes
    ) -> tuple[Rival, ...]:
        veils = self._keyring.find_veils(connection, fingerprint)
        claimed = select(CLAIMS.c.uid, CLAIMS.c.claimed_s, CLAIMS.c.sequence).where(
            CLAIMS.c.schema_uid == schema_uid,
            CLAIMS.c.reference.in_(veils),
            CLAIMS.c.uid != uid,
        )
        veils = self._keyring.find_veils(connection, self._compute_material_reference(fingerprint))
        opened = select(MATERIALS.c.uid, MATERIALS.c.created_s, MATERIALS.c.sequence).where(
            MATERIALS.c.role == CERTIFICATE_ROLE,
            MATERIALS.c.reference.in_(veils),
            MATERIALS.c.uid != uid,
        )
        found = {
            bytes(other): (claimed_s, sequence)
            for query in (claimed, opened)
            for other, claimed_s, sequence in connection.execute(query)
        }
        return tuple(
            Rival(uid=other, claimed_s=found[other][0])
            for other in sorted(found, key=found.__getitem__)
        )

    def _compute_material_reference(self, fingerprint: bytes) -> bytes:
        """Return the fingerprint under which a material of this role is found; 32 bytes."""
        return self._keyring.fingerprints.compute_reference(
            CERTIFICATE_ROLE.encode().ljust(32, b"\0"), fingerprint
        )


def compute_reference(
    keyring: Keyring, schema_uid: bytes, document: JsonValue, pointers: Sequence[str]
) -> bytes | None:
    """Return the keyed fingerprint of a certificate; None if the document has no values there."""
    values = [get_value(document, parse_pointer(pointer)) for pointer in pointers]
    if all(isinstance(value, Absent) for value in values):
        return None
    written = [[] if isinstance(value, Absent) else [value] for value in values]
    return keyring.fingerprints.compute_reference(schema_uid, dump_canonical(written))


def _claim_nothing(uid: bytes, now_s: int) -> Claim:
    return Claim(uid=uid, claimed_s=now_s, replaced_s=None, rivals=())


def _choose_time(now_s: int, replaced_s: int | None) -> int:
    """Return the time of a claim: later than the one that it replaces, also in one second."""
    return now_s if replaced_s is None else max(now_s, replaced_s + 1)


def _execute(statement: Delete, connection: Connection) -> None:
    connection.execute(statement)
