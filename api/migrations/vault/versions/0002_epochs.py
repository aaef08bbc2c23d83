"""Erasure epochs: which key wraps a row, what was erased; versions of materials.

The rows themselves are wrapped anew by `api.vault.upgrade`, which needs the keys.
"""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String

revision = "0002"
down_revision = "0001"

_ROW_NUMBERS = {"records": "sequence", "materials": "sequence", "import_lines": "line"}


def upgrade() -> None:
    """Add the columns and the tables."""
    for table, number in _ROW_NUMBERS.items():
        op.add_column(table, Column("epoch", BigInteger))
        op.create_index(f"{table}_by_epoch", table, ["epoch", number])
    op.add_column("materials", Column("version", Integer))
    op.create_table(
        "epochs",
        Column("epoch", BigInteger, primary_key=True, autoincrement=False),
        Column("state", String(12), nullable=False),
        Column("successor", BigInteger),
        Column("created_s", BigInteger, nullable=False),
    )
    op.create_table(
        "erasures",
        Column("uid", LargeBinary(32), primary_key=True),
        Column("reason", String(24), nullable=False),
        Column("erased_s", BigInteger, nullable=False),
    )
    op.create_index("erasures_by_time", "erasures", ["erased_s"])
