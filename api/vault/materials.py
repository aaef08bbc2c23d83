"""Materials: the envelopes behind commitments that are not documents of a schema.

A request's envelope, an officer, a case number, the handle of a person, a full consent record: the
ledger has 32 bytes of each, the vault has the envelope, sealed like a credential. A material
belongs to a record (its uid) in a role, such as the `case` of an exchange. Where an agency must
find records by what is inside (all exchanges of one case), a keyed fingerprint of it stands
beside, which tells nothing to whoever has the database without the key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from atesta_client.canonical import MAX_DOCUMENT_SIZE, dump_canonical, load_json
from atesta_client.envelopes import Envelope, decode_envelope, encode_envelope
from sqlalchemy import Connection, Row, Select, delete, insert, select

from api.errors import LimitExceeded, UpstreamFault
from api.vault.ciphers import Sealed
from api.vault.epoch_keys import EpochKey
from api.vault.keyring import Keyring
from api.vault.restrictions import check_purpose, find_restrictions
from api.vault.sealed_tables import build_material_identity
from api.vault.tables import MATERIALS
from api.vault.witness import UNWITNESSED, Opened, Witness

_CHUNK: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """One envelope of one record."""

    uid: bytes
    """The record that it belongs to."""
    role: str
    """What it is for that record: `request`, `case`, `officer`, `decision_officer`, ..."""
    envelope: Envelope
    reference: str | None = None
    """By what it is found again, such as a case number; only a keyed fingerprint is stored."""
    is_lasting: bool = False
    """Whether more than one record rests on it, such as a person's handle: it stays in the vault
    even if the ledger refuses the act for which it was made."""
    is_first: bool = False
    """Whether no other one may stand in its role with its reference, or in its place."""


class ReferenceTaken(UpstreamFault):
    """An envelope that was to be the first with its reference met another; nothing was kept.

    Whoever was to keep it looks again; it is told to callers only if that does not end.
    """

    def __init__(self) -> None:
        super().__init__("others write of the same person all the time", code="vault_busy")


class Materials:
    """The envelopes of one agency."""

    def __init__(self, keyring: Keyring, witness: Witness = UNWITNESSED) -> None:
        """Open under a keyring; `witness` is told of each envelope that is opened."""
        self._keyring = keyring
        self._database = keyring.database
        self._witness = witness

    def under(self, witness: Witness) -> "Materials":
        """Return the same envelopes, opened before another witness."""
        return Materials(self._keyring, witness)

    async def put(self, materials: tuple[Material, ...], *, now_s: int) -> None:
        """Keep envelopes, all or none; durable on return. One in the same place is replaced.

        Raises `LimitExceeded` for one that is too large to be read again, and `ReferenceTaken`.
        """
        if not materials:
            return

        def seal(key: EpochKey) -> list[_NewRow]:
            return [self._seal(material, key, now_s) for material in materials]

        def store(connection: Connection, rows: Sequence[_NewRow]) -> None:
            # Writers are one after the other, so of several that come at once one is the first.
            for material in materials:
                if material.is_first:
                    self._require_first(connection, material)
            _store(connection, rows)

        await self._keyring.write(seal, store, count=len(materials))

    async def discard(self, uid: bytes) -> None:
        """Forget the envelopes of a record that the ledger refused."""

        def remove(connection: Connection) -> None:
            connection.execute(delete(MATERIALS).where(MATERIALS.c.uid == uid))

        await self._database.write(remove)

    async def discard_each(self, places: Sequence[tuple[bytes, str, bytes]]) -> None:
        """Forget single envelopes by uid, role and commitment; one replaced since then stays."""

        def remove(connection: Connection) -> None:
            for uid, role, commitment in places:
                connection.execute(
                    delete(MATERIALS).where(
                        MATERIALS.c.uid == uid,
                        MATERIALS.c.role == role,
                        MATERIALS.c.commitment == commitment,
                    )
                )

        await self._database.write(remove)

    async def find(self, uid: bytes, role: str) -> Envelope | None:
        """Open one envelope of a record.

        Raises `VaultDamaged` if its bytes were changed, and `RecordRestricted` for a record that is
        kept for storage only.
        """
        query = select(MATERIALS).where(MATERIALS.c.uid == uid, MATERIALS.c.role == role)
        return await self._find_first(query)

    async def get_all(self, uid: bytes) -> dict[str, Envelope]:
        """Open all envelopes of a record, by role; raises `RecordRestricted`."""
        query = select(MATERIALS).where(MATERIALS.c.uid == uid)

        def load(connection: Connection) -> dict[str, Envelope]:
            rows = connection.execute(query).all()
            if rows:
                self._check_purpose(connection, uid)
            return {row.role: self._open(row) for row in rows}

        opened = await self._keyring.read(load)
        self._witness.note([Opened(uid, role) for role in opened])
        return opened

    async def find_by_commitment(self, commitment: bytes) -> Envelope | None:
        """Open the envelope behind a commitment, whichever record it belongs to, as `find` does."""
        query = select(MATERIALS).where(MATERIALS.c.commitment == commitment).limit(1)
        return await self._find_first(query)

    async def list_by_reference(
        self, role: str, reference: str, *, limit: int = 1000
    ) -> tuple[bytes, ...]:
        """Return the uids of the records whose envelope in `role` has this reference."""
        fingerprint = self._compute_reference(role, reference)

        def find(connection: Connection) -> tuple[bytes, ...]:
            veils = self._keyring.find_veils(connection, fingerprint)
            uids = connection.execute(
                select(MATERIALS.c.uid)
                .where(MATERIALS.c.role == role, MATERIALS.c.reference.in_(veils))
                .order_by(MATERIALS.c.sequence)
                .limit(limit)
            ).scalars()
            return tuple(bytes(uid) for uid in uids)

        return await self._keyring.read(find)

    async def list_held(
        self, uids: Sequence[bytes], roles: Sequence[str]
    ) -> tuple[tuple[bytes, str], ...]:
        """Return which of these records have envelopes in which of these roles, opening none."""

        def find(connection: Connection) -> tuple[tuple[bytes, str], ...]:
            found = []
            for start in range(0, len(uids), _CHUNK):
                chunk = uids[start : start + _CHUNK]
                query = select(MATERIALS.c.uid, MATERIALS.c.role).where(
                    MATERIALS.c.uid.in_(chunk), MATERIALS.c.role.in_(roles)
                )
                found += [(bytes(row.uid), str(row.role)) for row in connection.execute(query)]
            return tuple(found)

        return await self._database.read(find)

    def derive_salt(self, kind: str, reference: str) -> bytes:
        """Return the salt that this vault always uses for what a reference names; 32 bytes.

        For what must have the same commitment in every record, such as a company. Its domain is
        another than that of the fingerprints in the table, which are no secret to who has the file.
        """
        return self._keyring.fingerprints.compute_reference(
            b"salt-of-" + kind.encode().ljust(24, b"\0"), reference.encode()
        )

    def _require_first(self, connection: Connection, material: Material) -> None:
        """Raise `ReferenceTaken` unless there is nothing but this very envelope, kept before."""
        assert material.reference is not None, "it is by the reference that one is the first"
        fingerprint = self._compute_reference(material.role, material.reference)
        veils = self._keyring.find_veils(connection, fingerprint)
        others = select(MATERIALS.c.sequence).where(
            MATERIALS.c.role == material.role,
            MATERIALS.c.commitment != material.envelope.commitment,
        )
        for other in (MATERIALS.c.uid == material.uid, MATERIALS.c.reference.in_(veils)):
            if connection.execute(others.where(other).limit(1)).first() is not None:
                raise ReferenceTaken

    def _seal(self, material: Material, key: EpochKey, now_s: int) -> "_NewRow":
        plain = dump_canonical(encode_envelope(material.envelope))
        if len(plain) > MAX_DOCUMENT_SIZE:
            raise LimitExceeded(
                f"an envelope holds at most {MAX_DOCUMENT_SIZE} bytes",
                field=material.role,
                next_step="send less at once, or by a standing exchange",
            )
        reference = material.reference
        return _NewRow(
            key=key,
            plain=plain,
            values={
                "uid": material.uid,
                "role": material.role,
                "commitment": material.envelope.commitment,
                "reference": None
                if reference is None
                else key.veil(self._compute_reference(material.role, reference)),
                "created_s": now_s,
            },
        )

    async def _find_first(self, query: Select[Any]) -> Envelope | None:
        def load(connection: Connection) -> tuple[Opened, Envelope] | None:
            row = connection.execute(query).first()
            if row is None:
                return None
            self._check_purpose(connection, bytes(row.uid))
            return Opened(bytes(row.uid), row.role), self._open(row)

        found = await self._keyring.read(load)
        if found is None:
            return None
        self._witness.note([found[0]])
        return found[1]

    def _check_purpose(self, connection: Connection, uid: bytes) -> None:
        check_purpose(self._witness, find_restrictions(connection, [uid]).get(uid))

    def _open(self, row: Row[Any]) -> Envelope:
        sealed = Sealed(
            epoch=row.epoch, wrapped_key=bytes(row.wrapped_key), ciphertext=bytes(row.ciphertext)
        )
        identity = build_material_identity(bytes(row.uid), row.role, row.version)
        return decode_envelope(load_json(self._keyring.open(sealed, identity)))

    def _compute_reference(self, role: str, reference: str) -> bytes:
        return self._keyring.fingerprints.compute_reference(
            role.encode().ljust(32, b"\0"), reference.encode()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _NewRow:
    """An envelope on its way into the table, where it learns its version."""

    key: EpochKey
    plain: bytes
    values: dict[str, Any]


def _store(connection: Connection, rows: Sequence[_NewRow]) -> None:
    for row in rows:
        uid, role = row.values["uid"], row.values["role"]
        mine = (MATERIALS.c.uid == uid, MATERIALS.c.role == role)
        earlier = connection.execute(select(MATERIALS.c.version).where(*mine)).one_or_none()
        version = 1 if earlier is None else (earlier.version or 0) + 1
        if earlier is not None:
            connection.execute(delete(MATERIALS).where(*mine))
        sealed = row.key.seal(row.plain, build_material_identity(uid, role, version))
        connection.execute(
            insert(MATERIALS).values(
                **row.values,
                version=version,
                epoch=sealed.epoch,
                wrapped_key=sealed.wrapped_key,
                ciphertext=sealed.ciphertext,
            )
        )
