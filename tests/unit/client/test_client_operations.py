"""Every operation of the REST interface has its function, and every answer its type.

The OpenAPI document says what there is: paths, members of bodies, examples. A function is found
under its operation's name, or under the names in ``SEVERAL``; its parameters must be able to say
every member of the body; the example of the body, said through it, must come out again; and what it
reads answers as must read the example of the answer.
"""

import inspect
import json
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import pytest
from atesta_client import answers, requests
from atesta_client.answers import ActSummary
from atesta_client.requests import Request, Subscription
from atesta_client.requests.encoding import encode_value
from atesta_client.requests.request import Acting

DOCUMENT: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "docs" / "openapi.json").read_text(encoding="utf-8")
)

SEVERAL: Final = {
    "create_accreditation": ("accredit",),
    "delete_accreditation": ("withdraw_accreditation",),
    "change_attestation_state": ("change_state",),
    "create_attestation": ("attest_document", "attest_credential_file", "attest_commitment"),
    "list_bases": ("list_bases", "find_askable"),
    "verify": ("verify_presentation", "verify_credential", "verify_token"),
    "get_provenance": ("get_provenance", "get_prov_document"),
}
"""Operations whose functions have other names than they."""

TAKES_AN_ACT: Final = ("explain", "create_prepared_act")
"""Their body is another request's."""

RENAMED: Final = {"from": "since", "schema": "schema_uid"}
"""Query parameters that are called otherwise in Python."""


def list_operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
        if isinstance(operation, dict) and "operationId" in operation
    ]


OPERATIONS: Final = list_operations()
NAMES: Final = [operation["operationId"] for _, _, operation in OPERATIONS]


def get_names(operation_id: str) -> tuple[str, ...]:
    return SEVERAL.get(operation_id, (operation_id,))


def find_functions(operation_id: str) -> list[Callable[..., Any]]:
    return [getattr(requests, name) for name in get_names(operation_id) if hasattr(requests, name)]


def list_parameters(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the parameters by name, those of ``**options`` among them."""
    hints = get_type_hints(function)
    parameters: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        hint = hints[parameter.name]
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            (options,) = get_args(hint)
            parameters |= get_type_hints(options)
        else:
            parameters[parameter.name] = hint
    return parameters


def resolve(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        return DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]  # type: ignore[no-any-return]
    return schema


def get_body(operation: Mapping[str, Any]) -> Mapping[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {})
    return content.get("application/json")  # type: ignore[no-any-return]


def read_value(hint: Any, value: Any) -> Any:
    """Turn a JSON value into what a parameter of this type takes."""
    if get_origin(hint) in {Union, types.UnionType}:
        options = [option for option in get_args(hint) if option is not types.NoneType]
        if value is None:
            return None
        return read_value(options[0] if len(options) == 1 else _choose(options, value), value)
    if get_origin(hint) is Sequence or hint is Sequence:
        return [read_value(get_args(hint)[0], item) for item in value]
    if hint is datetime:
        return datetime.fromisoformat(value)
    if isinstance(hint, type) and is_dataclass(hint) and isinstance(value, dict):
        hints = get_type_hints(hint)
        assert set(value) <= set(hints), f"{hint.__name__} cannot say {set(value) - set(hints)}"
        return hint(**{name: read_value(hints[name], member) for name, member in value.items()})
    return value


def _choose(options: Sequence[Any], value: Any) -> Any:
    """Choose the option that a JSON value is: a text for a hash, an object for a file."""
    return str if isinstance(value, str) else Any


def drop_defaults(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return a value without what means the same when it is left out."""
    for option in schema.get("anyOf", ()):
        schema = option if option.get("type") != "null" else schema
    schema = resolve(schema)
    if isinstance(value, list):
        return [drop_defaults(item, schema.get("items", {})) for item in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    properties = schema["properties"]
    return {
        name: drop_defaults(member, properties[name])
        for name, member in value.items()
        if member is not None and member != properties[name].get("default", ...)
    }


def test_every_operation_has_its_function() -> None:
    missing = [name for name in NAMES if len(find_functions(name)) != len(get_names(name))]
    assert not missing, f"atesta_client.requests lacks: {', '.join(missing)}"


def test_every_function_is_an_operation() -> None:
    known = {name for operation in NAMES for name in get_names(operation)} | {"build_act"}
    functions = {name for name in requests.__all__ if inspect.isfunction(getattr(requests, name))}
    assert functions <= known, functions - known


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=NAMES)
def test_function_sends_what_the_document_describes(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    operation_id = operation["operationId"]
    if operation_id in TAKES_AN_ACT:
        pytest.skip("tested with an act")
    said: set[str] = set()
    asked: set[str] = set()
    described = operation.get("parameters", [])
    body = get_body(operation)
    example = None if body is None else body.get("example")
    wanted: set[str] = set()
    if body is not None:
        wanted = set(resolve(body["schema"])["properties"])
    for function in find_functions(operation_id):
        parameters = list_parameters(function)
        positional = [p["name"] for p in described if p["in"] == "path"]
        arguments: dict[str, Any] = {}
        inverse = {RENAMED.get(p["name"], p["name"]): p for p in described if p["in"] == "query"}
        for name, parameter in inverse.items():
            if name in parameters:
                value = read_value(
                    parameters[name], parameter.get("example", "2026-11-22T08:00:00Z")
                )
                arguments[name] = [value] if name == "kinds" else value
        if example is not None:
            arguments |= {
                name: read_value(parameters[name], value)
                for name, value in example.items()
                if name in parameters and name not in positional
            }
        _fill(function, arguments, len(positional))
        made = function(*("7" for _ in positional), **arguments)
        filled = path
        for name in positional:
            filled = filled.replace("{" + name + "}", "7")
        assert made.path == filled
        asked |= {*made.query, *(["cursor"] if isinstance(made, Subscription) else [])}
        if isinstance(made, Subscription):
            continue
        assert made.method == method.upper()
        writes = any(p["name"] == "Idempotency-Key" for p in described)
        assert (made.idempotency_key is not None) == writes
        # `format` is Python's own word, so the function calls it `format_name`.
        named = {"format" if name == "format_name" else name for name in parameters}
        said |= named | {"uid"} & set(positional)
        if example is not None and len(get_names(operation_id)) == 1:
            assert body is not None
            assert drop_defaults(made.body, body["schema"]) == drop_defaults(
                {name: value for name, value in example.items() if name not in positional},
                body["schema"],
            )
    assert asked == {p["name"] for p in described if p["in"] == "query"}
    assert wanted <= said, f"cannot be said: {sorted(wanted - said)}"


def _fill(function: Callable[..., Any], arguments: dict[str, Any], positional: int) -> None:
    """Give what is required and in no example."""
    parameters = list(inspect.signature(function).parameters.values())[positional:]
    for parameter in parameters:
        if (
            parameter.default is inspect.Parameter.empty
            and parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ):
            arguments.setdefault(parameter.name, b"{}" if parameter.name == "data" else {})


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=NAMES)
def test_answer_reads_the_example_of_the_document(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    content = next(
        response["content"]
        for code, response in operation["responses"].items()
        if code.startswith("2")
    )
    if "application/json" not in content:
        pytest.skip("no JSON")
    if operation["operationId"] in TAKES_AN_ACT:
        made: Request[Any] = getattr(requests, operation["operationId"])(
            requests.cancel_exchange("7"),
            **({} if operation["operationId"] == "explain" else {"signer": "7"}),
        )
    else:
        function = find_functions(operation["operationId"])[0]
        arguments: dict[str, Any] = {}
        _fill(function, arguments, 0)
        made = function(**arguments)
    example = content["application/json"]["example"]
    read = made.read(example | {"member_of_a_later_version": True})
    if isinstance(read, dict):
        return
    (item, kind) = (example, type(read))
    if isinstance(read, answers.Page):
        assert len(read.items) == len(example["items"])
        assert read.next == example.get("next")
        if not read.items:
            pytest.skip("an example without items")
        item, kind = example["items"][0], type(read.items[0])
    untyped = set(item) - {member.name for member in fields(kind)}
    assert not untyped, f"{kind.__name__} lacks {sorted(untyped)}"


def test_explanation_and_preparation_take_any_act() -> None:
    act = requests.void_exchange(bytes(32), reason="error")
    made = requests.explain(act)
    assert made.body == {
        "act": "exchange.void",
        "path": {"uid": "0x" + "00" * 32},
        "body": {"reason": "error"},
    }
    prepared = requests.create_prepared_act(act, signer="0x" + "22" * 20)
    assert prepared.body == {**encode_value(made.body), "signer": "0x" + "22" * 20}
    with pytest.raises(ValueError, match="no act"):
        requests.explain(requests.create_signed_act(signature="0x11"))


def test_act_is_built_from_the_list_of_acts() -> None:
    summary = ActSummary(
        act="statement.make",
        path="/v1/exchanges/{uid}/periods/{period}/statement",
        summary="",
        roles=(),
        key_roles=(),
        contract="",
        function="",
        signed_elsewhere=True,
    )
    made = requests.build_act(summary, {"count": 0}, {"uid": "0x11", "period": "3"})
    same = requests.make_statement("0x11", 3, count=0)
    assert (made.path, made.body, made.act, made.parts) == (
        same.path,
        same.body,
        same.act,
        same.parts,
    )
    with pytest.raises(ValueError, match="period, uid"):
        requests.build_act(summary, {}, {"uid": "0x11"})


def test_options_of_acts_reach_the_body() -> None:
    moment = datetime.fromisoformat("2026-11-22T08:00:00Z")
    late = requests.Lateness(reason="outage", officer={"number": "7"})
    options: Acting = {"event_time": moment, "late": late, "idempotency_key": "k-1"}
    made = requests.lift_stop("0x11", **options)
    assert made.body == {
        "event_time": "2026-11-22T08:00:00Z",
        "late": {"reason": "outage", "officer": {"number": "7"}},
    }
    assert made.idempotency_key == "k-1"
