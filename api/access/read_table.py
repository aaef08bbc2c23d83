"""The table of reads, in the vault's database: it is as private as what it tells of."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table

from api.vault.tables import METADATA, SEQUENCE

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
    Index("reads_by_uid", "uid", "sequence"),
    Index("reads_by_caller", "caller", "sequence"),
    Index("reads_by_purpose", "purpose", "sequence"),
    Index("reads_by_time", "read_s"),
)
