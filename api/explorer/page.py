"""What every page has besides its own facts: the state of the ledger, its name, the language."""

from typing import Any

from aiohttp import web

from api.explorer.facts import StatusFacts
from api.explorer.rendering import render
from api.explorer.services import SERVICES, ExplorerServices
from api.explorer.status import read_status
from contracts.labels import format_identifier


async def show_page(
    request: web.Request, template: str, *, json: str | None, status: int = 200, **context: Any
) -> web.Response:
    """Return a page; `json` is where the same facts stand below `/v1` of the explorer."""
    services: ExplorerServices = request.config_dict[SERVICES]
    ledger: StatusFacts = await read_status(
        services.chain, services.records, with_counts=template == "overview.html"
    )
    return render(
        request,
        services.rest,
        template,
        {
            "status": ledger,
            "ledger_name": services.ledger_name,
            "names": {format_identifier(id_): name for id_, name in services.rest.names.items()},
            "json_path": None if json is None else f"{services.root}/v1{json}",
            "query": request.query.get("q", ""),
            **context,
        },
        status=status,
    )
