"""The record of reads: who opened what, when, and what for."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "reads",
        Column(
            "sequence",
            BigInteger().with_variant(Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        Column("read_s", BigInteger, nullable=False),
        Column("caller", String(200), nullable=False),
        Column("method", String(16), nullable=False),
        Column("operation", String(64), nullable=False),
        Column("purpose", String(66), nullable=False),
        Column("uid", LargeBinary(32), nullable=False),
        Column("what", String(32), nullable=False),
        Column("request_id", String(32), nullable=False),
    )
    op.create_index("reads_by_uid", "reads", ["uid", "sequence"])
    op.create_index("reads_by_caller", "reads", ["caller", "sequence"])
    op.create_index("reads_by_purpose", "reads", ["purpose", "sequence"])
    op.create_index("reads_by_time", "reads", ["read_s"])
