"""Routes that erase."""

from typing import Final

from api.access.callers import Role
from api.access.limits import Operation
from api.access.purposes import RIGHTS
from api.rest import person_models as models
from api.rest.erasing_models import Erasure, RecordErase
from api.rest.route import Route

ERASING_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="erase_credential",
        method="POST",
        path="/credentials/{uid}/erase",
        tag="credentials",
        summary="Erase a credential: the ledger says so, and no copy of it opens again",
        role=Role.ISSUER,
        request=RecordErase,
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
    Route(
        name="erase_record",
        method="POST",
        path="/records/{uid}/erase",
        tag="erasing",
        summary="Erase all that the vault has of a record, such as an exchange or a consent",
        role=Role.OFFICER,
        request=RecordErase,
        response=Erasure,
        status=202,
        problems=(404, 409, 422),
        writes=True,
    ),
    Route(
        name="get_record_erasure",
        method="GET",
        path="/records/{uid}/erasure",
        tag="erasing",
        summary="Whether a record is erased, since when and why",
        role=Role.OFFICER,
        also=(Role.ISSUER, Role.AUDITOR),
        response=Erasure,
        problems=(404,),
    ),
    Route(
        name="foresee_person_erasure",
        method="POST",
        path="/persons/erasure-plan",
        tag="erasing",
        summary="List what erasing a person would take, and what a law asks to keep",
        role=Role.OFFICER,
        request=models.PersonNamed,
        response=models.PersonPlan,
        problems=(404, 409),
        operation=Operation.READS,
        takes_purpose=True,
        purpose=RIGHTS,
    ),
    Route(
        name="erase_person",
        method="POST",
        path="/persons/erase",
        tag="erasing",
        summary="Erase everything of a person, as one act",
        role=Role.OFFICER,
        request=models.PersonErase,
        response=models.PersonErasure,
        status=202,
        problems=(404, 409, 422),
        writes=True,
        takes_purpose=True,
        purpose=RIGHTS,
    ),
    Route(
        name="get_person_erasure",
        method="GET",
        path="/persons/erasures/{id}",
        tag="erasing",
        summary="How far erasing a person has come",
        role=Role.OFFICER,
        also=(Role.AUDITOR,),
        response=models.PersonErasure,
        problems=(404,),
    ),
)
