"""The tables of the vault.

Beside the sealed records stand only values that are random (uids), public (schemas, commitments,
times) or keyed (fingerprints). `versions` exist so that a record can be sealed again, for example
under another key, without ever accepting an older sealing in its place. Every sealed row names the
erasure epoch whose key wraps its data key; the keys themselves are not in the database.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

METADATA = MetaData()
"""All tables of the vault."""

SEQUENCE = BigInteger().with_variant(Integer(), "sqlite")

VAULT = Table(
    "vault",
    METADATA,
    Column("id", Integer, primary_key=True),
    # The id of the vault's first master key names the vault for good.
    Column("master_key", LargeBinary(8), nullable=False),
)

RECORDS = Table(
    "records",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("uid", LargeBinary(32), nullable=False, unique=True),
    Column("schema_uid", LargeBinary(32), nullable=False),
    Column("version", Integer, nullable=False),
    Column("algorithm", Integer, nullable=False),
    Column("commitment", LargeBinary(32), nullable=False),
    Column("valid_until_s", BigInteger, nullable=False),
    Column("previous", LargeBinary(32)),
    Column("reference", LargeBinary(32)),
    Column("created_s", BigInteger, nullable=False),
    Column("idempotency_key", String(200), unique=True),
    Column("body_fingerprint", LargeBinary(32)),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    # Null in rows of the first version that were not wrapped anew yet.
    Column("epoch", BigInteger),
    # Hash of block 0; null for what was kept while the vault served one ledger: its own.
    Column("ledger", LargeBinary(32)),
    Index("records_by_schema", "schema_uid", "sequence"),
    Index("records_by_epoch", "epoch", "sequence"),
)

CLAIMS = Table(
    "claims",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("schema_uid", LargeBinary(32), nullable=False),
    Column("reference", LargeBinary(32), nullable=False),
    Column("uid", LargeBinary(32), nullable=False, unique=True),
    Column("claimed_s", BigInteger, nullable=False),
    Index("claims_by_reference", "schema_uid", "reference"),
)

MEMBERS = Table(
    "members",
    METADATA,
    Column("uid", ForeignKey("records.uid"), primary_key=True),
    Column("batch", LargeBinary(32), nullable=False, index=True),
    Column("place", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("path", LargeBinary, nullable=False),
)

MATERIALS = Table(
    "materials",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("uid", LargeBinary(32), nullable=False),
    Column("role", String(32), nullable=False),
    Column("commitment", LargeBinary(32), nullable=False),
    Column("reference", LargeBinary(32)),
    Column("created_s", BigInteger, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("epoch", BigInteger),
    # Null for the only version of a row of the first version of the vault.
    Column("version", Integer),
    Index("materials_by_uid", "uid", "role", unique=True),
    Index("materials_by_reference", "role", "reference", "sequence"),
    Index("materials_by_commitment", "commitment"),
    Index("materials_by_epoch", "epoch", "sequence"),
)

EPOCHS = Table(
    "epochs",
    METADATA,
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    # open, closing (nothing new goes under it, its living move to the successor) or destroyed
    Column("state", String(12), nullable=False),
    Column("successor", BigInteger),
    Column("created_s", BigInteger, nullable=False),
)

ERASURES = Table(
    "erasures",
    METADATA,
    Column("uid", LargeBinary(32), primary_key=True),
    Column("reason", String(24), nullable=False),
    Column("erased_s", BigInteger, nullable=False),
    Index("erasures_by_time", "erased_s"),
)

ERASURE_ORDERS = Table(
    "erasure_orders",
    METADATA,
    Column("uid", LargeBinary(32), primary_key=True),
    Column("reason", String(24), nullable=False),
    Column("caller", String(200), nullable=False),
    Column("ordered_s", BigInteger, nullable=False),
    # Where it stands if a batch seals it: the row in `members` goes with the record.
    Column("batch", LargeBinary(32)),
    Column("place", BigInteger),
    # How often the ledger has refused the tombstone in a block after all.
    Column("attempt", Integer, nullable=False),
    Column("operation", String(40)),
    Column("problem", String(500)),
    # The block that holds the tombstone; null for what was never attested.
    Column("block", BigInteger),
    Column("block_time_s", BigInteger),
    Column("finished_s", BigInteger),
    # The erasure of a person that it is part of, until all of that is done.
    Column("act", LargeBinary(32)),
    Index("erasure_orders_by_end", "finished_s"),
    Index("erasure_orders_by_act", "act"),
)

PERSON_ERASURES = Table(
    "person_erasures",
    METADATA,
    Column("id", LargeBinary(32), primary_key=True),
    Column("reason", String(24), nullable=False),
    Column("caller", String(200), nullable=False),
    Column("ordered_s", BigInteger, nullable=False),
    # Only counts stay: which records were one person's is forgotten with the last of them.
    Column("records", Integer, nullable=False),
    Column("kept", Integer, nullable=False),
    Column("finished_s", BigInteger),
    Index("person_erasures_by_end", "finished_s"),
)

RESTRICTIONS = Table(
    "restrictions",
    METADATA,
    Column("uid", LargeBinary(32), primary_key=True),
    # request, withdrawal or term: `api.vault.restrictions`
    Column("cause", String(16), nullable=False),
    # The legal basis on the ledger for which alone it is read; null: the word `retained`.
    Column("basis", LargeBinary(32)),
    Column("legal_reference", String(500)),
    Column("restricted_s", BigInteger, nullable=False),
    # When it is erased; null: when a class of retention says so.
    Column("until_s", BigInteger),
    Index("restrictions_by_end", "until_s"),
)

MERGES = Table(
    "merges",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    # Random; what it says of persons is a material of this uid.
    Column("uid", LargeBinary(32), nullable=False, unique=True),
    # proposed, refused, approved (and not carried out yet) or applied
    Column("state", String(12), nullable=False),
    Column("proposer", String(200), nullable=False),
    Column("proposed_s", BigInteger, nullable=False),
    Column("decider", String(200)),
    Column("decided_s", BigInteger),
    Column("reverses", LargeBinary(32)),
    Index("merges_by_state", "state", "sequence"),
)
