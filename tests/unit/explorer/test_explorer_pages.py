"""The pages: complete without scripts, correct, escaped, in three languages."""

import asyncio
import re
import string
from collections.abc import Iterator
from html.parser import HTMLParser

import aiohttp
import pytest

from api.explorer.pages import find_dominant_jurisdiction
from api.explorer.registry import Agency, Registry
from api.explorer.rendering import (
    get_stylesheet,
    write_age,
    write_machine_time,
    write_number,
    write_time,
)
from api.explorer.texts import DEFAULT, LANGUAGES, choose_language
from api.ledger import BlockSummary, Ledger
from tests.unit.explorer.conftest import BATCH, FIRST, SCHEMA, SECOND, Site

VOID = {"meta", "link", "br", "input"}


class Page(HTMLParser):
    """Reads a page and checks that its elements nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.elements.append((tag, found))
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "a":
            self.links.append(str(found["href"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def paths(site: Site) -> Iterator[str]:
    yield from (
        "", "/", "/blocks", "/blocks/0", "/blocks/3", "/blocks/7", "/attestations", "/batches",
        "/schemas", "/agencies", "/agencies/mo-health-laboratory", "/validators",
        "/search?q=MO", "/search?q=nothing+at+all", "/search",
        f"/transactions/{site.attested}", f"/transactions/{site.proposed}",
        "/attestations?state=revoked", "/accounts/0x" + "99" * 20,
        "/accounts/0x0000000000000000000000000000000000a7e501",
    )  # fmt: skip
    for kind, uid in (
        ("attestations", FIRST),
        ("attestations", SECOND),
        ("batches", BATCH),
        ("schemas", SCHEMA),
    ):
        yield f"/{kind}/0x{uid.hex()}"


@pytest.mark.parametrize("language", list(LANGUAGES))
async def test_every_page_is_whole_in_every_language(site: Site, language: str) -> None:
    for path in paths(site):
        text = await site.read(path, headers={"Accept-Language": language})
        page = Page(text)
        assert f'<html lang="{language}">' in text, path
        tags = [tag for tag, _ in page.elements]
        assert "script" not in tags
        assert tags.count("h1") == 1
        assert len(page.ids) == len(set(page.ids)), path
        assert not any("style" in found or "onclick" in found for _, found in page.elements)
        for tag, found in page.elements:
            for name in ("src", "href", "action"):
                target = found.get(name)
                assert target is None or target.startswith(("/", "#", "data:,")), (path, tag)
        labelled = {found.get("for") for tag, found in page.elements if tag == "label"}
        fields = {found["id"] for tag, found in page.elements if tag in {"input", "select"}}
        assert fields <= labelled, path


async def test_no_link_is_broken(site: Site) -> None:
    seen: set[str] = set()
    waiting = ["/explorer"]
    while waiting:
        path = waiting.pop().split("#")[0]
        if path in seen or not path or "lang=" in path:
            continue
        seen.add(path)
        async with site.http.get(site.url + path) as answer:
            assert answer.status == 200, path
            if answer.content_type == "text/html":
                waiting.extend(Page(await answer.text()).links)
    assert len(seen) > 60


async def test_pages_forbid_everything_foreign(site: Site) -> None:
    async with site.http.get(f"{site.url}/explorer") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_overview_says_how_the_head_became_final(site: Site) -> None:
    text = await site.read("")
    assert "Final: 3 of 4 validators sealed this block; 3 are needed." in text
    assert "Block 7 became final 3 s ago." in text
    assert text.count('class="sealed"') == 3
    assert "Shared ledger &lt;Macao &amp; Guangdong&gt;" in text


async def test_record_says_in_plain_words_what_is_on_the_ledger(site: Site) -> None:
    text = await site.read(f"/attestations/0x{SECOND.hex()}")
    assert "mo-health-laboratory attested one document of this schema." in text
    assert "The issuer no longer stands behind the document." in text
    assert "holder&#39;s request" in text
    assert "Not on the ledger: the document, names, numbers, dates of birth." in text
    assert text.index(">Attested<") < text.index(">State changed<")


async def test_node_that_is_behind_says_so(site: Site) -> None:
    assert "Up to date" in await site.read("")
    site.clock.late_s = 3_600
    text = await site.read("")
    assert "This node may be behind" in text
    assert "from 60 min ago" in text


async def test_search_with_one_hit_goes_there(site: Site) -> None:
    async with site.http.get(
        f"{site.url}/explorer/search?q=0x{FIRST.hex()}", allow_redirects=False
    ) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == f"/explorer/attestations/0x{FIRST.hex()}"


async def test_what_is_searched_is_escaped(site: Site) -> None:
    text = await site.read("/search?q=%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


async def test_language_is_chosen_by_link_and_remembered(site: Site) -> None:
    async with site.http.get(f"{site.url}/explorer/blocks?lang=pt") as answer:
        assert answer.headers["Content-Language"] == "pt"
        cookie = answer.cookies["atesta_language"]
        assert (cookie.value, cookie["path"], cookie["httponly"]) == ("pt", "/explorer", True)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        await session.get(f"{site.url}/explorer?lang=zh-Hant")
        async with session.get(f"{site.url}/explorer/agencies") as answer:
            assert answer.headers["Content-Language"] == "zh-Hant"


async def test_lists_are_written_as_the_language_writes_them(site: Site) -> None:
    for language, between in (("en", ", "), ("pt", ", "), ("zh-Hant", "、")):
        text = await site.read(f"/agencies/mo-health-bureau?lang={language}")
        roles = re.sub(r"<[^>]+>", "", text.split("<dd", 3)[2].split("</dd>")[0])
        assert between in roles, (language, roles)


async def test_stylesheet_is_kept_by_its_name(site: Site) -> None:
    content, path = get_stylesheet()
    async with site.http.get(site.url + path) as answer:
        assert await answer.read() == content
        assert "immutable" in answer.headers["Cache-Control"]
    async with site.http.get(site.url + "/explorer/static/explorer-old.css") as answer:
        assert answer.status == 404


async def test_errors_are_pages_for_people(site: Site) -> None:
    for path, status, words in (
        ("/blocks/99", 404, "There is nothing here with this identifier."),
        ("/blocks/x", 400, "The address of this page is not complete: block."),
        ("/nowhere", 404, "There is nothing here with this identifier."),
    ):
        text = await site.read(path, status=status)
        assert words in text
        assert "Request number" in text


def test_languages_have_the_same_texts_and_places() -> None:
    def places(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for language in LANGUAGES.values():
        assert set(language.texts) == set(DEFAULT.texts), language.tag
        for key, text in language.texts.items():
            assert places(text) == places(DEFAULT.texts[key]), (language.tag, key)
            assert text.strip(), (language.tag, key)


@pytest.mark.parametrize(
    ("wanted", "accepted", "tag"),
    [
        (None, "", "en"),
        ("pt", "zh", "pt"),
        ("xx", "zh-HK,zh;q=0.9,en;q=0.8", "zh-Hant"),
        (None, "fr;q=0.9, pt-PT;q=0.8, en;q=0.1", "pt"),
        (None, "en;q=0, pt;q=x, zh", "zh-Hant"),
        (None, "*;q=0.5", "en"),
    ],
)
def test_language_follows_the_reader(wanted: str | None, accepted: str, tag: str) -> None:
    assert choose_language(wanted, accepted).tag == tag


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h"), (172_800, "2 days")],
)
def test_age_is_in_its_largest_whole_unit(seconds: int, words: str) -> None:
    assert write_age(DEFAULT, seconds) == words


def test_time_beyond_the_calendar_is_its_last_second() -> None:
    assert write_time(2**48 - 1) == "9999-12-31 23:59:59 UTC"
    assert write_machine_time(2**255) == "9999-12-31T23:59:59Z"


def test_number_is_grouped() -> None:
    assert write_number(1_234_567) == "1\u202f234\u202f567"


@pytest.mark.parametrize(
    ("jurisdictions", "dominant"),
    [
        (["MO", "MO", "GD", "GD"], None),
        (["MO", "MO", "MO", "GD"], "MO"),
        (["MO", "MO", "MO", "MO"], None),
        ([], None),
    ],
)
def test_quorum_of_one_jurisdiction_is_warned_of(
    jurisdictions: list[str], dominant: str | None
) -> None:
    agencies = {
        bytes([number]): Agency(
            id=bytes([number]),
            jurisdiction=jurisdiction.encode().ljust(32, b"\0"),
            active=True,
            roles=(),
            profile_hash=bytes(32),
            keys=(),
            validators=(),
        )
        for number, jurisdiction in enumerate(jurisdictions)
    }
    by_address = {f"0x{number}": bytes([number]) for number in range(len(jurisdictions))}
    registry = Registry(block=0, agencies=agencies, by_address=by_address, validators=())
    assert find_dominant_jurisdiction(registry, list(by_address)) == dominant


async def test_home_leads_to_the_explorer(site: Site) -> None:
    async with site.http.get(site.url + "/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/explorer")


async def test_pages_of_a_stopped_index_say_so_instead_of_showing_old_rows(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    genesis = await Ledger(site.ledger.connection.raw).get_blocks(0, 0)

    async def get_another_head(_ledger: Ledger) -> BlockSummary:
        return genesis[0]

    monkeypatch.setattr(Ledger, "get_head", get_another_head)
    async with site.index.run(), asyncio.timeout(60):
        while site.index.mismatch is None:
            await asyncio.sleep(0.01)
        uid = FIRST.hex()
        for path in (
            "", "/attestations", "/batches", "/schemas", f"/attestations/0x{uid}",
            f"/batches/0x{BATCH.hex()}", f"/schemas/0x{SCHEMA.hex()}", f"/search?q={uid}",
        ):  # fmt: skip
            text = await site.read(path, status=503)
            assert "index does not belong to the ledger" in text, path
        problem = await site.get("/attestations", status=503)
        assert problem["code"] == "index_mismatch"
        await site.read("/blocks")
