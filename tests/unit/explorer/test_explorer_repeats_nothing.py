"""What a reader types into the explorer's addresses, filters and cookies is in no log line."""

import re
from pathlib import Path
from typing import Final

from tests.unit.canary_person import NUMBER, PASSPORT, PERSON, find_person, log_file
from tests.unit.explorer.conftest import Site

__all__ = ["log_file"]

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
    assert find_person(*lines) == set()
    assert [refusal for refusal in refusals if find_person(refusal)] == []


def test_what_is_typed_would_be_found() -> None:
    assert find_person(f'{{"route": "/explorer?q={PASSPORT}"}}'.encode(), NUMBER.encode()) == {
        "passport",
        "number",
    }
