"""What is wrong with a request is said in a sentence of ours that names the field."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from api.acts.table import ACTS
from api.openapi.examples import build_example
from api.rest.routes import ROUTES
from api.rest.validation import SENTENCES, UNKNOWN, translate_validation
from api.rest.values import Model
from tests.unit.rest.ledger_world import Caller

API = Path(__file__).parents[3] / "api"
REQUESTS: dict[str, type[Model]] = {
    route.name: route.request for route in ROUTES if route.request is not None
} | {act.name: act.model for act in ACTS.values()}
SECRET = "Chan Tai Man"

RAW = re.compile(
    r"Input should|Value error|[Ff]ield required|Extra inputs|valid (string|integer|datetime|dict)"
    r"|pydantic|String should|List should|should (be|match|have)|constraint"
)
"""How pydantic speaks to programmers."""

ERRORS_OF: dict[str, set[str]] = {
    "any": set(),
    "bool": {"bool_type"},
    "datetime": {
        "datetime_type",
        "datetime_parsing",
        "datetime_from_date_parsing",
        "datetime_object_invalid",
        "timezone_aware",
    },
    "default": set(),
    "definition-ref": set(),
    "definitions": set(),
    "dict": {"dict_type", "invalid_key"},
    "enum": {"enum"},
    "function-after": {"value_error"},
    "int": {"int_type", "int_from_float", "int_parsing", "int_parsing_size"},
    "list": {"list_type", "too_short", "too_long"},
    "literal": {"literal_error"},
    "model": {"model_type"},
    "model-field": {"missing"},
    "model-fields": {"model_type", "extra_forbidden"},
    "nullable": set(),
    "str": {"string_type", "string_unicode"},
    "tuple": {"tuple_type", "too_short", "too_long"},
}
"""Error types that each kind of node of a model's schema can raise, besides its bounds."""

ERRORS_OF_BOUNDS = {
    "ge": "greater_than_equal",
    "gt": "greater_than",
    "le": "less_than_equal",
    "lt": "less_than",
    "pattern": "string_pattern_mismatch",
}


def list_errors(schema: Any) -> Iterator[str]:
    """Yield the error types that validation by a core schema can end with."""
    if isinstance(schema, list | tuple):
        for item in schema:
            yield from list_errors(item)
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    if isinstance(kind, str):
        assert kind in ERRORS_OF, f"what a node of type {kind} can raise is not known here"
        yield from ERRORS_OF[kind]
        for bound, error in ERRORS_OF_BOUNDS.items():
            if schema.get(bound) is not None:
                yield error
        if kind == "str":
            yield from (f"string_too_{word}" for word in ("short", "long"))
    for name, value in schema.items():
        if name == "fields" and isinstance(value, dict):
            for field in value.values():
                yield from list_errors(field)
        elif name not in {"serialization", "metadata", "default", "ref", "config", "function"}:
            yield from list_errors(value)


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_faults_have_a_sentence_for_every_error_type_of_every_model(name: str) -> None:
    found = set(list_errors(REQUESTS[name].__pydantic_core_schema__))
    assert found
    assert found <= set(SENTENCES)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([SECRET, "", "0x12", "2026-13-01T00:00:00Z", "2026-01-01", "x" * 20_000]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["uid", "name", SECRET]), inner, max_size=2)
    ),
    max_leaves=4,
)


def replace_somewhere(value: Any, choose: Any) -> Any:
    """Put a generated value in the place of a member, at any depth."""
    if isinstance(value, dict) and value and choose(st.booleans()):
        name = choose(st.sampled_from(sorted(value)))
        return value | {name: replace_somewhere(value[name], choose)}
    if isinstance(value, list) and value and choose(st.booleans()):
        return [replace_somewhere(value[0], choose), *value[1:]]
    if isinstance(value, dict) and choose(st.booleans()):
        return value | {"more": choose(VALUES)}
    return choose(VALUES)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_faults_never_speak_to_programmers(data: st.DataObject) -> None:
    model = REQUESTS[data.draw(st.sampled_from(sorted(REQUESTS)))]
    body = replace_somewhere(build_example(model, is_request=True), data.draw)
    try:
        model.model_validate_json(json.dumps(body))
    except ValidationError as error:
        fault = translate_validation(error, model)
    else:
        return
    assert not RAW.search(fault.reason), fault.reason
    assert fault.reason != UNKNOWN
    assert SECRET not in fault.reason
    assert len(fault.reason) < 1_500
    assert re.fullmatch(r"[a-z][^.]*(\.[^.]+)*", fault.reason), fault.reason
    assert fault.field
    assert fault.next_step is None or fault.next_step


def test_faults_between_members_name_them() -> None:
    """Whoever adds a check of its own to a model says which members it is about."""
    for path in API.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            if not any("model_validator" in ast.dump(entry) for entry in node.decorator_list):
                continue
            raised = [one for one in ast.walk(node) if isinstance(one, ast.Raise)]
            for one in raised:
                assert "Contradiction" in ast.dump(one), f"{path.name}: {node.name}"


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("/attestations", {}, ["document", "credential", "commitment"]),
        ("/attestations", {"document": {"a": 1}}, ["schema_uid", "document"]),
        ("/batches", {"schema_uid": "0x" + "5c" * 32, "count": 1}, ["members", "root"]),
        ("/signed-acts", {"signature": "0x" + "11" * 65}, ["contract", "call", "nonce"]),
    ],
)
async def test_fault_between_members_is_told_with_all_of_them(
    laboratory: Caller, path: str, body: Any, fields: list[str]
) -> None:
    told = await laboratory.post(path, body, status=400)
    assert told["code"] == "invalid_field"
    assert told["field"] == fields[0]
    assert told["fields"][: len(fields)] == fields
    assert told["next_step"]


async def test_unknown_query_parameter_is_told_with_those_there_are(laboratory: Caller) -> None:
    told = await laboratory.get("/exchanges?agncy=mo-health-bureau", status=400)
    assert told["field"] == "agncy"
    assert told["known"][:3] == ["agency", "dataset", "purpose"]
    assert "agency, dataset, purpose, basis" in told["detail"]
    assert "mo-health-bureau" not in str(told)
    told = await laboratory.get("/webhooks?kind=consent", status=400)
    assert "it takes none" in told["detail"]


@pytest.mark.parametrize(
    ("path", "body", "role", "granted_by"),
    [
        # The laboratory issues, so its administrator could give a key the role to attest; it
        # describes nothing, which only the agencies can change.
        (
            "/datasets",
            {
                "title": "T",
                "fields": [{"pointer": "/a", "title": "A"}],
                "sharing": "unconditional",
            },
            "schema",
            "vote",
        ),
        ("/stops", None, "supervise", "vote"),
    ],
)
async def test_missing_role_is_named_with_whoever_grants_it(
    laboratory: Caller, path: str, body: Any, role: str, granted_by: str
) -> None:
    agency = await laboratory.agency.get_id()
    body = body or {
        "pair": [agency, "mo-health-bureau"],
        "until": "2026-12-01T00:00:00Z",
        "decision": {"text": "Stop."},
    }
    for asked, status in (
        (laboratory.post(path, body, status=403), 403),
        (
            laboratory.post(
                "/explain",
                {"act": "dataset.register" if path == "/datasets" else "stop.order", "body": body},
                status=200,
            ),
            200,
        ),
    ):
        told = await asked
        told = told if status == 403 else told["refusal"]
        assert told["code"] == "account_role_missing"
        assert f"`{role}`" in told["detail"]
        assert told["needed_key_roles"] == [role]
        assert told["granted_by"] == granted_by
        assert ("/v1/proposals" in told["next_step"]) == (granted_by == "vote")
