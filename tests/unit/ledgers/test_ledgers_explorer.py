"""The explorer of several ledgers: each page is of one, says of which, and leads to the others."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from api.explorer.texts import LANGUAGES
from contracts.development import CHAIN_ID
from tests.unit.ledgers.exchange_on_macao import CASE
from tests.unit.ledgers.explorer_site import TwoLedgerSite, open_two_ledger_site
from tests.unit.ledgers.two_ledgers import MACAO, MACAO_CHAIN_ID, SHARED

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("explorer_ledgers"),
]

ON_MACAO = "/ledgers/macao"
PAGES = (
    "", "/records", "/exchanges", "/consents", "/attestations", "/batches", "/schemas", "/agencies",
    "/agencies/mo-health-bureau", "/validators", "/governance", "/blocks", "/blocks/1", "/cases",
    "/search?q=1234567", "/ledgers",
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TwoLedgerSite]:
    """One for all tests, which only read."""
    async with open_two_ledger_site(tmp_path_factory.mktemp("ledgers")) as opened:
        yield opened


def list_links(page: str) -> set[str]:
    return set(re.findall(r'(?:href|action)="(/[^"]*)"', page))


@pytest.mark.parametrize("path", PAGES)
async def test_page_names_its_ledger_and_stays_on_it(site: TwoLedgerSite, path: str) -> None:
    for root, name in (("", SHARED), (ON_MACAO, MACAO)):
        page = await site.read(f"{root}{path}")
        title = re.search("<title>(.*)</title>", page)
        assert title is not None
        assert f" · {name} · Atesta" in title[1]
        here = re.search(r'<a href="([^"]*)" aria-current="true">(\w+)', page)
        assert here is not None
        assert (here[1], here[2]) == ("/explorer" + root, name)
        on_macao = {link for link in list_links(page) if link.startswith(f"/explorer{ON_MACAO}")}
        rest = list_links(page) - on_macao
        if path.startswith(("/search", "/ledgers")):
            continue
        # Besides the head's one link to the other ledger and the stylesheet, all stay here.
        if root:
            assert {link for link in rest if "/static/" not in link} == {"/explorer"}
        else:
            assert on_macao == {f"/explorer{ON_MACAO}"}


async def test_lists_are_the_ledgers_own(site: TwoLedgerSite) -> None:
    assert site.exchange not in await site.read("/exchanges")
    page = await site.read(f"{ON_MACAO}/exchanges")
    assert f'href="/explorer/ledgers/macao/exchanges/{site.exchange}"' in page
    assert "gd-health-commission" in await site.read("/agencies")
    assert "gd-health-commission" not in await site.read(f"{ON_MACAO}/agencies")
    await site.read(f"/exchanges/{site.exchange}", status=404)
    record = await site.read(f"{ON_MACAO}/exchanges/{site.exchange}")
    assert f'href="/explorer/ledgers/macao/consents/{site.consent}"' in record


async def test_json_is_of_the_ledger_of_its_path(site: TwoLedgerSite) -> None:
    for root, name, chain_id in (("", SHARED, CHAIN_ID), (ON_MACAO, MACAO, MACAO_CHAIN_ID)):
        async with site.http.get(f"{site.url}/explorer{root}/v1/status") as answer:
            assert (await answer.json())["chain_id"] == chain_id
            assert answer.headers["Atesta-Ledger"] == name
    async with site.http.get(f"{site.url}/explorer{ON_MACAO}/v1/blocks/99999") as answer:
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"


async def test_own_ledger_by_its_name_leads_to_where_it_is_shown(site: TwoLedgerSite) -> None:
    async with site.http.get(f"{site.url}/explorer/ledgers/shared/blocks?before=3") as answer:
        assert answer.url.path_qs == "/explorer/blocks?before=3"
    async with site.http.get(f"{site.url}/explorer/ledgers/shared") as answer:
        assert answer.url.path == "/explorer"
    await site.read("/ledgers/guangdong", status=404)
    await site.read("/ledgers/guangdong/blocks", status=404)


async def test_list_of_ledgers_says_who_is_on_each(site: TwoLedgerSite) -> None:
    page = await site.read("/ledgers")
    assert 'href="/explorer/ledgers/macao">macao</a>' in page
    assert 'href="/explorer/ledgers/macao/agencies/mo-health-bureau"' in page
    assert 'href="/explorer/agencies/gd-health-commission"' in page
    assert "CN-GD, MO" in page


async def test_story_of_another_ledger_is_shown_there(site: TwoLedgerSite) -> None:
    async with site.http.get(f"{site.url}/explorer/provenance/{site.exchange}") as answer:
        assert answer.status == 200
        assert answer.url.path == f"/explorer/ledgers/macao/provenance/{site.exchange}"
        assert "mo-health-laboratory" in await answer.text()


async def test_uid_leads_to_the_ledger_that_has_the_record(site: TwoLedgerSite) -> None:
    for root in ("", ON_MACAO):
        url = f"{site.url}/explorer{root}/records/{site.consent}"
        async with site.http.get(url) as answer:
            assert answer.status == 200
            assert answer.url.path == f"/explorer/ledgers/macao/consents/{site.consent}"
        await site.read(f"{root}/records/0x{'ee' * 32}", status=404)


@pytest.mark.parametrize("language", list(LANGUAGES))
async def test_case_shows_exchanges_of_every_ledger(site: TwoLedgerSite, language: str) -> None:
    form = {"number": CASE, "purpose": "service"}
    url = f"{site.url}/explorer/cases?lang={language}"
    async with site.http.post(url, data=form) as answer:
        page = await answer.text()
    assert f'href="/explorer/ledgers/macao/exchanges/{site.exchange}"' in page
    assert 'href="/explorer/ledgers/macao/agencies/mo-health-bureau"' in page
    assert 'href="/explorer/agencies/mo-health-bureau"' not in page
    assert LANGUAGES[language].texts["fact.ledger"] in page
    site.macao.is_down = True
    try:
        async with site.http.post(url, data=form) as answer:
            page = await answer.text()
    finally:
        site.macao.is_down = False
    assert LANGUAGES[language].say("case.ledger_away", ledger=MACAO) in page
    assert site.exchange not in page


async def test_ledger_that_is_away_says_so_and_the_others_are_shown(site: TwoLedgerSite) -> None:
    site.macao.is_down = True
    try:
        page = await site.read(f"{ON_MACAO}/blocks", status=503)
        assert "· macao · Atesta</title>" in page
        assert 'href="/explorer">shared' in page
        listed = await site.read("/ledgers")
        assert "Cannot be read now" in listed
        await site.read("/blocks")
    finally:
        site.macao.is_down = False


async def test_search_leads_to_the_same_search_on_the_other_ledger(site: TwoLedgerSite) -> None:
    page = await site.read(f"/search?q={site.exchange}")
    assert f'href="/explorer/ledgers/macao/search?q={site.exchange}"' in page
    async with site.http.get(
        f"{site.url}/explorer{ON_MACAO}/search", params={"q": site.exchange}
    ) as answer:
        assert answer.url.path == f"/explorer/ledgers/macao/exchanges/{site.exchange}"
