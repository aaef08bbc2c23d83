"""Materials: the envelopes behind commitments that are not documents of a schema.

A request's envelope, an officer, a case number, the handle of a person, a full consent record: the
ledger has 32 bytes of each, the vault has the envelope, sealed like a credential. A material
belongs to a record (its uid) in a role, such as the `case` of an exchange. Where an agency must
find records by what is inside (all exchanges of one case), a keyed fingerprint of it stands
beside, which tells nothing to whoever has the database without the key.
"""

from dataclasses import dataclass
from typing import Any, Final

from atesta_client.canonical import MAX_DOCUMENT_SIZE, dump_canonical, load_json
from atesta_client.envelopes import Envelope, decode_envelope, encode_envelope
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    insert,
    select,
)

from api.databases import Database
from api.errors import LimitExceeded
from api.vault.keys import MasterKey, Sealed
from api.vault.tables import METADATA, SEQUENCE

MATERIALS: Final = Table(
    "materials",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("uid", LargeBinary(32), nullable=False),
    Column("role", String(32), nullable=False),
    Column("commitment", LargeBinary(32), nullable=False),
    Column("reference", LargeBinary(32)),
    Column("created_s", BigInteger, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Index("materials_by_uid", "uid", "role", unique=True),
    Index("materials_by_reference", "role", "reference", "sequence"),
    Index("materials_by_commitment", "commitment"),
)


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


class Materials:
    """The envelopes of one agency."""

    def __init__(self, database: Database, master_key: MasterKey) -> None:
        self._database = database
        self._key = master_key

    async def put(self, materials: tuple[Material, ...], *, now_s: int) -> None:
        """Keep envelopes, all or none; durable on return. One in the same place is replaced.

        Raises `LimitExceeded` for one that is too large to be read again.
        """
        rows = [self._seal(material, now_s) for material in materials]

        def add(connection: Connection) -> None:
            for row in rows:
                connection.execute(
                    delete(MATERIALS).where(
                        MATERIALS.c.uid == row["uid"], MATERIALS.c.role == row["role"]
                    )
                )
                connection.execute(insert(MATERIALS).values(**row))

        if rows:
            await self._database.write(add)

    async def discard(self, uid: bytes) -> None:
        """Forget the envelopes of a record that the ledger refused."""

        def remove(connection: Connection) -> None:
            connection.execute(delete(MATERIALS).where(MATERIALS.c.uid == uid))

        await self._database.write(remove)

    async def find(self, uid: bytes, role: str) -> Envelope | None:
        """Open one envelope of a record; raises `VaultDamaged` if its bytes were changed."""
        query = select(MATERIALS).where(MATERIALS.c.uid == uid, MATERIALS.c.role == role)
        row = await self._database.read(lambda c: c.execute(query).one_or_none())
        return None if row is None else self._open(row).envelope

    async def get_all(self, uid: bytes) -> dict[str, Envelope]:
        """Open all envelopes of a record, by role."""
        query = select(MATERIALS).where(MATERIALS.c.uid == uid)
        rows = await self._database.read(lambda c: c.execute(query).all())
        return {row.role: self._open(row).envelope for row in rows}

    async def find_by_commitment(self, commitment: bytes) -> Envelope | None:
        """Open the envelope behind a commitment, whichever record it belongs to."""
        query = select(MATERIALS).where(MATERIALS.c.commitment == commitment).limit(1)
        row = await self._database.read(lambda c: c.execute(query).one_or_none())
        return None if row is None else self._open(row).envelope

    async def list_by_reference(
        self, role: str, reference: str, *, limit: int = 1000
    ) -> tuple[bytes, ...]:
        """Return the uids of the records whose envelope in `role` has this reference."""
        query = (
            select(MATERIALS.c.uid)
            .where(
                MATERIALS.c.role == role,
                MATERIALS.c.reference == self._compute_reference(role, reference),
            )
            .order_by(MATERIALS.c.sequence)
            .limit(limit)
        )
        rows = await self._database.read(lambda c: c.execute(query).scalars().all())
        return tuple(bytes(uid) for uid in rows)

    def derive_salt(self, kind: str, reference: str) -> bytes:
        """Return the salt that this vault always uses for what a reference names; 32 bytes.

        For what must have the same commitment in every record, such as a company. Its domain is
        another than that of the fingerprints in the table, which are no secret to who has the file.
        """
        return self._key.compute_reference(
            b"salt-of-" + kind.encode().ljust(24, b"\0"), reference.encode()
        )

    def _seal(self, material: Material, now_s: int) -> dict[str, Any]:
        plain = dump_canonical(encode_envelope(material.envelope))
        if len(plain) > MAX_DOCUMENT_SIZE:
            raise LimitExceeded(
                f"an envelope holds at most {MAX_DOCUMENT_SIZE} bytes",
                field=material.role,
                next_step="send less at once, or by a standing exchange",
            )
        sealed = self._key.seal(plain, _build_identity(material.uid, material.role))
        return {
            "uid": material.uid,
            "role": material.role,
            "commitment": material.envelope.commitment,
            "reference": None
            if material.reference is None
            else self._compute_reference(material.role, material.reference),
            "created_s": now_s,
            "wrapped_key": sealed.wrapped_key,
            "ciphertext": sealed.ciphertext,
        }

    def _open(self, row: Row[Any]) -> Material:
        uid = bytes(row.uid)
        plain = self._key.open(
            Sealed(wrapped_key=bytes(row.wrapped_key), ciphertext=bytes(row.ciphertext)),
            _build_identity(uid, row.role),
        )
        return Material(uid=uid, role=row.role, envelope=decode_envelope(load_json(plain)))

    def _compute_reference(self, role: str, reference: str) -> bytes:
        return self._key.compute_reference(role.encode().ljust(32, b"\0"), reference.encode())


def _build_identity(uid: bytes, role: str) -> bytes:
    return b"material" + uid + role.encode()
