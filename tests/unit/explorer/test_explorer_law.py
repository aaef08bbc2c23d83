"""Pages about the ledger's law, over a real chain on which agencies have used it."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from prov.model import ProvActivity, ProvAgent, ProvDocument, ProvEntity

from api.access.callers import Role
from api.access.reads import ReadFilter
from api.access.tokens import create_token, save_tokens
from api.explorer.law.asking import ask
from api.explorer.law.kinds import KINDS
from api.explorer.texts import DEFAULT, LANGUAGES
from tests.unit.acts.law_world import BUREAU, COMMISSION, LABORATORY
from tests.unit.explorer.law_site import NUMBER, OFFICER, LawSite
from tests.unit.explorer.test_explorer_pages import Page

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("explorer_law"),
]

PERSONAL = (OFFICER, "Chan Tai Man", "Lei Siu", "taxpayer-77", "file-2026-0042", NUMBER)
"""What only vaults may hold."""


def list_paths(site: LawSite) -> list[str]:
    paths = ["/records", "/governance", "/governance/1", "/cases"]
    for kind in KINDS:
        paths += [f"/{kind.path}", f"/{kind.path}/{site.records[kind.name]}"]
    named = ("exchange", "consent", "mandate", "policy", "post", "period", "schema", "half_void")
    return [*paths, *(f"/provenance/{site.records[name]}" for name in named)]


@pytest.mark.parametrize("language", list(LANGUAGES))
async def test_every_page_is_whole_in_every_language(law_site: LawSite, language: str) -> None:
    for path in list_paths(law_site):
        text = await law_site.read(path, headers={"Accept-Language": language})
        check_page(path, text, language)


def check_page(path: str, text: str, language: str) -> None:
    """Check what a reader without eyes, mouse or script needs."""
    page = Page(text)
    tags = [tag for tag, _ in page.elements]
    assert f'<html lang="{language}">' in text, path
    assert "script" not in tags
    assert tags.count("h1") == tags.count("main") == tags.count("title") == 1, path
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), path
    assert len(page.ids) == len(set(page.ids)), path
    labelled = {found.get("for") for tag, found in page.elements if tag == "label"}
    for tag, found in page.elements:
        assert "style" not in found, path
        assert "onclick" not in found, path
        if tag in {"input", "select"}:
            assert found["id"] in labelled, path
        if tag == "nav":
            assert found["aria-label"], path
        if tag == "th":
            assert found["scope"] in {"row", "col"}, path
        if found.get("tabindex") == "0":
            assert found.get("aria-label") or found["aria-labelledby"] in page.ids, path
        for name in ("aria-labelledby", "aria-describedby"):
            assert found.get(name) is None or found[name] in page.ids, (path, name)


async def test_no_link_is_broken_and_no_page_shows_a_person(law_site: LawSite) -> None:
    seen: set[str] = set()
    waiting = ["/explorer/records", "/explorer/governance"]
    while waiting:
        path = waiting.pop().split("#")[0]
        if path in seen or not path or "lang=" in path or path.startswith("data:"):
            continue
        seen.add(path)
        async with law_site.http.get(law_site.url + path) as answer:
            text = await answer.text()
            assert answer.status == 200, path
            found = [value for value in PERSONAL if value in text]
            assert not found, (path, found)
            if answer.content_type == "text/html":
                waiting.extend(Page(text).links)
    assert len(seen) > 200


async def test_list_is_filtered_as_in_rest(law_site: LawSite) -> None:
    uids = law_site.records
    for query, shown, hidden in (
        ("state=received", "exchange", "bulk"),
        ("kind=bulk", "bulk", "exchange"),
        (f"consent={uids['consent']}", "exchange", "bulk"),
        (f"basis={uids['statute']}", "bulk", "exchange"),
        (f"agency={BUREAU}&state=&kind=&until=", "exchange", None),
        ("from=2026-01-01", "exchange", None),
    ):
        text = await law_site.read(f"/exchanges?{query}")
        assert f"/explorer/exchanges/{uids[shown]}" in text, query
        assert hidden is None or f"/explorer/exchanges/{uids[hidden]}" not in text, query
    for query in ("until=2026-01-01", f"agency={COMMISSION}"):
        text = await law_site.read(f"/exchanges?{query}")
        assert "No record fits these filters." in text
        assert 'href="/explorer/exchanges">Without filters' in text


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("dataset=0x12", "Dataset"),
        ("agency=nobody", "Agency, on either side"),
        ("from=yesterday", "Recorded from (day, UTC)"),
        ("until=9999-12-31", "Recorded until (day, UTC)"),
    ],
)
async def test_filter_at_fault_is_named_beside_the_list(
    law_site: LawSite, query: str, name: str
) -> None:
    text = await law_site.read(f"/exchanges?{query}", status=400)
    assert f"This filter cannot be used: {name}." in text
    assert 'aria-invalid="true" aria-describedby="invalid"' in text


async def test_list_is_read_on_by_cursor(law_site: LawSite) -> None:
    seen: list[str] = []
    path = "/exchanges?limit=2&agency=" + LABORATORY
    while path:
        text = await law_site.read(path)
        assert f'value="{LABORATORY}" selected' in text
        seen += re.findall(
            r'<th scope="row"><a class="id" href="/explorer/exchanges/(0x\w+)"', text
        )
        found = re.search(r'<a rel="next" href="/explorer(/exchanges[^"]+)"', text)
        path = "" if found is None else found[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 3


async def test_record_says_all_in_words(law_site: LawSite) -> None:
    text = await law_site.read(f"/exchanges/{law_site.records['exchange']}")
    for words in (
        'mo-health-bureau</a> <span class="quiet">Health Bureau of Macao',
        ">Income bands</a>",
        ">Law 8/2005, Article 6, 4)</a>",
        "/income_band",
        "mo-health-laboratory asked mo-health-bureau for data.",
        "mo-health-laboratory received exactly what was released.",
        "Final: 3 of 4 validators sealed this block; 3 are needed.",
        "signed by mo-health-bureau",
    ):
        assert words in text, words
    assert re.search(r"\d\d:\d\d:\d\d MO</time> <span class=\"quiet\">\([\d:]+ UTC\)", text)


async def test_record_links_what_rests_on_it(law_site: LawSite) -> None:
    uids = law_site.records
    consent = await law_site.read(f"/consents/{uids['consent']}")
    assert f"/explorer/exchanges/{uids['exchange']}" in consent
    assert "The consent was withdrawn; the withdrawal binds from" in consent
    dataset = await law_site.read(f"/datasets/{uids['dataset']}")
    for kind, name in (("bases", "basis"), ("stops", "stop"), ("instruments", "instrument")):
        assert f"/explorer/{kind}/{uids[name]}" in dataset, name
    body = await law_site.read(f"/bodies/{uids['body']}")
    assert f"/explorer/mandates/{uids['mandate']}" in body


async def test_any_uid_leads_to_its_page(law_site: LawSite) -> None:
    for name, path in (("policy", "policies"), ("schema", "schemas"), ("period", "periods")):
        uid = law_site.records[name]
        async with law_site.http.get(
            f"{law_site.url}/explorer/records/{uid}", allow_redirects=False
        ) as answer:
            assert answer.headers["Location"] == f"/explorer/{path}/{uid}"
    await law_site.read("/records/0x" + "00" * 32, status=404)
    text = await law_site.read("/consents/0x" + "ab" * 32, status=404)
    assert "There is nothing here with this identifier." in text
    uid = law_site.records["exchange"]
    async with law_site.http.get(f"{law_site.url}/explorer/search?q={uid}") as answer:
        assert str(answer.url) == f"{law_site.url}/explorer/exchanges/{uid}"


async def test_story_names_agencies_and_reads_back_as_prov(law_site: LawSite) -> None:
    uid = law_site.records["exchange"]
    text = await law_site.read(f"/provenance/{uid}")
    assert "Health Bureau of Macao" in text
    order = ("registered a dataset", "entered a legal basis", "asked mo-health-bureau", "withdrawn")
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    told = await law_site.get(f"/provenance/{uid}")
    names = {agent["name"] for agent in told["agents"]}
    assert names == {"Health Bureau of Macao", LABORATORY, "mo-audit-office"}
    written = await law_site.get(f"/provenance/{uid}?format=prov-json")
    document = ProvDocument.deserialize(content=json.dumps(written), format="json")
    for kind in (ProvEntity, ProvActivity, ProvAgent):
        assert list(document.get_records(kind))
    labels = {str(agent.label) for agent in document.get_records(ProvAgent)}
    assert labels == names


async def test_governance_tells_thresholds_votes_and_what_would_happen(law_site: LawSite) -> None:
    text = await law_site.read("/governance")
    assert "One jurisdiction alone holds a quorum (MO)" in text
    assert f"{COMMISSION} paused itself, until it resumes." in text
    assert "More than" not in text
    assert "needs more than 50 % of all active agencies" in text
    cells = re.findall(
        r'<th scope="row">(MO|CN-GD|All)</th>' + r'<td class="right">(\d)</td>' * 3, text
    )
    assert cells == [("MO", "3", "2", "3"), ("CN-GD", "1", "1", "1"), ("All", "4", "3", "4")]
    proposal = await law_site.read("/governance/1")
    for words in (
        "suspend an agency",
        "It does not have the majorities that it needs.",
        "Carried out at this block it would succeed.",
        "has not voted",
        ">against<",
    ):
        assert words in proposal, words
    assert "/explorer/governance/1" in await law_site.read("/governance?state=open")
    assert "No record fits these filters." in await law_site.read("/governance?state=executed")
    await law_site.read("/governance/2", status=404)
    await law_site.read("/governance?state=nothing", status=400)


async def test_governance_lists_decisions_that_name_no_agency(
    law_site: LawSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as to remove a validator, to end a key, or to change the rules."""

    async def answer(request: Any, operation: str, **given: Any) -> Any:
        answered = await ask(request, operation, **given)
        if operation == "list_proposals":
            for item in answered["items"]:
                item |= {"decision": "remove_validator", "parameters": {"validator": "0x12"}}
        return answered

    monkeypatch.setattr("api.explorer.law.governing.ask", answer)
    assert "remove a validator" in await law_site.read("/governance")


async def ask_case(site: LawSite, number: str, *, status: int = 200, language: str = "en") -> str:
    async with site.http.post(
        f"{site.url}/explorer/cases", data={"number": number}, headers={"Accept-Language": language}
    ) as answer:
        assert answer.status == status
        return await answer.text()


@pytest.mark.parametrize("language", list(LANGUAGES))
async def test_case_tells_what_is_missing_and_no_person(law_site: LawSite, language: str) -> None:
    text = await ask_case(law_site, NUMBER, language=language)
    check_page("/cases", text, language)
    texts = LANGUAGES[language].texts
    for code in ("half_void", "asked_twice"):
        assert texts[f"missing.{code}"].split("'")[0] in text, code
    assert texts["case.in_vault"] in text
    assert OFFICER not in text
    assert law_site.records["exchange"] in text


async def test_case_is_opened_for_the_purpose_that_the_form_states(law_site: LawSite) -> None:
    book = law_site.laboratory.agency.services.reads
    form = {"number": NUMBER, "purpose": "dispute"}
    async with law_site.http.post(f"{law_site.url}/explorer/cases", data=form) as answer:
        assert answer.status == 200
        assert '<option value="dispute">' in await answer.text()
    opened = await book.get_page(ReadFilter(operation="get_case", purpose="dispute"), limit=100)
    assert {row.uid.hex() for row in opened} >= {law_site.records["exchange"][2:]}
    form["purpose"] = "because"
    async with law_site.http.post(f"{law_site.url}/explorer/cases", data=form) as answer:
        assert answer.status == 422
        assert law_site.records["exchange"] not in await answer.text()


async def test_case_of_nobody_is_told_so(law_site: LawSite) -> None:
    text = await ask_case(law_site, "HS-0000", status=404)
    assert "This agency&#39;s vault has no case with this number." in text
    assert "cases" in await ask_case(law_site, " ")


async def test_case_is_for_whom_rest_answers_it(law_site: LawSite, tmp_path: Path) -> None:
    tokens = {role: create_token(role.value, [role]) for role in (Role.READER, Role.AUDITOR)}
    path = tmp_path / "tokens.json"
    save_tokens(path, [record for _, record in tokens.values()])
    async with law_site.open_guarded(path) as url:
        for role, status in ((Role.READER, 403), (Role.AUDITOR, 200)):
            headers = {"Authorization": f"Bearer {tokens[role][0]}"}
            for send in (law_site.http.get, law_site.http.post):
                form = {"number": NUMBER} if send == law_site.http.post else None
                async with send(f"{url}/explorer/cases", headers=headers, data=form) as answer:
                    assert answer.status == status, role
            async with law_site.http.get(f"{url}/explorer/exchanges", headers=headers) as answer:
                assert answer.status == 200
        async with law_site.http.get(f"{url}/explorer/exchanges") as answer:
            assert answer.status == 401


async def test_overview_counts_the_records_of_the_law(law_site: LawSite) -> None:
    counts = (await law_site.get("/status"))["counts"]
    assert counts["records"] > len(KINDS)
    text = await law_site.read("")
    assert f'href="/explorer/records"><b>{counts["records"]}</b>' in text


async def test_json_is_that_of_rest(law_site: LawSite) -> None:
    uid = law_site.records["exchange"]
    for path in (f"/exchanges/{uid}", "/governing-rules", "/proposals/1", "/consents?limit=1"):
        async with law_site.http.get(f"{law_site.url}/v1{path}") as answer:
            assert await law_site.get(path) == await answer.json()
    refused = await law_site.get("/exchanges?what=1", status=400)
    assert (refused["code"], refused["field"]) == ("invalid_field", "what")
    await law_site.get(f"/exchanges/{uid}/history")


async def test_transaction_tells_its_events_in_sentences(law_site: LawSite) -> None:
    history = await law_site.get(f"/policies/{law_site.records['policy']}/history")
    text = await law_site.read(f"/transactions/{history['items'][0]['transaction']}")
    assert f"{BUREAU} proposed and signed a recognition policy." in text
    assert DEFAULT.texts["call.propose_policy"] in text
    assert "/explorer/agencies/0x4d4f" not in text
