"""The vault's first tables; those of a vault from before its migrations stay as they are."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

revision = "0001"
down_revision = None

_TABLES = MetaData()
_SEQUENCE = BigInteger().with_variant(Integer(), "sqlite")

Table(
    "vault",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("master_key", LargeBinary(8), nullable=False),
)
Table(
    "records",
    _TABLES,
    Column("sequence", _SEQUENCE, primary_key=True, autoincrement=True),
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
Table(
    "claims",
    _TABLES,
    Column("sequence", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("schema_uid", LargeBinary(32), nullable=False),
    Column("reference", LargeBinary(32), nullable=False),
    Column("uid", LargeBinary(32), nullable=False, unique=True),
    Column("claimed_s", BigInteger, nullable=False),
    Index("claims_by_reference", "schema_uid", "reference"),
)
Table(
    "members",
    _TABLES,
    Column("uid", ForeignKey("records.uid"), primary_key=True),
    Column("batch", LargeBinary(32), nullable=False, index=True),
    Column("place", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("path", LargeBinary, nullable=False),
)
Table(
    "materials",
    _TABLES,
    Column("sequence", _SEQUENCE, primary_key=True, autoincrement=True),
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
Table(
    "imports",
    _TABLES,
    Column("sequence", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("act", String(40), nullable=False),
    Column("idempotency_key", String(200), nullable=False, unique=True),
    Column("body_fingerprint", LargeBinary(32), nullable=False),
    Column("state", String(12), nullable=False, index=True),
    Column("lines", Integer, nullable=False),
    Column("created_s", BigInteger, nullable=False),
    Column("finished_s", BigInteger),
    Column("problem", Text),
    Column("worker", String(40)),
    Column("lease_until_s", BigInteger),
)
Table(
    "import_lines",
    _TABLES,
    Column("import_id", ForeignKey("imports.id"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("state", String(12), nullable=False),
    Column("uid", LargeBinary(32)),
    Column("depends", LargeBinary(32)),
    Column("weight", Integer, nullable=False),
    Column("is_single", Boolean, nullable=False),
    Column("group_line", Integer),
    Column("operation", String(40)),
    Column("field", String(200)),
    Column("code", String(100)),
    Column("reason", Text),
    Column("rule", String(200)),
    Column("wrapped_key", LargeBinary),
    Column("ciphertext", LargeBinary),
    Index("import_lines_by_state", "import_id", "state", "line"),
)


def upgrade() -> None:
    """Make the tables that are not there."""
    _TABLES.create_all(op.get_bind())
