"""Publishing on another ledger what stands on one."""

from typing import Final

from api.access.callers import Role
from api.rest import models, publishing_models
from api.rest.route import Route

PUBLISHING_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="create_publication",
        method="POST",
        path="/publications",
        tag="credentials",
        summary="Publish a credential of another ledger here, at its holder's signed request",
        role=Role.ISSUER,
        response=models.Accepted,
        status=202,
        request=publishing_models.PublicationCreate,
        problems=(404, 409, 410, 422),
        writes=True,
    ),
    Route(
        name="get_publication",
        method="GET",
        path="/publications/{uid}",
        tag="credentials",
        summary="Read the request behind a published credential, and check it again",
        role=Role.ISSUER,
        also=(Role.AUDITOR,),
        response=publishing_models.Publication,
        problems=(404,),
        opens=True,
    ),
)
"""What a resident asks to carry."""
