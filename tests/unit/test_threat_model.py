"""docs/threat-model.md and docs/reliability.md name tests that exist; every threat names one."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
PAGE = ROOT / "docs/threat-model.md"
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


@cache
def list_tests(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


def read_rows() -> list[list[str]]:
    """Return the cells of every row of every table but its head and rule."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("| ")
    ]
    return [row for row in rows if row[0] not in {"threat", "claim"}]


def test_threat_model_names_tests_that_exist() -> None:
    named = NAMED.findall(PAGE.read_text(encoding="utf-8"))
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (TESTS / file).is_file() or name not in list_tests(TESTS / file)
    ]
    assert missing == []
    assert len(named) > 80


def test_every_threat_has_a_control_and_a_test() -> None:
    rows = read_rows()
    assert len(rows) > 60
    for row in rows:
        assert len(row) in {2, 4}, row
        if len(row) == 4:
            assert row[1], f"no control: {row[0]}"
        assert NAMED.search(row[-2] if len(row) == 4 else row[-1]), f"no test: {row[0]}"


def test_controls_name_modules_that_exist() -> None:
    paths = re.findall(
        r"`((?:api|consensus|contracts|node)/[\w/.]+)`", PAGE.read_text(encoding="utf-8")
    )
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", ["reliability.md", "threat-model.md"])
def test_page_names_test_files_that_exist(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    files = set(re.findall(r"(?:[\w/]+/)?test_\w+\.py", text))
    known = {path.name: path for path in TESTS.rglob("test_*.py")}
    assert files
    assert [file for file in sorted(files) if Path(file).name not in known] == []
    assert [
        file
        for file in sorted(files)
        if "/" in file and not (TESTS / file.removeprefix("tests/")).is_file()
    ] == []
