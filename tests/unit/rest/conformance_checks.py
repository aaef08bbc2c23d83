"""How the answers to generated requests are judged, for the short and the long test of REST.

All of schemathesis' checks are asked: no server error, no undocumented status, content type, header
or member; nothing invalid taken, nothing valid refused; no way around the token. Half of the
requests about a record name one that the world's story has made.
"""

import random
import re
import zlib
from collections.abc import Callable
from typing import Any, Final

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    negative_data_rejection,
    unsupported_method,
)

from api.acts.table import ACTS
from api.openapi.document import build_document
from api.rest.routes import ROUTES
from api.rest.values import parse_time
from tests.unit.rest.conformance_world import PERIOD, ConformanceWorld
from tests.unit.rest.ledger_world import START_S

SEED: Final = 20261122

# 403: the record is another agency's. 422 and 413: a rule of the ledger, or a bound, that no schema
# can express. 400 as well, but then `refuses_with_a_reason` has a closer look.
_ACCEPTED = ["2xx", "3xx", "400", "403", "404", "409", "413", "422"]

_WITHOUT_BODY = {"GET", "DELETE"}
_BETWEEN_MEMBERS = {"from", "until", "dataset"}
"""Query parameters that are refused for another one, such as an end before its beginning."""

_ACTORS: Final = {
    "supervisor": r"/(bases|instruments|stops|pauses)\b",
    "bureau": r"/(datasets|notices|purposes|schemas|posts|proposals|policies|credentials|mandates"
    r"|webhooks)\b|/(decision|release)$",
}
"""Who acts: the one for whom such acts are, or else the laboratory."""


def build_schema(examples: int, *, coverage: bool) -> Any:
    """Return schemathesis' view of the document."""
    config = schemathesis.Config.from_dict(
        {
            "seed": SEED,
            # The real address is known when the world is served, and given with each call.
            "base-url": "http://127.0.0.1:1/v1",
            "generation": {"with-security-parameters": False, "max-examples": examples},
            "phases": {"coverage": {"enabled": coverage}},
            "checks": {"positive_data_acceptance": {"expected-statuses": _ACCEPTED}},
        }
    )
    # A stream does not end, so nothing could be checked; it has a test of its own below.
    document = schemathesis.openapi.from_dict(build_document(), config=config)
    return document.exclude(operation_id="stream_events")


@schemathesis.serializer("application/x-ndjson", "text/csv")
def write_upload(_context: Any, value: Any) -> Any:
    """Send generated text as the file."""
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


REQUESTS: Final = {route.name: route.request for route in ROUTES}
RECALLING: Final = {act.operation for act in ACTS.values() if act.recall is not None}
"""Acts that return their envelope to a repetition as well; of others it is asked for elsewhere."""
OTHER_TIME: Final = parse_time(START_S - 1).strftime("%Y-%m-%dT%H:%M:%SZ")
QUICK = settings(
    phases=[Phase.explicit, Phase.generate],
    database=None,
    suppress_health_check=list(HealthCheck),
)
"""No shrinking: the ledger has moved on, so another request is another question."""


def check(case: Any, world: ConformanceWorld, session: requests.Session) -> None:
    """Send a generated request to the agency that it is for, and judge the answer."""
    if case.meta is None or case.meta.generation.mode.is_positive:
        prepare(case, world)
    headers = {"Authorization": f"Bearer {world.token}"}
    url = f"{world.urls[choose_actor(case)]}/v1"
    response = case.call(base_url=url, session=session, headers=headers)
    if response.status_code < 300 and case.method != "GET":
        world.settle()
    case.validate_response(
        response,
        headers=headers,
        additional_checks=[refuses_with_a_reason],
        excluded_checks=list_excluded(case),
        transport_kwargs={"base_url": url, "session": session, "headers": headers},
    )
    if response.status_code < 300 and "Idempotency-Key" in (case.headers or {}):
        check_key(case, response, lambda: case.call(base_url=url, session=session, headers=headers))


def list_excluded(case: Any) -> list[Any]:
    excluded: list[Any] = []
    if is_beside_another(case.path):
        # The server takes the methods of both paths, rightly; the document tells those of each.
        excluded += [allow_header_conformance, unsupported_method]
    if case.path == "/imports":
        # A file is text, and so is whatever else was generated, once it is sent.
        excluded.append(negative_data_rejection)
    return excluded


def is_beside_another(path: str) -> bool:
    """Tell whether a path such as /consents/signed is a case of /consents/{uid} as well."""
    return any(
        re.fullmatch(re.sub(r"{\w+}", "[^/]+", route.path), path)
        for route in ROUTES
        if route.path != path
    )


def check_key(case: Any, response: Any, send: Callable[[], Any]) -> None:
    """Repeat an accepted write, and send another one under its key."""
    again, first = send(), response.json()
    assert again.status_code == response.status_code
    name = case.operation.definition.raw["operationId"]
    # How far the operation has come may differ.
    same = first.keys() & {"operation", "uid", "id", *(("envelope",) if name in RECALLING else ())}
    assert {member: again.json()[member] for member in same} == {
        member: first[member] for member in same
    }
    model = REQUESTS[name]
    if model is None or "event_time" not in model.model_fields:
        return
    case.body = case.body | {"event_time": OTHER_TIME}
    refused = send()
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_key_reused")


def choose_actor(case: Any) -> str:
    if case.method == "GET":
        return "laboratory"
    found = (name for name, paths in _ACTORS.items() if re.search(paths, case.path))
    return next(found, "laboratory")


def prepare(case: Any, world: ConformanceWorld) -> None:
    """Name existing records half of the time, and use fresh idempotency keys mostly."""
    content = f"{SEED} {case.method} {case.path} {case.path_parameters} {case.query} {case.body}"
    chance = random.Random(zlib.crc32(content.encode(errors="surrogatepass")))
    known = world.known.get(case.path.partition("/{")[0])
    if case.path_parameters and known and chance.random() < 0.5:
        name = re.findall(r"{(\w+)}", case.path)[0]
        given: dict[str, Any] = {name: chance.choice(known)}
        if "period" in case.path_parameters:
            given["period"] = PERIOD
        case.path_parameters = dict(case.path_parameters) | given
    if case.headers and "Idempotency-Key" in case.headers and chance.random() < 0.9:
        world.writes += 1
        case.headers = dict(case.headers) | {"Idempotency-Key": f"conformance-{world.writes}"}


def refuses_with_a_reason(_context: Any, response: Any, case: Any) -> None:
    """Whatever fits the schemas and is refused nevertheless is told what contradicts what."""
    if response.status_code != 400 or not case.meta.generation.mode.is_positive:
        return
    told = response.json()
    assert told.get("field") or told["code"] == "malformed_body", told
    if case.method in _WITHOUT_BODY:
        # Without a body the schemas say all there is to say.
        assert told["field"] in _BETWEEN_MEMBERS, told
