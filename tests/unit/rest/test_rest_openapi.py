"""The OpenAPI document: whole, sound, true to the routes, and written down."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from atesta_client.errors import ReasonCode
from pydantic import BaseModel

from api.openapi.__main__ import main
from api.openapi.codes import (
    PROBLEM_CODES,
    list_contract_codes,
    list_finding_codes,
    list_problem_codes,
)
from api.openapi.document import build_document, write_document
from api.openapi.examples import build_example
from api.openapi.surface import render_page
from api.rest.app import build_rest
from api.rest.handlers import HANDLERS
from api.rest.refusals import translate_revert
from api.rest.route import Route
from api.rest.routes import ROUTES
from contracts.refusals import load_refusals
from tests.unit.rest.ledger_world import Caller

API = Path(__file__).parents[3] / "api"
REST = (
    "access",
    "rest",
    "acts",
    "cases",
    "deadlines",
    "feeds",
    "imports",
    "index",
    "networks",
    "outbox",
    "reading",
    "texts",
    "vault",
    "verification",
)
COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
DOCUMENT = build_document()


def iterate_operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def iterate_values(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from iterate_values(member)


def test_openapi_file_is_up_to_date(tmp_path: Path) -> None:
    assert COMMITTED.read_text(encoding="utf-8") == write_document(), "run scripts/make_openapi"
    copy = tmp_path / "openapi.json"
    assert main(["--check", str(copy)]) == 1
    assert main([str(copy)]) == 0
    assert main(["--check", str(copy)]) == 0
    assert main([]) == 2


async def test_openapi_documents_every_route_served(bureau: Caller) -> None:
    served = {
        (route.method, route.resource.canonical)
        for route in build_rest(bureau.agency.services).router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert served == {(method, path) for path, method, _ in iterate_operations()}
    assert {operation["operationId"] for _, _, operation in iterate_operations()} == set(HANDLERS)


def test_openapi_references_all_resolve() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    found = {
        value["$ref"]
        for value in iterate_values(DOCUMENT)
        if isinstance(value, dict) and "$ref" in value
    }
    assert found
    for reference in found:
        name = reference.removeprefix("#/components/schemas/")
        assert name in schemas, reference
    assert {reference.rsplit("/", 1)[-1] for reference in found} == set(schemas)


def test_openapi_operations_say_everything() -> None:
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    for path, method, operation in iterate_operations():
        where = f"{method} {path}"
        assert operation["summary"], where
        assert set(operation["tags"]) <= tags
        named = re.findall(r"{(\w+)}", path)
        declared = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
        assert declared == named, where
        statuses = set(operation["responses"])
        assert {"400", "401", "403", "500", "503"} <= statuses, where
        assert any(status.startswith("2") for status in statuses), where
        for status, response in operation["responses"].items():
            assert response["description"], where
            kinds = set(response.get("content", {}))
            expected = {
                "2": {"text/event-stream" if path.endswith("/stream") else "application/json"},
                "3": set(),
                "4": {"application/problem+json"},
                "5": {"application/problem+json"},
            }
            assert kinds == expected[status[0]], where
        for parameter in operation["parameters"]:
            assert parameter["description"], where


def test_openapi_fields_are_all_described() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert schema.get("description"), name
        for member, property_schema in schema.get("properties", {}).items():
            assert "description" in property_schema, f"{name}.{member}"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_openapi_examples_fit_their_models(route: Route) -> None:
    def check(model: type[BaseModel], example: dict[str, Any]) -> None:
        model.model_validate_json(json.dumps(example))

    check(route.response, build_example(route.response))
    if route.request is not None:
        check(route.request, build_example(route.request, is_request=True))


def test_openapi_lists_every_code_that_is_raised() -> None:
    raised = set()
    for path in [
        *API.glob("*.py"),
        *(file for name in REST for file in API.glob(f"{name}/**/*.py")),
    ]:
        # Irregularities of cases have codes of their own, which are no refusals.
        if path.parent.name == "cases" and path.name == "rules.py":
            continue
        raised |= set(re.findall(r'code="([a-z_]+)"', path.read_text(encoding="utf-8")))
    documented = {**list_problem_codes(), **list_finding_codes(), **list_contract_codes()}
    # Of JSON-RPC and the explorer, which have lists of their own, and of the command line.
    elsewhere = {"method_not_enabled", "execution_reverted", "transaction_refused", "not_found"}
    elsewhere |= {"deployment_stopped"}
    assert raised - elsewhere <= set(documented)
    told = {translate_revert(rule).code for rule in load_refusals()}
    # Built of a kind's name, such as `dataset_not_found`.
    built = {code for code in PROBLEM_CODES if code.endswith("_not_found")}
    assert set(PROBLEM_CODES) <= raised | told | built
    assert {code.value for code in ReasonCode} <= set(list_finding_codes())
    page = render_page()
    for code in documented:
        assert f"<code>{code}</code>" in page


async def test_openapi_is_served_with_its_page(bureau: Caller) -> None:
    async with bureau.client.get("/openapi.json") as response:
        assert response.content_type == "application/json"
        assert await response.json() == DOCUMENT
    async with bureau.client.get("/docs") as response:
        assert response.status == 200
        assert response.content_type == "text/html"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert await response.text() == render_page()


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        members = dict(attrs)
        assert tag not in {"script", "img", "iframe", "link"}
        assert "src" not in members
        self.ids |= {str(members["id"])} if "id" in members else set()
        self.links |= {str(members["href"])} if "href" in members else set()
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_openapi_page_loads_nothing_and_links_within() -> None:
    page = _Page()
    page.feed(render_page())
    assert page.open == []
    for link in page.links - {"/openapi.json"}:
        assert link.startswith("#")
        assert link[1:] in page.ids
    for route in ROUTES:
        assert route.name in page.ids
    # Addresses stand in examples only.
    assert re.search(r"(src|href|url)\W{1,3}\w+://", render_page()) is None
