"""How the demonstrations read provenance back, tried on records of a real chain."""

import ast
from pathlib import Path
from typing import Any

import pytest
from atesta_client.requests import Request
from atesta_client.rest import AsyncClient

from scripts.demos import everything
from scripts.demos.prov_reading import read_provenance
from scripts.demos.stage import StoryFailed
from tests.unit.explorer.law_site import LawSite

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("explorer_law"),
]

FOLDER = Path(everything.__file__).parent
STORIES = ("d1", "d2", "d3", "d4", "d6", "d7", "d8")
READERS = {"read_provenance", "show_provenance"}


class Lossy:
    """A client whose PROV-JSON lacks something."""

    def __init__(self, client: AsyncClient, lost: str) -> None:
        self._client, self._lost = client, lost

    async def send(self, request: Request[Any]) -> Any:
        answer = await self._client.send(request)
        if request.query.get("format") == "prov-json":
            answer = {name: part for name, part in answer.items() if name != self._lost}
        return answer


async def test_provenance_is_read_back_with_all_it_rests_on(law_site: LawSite) -> None:
    uids = law_site.records
    async with AsyncClient(law_site.url) as client:
        rests_on = (uids["consent"], uids["basis"], uids["dataset"], uids["purpose"])
        read = await read_provenance(client, uids["exchange"], rests_on=rests_on)
        assert read.agents == len(read.told.agents) == 3
        assert read.entities == len(read.told.entities)
        assert f"{read.agents} agents" in read.sentence
        for name in ("mandate", "policy", "post", "period", "body", "stop", "schema"):
            assert (await read_provenance(client, uids[name])).activities, name


async def test_provenance_without_what_it_rests_on_fails_the_story(law_site: LawSite) -> None:
    uids = law_site.records
    async with AsyncClient(law_site.url) as client:
        with pytest.raises(StoryFailed, match="does not name everything"):
            await read_provenance(client, uids["exchange"], rests_on=(uids["policy"],))


@pytest.mark.parametrize("lost", ["agent", "entity"])
async def test_lossy_prov_json_fails_the_story(law_site: LawSite, lost: str) -> None:
    async with AsyncClient(law_site.url) as client:
        lossy: Any = Lossy(client, lost)
        with pytest.raises(StoryFailed, match=r"PROV-JSON|agents"):
            await read_provenance(lossy, law_site.records["exchange"])


def list_calls(path: Path) -> set[str]:
    """Return the names of all functions that a module calls."""
    return {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


@pytest.mark.parametrize("story", STORIES)
async def test_every_demonstration_reads_provenance_back(story: str) -> None:
    # D1 is told in modules of its own; its auditor's part is `auditing`.
    modules = [FOLDER / f"{'auditing' if story == 'd1' else story}.py"]
    assert any(list_calls(module) & READERS for module in modules), story
