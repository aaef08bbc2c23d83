"""Routes about merging persons; each change of the matching records takes two officers."""

from typing import Final

from api.access.callers import Role
from api.rest import merging_models as models
from api.rest.route import PAGING, Parameter, Route

MERGING_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="propose_merge",
        method="POST",
        path="/subjects/merges",
        tag="subjects",
        summary="Propose that a handle shall mean a person; another officer decides",
        opens=True,
        role=Role.OFFICER,
        request=models.MergeCreate,
        response=models.Merge,
        status=201,
        problems=(409, 422),
    ),
    Route(
        name="list_merges",
        method="GET",
        path="/subjects/merges",
        tag="subjects",
        summary="The journal of merges, without what they say of persons",
        role=Role.OFFICER,
        also=(Role.AUDITOR,),
        response=models.MergePage,
        query=(
            Parameter(
                name="state",
                description="Only merges in this state.",
                schema={
                    "type": "string",
                    "enum": ["proposed", "refused", "approved", "applied"],
                },
            ),
            *PAGING,
        ),
        problems=(409,),
    ),
    Route(
        name="get_merge",
        method="GET",
        path="/subjects/merges/{uid}",
        tag="subjects",
        summary="Read a merge with what it says of persons",
        opens=True,
        role=Role.OFFICER,
        also=(Role.AUDITOR,),
        response=models.Merge,
        problems=(404, 409),
    ),
    Route(
        name="decide_merge",
        method="POST",
        path="/subjects/merges/{uid}/decision",
        tag="subjects",
        summary="Approve or refuse a merge; never by who proposed it",
        opens=True,
        role=Role.OFFICER,
        request=models.MergeDecision,
        response=models.Merge,
        problems=(404, 409),
    ),
    Route(
        name="reverse_merge",
        method="POST",
        path="/subjects/merges/{uid}/reversal",
        tag="subjects",
        summary="Propose to take back a merge; another officer decides",
        opens=True,
        role=Role.OFFICER,
        request=models.MergeReversal,
        response=models.Merge,
        status=201,
        problems=(404, 409),
    ),
)
