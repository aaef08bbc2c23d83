"""What the API has to know of the network behind it before it asks anything."""

from dataclasses import dataclass
from typing import Final

from api.finality import QBFT, Finality
from api.networks.fees import FeePolicy
from contracts.address_book import GENESIS_BOOK, AddressBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One network, as its ledger is read."""

    book: AddressBook = GENESIS_BOOK
    """Where the ledger's contracts stand."""
    finality: Finality = QBFT
    """What it calls final, and up to where the API reads."""
    first_block: int | None = None
    """The block from which on the ledger can have events; None: from the first that there is."""
    poll_s: float = 0.5
    """Pause before asking for new blocks, where nobody tells of them."""
    fees: FeePolicy | None = None
    """What a transaction may cost; None where it costs nothing."""

    @property
    def is_ours(self) -> bool:
        """Whether the ledger began with a genesis file of ours."""
        return self.book is GENESIS_BOOK


OURS: Final = Network()
"""A node of this ledger, in process or over HTTP."""
