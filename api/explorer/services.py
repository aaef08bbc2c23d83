"""What the explorer's handlers share, under one typed key."""

from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from api.explorer.chain import ChainReader
from api.explorer.ledgers import find_root
from api.explorer.records import RecordReader
from api.index.index import Index
from api.rest.services import RestServices


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorerServices:
    """The explorer's readers, on one ledger."""

    chain: ChainReader
    records: RecordReader
    index: Index
    rest: RestServices
    """What answers the same questions under `/v1`."""
    ledger_name: str | None
    """What the ledger is called in page titles; None takes its chain number."""
    explorers: dict[str, "ExplorerServices"] = field(default_factory=dict)
    """Those of all ledgers of the API by name; filled while they are opened, then only read."""

    @property
    def root(self) -> str:
        """Path below which its pages are."""
        return find_root(self.rest)


SERVICES: Final = web.AppKey("explorer_services", ExplorerServices)


def open_explorers(own: RestServices, *, ledger_name: str | None) -> tuple[ExplorerServices, ...]:
    """Return the explorers of all ledgers of an API, the own one first.

    With one ledger, `ledger_name` is its name in page titles; several are called as in REST.
    """
    explorers: dict[str, ExplorerServices] = {}
    for rest in own.ledgers:
        chain = ChainReader(rest.ledger.raw, rest.ledger.network, now_s=rest.now)
        explorers[rest.ledger_name] = ExplorerServices(
            chain=chain,
            records=RecordReader(chain, rest.index),
            index=rest.index,
            rest=rest,
            ledger_name=ledger_name if len(own.ledgers) == 1 else rest.ledger_name,
            explorers=explorers,
        )
    return tuple(explorers.values())
