"""docs/explorer.md lists every route of the explorer, docs/access.md every role."""

import re
from pathlib import Path

from api.access.callers import Role
from api.explorer.json_surface import build_json_app
from api.explorer.pages import build_page_routes

DOCS = Path(__file__).parents[3] / "docs"


def test_explorer_page_lists_every_route() -> None:
    documented = set(
        re.findall(r"^\| `(/explorer\S*)` \|", (DOCS / "explorer.md").read_text(), re.MULTILINE)
    )
    pages = {("/explorer" + route.path).rstrip("/") for route in build_page_routes()}
    json = {"/explorer/v1" + resource.canonical for resource in build_json_app().router.resources()}
    assert documented == pages | json


def test_access_page_lists_every_role() -> None:
    documented = re.findall(r"^\| `(\w+)` \|", (DOCS / "access.md").read_text(), re.MULTILINE)
    assert documented == [role.value for role in Role]
