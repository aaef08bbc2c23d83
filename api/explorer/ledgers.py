"""Which ledger a page is of, and the way to the others of the same API.

The own ledger is shown at `/explorer`, each further one below `/explorer/ledgers/{name}`: the same
pages, the same JSON. A page is of one ledger. Its links stay there, its title and its head name it,
and the head leads to the others. An API of one ledger shows nothing of all this.
"""

from dataclasses import dataclass
from typing import Final

from api.rest.services import RestServices

PREFIX: Final = "/explorer"
"""Where the own ledger is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerChoice:
    """One of several ledgers, as the head of a page offers it."""

    name: str
    root: str
    """Path of its first page."""
    is_own: bool
    is_here: bool
    """Whether it is the one that the page is of."""


def find_root(services: RestServices) -> str:
    """Return the path below which the pages of these services' ledger are."""
    if services.ledger_name == services.ledgers.own.ledger_name:
        return PREFIX
    return f"{PREFIX}/ledgers/{services.ledger_name}"


def list_choices(services: RestServices) -> tuple[LedgerChoice, ...]:
    """Return all ledgers of the API, the own one first; none where it has only one."""
    if len(services.ledgers) == 1:
        return ()
    return tuple(
        LedgerChoice(
            name=one.ledger_name,
            root=find_root(one),
            is_own=one.ledger_name == services.ledgers.own.ledger_name,
            is_here=one.ledger_name == services.ledger_name,
        )
        for one in services.ledgers
    )
