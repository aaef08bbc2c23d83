"""Routes of credentials in the formats that others read: SD-JWT VC and W3C VC 2.0."""

from typing import Final

from api.access.callers import Role
from api.access.limits import Operation
from api.access.purposes import ISSUING
from api.rest import format_models, models
from api.rest.route import Route

FORMAT_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="export_credential",
        method="POST",
        path="/credentials/{uid}/export",
        tag="credentials",
        summary="Write a credential as SD-JWT VC or W3C Verifiable Credential 2.0 for its holder",
        operation=Operation.EXPORTS,
        opens=True,
        role=Role.ISSUER,
        request=format_models.CredentialExport,
        response=format_models.CredentialToken,
        problems=(404, 409, 410, 422),
    ),
    Route(
        name="import_credential",
        method="POST",
        path="/credentials/import",
        tag="credentials",
        summary="Make a credential of a token, one's own or another issuer's; none is attested",
        purpose=ISSUING,
        role=Role.ISSUER,
        request=format_models.CredentialImport,
        response=models.Credential,
        status=201,
        problems=(404, 409, 410, 422),
        writes=True,
    ),
)
"""The operations."""
