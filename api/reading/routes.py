"""The routes of all collections: list, get, history."""

from typing import Final

from api.access.callers import Role
from api.reading import mandate_check, proposals
from api.reading.collection import Collection
from api.reading.events import LawHistory
from api.reading.table import COLLECTIONS
from api.rest.references import REFERENCE_PATTERN
from api.rest.route import FROM, PAGING, UNTIL, Parameter, Route, uid_parameter


def _build_routes(collection: Collection) -> tuple[Route, ...]:
    noun = collection.path.replace("-", "_")
    filters = tuple(
        Parameter(
            name=entry.name,
            description=entry.description,
            schema={"type": "string", "pattern": REFERENCE_PATTERN},
        )
        if entry.is_party
        else uid_parameter(entry.name, entry.description)
        for entry in collection.filters
    )
    state = Parameter(
        name="state",
        description="Only this state.",
        schema={"type": "string", "enum": list(collection.states)},
    )
    kinds: tuple[Parameter, ...] = ()
    if collection.subkinds is not None:
        kinds = (
            Parameter(
                name="kind",
                description="Only this kind.",
                schema={"type": "string", "enum": [word.value for word in collection.subkinds]},
            ),
        )
    plural = collection.path.replace("-", " ")
    return (
        Route(
            name=f"list_{noun}",
            method="GET",
            path=f"/{collection.path}",
            tag=collection.tag,
            summary=f"List {plural}, newest first",
            role=Role.READER,
            response=collection.page,
            query=(*filters, *kinds, state, FROM, UNTIL, *PAGING),
            problems=(422,),
        ),
        Route(
            name=f"get_{collection.kind}",
            method="GET",
            path=f"/{collection.path}/{{uid}}",
            tag=collection.tag,
            summary=f"Read one {collection.title} at the last final block",
            role=Role.READER,
            response=collection.model,
            problems=(404,),
        ),
        Route(
            name=f"get_{collection.kind}_history",
            method="GET",
            path=f"/{collection.path}/{{uid}}/history",
            tag=collection.tag,
            summary=f"Everything that happened to one {collection.title}",
            role=Role.READER,
            response=LawHistory,
            query=PAGING,
            problems=(404,),
        ),
    )


_PROPOSALS: Final = (
    Route(
        name="list_proposals",
        method="GET",
        path="/proposals",
        tag="proposals",
        summary="List what the agencies decide by vote, newest first",
        role=Role.READER,
        response=proposals.ProposalPage,
        query=(
            Parameter(
                name="state",
                description="Only this state.",
                schema={
                    "type": "string",
                    "enum": [state.value for state in proposals.ProposalState],
                },
            ),
            *PAGING,
        ),
    ),
    Route(
        name="get_proposal",
        method="GET",
        path="/proposals/{number}",
        tag="proposals",
        summary="Read one proposal with its votes",
        role=Role.READER,
        response=proposals.ProposalView,
        problems=(404,),
    ),
    Route(
        name="get_governing_rules",
        method="GET",
        path="/governing-rules",
        tag="proposals",
        summary="Read the rules by which the agencies decide",
        role=Role.READER,
        response=proposals.GoverningRules,
    ),
)

_MANDATE_CHECK: Final = Route(
    name="check_mandate",
    method="GET",
    path="/mandates/{uid}/check",
    tag="mandates",
    summary="Ask whether a mandate covers acts and an amount, now or on another date",
    role=Role.READER,
    response=mandate_check.MandateCheck,
    query=mandate_check.QUERY,
    problems=(404, 409, 422),
)

READING_ROUTES: Final[tuple[Route, ...]] = (
    *(route for collection in COLLECTIONS for route in _build_routes(collection)),
    *_PROPOSALS,
    _MANDATE_CHECK,
)
"""In the order of the documentation."""
