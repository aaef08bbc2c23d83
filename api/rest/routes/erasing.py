"""Routes that erase."""

from typing import Final

from api.access.callers import Role
from api.rest.erasing_models import CredentialErase, Erasure
from api.rest.route import Route

ERASING_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="erase_credential",
        method="POST",
        path="/credentials/{uid}/erase",
        tag="credentials",
        summary="Erase a credential: the ledger says so, and no copy of it opens again",
        role=Role.ISSUER,
        request=CredentialErase,
        response=Erasure,
        status=202,
        problems=(404, 409, 422),
        writes=True,
    ),
    Route(
        name="get_erasure",
        method="GET",
        path="/credentials/{uid}/erasure",
        tag="credentials",
        summary="How far erasing a credential has come",
        role=Role.ISSUER,
        also=(Role.AUDITOR,),
        response=Erasure,
        problems=(404,),
    ),
)
