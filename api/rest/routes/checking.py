"""What others ask: verification, provenance, evidence of misbehaviour."""

from typing import Final

from api.access.callers import Role
from api.access.limits import Operation
from api.rest import answers, checking_models
from api.rest.route import PAGING, Parameter, Route

CHECKING_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="create_challenge",
        method="POST",
        path="/verify/challenges",
        tag="verification",
        summary="Get a single-use nonce for a holder to sign",
        role=Role.VERIFIER,
        request=checking_models.ChallengeCreate,
        response=checking_models.Challenge,
        status=201,
        problems=(422,),
    ),
    Route(
        name="verify",
        method="POST",
        path="/verify",
        tag="verification",
        summary="Check a credential, a presentation or a token on this node's last final block",
        operation=Operation.READS,
        role=Role.VERIFIER,
        request=checking_models.VerifyRequest,
        response=checking_models.Verification,
        problems=(422,),
    ),
    Route(
        name="get_provenance",
        method="GET",
        path="/provenance/{uid}",
        tag="provenance",
        summary="Who did what to a record, when, why and on which basis",
        operation=Operation.EXPORTS,
        role=Role.READER,
        response=answers.Provenance,
        alternatives=(answers.ProvDocument,),
        query=(
            Parameter(
                name="format",
                description="`prov-json` for W3C PROV-JSON.",
                schema={"type": "string", "enum": ["json", "prov-json"], "default": "json"},
            ),
        ),
        problems=(404,),
        volatile=("block", "block_time"),
    ),
    Route(
        name="list_evidence",
        method="GET",
        path="/evidence",
        tag="evidence",
        summary="List the misbehaviour of others that this node can prove",
        role=Role.AUDITOR,
        response=answers.EvidencePage,
        query=PAGING,
        problems=(404,),
    ),
    Route(
        name="get_evidence",
        method="GET",
        path="/evidence/{id}",
        tag="evidence",
        summary="Export one act as a file that proves itself to third parties",
        operation=Operation.EXPORTS,
        role=Role.AUDITOR,
        response=answers.EvidenceFile,
        problems=(404,),
    ),
)
