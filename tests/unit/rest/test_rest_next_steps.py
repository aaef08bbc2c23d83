"""No problem leaves without a next step; rules that a law asks for name it."""

import ast
from pathlib import Path

import pytest

from api.errors import UserFault, as_problem, as_rpc_error
from api.next_steps import NEXT_STEPS
from api.openapi.codes import list_contract_codes, list_problem_codes
from api.rest.laws import find_reference, load_laws
from api.rest.refusals import translate_revert
from contracts.refusals import load_refusals

API = Path(__file__).parents[3] / "api"
LAWS = {"Law 8/2005", "Law 2/2020", "Law 13/2019", "Personal Information Protection Law"}


def list_classes_with_step() -> set[str]:
    """Return the refusals that say themselves what to do, whoever raises them."""
    found = {"Fault", "Telling", "Irregularity"}
    for path in API.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                steps = [
                    entry.value
                    for call in ast.walk(node)
                    if isinstance(call, ast.Call)
                    for entry in call.keywords
                    if entry.arg == "next_step"
                ]
                # One that hands on what it was given says nothing itself.
                if any(not isinstance(step, ast.Name) for step in steps):
                    found.add(node.name)
    return found


def list_codes_without_step() -> dict[str, str]:
    """Return the codes that some place of the sources raises without saying what to do."""
    found, telling = {}, list_classes_with_step()
    for path in API.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            given = {entry.arg: entry.value for entry in node.keywords}
            code = given.get("code")
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if "next_step" not in given and name not in telling:
                    found[code.value] = f"{path.relative_to(API)}:{node.lineno}"
    return found


def test_every_code_that_is_raised_bare_has_a_step() -> None:
    missing = {
        code: place for code, place in list_codes_without_step().items() if code not in NEXT_STEPS
    }
    assert not missing, "say what to do there, or in api/next_steps.py"
    assert all(step and step[0].islower() for step in NEXT_STEPS.values())


@pytest.mark.parametrize("code", sorted(list_problem_codes() | list_contract_codes()))
def test_no_problem_leaves_without_a_next_step(code: str) -> None:
    for status in (400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503):
        fault = UserFault("what is wrong", code=code, status=status)
        assert as_problem(fault)["next_step"]
        assert as_rpc_error(fault)["data"]["next_step"]


@pytest.mark.parametrize("rule", load_refusals())
def test_every_rule_tells_all_that_there_is_to_tell(rule: str) -> None:
    problem = as_problem(translate_revert(rule))
    assert problem["rule"] == rule
    for member in ("code", "title", "detail", "next_step"):
        assert problem[member].strip(), member
    assert problem["detail"].endswith(".")
    assert problem.get("legal_reference") == find_reference(rule)


def test_laws_are_named_for_rules_that_there_are_and_by_article() -> None:
    assert set(load_laws()) <= set(load_refusals())
    for rule, articles in load_laws().items():
        assert articles, rule
        for article in articles:
            assert article.law in LAWS, rule
            assert article.jurisdiction in {"MO", "CN"}, rule
            assert article.article.startswith("Article"), rule
    told = translate_revert("instrument: missing").extra["legal_reference"]["laws"]
    assert {"jurisdiction": "CN", "law": "Personal Information Protection Law"}.items() <= told[
        1
    ].items()
    assert "legal_reference" not in translate_revert("consent: uid already used").extra


def test_rule_that_this_version_does_not_know_is_told_with_itself() -> None:
    problem = as_problem(translate_revert("consent: something new"))
    assert (problem["code"], problem["rule"]) == ("refused_by_ledger", "consent: something new")
    assert problem["next_step"]
