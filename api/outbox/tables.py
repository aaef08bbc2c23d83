"""The tables of the outbox.

`operations` holds one row a promised write; `attempts` the earlier signatures of those whose nonce
an outside transaction took; `accounts` the next nonce of each signing account. Nothing personal
stands here: the body of a request is kept only as a keyed fingerprint made by the vault.
"""

from typing import Final

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

LEADING: Final = "webhooks"
"""What one of several API processes that share an outbox does for all of them."""

METADATA = MetaData()
"""All tables of the agency's own database; other modules add theirs."""

SEQUENCE = BigInteger().with_variant(Integer(), "sqlite")
"""A growing 64-bit row number; SQLite numbers rows by itself only in an INTEGER column."""

OPERATIONS = Table(
    "operations",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("idempotency_key", String(200), nullable=False, unique=True),
    Column("body_fingerprint", LargeBinary(32), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("uid", LargeBinary(32), nullable=False, index=True),
    # One live creation a uid: null for what creates nothing, and for what failed.
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

ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("id", SEQUENCE, primary_key=True, autoincrement=True),
    Column("operation", ForeignKey("operations.sequence"), nullable=False, index=True),
    Column("nonce", BigInteger, nullable=False),
    Column("transaction_hash", LargeBinary(32), nullable=False, unique=True),
)

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("address", LargeBinary(20), primary_key=True),
    Column("next_nonce", BigInteger, nullable=False),
)
