"""What the pages tell a newcomer: which calls need a purpose, and agencies that are there."""

import re
from pathlib import Path

import pytest

from api.access.purposes import PURPOSE_HEADER
from api.rest.routes import ROUTES
from contracts.development import list_development_agencies

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("page", ["access.md", "acts.md", "exchanging.md"])
def test_pages_name_the_purpose_header_and_what_needs_it(page: str) -> None:
    told = (DOCS / page).read_text(encoding="utf-8")
    assert f"`{PURPOSE_HEADER}`" in told
    assert "`purpose_missing`" in told
    assert "/v1/bases" in told
    for route in ROUTES:
        if route.opens:
            kind = route.path.split("/")[1].rstrip("s")
            assert kind in told, route.path


def test_examples_of_the_command_line_name_agencies_of_the_devnet() -> None:
    told = (DOCS / "operations.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^atesta list .*\bagency=(\S+)", told, re.MULTILINE))
    assert named
    assert named <= {agency.label for agency in list_development_agencies(4)}
