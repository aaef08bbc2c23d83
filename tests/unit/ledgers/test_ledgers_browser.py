"""Going from one ledger's pages to another's in a real browser, in every language."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from api.explorer.texts import LANGUAGES
from tests.unit.explorer.browser import BINARY, Browser, open_browser
from tests.unit.explorer.test_explorer_browser_law import check_reading, get_path
from tests.unit.ledgers.exchange_on_macao import CASE
from tests.unit.ledgers.explorer_site import TwoLedgerSite, open_two_ledger_site
from tests.unit.ledgers.two_ledgers import MACAO, SHARED

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("explorer_ledgers"),
    pytest.mark.skipif(
        BINARY is None, reason="needs chromium: apt-get install chromium (Debian's package)"
    ),
]

HERE = "document.querySelector('nav.ledgers [aria-current=true]').innerText"
ON_MACAO = "/explorer/ledgers/macao"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TwoLedgerSite]:
    async with open_two_ledger_site(tmp_path_factory.mktemp("ledgers")) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with open_browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


async def check_ledger(browser: Browser, name: str, language: str) -> None:
    """Check that a page can be read, and that its title and its head name the ledger."""
    await check_reading(browser, language)
    assert f" · {name} · " in await browser.evaluate("document.title")
    assert (await browser.evaluate(HERE)).startswith(name)


@pytest.mark.parametrize("language", list(LANGUAGES))
async def test_reader_goes_from_the_own_ledger_to_another_and_back(
    site: TwoLedgerSite, browser: Browser, language: str
) -> None:
    texts = LANGUAGES[language].texts
    await browser.open(f"{site.url}/explorer?lang={language}")
    await check_ledger(browser, SHARED, language)
    assert texts["ledgers.own"] in await browser.evaluate(HERE)
    await browser.click("nav.ledgers a[href='/explorer/ledgers']")
    await check_ledger(browser, SHARED, language)
    await browser.click(f"main a[href='{ON_MACAO}']")
    await check_ledger(browser, MACAO, language)
    assert texts["ledgers.own"] not in await browser.evaluate(HERE)
    await browser.click(f"nav a[href='{ON_MACAO}/records']")
    await browser.click(f"a[href='{ON_MACAO}/exchanges']")
    await check_ledger(browser, MACAO, language)
    await browser.click("main tbody th a")
    assert await get_path(browser) == f"{ON_MACAO}/exchanges/{site.exchange}"
    await browser.click(f"main a[href='{ON_MACAO}/consents/{site.consent}']")
    await check_ledger(browser, MACAO, language)
    await browser.click("nav.ledgers a[href='/explorer']")
    await check_ledger(browser, SHARED, language)


async def test_case_leads_to_the_ledger_of_each_exchange(
    site: TwoLedgerSite, browser: Browser
) -> None:
    await browser.open(f"{site.url}/explorer/cases?lang=pt")
    await browser.fill("#number", CASE)
    await browser.click("main form button")
    await check_ledger(browser, SHARED, "pt")
    await browser.click(f"main a[href='{ON_MACAO}/exchanges/{site.exchange}']")
    await check_ledger(browser, MACAO, "pt")


async def test_ledger_that_is_away_is_told_with_a_way_back(
    site: TwoLedgerSite, browser: Browser
) -> None:
    site.macao.is_down = True
    try:
        await browser.open(f"{site.url}{ON_MACAO}?lang=zh-Hant")
        await check_ledger(browser, MACAO, "zh-Hant")
    finally:
        site.macao.is_down = False
    await browser.click("nav.ledgers a[href='/explorer']")
    await check_ledger(browser, SHARED, "zh-Hant")


async def test_narrow_window_shows_the_choice_of_ledgers_whole(
    site: TwoLedgerSite, browser: Browser
) -> None:
    await browser.resize(400, 900)
    try:
        for path in ("", "/ledgers", f"{ON_MACAO.removeprefix('/explorer')}/exchanges"):
            await browser.open(f"{site.url}/explorer{path}?lang=pt")
            width = await browser.evaluate("document.documentElement.scrollWidth")
            assert width <= 400, path
    finally:
        await browser.resize(1200, 1600)
