"""Making the OpenAPI 3.1 document.

Everything comes from the route table and the models: paths, parameters, bodies, answers, problems,
roles, examples. The document is written to `docs/openapi.json` by `scripts/make_openapi`; a test
compares the two, so a change of the interface is always seen in review.
"""

import json
import re
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from api.access.purposes import PATTERN, PURPOSE_HEADER, PURPOSE_WORDS
from api.openapi.codes import (
    format_codes,
    list_contract_codes,
    list_finding_codes,
    tell_problem_codes,
)
from api.openapi.examples import build_example
from api.openapi.security import SECURITY_SCHEMES
from api.openapi.servers import SERVERS
from api.rest.answers import Problem
from api.rest.import_models import UPLOAD_EXAMPLES
from api.rest.references import REFERENCE_PATTERN
from api.rest.route import Route
from api.rest.routes import ROUTES
from api.rest.values import EXAMPLE_UID

VERSION: Final = "1"
"""The version of the interface: of `/v1`."""

COMMON_PROBLEMS: Final = (400, 401, 403, 429, 500, 503)
"""Statuses that every operation may answer with."""

BODY_PROBLEMS: Final = (413, 415)
"""Statuses that an operation with a body may answer with besides."""

_PROBLEM_TEXTS: Final = {
    400: "The request cannot be read, or a field of it is wrong; `field` names it.",
    401: "Nobody is known by what was sent: a token is needed, or this one does not hold.",
    403: "The caller lacks the role, or the record is another agency's.",
    404: "There is no such thing at this node, or not yet.",
    409: "It contradicts what is there; `code` says how.",
    410: "It was erased, and does not come back.",
    413: "The request is larger than this server takes.",
    415: "The body is not application/json.",
    422: "The request is well formed, but the ledger's rules refuse it.",
    429: "The caller asked too often; `Retry-After` says when to go on.",
    500: "Our mistake; the log of the server has the request id.",
    503: "The ledger node or a database cannot answer now; try again.",
}

_TAGS: Final = {
    "service": "Which ledger this is and how far it is.",
    "agencies": "The members of the ledger and their keys.",
    "schemas": "Which fields a kind of document has, and who may attest it.",
    "credentials": "Documents of this agency, kept in its vault and nowhere else.",
    "attestations": "What agencies stand behind, as commitments on the ledger.",
    "batches": "Many documents under one root.",
    "verification": (
        "Checking what a resident hands over.\n\nCodes of reasons and notices:\n\n"
        + format_codes(list_finding_codes())
    ),
    "provenance": "Who did what, when, on which basis.",
    "evidence": "Misbehaviour of validators, with proof: see docs/evidence.md.",
    "acts": (
        "What can be done on the ledger: trying an act without doing it, and signing it on a device"
        " of the agency's own."
    ),
    "subjects": "Persons, by the handle that two agencies have for each; kept in the vault.",
    "erasing": "Erasing what the vault has, of one record or of one person, for good.",
    "reads": "Who opened what of this agency's vault, when, and what for.",
    "texts": "Public texts of which the ledger keeps the hash.",
    "datasets": "Which data there are, and how they are shared.",
    "notices": "What residents are told.",
    "purposes": "What data are used for.",
    "bases": "On which law data may be exchanged.",
    "instruments": "Under what data may leave a jurisdiction.",
    "stops": "What the supervisor has stopped, and until when.",
    "consents": "What residents have consented to, and withdrawn.",
    "key-bindings": "Whose key it is that a resident made for one consent.",
    "exchanges": "Who asked whom for what, when, why and on which basis.",
    "mandates": "Who may act for whom.",
    "policies": "Which documents one side recognises of the other.",
    "feeds": "What happens, told to others: events, streams, webhooks, alerts.",
    "posts": "Who holds which post of an agency, and with which keys.",
    "proposals": "What the agencies decide together.",
    "pauses": "Agencies that write nothing for a time.",
    "imports": "Thousands of acts from a file, with progress.",
    "cases": "What this agency asked others for in its cases, and whether all is in order.",
    "deadlines": "When something is due, by profiles and calendars that are data.",
    "operations": "Writes of this agency, from accepted to final.",
}

_DESCRIPTION: Final = """\
REST interface of an Atesta node. Documents stay in the agency's vault or with the resident; the
ledger holds commitments, references and times.

**Writing.** Send an `Idempotency-Key` with every write. A 2xx means that the write is on this
agency's disk and will reach the ledger; follow its operation until it is `final` (or `reported`,
below). Repeating a request with the same key and body returns the same operation; another body
under the same key is refused with 409.

**Finality.** The header `Atesta-Finality` of every answer says who vouches for it: `quorum_seals`,
or `as_reported` where this API stands in front of another network. There an operation ends as
`reported`, and nothing is called final.

**Reading.** Single records are read from the ledger's contracts at the last final block; lists come
from an index that follows it (`indexed_block`).

**Personal data.** Whatever is opened in the vault is recorded first: who, when, which record, what
for. Operations that hand it out need the header `Atesta-Purpose`; any other may send it.

**Refusals** are RFC 9457 problem documents with a stable `code`, the `field` at fault and the
`next_step`. They never repeat a value that was sent. What a contract refuses also has the `rule`,
as the contract states it, and the `legal_reference`, where there is a law to name. The codes:
"""

_RULES: Final = "Codes of the contracts' own rules; the code is made of the rule's words:"


def build_document() -> dict[str, Any]:
    """Return the whole document as JSON values."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Atesta REST",
            "version": VERSION,
            "summary": "Attestations between public agencies, without the documents.",
            "description": "\n".join(
                (
                    _DESCRIPTION,
                    format_codes(tell_problem_codes()),
                    "",
                    _RULES,
                    "",
                    format_codes(list_contract_codes()),
                    "",
                )
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": SERVERS,
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "security": [{name: []} for name in SECURITY_SCHEMES],
        "paths": _build_paths(),
        "components": {
            "schemas": _build_schemas(),
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def write_document() -> str:
    """Return the document as the text of `docs/openapi.json`."""
    return json.dumps(build_document(), indent=2, ensure_ascii=False) + "\n"


def _build_paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _build_operation(route)
    return paths


def _build_operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "description": _describe(route),
        "parameters": _build_parameters(route),
        "responses": _build_responses(route),
    }
    if route.upload:
        operation["requestBody"] = {
            "required": True,
            "description": "The file.",
            "content": {
                media_type: {"schema": {"type": "string"}, "example": UPLOAD_EXAMPLES[media_type]}
                for media_type in route.upload
            },
        }
    if route.request is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {
                "application/json": {
                    "schema": _refer(route.request),
                    "example": build_example(route.request, is_request=True),
                }
            },
        }
    return operation


def _describe(route: Route) -> str:
    told = route.request or route.response
    text = " ".join((told.__doc__ or "").split("\n\n")[0].split())
    details = "\n\n".join((told.__doc__ or "").split("\n\n")[1:])
    details = "\n".join(line.strip() for line in details.splitlines())
    roles = " or ".join(f"`{role.value}`" for role in route.roles)
    parts = [text, details, f"Needs the role {roles}."]
    return "\n\n".join(part for part in parts if part)


def _build_parameters(route: Route) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    for name in re.findall(r"{(\w+)}", route.path):
        told = _PATH_PARAMETERS.get(f"{route.tag}.{name}", _PATH_PARAMETERS[name])
        schema, description, example = told
        parameters.append(
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": description,
                "schema": schema,
                "example": example,
            }
        )
    parameters.extend(
        {
            "name": parameter.name,
            "in": "query",
            "required": parameter.is_required,
            "description": parameter.description,
            "schema": dict(parameter.schema),
            **({"style": "form", "explode": False} if parameter.is_list else {}),
        }
        for parameter in route.query
    )
    if route.writes:
        parameters.append(_IDEMPOTENCY_KEY)
    if route.opens or route.takes_purpose:
        parameters.append(_PURPOSE | {"required": route.opens})
    if route.has_etag:
        parameters.append(_IF_NONE_MATCH)
    return parameters


def _build_responses(route: Route) -> dict[str, Any]:
    success: dict[str, Any] = {
        "description": _first_sentence(route.response),
        "headers": dict(_REQUEST_ID),
        "content": {route.media_type: _build_content(route)},
    }
    responses: dict[str, Any] = {str(route.status): success}
    if route.status in {201, 202} and route.writes:
        success["headers"]["Location"] = {
            "description": "Path of what was made, or of the operation to follow.",
            "schema": {"type": "string"},
        }
    if route.has_etag:
        success["headers"]["ETag"] = {
            "description": "Weak; changes when the content does.",
            "schema": {"type": "string"},
        }
        responses["304"] = {"description": "Unchanged since the ETag given."}
    problems = {*COMMON_PROBLEMS, *route.problems}
    if route.opens or route.takes_purpose:
        problems.add(422)
    if route.request is not None or route.upload:
        problems |= {*BODY_PROBLEMS}
    for status in sorted(problems):
        responses[str(status)] = {
            "description": _PROBLEM_TEXTS[status],
            "headers": dict(_REQUEST_ID),
            "content": {"application/problem+json": {"schema": _refer(Problem)}},
        }
    responses["429"]["headers"] |= _LIMITS
    return responses


def _build_content(route: Route) -> dict[str, Any]:
    if route.media_type != "application/json":
        return {"schema": {"type": "string"}}
    return {"schema": _refer_to_any(route), "example": build_example(route.response)}


def _build_schemas() -> dict[str, Any]:
    modes: dict[type[BaseModel], JsonSchemaMode] = {Problem: "serialization"}
    for route in ROUTES:
        for model in (route.response, *route.alternatives):
            modes[model] = "serialization"
        if route.request is not None:
            modes[route.request] = "validation"
    _, definitions = models_json_schema(
        list(modes.items()), ref_template="#/components/schemas/{model}"
    )
    return dict(sorted(definitions["$defs"].items()))


def _refer(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _refer_to_any(route: Route) -> dict[str, Any]:
    """Return the schema of an answer that may come in several shapes."""
    if not route.alternatives:
        return _refer(route.response)
    return {"anyOf": [_refer(model) for model in (route.response, *route.alternatives)]}


def _first_sentence(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())


_UID_SCHEMA: Final = {"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$"}

_AGENCY: Final[tuple[dict[str, Any], str, Any]] = (
    {"type": "string", "pattern": REFERENCE_PATTERN},
    "The agency's label, or its 32 bytes in hexadecimal.",
    EXAMPLE_UID,
)

_PATH_PARAMETERS: Final[dict[str, tuple[dict[str, Any], str, Any]]] = {
    "uid": (_UID_SCHEMA, "Identifier of the record, 32 bytes.", EXAMPLE_UID),
    "agency": _AGENCY,
    "id": ({"type": "string"}, "Identifier as the API gave it.", EXAMPLE_UID),
    "agencies.id": _AGENCY,
    "evidence.id": (_UID_SCHEMA, "Identifier of the act, 32 bytes.", EXAMPLE_UID),
    "number": (
        {"type": "integer", "minimum": 0},
        "Its number, as the ledger gave it.",
        7,
    ),
    "case": (
        {"type": "string", "minLength": 1, "maxLength": 200},
        "The agency's case number, percent-encoded where it needs to be.",
        "HS-2026-000417",
    ),
    "hash": (_UID_SCHEMA, "Hash of the text, 32 bytes.", EXAMPLE_UID),
    "period": (
        {"type": "integer", "minimum": 0, "maximum": 2**64 - 1},
        "The period's number, such as 202611.",
        202611,
    ),
    "index": (
        {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
        "The member's number in the batch, from 0.",
        7,
    ),
}

_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "A fresh random key for each new write; the same key to retry it.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    "example": "8f0d2a34-5b7c-4f0e-9a51-6c1e2d3f4a5b",
}

_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "ETag of an earlier answer; unchanged content is answered with 304.",
    "schema": {"type": "string"},
}

_PURPOSE: Final = {
    "name": PURPOSE_HEADER,
    "in": "header",
    "description": (
        "What personal data is opened for: the uid of a purpose on the ledger, or a word. It stands"
        " in the record of reads.\n\n" + format_codes(dict(PURPOSE_WORDS))
    ),
    "schema": {"type": "string", "pattern": PATTERN},
    "example": "service",
}

_LIMITS: Final = {
    "Retry-After": {
        "description": "Seconds until the next request is let through.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit-Policy": {
        "description": "The limit: its name, `q` requests at once, refilled in `w` seconds.",
        "schema": {"type": "string"},
        "example": '"reads";q=6000;w=60',
    },
    "RateLimit": {
        "description": "Its state: `r` requests left, full again in `t` seconds. On every answer.",
        "schema": {"type": "string"},
        "example": '"reads";r=0;t=60',
    },
}

_REQUEST_ID: Final = {
    "X-Request-Id": {
        "description": "Name of this request in the server's log.",
        "schema": {"type": "string"},
    }
}
