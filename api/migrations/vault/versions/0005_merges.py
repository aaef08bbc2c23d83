"""Merges: matching two persons, which one officer proposes and another one decides."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "merges",
        Column(
            "sequence",
            BigInteger().with_variant(Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        Column("uid", LargeBinary(32), nullable=False, unique=True),
        Column("state", String(12), nullable=False),
        Column("proposer", String(200), nullable=False),
        Column("proposed_s", BigInteger, nullable=False),
        Column("decider", String(200)),
        Column("decided_s", BigInteger),
        Column("reverses", LargeBinary(32)),
    )
    op.create_index("merges_by_state", "merges", ["state", "sequence"])
