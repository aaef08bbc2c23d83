"""The tables of the index.

`position` numbers every event of the chain: block number times 2^20 plus its place in the block.
It grows with the chain, so it serves as the order of lists, as the cursor of pages and as the
primary key of history.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

METADATA = MetaData()
"""All tables of the index."""

LOGS_PER_BLOCK: Final = 1 << 20
"""More events than a block can hold."""

CURSOR = Table(
    "cursor",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("genesis_hash", LargeBinary(32), nullable=False),
)

BLOCKS = Table(
    "blocks",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("parent_hash", LargeBinary(32), nullable=False),
    Column("time_s", BigInteger, nullable=False),
    Index("blocks_by_time", "time_s"),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(40), nullable=False),
    # The record, or for the registry's events the agency.
    Column("uid", LargeBinary(32), nullable=False),
    Column("agency", LargeBinary(32), nullable=False),
    Column("schema_uid", LargeBinary(32)),
    # The record superseded, or the agency accredited.
    Column("related", LargeBinary(32)),
    Column("place", BigInteger),
    # The state that it led to, and the one that its record has from then on.
    Column("state", SmallInteger),
    Column("state_after", SmallInteger),
    Column("reason", SmallInteger),
    Column("event_time_s", BigInteger),
    # Who signed, which is a resident's own key where no agency is its author; and who handed it in,
    # where that was somebody else.
    Column("key", LargeBinary(20)),
    Column("submitter", LargeBinary(20)),
    Column("block", BigInteger, nullable=False),
    Column("transaction_hash", LargeBinary(32), nullable=False),
    # All that the event says, as JSON, for the records of the ledger's law.
    Column("details", Text),
    Index("events_by_uid", "uid", "position"),
    Index("events_by_related", "related", "position"),
    Index("events_by_agency", "agency", "position"),
    Index("events_by_agency_kind", "agency", "kind", "position"),
    Index("events_by_kind", "kind", "position"),
)

SCHEMAS = Table(
    "schemas",
    METADATA,
    Column("uid", LargeBinary(32), primary_key=True),
    Column("position", BigInteger, nullable=False, unique=True),
    Column("owner", LargeBinary(32), nullable=False),
    Column("pointers_hash", LargeBinary(32), nullable=False),
    Column("document_hash", LargeBinary(32), nullable=False),
    Column("leaf_count", BigInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("time_s", BigInteger, nullable=False),
    Index("schemas_by_owner", "owner", "position"),
)

ACCREDITATIONS = Table(
    "accreditations",
    METADATA,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("schema_uid", LargeBinary(32), nullable=False),
    Column("agency", LargeBinary(32), nullable=False),
    Column("since_block", BigInteger, nullable=False),
    Column("since_s", BigInteger, nullable=False),
    Column("until_block", BigInteger),
    Column("until_s", BigInteger),
    Index("accreditations_by_schema", "schema_uid", "position"),
)

ATTESTATIONS = Table(
    "attestations",
    METADATA,
    Column("uid", LargeBinary(32), primary_key=True),
    Column("position", BigInteger, nullable=False, unique=True),
    Column("issuer", LargeBinary(32), nullable=False),
    Column("schema_uid", LargeBinary(32), nullable=False),
    Column("commitment", LargeBinary(32), nullable=False),
    Column("algorithm", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("valid_until_s", BigInteger, nullable=False),
    Column("event_time_s", BigInteger, nullable=False),
    Column("previous", LargeBinary(32)),
    Column("successor", LargeBinary(32)),
    Column("key", LargeBinary(20), nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("time_s", BigInteger, nullable=False),
    Index("attestations_by_issuer", "issuer", "position"),
    Index("attestations_by_schema", "schema_uid", "position"),
    Index("attestations_by_issuer_schema", "issuer", "schema_uid", "position"),
    # A rare state is found among a million records only if it stands before the position.
    Index("attestations_by_state", "state", "position"),
    Index("attestations_by_issuer_state", "issuer", "state", "position"),
    Index("attestations_by_schema_state", "schema_uid", "state", "position"),
    Index("attestations_by_all", "issuer", "schema_uid", "state", "position"),
    Index("attestations_by_previous", "previous"),
)

BATCHES = Table(
    "batches",
    METADATA,
    Column("uid", LargeBinary(32), primary_key=True),
    Column("position", BigInteger, nullable=False, unique=True),
    Column("issuer", LargeBinary(32), nullable=False),
    Column("schema_uid", LargeBinary(32), nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("algorithm", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("event_time_s", BigInteger, nullable=False),
    Column("key", LargeBinary(20), nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("time_s", BigInteger, nullable=False),
    Index("batches_by_issuer", "issuer", "position"),
    Index("batches_by_schema", "schema_uid", "position"),
    Index("batches_by_state", "state", "position"),
    Index("batches_by_issuer_state", "issuer", "state", "position"),
    Index("batches_by_schema_state", "schema_uid", "state", "position"),
)

LEAVES = Table(
    "leaves",
    METADATA,
    Column("batch", LargeBinary(32), primary_key=True),
    Column("place", BigInteger, primary_key=True),
    Column("state", SmallInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("block", BigInteger, nullable=False),
)
