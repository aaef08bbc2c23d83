"""An event of the ledger's contracts with its place in the chain."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.index.tables import LOGS_PER_BLOCK
from api.ledger import LogEntry
from contracts import codec
from contracts.address_book import GENESIS_BOOK, AddressBook
from contracts.errors import CodecError


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedEvent:
    """A decoded event with its place in the chain."""

    name: str
    args: Mapping[str, Any]
    position: int
    block: int
    time_s: int
    transaction_hash: bytes
    submitter: bytes | None = None
    """Account that sent the transaction; known only where it is not the author's, and matters."""


def decode_event(
    entry: LogEntry, time_s: int, book: AddressBook = GENESIS_BOOK
) -> PlacedEvent | None:
    """Decode a log of the ledger's contracts; None for an event that this version does not know.

    After a governed upgrade a contract may emit events that an older index cannot read; it goes on
    with what it understands.
    """
    contract = book.find_name(entry.address)
    if contract is None:
        return None
    try:
        decoded = codec.decode_log(contract, entry.topics, entry.data)
    except CodecError:
        return None
    return PlacedEvent(
        name=decoded.event,
        args=decoded.args,
        position=entry.block_number * LOGS_PER_BLOCK + entry.log_index,
        block=entry.block_number,
        time_s=time_s,
        transaction_hash=entry.transaction_hash,
    )
