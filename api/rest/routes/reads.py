"""Routes of the record of reads: who opened what of the vault, and what for."""

from typing import Final

from api.access.callers import Role
from api.access.limits import Operation
from api.access.purposes import AUDIT, PATTERN, RIGHTS
from api.access.reads import LABEL_PATTERN
from api.rest import read_models as models
from api.rest.route import FROM, PAGING, UNTIL, Parameter, Route, uid_parameter

_LABEL: Final = {"type": "string", "pattern": LABEL_PATTERN}

READ_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="list_reads",
        method="GET",
        path="/reads",
        tag="reads",
        summary="List who opened what of the vault, when and what for",
        role=Role.AUDITOR,
        response=models.ReadPage,
        query=(
            uid_parameter("record", "Only openings of what belongs to this record."),
            Parameter(name="caller", description="Only by this caller.", schema=_LABEL),
            Parameter(
                name="purpose",
                description="Only for this purpose.",
                schema={"type": "string", "pattern": PATTERN.replace("(", "(record|", 1)},
            ),
            Parameter(
                name="operation",
                description="Only in the course of this operation.",
                schema={"type": "string", "pattern": "^[a-z_.]{1,64}$"},
            ),
            Parameter(
                name="what",
                description="Only this: `credential`, or the role of a material.",
                schema={"type": "string", "pattern": "^[a-z_0-9-]{1,32}$"},
            ),
            FROM,
            UNTIL,
            *PAGING,
        ),
        problems=(409,),
        takes_purpose=True,
        purpose=AUDIT,
    ),
    Route(
        name="list_subject_reads",
        method="POST",
        path="/subjects/reads",
        tag="reads",
        summary="Ask who used one person's data, by handle",
        role=Role.OFFICER,
        also=(Role.AUDITOR,),
        request=models.SubjectReads,
        response=models.ReadPage,
        query=PAGING,
        problems=(409,),
        operation=Operation.READS,
        takes_purpose=True,
        purpose=RIGHTS,
    ),
)
"""In the order of the documentation."""
