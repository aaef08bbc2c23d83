"""The tables of the vault.

Beside the sealed records stand only values that are random (uids), public (schemas, commitments,
times) or keyed (fingerprints). `versions` exist so that a record can be sealed again, for example
under another key, without ever accepting an older sealing in its place.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

METADATA = MetaData()
"""All tables of the vault."""

SEQUENCE = BigInteger().with_variant(Integer(), "sqlite")

VAULT = Table(
    "vault",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("master_key", LargeBinary(8), nullable=False),
)

RECORDS = Table(
    "records",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("uid", LargeBinary(32), nullable=False, unique=True),
    Column("schema_uid", LargeBinary(32), nullable=False),
    Column("version", Integer, nullable=False),
    Column("algorithm", Integer, nullable=False),
    Column("commitment", LargeBinary(32), nullable=False),
    Column("valid_until_s", BigInteger, nullable=False),
    Column("previous", LargeBinary(32)),
    Column("reference", LargeBinary(32)),
    Column("created_s", BigInteger, nullable=False),
    Column("idempotency_key", String(200), unique=True),
    Column("body_fingerprint", LargeBinary(32)),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Index("records_by_schema", "schema_uid", "sequence"),
)

CLAIMS = Table(
    "claims",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("schema_uid", LargeBinary(32), nullable=False),
    Column("reference", LargeBinary(32), nullable=False),
    Column("uid", LargeBinary(32), nullable=False, unique=True),
    Column("claimed_s", BigInteger, nullable=False),
    Index("claims_by_reference", "schema_uid", "reference"),
)

MEMBERS = Table(
    "members",
    METADATA,
    Column("uid", ForeignKey("records.uid"), primary_key=True),
    Column("batch", LargeBinary(32), nullable=False, index=True),
    Column("place", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("path", LargeBinary, nullable=False),
)
