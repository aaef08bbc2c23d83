"""The record of reads by every filter and every pair of them, in the order of its list."""

from itertools import combinations

from alembic import op

revision = "0009"
down_revision = "0008"

_FILTERS = ("caller", "purpose", "operation", "what")
_ORDER = ("read_s", "sequence")


def upgrade() -> None:
    """Make the indexes anew."""
    for name in ("uid", "caller", "purpose", "time"):
        op.drop_index(f"reads_by_{name}", "reads")
    op.create_index("reads_by_uid", "reads", ["uid", *_ORDER])
    op.create_index("reads_by_time", "reads", list(_ORDER))
    for name in _FILTERS:
        op.create_index(f"reads_by_{name}", "reads", [name, *_ORDER])
    for one, two in combinations(_FILTERS, 2):
        op.create_index(f"reads_by_{one}_{two}", "reads", [one, two, *_ORDER])
