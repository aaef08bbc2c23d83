"""Bulk imports."""

from typing import Final

from api.access.callers import Role
from api.imports.kinds import KINDS, MANDATES
from api.rest import import_models
from api.rest.route import PAGING, Parameter, Route
from api.rest.routes.law_writing import ANY_WRITER

ACT: Final = Parameter(
    name="act",
    description="The act that each line is one of; mandates when absent.",
    schema={"type": "string", "enum": list(KINDS), "default": MANDATES},
)

IMPORT_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="create_import",
        method="POST",
        path="/imports",
        tag="imports",
        summary="Import acts from a file, NDJSON or CSV",
        role=Role.OFFICER,
        also=tuple(role for role in ANY_WRITER if role is not Role.OFFICER),
        upload=(import_models.NDJSON_TYPE, import_models.CSV_TYPE),
        response=import_models.Import,
        status=202,
        query=(ACT,),
        problems=(404, 409),
        writes=True,
    ),
    Route(
        name="list_imports",
        method="GET",
        path="/imports",
        tag="imports",
        summary="List this agency's imports",
        role=Role.OFFICER,
        also=tuple(role for role in ANY_WRITER if role is not Role.OFFICER),
        response=import_models.ImportPage,
        query=PAGING,
        problems=(409,),
    ),
    Route(
        name="get_import",
        method="GET",
        path="/imports/{id}",
        tag="imports",
        summary="Read how far an import is",
        role=Role.OFFICER,
        also=tuple(role for role in ANY_WRITER if role is not Role.OFFICER),
        response=import_models.Import,
        problems=(404, 409),
    ),
    Route(
        name="list_import_rejects",
        method="GET",
        path="/imports/{id}/rejects",
        tag="imports",
        summary="List the lines of an import that made nothing, and why",
        role=Role.OFFICER,
        also=tuple(role for role in ANY_WRITER if role is not Role.OFFICER),
        response=import_models.RejectedPage,
        query=PAGING,
        problems=(404, 409),
    ),
)
