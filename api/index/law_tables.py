"""The tables of the index for the records of the ledger's law.

All kinds of records share one table: what every record has stands in columns, the rest as JSON in
`terms`, exactly as the creating event said it. Whatever a record names (a party, a dataset, a
basis, a consent) is a row of `law_links`, so that one mechanism answers every filter, and the graph
of provenance is walked in both directions. A link repeats the record's kind, own kind, position and
state, so that a filtered list is cut along an index, wherever the page begins and however rare the
state or the own kind is.

Each contract knows the uids of its own kinds only, so two records of different kinds may share one.
A row is therefore named by uid and kind; whoever took a uid first is found by the uid alone.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from api.index.tables import METADATA

PERIOD_KIND: Final = "period"
"""Kind of the record of a period, which is named by its exchange and its number."""

PERIOD_CHANGED: Final = "exchange.period"
"""Kind of the events of periods, which stand with the exchange."""

LAW_RECORDS: Final = Table(
    "law_records",
    METADATA,
    # The record's uid; for a period keccak256(exchange ‖ period), for a key binding the key's
    # address after twelve zero bytes.
    Column("uid", LargeBinary(32), primary_key=True),
    Column("kind", String(24), primary_key=True),
    Column("position", BigInteger, nullable=False, unique=True),
    # What the contract calls the record's own kind: of a consent, a basis, a mandate; an exchange's
    # mode.
    Column("subkind", SmallInteger),
    # The owner; who entered or recorded it; an exchange's requester; a consent's provider.
    Column("agency", LargeBinary(32), nullable=False),
    # An exchange's provider; a consent's recipient.
    Column("counterparty", LargeBinary(32)),
    Column("state", SmallInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    # The number of a version, of a period, of a board.
    Column("place", BigInteger),
    Column("event_time_s", BigInteger),
    Column("valid_from_s", BigInteger),
    Column("valid_until_s", BigInteger),
    # When the record ceased to hold although nobody changed its state: the declaration of a
    # withdrawal, the succession of a board.
    Column("ended_s", BigInteger),
    Column("due_s", BigInteger),
    # The same while somebody still has to act: nobody has decided the request, or the recipient has
    # not answered the withdrawal.
    Column("open_due_s", BigInteger),
    Column("is_late", Boolean, nullable=False),
    Column("previous", LargeBinary(32)),
    Column("successor", LargeBinary(32)),
    Column("key", LargeBinary(20)),
    Column("block", BigInteger, nullable=False),
    Column("time_s", BigInteger, nullable=False),
    # Position of the last event of the record.
    Column("changed", BigInteger, nullable=False),
    Column("terms", Text, nullable=False),
    Index("law_records_by_kind", "kind", "position"),
    Index("law_records_by_state", "kind", "state", "position"),
    Index("law_records_by_subkind", "kind", "subkind", "position"),
    Index("law_records_by_subkind_state", "kind", "subkind", "state", "position"),
    # Few are open; who looks for those that are due need not read the records themselves.
    Index(
        "law_records_by_open_due",
        *("open_due_s", "kind", "time_s", "ended_s", "due_s", "agency", "counterparty", "uid"),
        sqlite_where=text("open_due_s IS NOT NULL"),
        postgresql_where=text("open_due_s IS NOT NULL"),
    ),
)

LAW_LINKS: Final = Table(
    "law_links",
    METADATA,
    Column("uid", LargeBinary(32), primary_key=True),
    Column("role", String(24), primary_key=True),
    Column("target", LargeBinary(32), primary_key=True),
    Column("kind", String(24), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("subkind", SmallInteger),
    Index("law_links_by_target", "target", "role", "kind", "position"),
    Index("law_links_by_state", "target", "role", "kind", "state", "position"),
    Index(
        "law_links_by_subkind",
        *("target", "role", "kind", "subkind", "position", "state"),
        sqlite_where=text("subkind IS NOT NULL"),
        postgresql_where=text("subkind IS NOT NULL"),
    ),
)

# The parties of an event's record besides the agency that the event itself names.
EVENT_PARTIES: Final = Table(
    "event_parties",
    METADATA,
    Column("agency", LargeBinary(32), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(40), nullable=False),
    Index("event_parties_by_kind", "agency", "kind", "position"),
)

LAYOUT: Final = Table(
    "layout",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
)
