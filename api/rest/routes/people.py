"""Routes about persons: handles between agencies, messages for residents' keys, envelopes."""

from typing import Final

from api.access.callers import Role
from api.access.limits import Operation
from api.rest import people_models as models
from api.rest.route import Route

PEOPLE_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="create_subject",
        method="POST",
        path="/subjects",
        tag="subjects",
        summary="Get the handle of a person with another agency",
        opens=True,
        role=Role.OFFICER,
        request=models.SubjectCreate,
        response=models.KnownSubject,
        problems=(409, 422),
    ),
    Route(
        name="match_subject",
        method="POST",
        path="/subjects/match",
        tag="subjects",
        summary="Note whom another agency's handle means here",
        opens=True,
        role=Role.OFFICER,
        request=models.SubjectMatch,
        response=models.KnownSubject,
        problems=(409, 422),
    ),
    Route(
        name="find_subject",
        method="POST",
        path="/subjects/find",
        tag="subjects",
        summary="Ask whom a handle means here",
        operation=Operation.READS,
        opens=True,
        role=Role.OFFICER,
        request=models.SubjectFind,
        response=models.KnownSubject,
        problems=(404, 409),
    ),
    Route(
        name="prepare_consent",
        method="POST",
        path="/consents/prepared",
        tag="consents",
        summary="Prepare a consent for a resident's own key",
        role=Role.OFFICER,
        request=models.ConsentPrepare,
        response=models.ResidentMessage,
        status=201,
        problems=(404, 409, 422),
    ),
    Route(
        name="prepare_withdrawal",
        method="POST",
        path="/consents/{uid}/withdrawal/prepared",
        tag="consents",
        summary="Prepare a withdrawal for the key that gave the consent",
        role=Role.OFFICER,
        request=models.WithdrawalPrepare,
        response=models.ResidentMessage,
        status=201,
        problems=(404, 409, 422),
    ),
    Route(
        name="keep_consent_envelope",
        method="POST",
        path="/consents/{uid}/envelope",
        tag="consents",
        summary="Keep the envelope of a consent that came from the other side",
        opens=True,
        role=Role.OFFICER,
        request=models.ConsentEnvelope,
        response=models.KeptEnvelope,
        problems=(404, 409),
    ),
)
