"""Of each credential the ledger for which it was made; none for those of the vault's own ledger."""

from alembic import op
from sqlalchemy import Column, LargeBinary

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column."""
    op.add_column("records", Column("ledger", LargeBinary(32)))
