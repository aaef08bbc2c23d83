"""Trying the acts that have handlers of their own: schemas, attestations, batches.

These handlers do more than call a contract: they make credentials, claim certificates, seal
batches, and take all of it back when the ledger refuses. A rehearsal runs the very handler, whose
`submit` tries the call and then refuses with `Rehearsed`; so what it did is taken back, and what it
would have answered is known.
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_typing import Address
from pydantic import ValidationError

from api.access.callers import Caller, check_roles
from api.acts.performing import Trial
from api.errors import InvalidField, UserFault
from api.outbox.store import WriteRequest
from api.rest.acting_models import ActSummary
from api.rest.call import Call, Reply
from api.rest.handlers import attestations, batches, credentials, schemas
from api.rest.route import Route
from api.rest.routes.records import RECORD_ROUTES
from api.rest.routes.registry import REGISTRY_ROUTES
from api.rest.services import RestServices
from api.rest.validation import translate_validation
from api.rest.views import view_roles
from api.rest.writes import Rehearsed, claim_attestation, claim_schema
from contracts.addresses import ATTESTATIONS_NAME, SCHEMAS_NAME
from contracts.codes import Role as KeyRole

Handle = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandledAct:
    """An act with a handler of its own."""

    name: str
    route: Route
    handle: Handle
    contract: str
    function: str
    key_role: KeyRole
    creates: Callable[[bytes], str] | None = None
    """Names what only one live promise may make, by uid; None for what creates nothing."""

    def name_claim(self, uid: bytes) -> str | None:
        """Return what only one live promise may hold."""
        return None if self.creates is None else self.creates(uid)


async def rehearse_handled(
    services: RestServices,
    act: HandledAct,
    *,
    caller: Caller | None,
    path: Mapping[str, str],
    body: Mapping[str, Any],
) -> Trial:
    """Try an act by its own handler; changes nothing. Faults of this node are raised."""
    try:
        # Who may not act learns nothing from trying.
        check_roles(caller, act.route.roles)
        request = await build_handled(services, act, caller=caller, path=path, body=body)
    except UserFault as refusal:
        return Trial(refusal=refusal, uid=None, facts={})
    return Trial(refusal=None, uid=request.uid, facts={})


async def build_handled(
    services: RestServices,
    act: HandledAct,
    *,
    caller: Caller | None,
    path: Mapping[str, str],
    body: Mapping[str, Any],
    signer: Address | None = None,
) -> WriteRequest:
    """Return the write that the act's handler would promise, tried as a signer's; raises refusals.

    What the handler keeps for it, such as a credential, is taken back.
    """
    call = Call(
        services=services,
        route=act.route,
        caller=caller,
        path=_check_path(act.route, path),
        query={},
        body=_check_body(act.route, body),
        # A key that nobody uses again.
        idempotency_key=secrets.token_hex(32),
        body_fingerprint=secrets.token_bytes(32),
        signer=signer,
        is_rehearsal=True,
    )
    try:
        await act.handle(call)
    except Rehearsed as passed:
        return passed.request
    raise AssertionError("a rehearsed handler ends in submit")


def find_handled(name: str) -> HandledAct | None:
    """Return an act with a handler of its own by name."""
    return HANDLED.get(name)


def find_handled_call(contract: str, function: str) -> HandledAct | None:
    """Return an act with a handler of its own that calls a function of a contract."""
    found = (
        act for act in HANDLED.values() if (act.contract, act.function) == (contract, function)
    )
    return next(found, None)


def summarise_handled() -> list[ActSummary]:
    """Return what `GET /v1/acts` says of these acts."""
    return [
        ActSummary(
            act=act.name,
            method=act.route.method,
            path="/v1" + act.route.path,
            summary=act.route.summary,
            roles=[role.value for role in act.route.roles],
            key_roles=view_roles(act.key_role),
            contract=act.contract,
            function=act.function,
            signed_elsewhere=True,
        )
        for act in HANDLED.values()
    ]


def _check_body(route: Route, body: Mapping[str, Any]) -> Any:
    if route.request is None:
        if body:
            raise InvalidField("body", "this act takes no body")
        return None
    try:
        return route.request.model_validate_json(json.dumps(body))
    except ValidationError as error:
        raise translate_validation(error, route.request) from None


def _check_path(route: Route, path: Mapping[str, str]) -> Mapping[str, str]:
    for name in ("uid", "agency", "index"):
        if f"{{{name}}}" in route.path and name not in path:
            raise InvalidField(f"path.{name}", "this part of the act's path is needed")
    return path


def _list_handled() -> dict[str, HandledAct]:
    routes = {route.name: route for route in (*RECORD_ROUTES, *REGISTRY_ROUTES)}
    issuing, describing = ATTESTATIONS_NAME, SCHEMAS_NAME
    rows: tuple[tuple[str, Handle, str, str], ...] = (
        ("schema.create", schemas.create_schema, describing, "register"),
        ("schema.state", schemas.change_schema_state, describing, "set_state"),
        ("accreditation.create", schemas.create_accreditation, describing, "accredit"),
        (
            "accreditation.withdraw",
            schemas.delete_accreditation,
            describing,
            "withdraw_accreditation",
        ),
        ("credential.attest", credentials.attest_credential, issuing, "attest"),
        ("attestation.create", attestations.create_attestation, issuing, "attest"),
        ("attestation.state", attestations.change_attestation_state, issuing, "set_state"),
        ("batch.create", batches.create_batch, issuing, "attest_batch"),
        ("batch.state", batches.change_batch_state, issuing, "set_state"),
        ("batch.leaf_state", batches.change_leaf_state, issuing, "set_leaf_state"),
    )
    return {
        name: HandledAct(
            name=name,
            route=routes[handle.__name__],
            handle=handle,
            contract=contract,
            function=function,
            key_role=KeyRole.SCHEMA if contract == SCHEMAS_NAME else KeyRole.ISSUE,
            creates=_CREATING.get(function),
        )
        for name, handle, contract, function in rows
    }


_CREATING: Final[Mapping[str, Callable[[bytes], str]]] = {
    "attest": claim_attestation,
    "attest_batch": claim_attestation,
    "register": claim_schema,
}

HANDLED: Final[Mapping[str, HandledAct]] = _list_handled()
"""The acts with handlers of their own by name."""
