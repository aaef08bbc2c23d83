"""Where the routes are: on the own ledger, and on any ledger of the API by its name."""

from typing import Any, Final

from api.rest.ledgers import OWN_NAME, PREFIX, build_prefix

SERVERS: Final[list[dict[str, Any]]] = [
    {"url": PREFIX, "description": "This node's own ledger"},
    {
        "url": build_prefix("{ledger}"),
        "description": "Any ledger of this API, by its name",
        "variables": {
            "ledger": {"default": OWN_NAME, "description": "As `GET /v1/ledgers` lists it"}
        },
    },
]
"""The `servers` of the OpenAPI document."""
