"""The route table of REST `/v1`: every operation once, with its models, role and problems.

`build_rest` binds the rows to handlers by name, `api.openapi` turns the same rows into the
OpenAPI document. A row without a handler, or a handler without a row, fails at start.
Paths here are relative to `/v1`.
"""

from typing import Final

from api.cases.routes import CASE_ROUTES, extend_bases
from api.deadlines.routes import DEADLINE_ROUTES
from api.feeds.routes import FEED_ROUTES
from api.reading.routes import READING_ROUTES
from api.rest.route import Route
from api.rest.routes.checking import CHECKING_ROUTES
from api.rest.routes.erasing import ERASING_ROUTES
from api.rest.routes.formats import FORMAT_ROUTES
from api.rest.routes.imports import IMPORT_ROUTES
from api.rest.routes.law_writing import LAW_WRITING_ROUTES
from api.rest.routes.ledgers import LEDGER_ROUTES
from api.rest.routes.merging import MERGING_ROUTES
from api.rest.routes.people import PEOPLE_ROUTES
from api.rest.routes.publishing import PUBLISHING_ROUTES
from api.rest.routes.reads import READ_ROUTES
from api.rest.routes.records import RECORD_ROUTES
from api.rest.routes.registry import REGISTRY_ROUTES

ROUTES: Final[tuple[Route, ...]] = (
    *LEDGER_ROUTES,
    *REGISTRY_ROUTES,
    *RECORD_ROUTES,
    *FORMAT_ROUTES,
    *PUBLISHING_ROUTES,
    *ERASING_ROUTES,
    *CHECKING_ROUTES,
    *extend_bases(READING_ROUTES),
    *CASE_ROUTES,
    *FEED_ROUTES,
    *DEADLINE_ROUTES,
    *LAW_WRITING_ROUTES,
    *IMPORT_ROUTES,
    *PEOPLE_ROUTES,
    *MERGING_ROUTES,
    *READ_ROUTES,
)
"""Every operation, in the order of the documentation."""
