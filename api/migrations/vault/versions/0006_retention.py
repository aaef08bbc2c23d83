"""Storage only, and erasing all of a person as one act."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the tables, and to each order the act that it is part of."""
    op.create_table(
        "restrictions",
        Column("uid", LargeBinary(32), primary_key=True),
        Column("cause", String(16), nullable=False),
        Column("basis", LargeBinary(32)),
        Column("legal_reference", String(500)),
        Column("restricted_s", BigInteger, nullable=False),
        Column("until_s", BigInteger),
    )
    op.create_index("restrictions_by_end", "restrictions", ["until_s"])
    op.create_table(
        "person_erasures",
        Column("id", LargeBinary(32), primary_key=True),
        Column("reason", String(24), nullable=False),
        Column("caller", String(200), nullable=False),
        Column("ordered_s", BigInteger, nullable=False),
        Column("records", Integer, nullable=False),
        Column("kept", Integer, nullable=False),
        Column("finished_s", BigInteger),
    )
    op.create_index("person_erasures_by_end", "person_erasures", ["finished_s"])
    op.add_column("erasure_orders", Column("act", LargeBinary(32)))
    op.create_index("erasure_orders_by_act", "erasure_orders", ["act"])
