"""Orders to erase: what a tombstone is promised for, until the vault has erased it too."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "erasure_orders",
        Column("uid", LargeBinary(32), primary_key=True),
        Column("reason", String(24), nullable=False),
        Column("caller", String(200), nullable=False),
        Column("ordered_s", BigInteger, nullable=False),
        Column("batch", LargeBinary(32)),
        Column("place", BigInteger),
        Column("attempt", Integer, nullable=False),
        Column("operation", String(40)),
        Column("problem", String(500)),
        Column("block", BigInteger),
        Column("block_time_s", BigInteger),
        Column("finished_s", BigInteger),
    )
    op.create_index("erasure_orders_by_end", "erasure_orders", ["finished_s"])
