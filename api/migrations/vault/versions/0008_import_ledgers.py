"""Of each bulk import the ledger that it is for; none for those of the vault's own ledger."""

from alembic import op
from sqlalchemy import Column, LargeBinary

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column."""
    op.add_column("imports", Column("ledger", LargeBinary(32)))
