"""What the explorer's handlers share, under one typed key."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from api.explorer.chain import ChainReader
from api.explorer.records import RecordReader
from api.index.index import Index
from api.rest.services import RestServices


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorerServices:
    """The explorer's readers."""

    chain: ChainReader
    records: RecordReader
    index: Index
    rest: RestServices
    """What answers the same questions under `/v1`."""
    ledger_name: str | None
    """What the ledger is called in page titles; None takes its chain number."""


SERVICES: Final = web.AppKey("explorer_services", ExplorerServices)
