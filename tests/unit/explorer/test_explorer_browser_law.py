"""The law's pages in a real browser: from a list to where a record came from, for every reader.

Each language is walked once. On every page on the way the accessibility tree is read as a screen
reader reads it, and the contrast of every text is measured by day and by night.
"""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from api.explorer.texts import LANGUAGES
from tests.unit.acts.law_world import BUREAU
from tests.unit.explorer.browser import BINARY, Browser, open_browser
from tests.unit.explorer.law_site import NUMBER, OFFICER, LawSite

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("explorer_law"),
    pytest.mark.skipif(
        BINARY is None, reason="needs chromium: apt-get install chromium (Debian's package)"
    ),
]

NEEDS_NAME = {"link", "button", "textbox", "searchbox", "combobox", "navigation", "region", "form"}
"""Roles that say nothing without a name."""

LOWEST_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3: text against its background, level AA."""

LIST_FAINT = """(() => {
  const parse = text => {
    const numbers = text.match(/[\\d.]+/g).map(Number);
    const scale = text.startsWith('color(') ? 255 : 1;
    return [...numbers.slice(0, 3).map(n => n * scale), numbers[3] ?? 1];
  };
  const light = channel => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  const shine = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const mix = (over, under) =>
    over.slice(0, 3).map((c, i) => c * over[3] + under[i] * (1 - over[3]));
  const ground = element => {
    const layers = [];
    for (let at = element; at; at = at.parentElement)
      layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, over) => mix(over, under), [255, 255, 255]);
  };
  const faint = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || element.closest('.hidden, .skip')) continue;
    const under = ground(element);
    const over = mix(parse(getComputedStyle(element).color), under);
    const [high, low] = [shine(over), shine(under)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < LOWEST) faint.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
  return faint;
})()""".replace("LOWEST", str(LOWEST_CONTRAST))
"""Texts that are too faint, with their contrast."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with open_browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


async def check_reading(browser: Browser, language: str) -> None:
    """Check that a page can be read without eyes, and by weak ones."""
    assert await browser.evaluate("document.documentElement.lang") == language
    named = await browser.list_named()
    roles = [role for role, _ in named]
    assert roles.count("main") == 1
    nameless = {role for role, name in named if role in NEEDS_NAME and not name.strip()}
    assert not nameless
    landmarks = [name for role, name in named if role == "navigation"]
    assert len(landmarks) == len(set(landmarks))
    headings = await browser.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4')].map(h => Number(h.tagName[1]))"
    )
    assert headings[0] == 1
    assert headings.count(1) == 1
    for scheme in ("dark", "light"):
        await browser.prefer(scheme=scheme)
        assert await browser.evaluate(LIST_FAINT) == [], scheme


async def get_path(browser: Browser) -> str:
    return str(await browser.evaluate("location.pathname + location.search"))


@pytest.mark.parametrize("language", list(LANGUAGES))
async def test_reader_goes_from_a_list_to_where_a_record_came_from(
    law_site: LawSite, browser: Browser, language: str
) -> None:
    texts, records = LANGUAGES[language].texts, law_site.records
    await browser.open(f"{law_site.url}/explorer?lang={language}")
    await check_reading(browser, language)
    await browser.click("nav a[href='/explorer/records']")
    await check_reading(browser, language)
    await browser.click("a[href='/explorer/exchanges']")
    assert texts["list.exchange"] == await browser.evaluate(
        "document.querySelector('h1').innerText"
    )
    await browser.fill("#agency", BUREAU)
    await browser.fill("#state", "received")
    await browser.click(".filters button")
    assert "state=received" in await get_path(browser)
    rows = await browser.evaluate("document.querySelectorAll('main tbody tr').length")
    assert rows == 1
    await check_reading(browser, language)
    await browser.click("main tbody th a")
    assert await get_path(browser) == f"/explorer/exchanges/{records['exchange']}"
    await check_reading(browser, language)
    shown = await browser.evaluate("document.querySelector('main').innerText")
    assert texts["state.received"] in shown
    assert re.search(r"\d\d:\d\d:\d\d MO \([\d:]+ UTC\)", shown)
    await browser.click(f"main a[href='/explorer/consents/{records['consent']}']")
    await check_reading(browser, language)
    assert texts["state.revoked"] in await browser.evaluate(
        "document.querySelector('h1').innerText"
    )
    await browser.click(f"a[href='/explorer/provenance/{records['consent']}']")
    await check_reading(browser, language)
    acts = await browser.evaluate("document.querySelectorAll('.history li').length")
    assert acts >= 5
    await browser.click(f"main a[href^='/explorer/v1/provenance/{records['consent']}?format=']")
    assert "wasInvalidatedBy" in await browser.evaluate("document.body.innerText")


async def test_case_is_asked_by_form_and_its_number_stays_out_of_the_address(
    law_site: LawSite, browser: Browser
) -> None:
    await browser.open(f"{law_site.url}/explorer/cases?lang=en")
    await check_reading(browser, "en")
    await browser.fill("#number", NUMBER)
    await browser.click("main form button")
    await check_reading(browser, "en")
    shown = await browser.evaluate("document.querySelector('main').innerText")
    assert "an earlier request of this case asks the same agency for the same" in shown
    assert OFFICER not in shown
    assert NUMBER not in await get_path(browser)


async def test_votes_are_read_in_every_scheme(law_site: LawSite, browser: Browser) -> None:
    for path in ("/governance", "/governance/1", "/agencies/mo-health-bureau", "/validators"):
        await browser.open(f"{law_site.url}/explorer{path}?lang=pt")
        await check_reading(browser, "pt")


async def test_keyboard_reaches_the_content_first(law_site: LawSite, browser: Browser) -> None:
    await browser.open(f"{law_site.url}/explorer/consents?lang=en")
    await browser.press("Tab")
    focused = "document.activeElement.getAttribute('href')"
    assert await browser.evaluate(focused) == "#content"
    assert await browser.evaluate("document.activeElement.getBoundingClientRect().left >= 0")
    await browser.press("Enter")
    await browser.press("Tab")
    assert await browser.evaluate("document.activeElement.closest('main') !== null")


async def test_narrow_window_shows_pages_whole(law_site: LawSite, browser: Browser) -> None:
    await browser.resize(400, 900)
    try:
        for path in (
            "/exchanges", f"/exchanges/{law_site.records['exchange']}", "/governance/1",
            f"/provenance/{law_site.records['exchange']}", "/records",
        ):  # fmt: skip
            await browser.open(f"{law_site.url}/explorer{path}?lang=en")
            width = await browser.evaluate("document.documentElement.scrollWidth")
            assert width <= 400, path
    finally:
        await browser.resize(1200, 1600)
