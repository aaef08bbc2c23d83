"""A schema's page says what its text says and asks, in the reader's language."""
# ruff: noqa: RUF001 - fullwidth punctuation is right in Chinese

import asyncio
from pathlib import Path

import pytest
from atesta_client.predicates import AgeAtLeast, Below, OneOf

from api.explorer.texts import LANGUAGES
from api.rest.schema_texts import SchemaText
from contracts.addresses import SCHEMAS, SCHEMAS_NAME
from tests.unit.explorer.conftest import SCHEMA, Site
from tests.unit.explorer.real_ledger import BUREAU, NO_UID
from tests.unit.explorer.test_explorer_browser import BROWSER, run_browser

ASKING = SchemaText(
    uid=b"\x5d" * 32,
    title="Housing <subsidy>",
    pointers=("/birth_date", "/income", "/place", "/of_age", "/low_income", "/local"),
    reference=("/birth_date", "/place"),
    predicates=(
        AgeAtLeast(pointer="/of_age", source="/birth_date", years=18),
        Below(pointer="/low_income", source="/income", limit=20_000),
        OneOf(pointer="/local", source="/place", values=frozenset({"ZH", "MO", "<b>"})),
    ),
)
SENTENCES = {
    "en": (
        "Is /birth_date at least 18 years ago?",
        "Is /income below 20000?",
        "Is /place one of these: &lt;b&gt;, MO, ZH?",
    ),
    "pt": (
        "/birth_date foi há pelo menos 18 anos?",
        "/income é inferior a 20000?",
        "/place é um destes valores: &lt;b&gt;, MO, ZH?",
    ),
    "zh-Hant": (
        "/birth_date 是否至少在 18 年前？",
        "/income 是否低於 20000？",
        "/place 是否為下列之一：&lt;b&gt;、MO、ZH？",
    ),
}


async def register(site: Site, text: SchemaText, *, with_text: bool = True) -> str:
    """Put a schema on the ledger and its text into this node; return the path of its page."""
    await site.ledger.act(
        BUREAU, SCHEMAS, SCHEMAS_NAME, "register",
        text.uid, text.pointers_hash, text.document_hash, len(text.pointers), site.ledger.now_s,
        NO_UID,
    )  # fmt: skip
    site.ledger.mine()
    if with_text:
        await site.texts.put(text, site.ledger.now_s)
    await site.index.catch_up()
    return f"/schemas/0x{text.uid.hex()}"


@pytest.mark.parametrize("language", list(LANGUAGES))
async def test_schema_page_asks_its_questions_in_every_language(site: Site, language: str) -> None:
    path = await register(site, ASKING)
    page = await site.read(path, headers={"Accept-Language": language})
    assert "Housing &lt;subsidy&gt;" in page
    places = [page.index(f"<li><code>{pointer}</code></li>") for pointer in ASKING.pointers]
    assert places == sorted(places)
    for predicate, sentence in zip(ASKING.predicates, SENTENCES[language], strict=True):
        assert f"<code>{predicate.pointer}</code>: {sentence}" in page
    assert LANGUAGES[language].say("schema.questions") in page


async def test_schema_page_without_the_text_says_so(site: Site) -> None:
    path = await register(site, ASKING, with_text=False)
    for here in (path, f"/schemas/0x{SCHEMA.hex()}"):
        page = await site.read(here)
        assert "This node does not have the text behind the hash." in page
        assert "Questions answered" not in page


async def test_schema_page_shows_no_text_that_the_ledger_has_not(site: Site) -> None:
    other = SchemaText(uid=SCHEMA, title="Another text", pointers=("/a",), reference=())
    await site.texts.put(other, site.ledger.now_s)
    assert "Another text" not in await site.read(f"/schemas/0x{SCHEMA.hex()}")


async def test_schema_page_without_questions_says_so(site: Site) -> None:
    plain = SchemaText(uid=b"\x5e" * 32, title="Plain", pointers=("/a", "/b"), reference=("/a",))
    page = await site.read(await register(site, plain))
    assert "It asks none." in page
    assert 'id="questions"' not in page


@pytest.mark.browser
@pytest.mark.skipif(BROWSER is None, reason="needs chromium: apt-get install chromium")
async def test_browser_shows_the_questions_of_a_schema(site: Site, tmp_path: Path) -> None:
    path = await register(site, ASKING)
    page = await run_browser(tmp_path, f"{site.url}/explorer{path}", "--dump-dom")
    assert "Is /birth_date at least 18 years ago?" in page
    picture = tmp_path / "schema.png"
    await run_browser(
        tmp_path,
        f"{site.url}/explorer{path}?lang=zh-Hant",
        "--window-size=500,1600",
        f"--screenshot={picture}",
    )
    assert (await asyncio.to_thread(picture.stat)).st_size > 40_000
