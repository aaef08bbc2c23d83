"""Migrations: how the tables of vault and outbox go from one version of this code to the next.

What is in these two databases cannot be had again from anywhere, so a change of their tables is
written down as a numbered step, `versions/NNNN_<what>.py`, run once by Alembic. Each step is
written against the tables as they were then, never against the code's tables of today, which the
last step must lead to exactly (a test compares them). The index is not migrated: it is read again
from the chain (`api.index.layout`).

To add one: change the tables, write `versions/NNNN_<what>.py` with the next number and the number
before it as `down_revision`, and add a line to `tests/unit/databases/lineages.py`
that says what must be found afterwards in a database that was filled before. Steps go forward only:
whoever wants the tables of before restores the backup of before.
"""
