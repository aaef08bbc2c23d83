"""What a page does not take is refused by name, and all that a page offers is taken."""

import re

import pytest
from aiohttp import web

from api.explorer.json_surface import build_json_app
from api.explorer.law.kinds import KINDS
from api.explorer.pages import build_page_routes
from api.explorer.parameters import find_parameter
from tests.unit.explorer.law_site import LawSite

pytestmark = pytest.mark.asyncio(loop_scope="session")

LISTS = (
    *(f"/{kind.path}" for kind in KINDS),
    "/attestations",
    "/batches",
    "/governance",
)
"""Those that have a filter by state."""

_FORM = re.compile(r'<form class="filters".*?</form>', re.DOTALL)


@pytest.mark.parametrize("path", LISTS)
async def test_mistyped_filter_is_refused_by_name_on_every_list(
    law_site: LawSite, path: str
) -> None:
    text = await law_site.read(f"{path}?stat=revoked", status=400)
    assert "This page takes nothing called “stat”. Did you mean state?" in text
    assert re.search(r"It takes: [a-z_, ]*state[a-z_, ]*\.", text)
    unknown = await law_site.read(f"{path}?zzzz=1", status=400)
    assert "nothing called “zzzz”" in unknown
    assert "Did you mean" not in unknown
    await law_site.read(f"{path}?state=&state=revoked", status=400)


async def test_no_page_and_no_path_of_the_json_takes_what_it_does_not_know(
    law_site: LawSite,
) -> None:
    pages = [route.path for route in build_page_routes() if route.method == "GET"]
    programs = [resource.canonical for resource in build_json_app().router.resources()]
    assert len(pages) > 40
    assert len(programs) > 50
    for path in (*pages, *(f"/v1{path}" for path in programs)):
        place = re.sub(r"\{\w+\}", "0x" + "ab" * 32, path)
        text = await law_site.read(f"{place}?zzzz=1", status=400)
        assert "zzzz" in text, path


@pytest.mark.parametrize("path", LISTS)
async def test_every_filter_that_a_list_offers_is_taken(law_site: LawSite, path: str) -> None:
    form = _FORM.search(await law_site.read(path))
    assert form is not None
    names = re.findall(r' name="(\w+)"', form[0])
    assert "state" in names
    # A browser sends the empty fields too.
    await law_site.read(f"{path}?lang=en&" + "&".join(f"{name}=" for name in names))
    for name in names:
        if name in {"from", "until"}:
            value = "2026-11-22"
        else:
            chosen = re.search(rf'<select id="{name}".*?</select>', form[0], re.DOTALL)
            options = [] if chosen is None else re.findall(r'value="([^"]+)"', chosen[0])
            value = options[0] if options else await _find_uid(law_site, name)
        await law_site.read(f"{path}?{name}={value}")


async def test_list_shows_as_many_as_are_wanted(law_site: LawSite) -> None:
    for path, shown in (("/exchanges", "exchanges"), ("/governance", "governance")):
        whole = await law_site.read(path)
        one = await law_site.read(f"{path}?limit=1")
        line = re.compile(rf'<th scope="row"><a[^>]* href="/explorer/{shown}/')
        assert len(line.findall(one)) == 1, path
        assert len(line.findall(whole)) >= 1, path
        for limit in ("0", "201", "many"):
            assert "limit" in await law_site.read(f"{path}?limit={limit}", status=400)
    assert len(re.findall(r'href="/explorer/exchanges/0x', await law_site.read("/exchanges"))) > 1


async def test_json_asks_what_was_meant(law_site: LawSite) -> None:
    for path in ("/attestations", "/batches", "/exchanges", "/proposals"):
        problem = await law_site.get(f"{path}?stat=revoked", status=400)
        assert (problem["code"], problem["field"]) == ("invalid_field", "stat")
        assert problem["detail"].endswith("did you mean state?")
        assert "state" in problem["known"]
    # Programs have no language.
    assert (await law_site.get("/attestations?lang=pt", status=400))["field"] == "lang"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "a day (UTC) such as 2026-11-22, without a time."),
        ("pt", "um dia (UTC) como 2026-11-22, sem hora."),
        ("zh-Hant", "例如 2026-11-22"),
    ],
)
async def test_time_where_a_day_is_expected_is_told_the_form(
    law_site: LawSite, language: str, words: str
) -> None:
    for name in ("from", "until"):
        query = f"{name}=2026-11-22T08:00:00Z&lang={language}"
        assert words in await law_site.read(f"/exchanges?{query}", status=400)
    other = await law_site.read(f"/exchanges?dataset=0x12&lang={language}", status=400)
    assert words not in other


async def test_handler_can_read_nothing_that_it_does_not_take() -> None:
    async def handle(request: web.Request) -> web.Response:
        raise AssertionError(request)

    class Match:
        def __init__(self) -> None:
            self.handler = handle

    class Request:
        match_info = Match()
        path = "/explorer/things"

    with pytest.raises(AssertionError, match="state is not among what /explorer/things takes"):
        find_parameter(Request(), "state")  # type: ignore[arg-type]


async def _find_uid(law_site: LawSite, name: str) -> str:
    """Return some record that a filter may name: REST refuses a uid of none."""
    own = {kind.name: kind.path for kind in KINDS}
    path = {"parent": "mandates", "onward_of": "exchanges", "subject": "bases"}.get(name)
    found = await law_site.get(f"/{path or own.get(name, 'schemas')}?limit=1")
    return str(found["items"][0]["uid"])
