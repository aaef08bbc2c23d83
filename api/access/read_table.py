"""The table of reads, in the vault's database: it is as private as what it tells of.

It only grows, and its list is asked by any two filters and a time. Two words that each stand in
half of all rows may never meet, and whoever looks for them by one of the two goes through that
half. So every filter and every pair of filters has an index, each in the order of the list.
"""

from itertools import combinations
from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table

from api.vault.tables import METADATA, SEQUENCE

FILTERS: Final = ("caller", "purpose", "operation", "what")
"""Columns of words by which the list is narrowed."""

_ORDER: Final = ("read_s", "sequence")

READS: Final = Table(
    "reads",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("read_s", BigInteger, nullable=False),
    # Label and kind of proof; never the token.
    Column("caller", String(200), nullable=False),
    Column("method", String(16), nullable=False),
    # The operation of REST, or what else worked under the caller's name.
    Column("operation", String(64), nullable=False),
    # A word, or the uid of a purpose on the ledger.
    Column("purpose", String(66), nullable=False),
    Column("uid", LargeBinary(32), nullable=False),
    # `credential`, or the role of a material.
    Column("what", String(32), nullable=False),
    # The request's line in the log.
    Column("request_id", String(32), nullable=False),
    Index("reads_by_uid", "uid", *_ORDER),
    Index("reads_by_time", *_ORDER),
    *(Index(f"reads_by_{name}", name, *_ORDER) for name in FILTERS),
    *(Index(f"reads_by_{one}_{two}", one, two, *_ORDER) for one, two in combinations(FILTERS, 2)),
)
