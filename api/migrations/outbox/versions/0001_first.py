"""The outbox's first tables; those of an outbox from before its migrations stay as they are."""

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
    UniqueConstraint,
)

revision = "0001"
down_revision = None

_TABLES = MetaData()
_SEQUENCE = BigInteger().with_variant(Integer(), "sqlite")

Table(
    "operations",
    _TABLES,
    Column("sequence", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("idempotency_key", String(200), nullable=False, unique=True),
    Column("body_fingerprint", LargeBinary(32), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("uid", LargeBinary(32), nullable=False, index=True),
    Column("claim", String(120), unique=True),
    Column("account", LargeBinary(20), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("target", LargeBinary(20), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("gas", BigInteger, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("transaction_hash", LargeBinary(32), nullable=False, unique=True),
    Column("state", String(12), nullable=False),
    Column("unopened", Boolean, nullable=False),
    Column("record", String(200), nullable=False),
    Column("created_s", BigInteger, nullable=False),
    Column("sent_s", BigInteger),
    Column("block", BigInteger),
    Column("block_time_s", BigInteger),
    Column("error", Text),
    UniqueConstraint("account", "nonce"),
    Index("operations_by_state", "state", "sequence"),
)
Table(
    "attempts",
    _TABLES,
    Column("id", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("operation", ForeignKey("operations.sequence"), nullable=False, index=True),
    Column("nonce", BigInteger, nullable=False),
    Column("transaction_hash", LargeBinary(32), nullable=False, unique=True),
)
Table(
    "accounts",
    _TABLES,
    Column("address", LargeBinary(20), primary_key=True),
    Column("next_nonce", BigInteger, nullable=False),
)
Table(
    "webhooks",
    _TABLES,
    Column("id", String(32), primary_key=True),
    Column("url", Text, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("agency", LargeBinary(32)),
    Column("secret", LargeBinary, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("next_try_s", BigInteger, nullable=False),
    Column("last_error", Text),
    Column("delivered", BigInteger, nullable=False),
    Column("created_s", BigInteger, nullable=False),
    Column("is_active", Boolean, nullable=False),
)
Table(
    "public_texts",
    _TABLES,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("language", String(35), nullable=False),
    Column("body", Text, nullable=False),
    Column("stored_s", BigInteger, nullable=False),
)
Table(
    "schema_texts",
    _TABLES,
    Column("uid", LargeBinary(32), primary_key=True),
    Column("document_hash", LargeBinary(32), primary_key=True),
    Column("title", Text, nullable=False),
    Column("pointers", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("stored_s", BigInteger, nullable=False),
)
Table(
    "prepared_acts",
    _TABLES,
    Column("id", String(40), primary_key=True),
    Column("act", String(40), nullable=False),
    Column("uid", LargeBinary(32), nullable=False),
    Column("contract", String(40), nullable=False),
    Column("call", LargeBinary, nullable=False),
    Column("signer", LargeBinary(20), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("deadline_s", BigInteger, nullable=False, index=True),
    Column("event_time_s", BigInteger, nullable=False),
    Column("record", String(200), nullable=False),
    Column("claim", String(120)),
    Column("gas", BigInteger, nullable=False),
    Column("unopened", Boolean, nullable=False),
    Column("texts", Text, nullable=False),
    Column("created_s", BigInteger, nullable=False),
)
Table(
    "challenges",
    _TABLES,
    Column("nonce", LargeBinary(32), primary_key=True),
    Column("purpose", String(100), nullable=False),
    Column("issued_s", BigInteger, nullable=False),
    Column("expires_s", BigInteger, nullable=False, index=True),
    Column("used_s", BigInteger),
)


def upgrade() -> None:
    """Make the tables that are not there."""
    _TABLES.create_all(op.get_bind())
