"""What REST answers to generated requests, held against its own OpenAPI document.

schemathesis makes requests to every operation: those of the examples, valid and invalid ones of the
schemas, and with `--long` the corners of every parameter and body besides
(`test_rest_schemathesis_long.py`). All its checks judge the answers (`conformance_checks.py`).
"""

from contextlib import closing
from typing import Any, Final

import pytest
import requests

from tests.unit.rest.conformance_checks import QUICK, build_schema, check
from tests.unit.rest.conformance_world import CASE, ConformanceWorld

EXAMPLES: Final = 3

pytestmark = pytest.mark.xdist_group("schemathesis")

SCHEMA = build_schema(EXAMPLES, coverage=False)


@QUICK
@SCHEMA.parametrize()  # type: ignore[untyped-decorator]
def test_rest_conforms(case: Any, conformance: ConformanceWorld, session: requests.Session) -> None:
    check(case, conformance, session)


@pytest.mark.parametrize("agency", ["laboratory", "commission"])
def test_rest_stream_answers_as_documented(
    agency: str, conformance: ConformanceWorld, session: requests.Session
) -> None:
    """A stream is read no further than its head, as it does not end."""
    headers = {"Authorization": f"Bearer {conformance.token}"}
    url = f"{conformance.urls[agency]}/v1/events/stream"
    for query, status in (
        ({}, 200),
        ({"kinds": "consent,exchange.requested"}, 200),
        ({"kinds": "consent,exchange.approved"}, 400),
        ({"agency": "nobody"}, 422),
        ({"kinds": "\0"}, 400),
        ({"cursor": "x"}, 400),
        ({"agency": "\ud800".encode(errors="surrogatepass")}, 400),
        ({"unknown": "1"}, 400),
    ):
        response = session.get(url, params=query, headers=headers, stream=True, timeout=60)
        with closing(response):
            kind = response.headers["Content-Type"].partition(";")[0]
            assert response.status_code == status, query
            assert kind == ("text/event-stream" if status == 200 else "application/problem+json")
    assert session.get(url, stream=True, timeout=60).status_code == 401


def test_rest_case_is_found_by_its_number(
    conformance: ConformanceWorld, session: requests.Session
) -> None:
    headers = {"Authorization": f"Bearer {conformance.token}"}
    url = f"{conformance.urls['laboratory']}/v1/cases/{CASE}"
    headers["Atesta-Purpose"] = "test"
    assert session.get(url, headers=headers, timeout=60).status_code == 200
