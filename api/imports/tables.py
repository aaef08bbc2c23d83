"""The tables of imports, in the vault's database: what waits there is sealed like a document."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from api.vault.tables import METADATA, SEQUENCE

IMPORTS = Table(
    "imports",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("act", String(40), nullable=False),
    Column("idempotency_key", String(200), nullable=False, unique=True),
    Column("body_fingerprint", LargeBinary(32), nullable=False),
    Column("state", String(12), nullable=False, index=True),
    Column("lines", Integer, nullable=False),
    Column("created_s", BigInteger, nullable=False),
    Column("finished_s", BigInteger),
    # What stops it for now, such as a key without the role; null while it goes on.
    Column("problem", Text),
    # Which process worked on it last, and when; the name of the column is of an older version.
    Column("worker", String(40)),
    Column("lease_until_s", BigInteger),
    # Hash of block 0 of the ledger that it is for; null: the own one of the API.
    Column("ledger", LargeBinary(32)),
)

IMPORT_LINES = Table(
    "import_lines",
    METADATA,
    Column("import_id", ForeignKey("imports.id"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("state", String(12), nullable=False),
    Column("uid", LargeBinary(32)),
    Column("depends", LargeBinary(32)),
    # What it costs in gas, about.
    Column("weight", Integer, nullable=False),
    # Tried in a group of its own, after its group was refused.
    Column("is_single", Boolean, nullable=False),
    Column("group_line", Integer),
    Column("operation", String(40)),
    Column("field", String(200)),
    Column("code", String(100)),
    Column("reason", Text),
    Column("rule", String(200)),
    Column("wrapped_key", LargeBinary),
    Column("ciphertext", LargeBinary),
    Column("epoch", BigInteger),
    Index("import_lines_by_state", "import_id", "state", "line"),
    Index("import_lines_by_epoch", "epoch", "line"),
)
