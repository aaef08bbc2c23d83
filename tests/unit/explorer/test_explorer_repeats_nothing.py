"""What a reader types into the explorer's addresses, filters and cookies is in no log line."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import structlog

from api.firewall.search.needles import Needle, NeedleSet
from api.firewall.search.report import SearchReport
from api.firewall.search.searcher import Searcher
from node.daemon.logs import configure_logs
from node.settings import LogSettings
from tests.unit.explorer.conftest import Site

PERSON: Final = "WongSiuMingQVX"
NUMBER: Final = "440106197410154219"
PASSPORT: Final = "MA7316942"
NEEDLES: Final = NeedleSet(Needle(label=value, value=value) for value in (PERSON, NUMBER, PASSPORT))
_OWN_LINK: Final = re.compile(rb'href="[^"]*[?&;]lang=[^"]*"')
PLACES: Final = (
    "/search?q={}",
    "/attestations?issuer={}",
    "/attestations?schema={}",
    "/attestations?after={}",
    "/batches?state={}",
    "/attestations/{}",
    "/schemas/{}",
    "/agencies/{}",
    "/accounts/{}",
    "/transactions/{}",
    "/blocks/{}",
    "/records/{}",
    "/consents?provider={}",
    "/ledgers/{}/blocks",
    "/static/{}",
    "/v1/attestations/{}",
    "/v1/search?q={}",
    "?lang={}",
)


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    file = tmp_path / "node.jsonl"
    configure_logs(LogSettings(level="debug", file=file, stderr=False), node="canary")
    yield file
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def find(*texts: bytes) -> set[str]:
    report = SearchReport()
    searcher = Searcher(NEEDLES, report)
    for text in texts:
        searcher.search(text, store="log", place="log")
    searcher.finish()
    return {hit.label for hit in report.hits}


async def test_what_is_typed_reaches_no_log(site: Site, log_file: Path) -> None:
    refusals: list[bytes] = []
    for place in PLACES:
        for value in (PERSON, NUMBER, PASSPORT):
            async with site.http.get(
                f"{site.url}/explorer{place.format(value)}",
                headers={"Referer": value, "Accept-Language": value},
                cookies={"lang": value},
            ) as answer:
                body = await answer.read()
                assert answer.status < 500, place
                # A search says what was searched for; else only links to the page itself have it.
                if answer.status >= 400 and "search" not in place:
                    refusals.append(_OWN_LINK.sub(b"", body))
    lines = log_file.read_bytes().splitlines()
    assert len(lines) >= len(PLACES)
    assert len(refusals) > len(PLACES)
    assert find(*lines) == set()
    assert [refusal for refusal in refusals if find(refusal)] == []


def test_what_is_typed_would_be_found() -> None:
    assert find(f'{{"route": "/explorer?q={PASSPORT}"}}'.encode(), NUMBER.encode()) == {
        PASSPORT,
        NUMBER,
    }
