"""Acts of the ledger's law, and what is around them: trying, signing elsewhere, public texts.

The rows of the acts come from the table `ACTS`, so that a new act has its route at once.
"""

from typing import Final

from api.access.callers import Role
from api.access.limits import Operation
from api.acts.act import Act
from api.acts.table import ACTS
from api.rest import acting_models, models
from api.rest.route import Route

ANY_WRITER: Final = (
    Role.ISSUER,
    Role.OFFICER,
    Role.DATA_OFFICER,
    Role.DESCRIBER,
    Role.SUPERVISOR,
    Role.GOVERNOR,
    Role.ADMIN,
)
"""Whoever may ask for any act at all; which one, is checked act by act."""


def build_act_route(act: Act) -> Route:
    """Return the route of an act."""
    return Route(
        name=act.operation,
        method="POST",
        path=act.path,
        tag=act.collection,
        summary=act.summary,
        role=act.roles[0],
        also=act.roles[1:],
        request=act.model,
        response=models.Accepted,
        status=202,
        problems=(404, 409, 422),
        writes=True,
    )


AROUND_ACTS_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="list_acts",
        method="GET",
        path="/acts",
        tag="acts",
        summary="List what can be done, and by whom",
        role=Role.READER,
        response=acting_models.ActList,
    ),
    Route(
        name="explain",
        method="POST",
        path="/explain",
        tag="acts",
        summary="Try any act without doing it",
        operation=Operation.READS,
        role=Role.READER,
        request=acting_models.ExplainRequest,
        response=acting_models.Explanation,
        problems=(404,),
    ),
    Route(
        name="create_prepared_act",
        method="POST",
        path="/prepared-acts",
        tag="acts",
        summary="Prepare an act for a key that signs elsewhere",
        role=ANY_WRITER[0],
        also=ANY_WRITER[1:],
        request=acting_models.PreparedActCreate,
        response=acting_models.PreparedAct,
        status=201,
        problems=(404, 409, 422),
    ),
    Route(
        name="get_prepared_act",
        method="GET",
        path="/prepared-acts/{id}",
        tag="acts",
        summary="Read a prepared act again",
        role=ANY_WRITER[0],
        also=ANY_WRITER[1:],
        response=acting_models.PreparedAct,
        problems=(404,),
    ),
    Route(
        name="create_signed_act",
        method="POST",
        path="/signed-acts",
        tag="acts",
        summary="Hand in an act that was signed elsewhere",
        role=Role.WRITER,
        also=ANY_WRITER,
        request=acting_models.SignedActCreate,
        response=models.Accepted,
        status=202,
        problems=(404, 409, 422),
        writes=True,
    ),
    Route(
        name="put_text",
        method="PUT",
        path="/texts",
        tag="texts",
        summary="Give this node a public text",
        role=ANY_WRITER[0],
        also=ANY_WRITER[1:],
        request=acting_models.TextPut,
        response=acting_models.Text,
    ),
    Route(
        name="get_text",
        method="GET",
        path="/texts/{hash}",
        tag="texts",
        summary="Read a public text by its hash",
        role=Role.READER,
        response=acting_models.Text,
        problems=(404,),
    ),
)

LAW_WRITING_ROUTES: Final[tuple[Route, ...]] = (
    *AROUND_ACTS_ROUTES,
    *(build_act_route(act) for act in ACTS.values()),
)
