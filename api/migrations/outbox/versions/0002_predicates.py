"""Yes/no fields in the texts of schemas; those kept before have none."""

from alembic import op
from sqlalchemy import Column, Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    op.add_column("schema_texts", Column("predicates", Text))
