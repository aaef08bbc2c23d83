"""Agencies and jurisdictions that nobody admitted: a mistyped label changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.acts.exchange_world import Law, build_record, build_request, make_law
from tests.unit.acts.law_world import LATER, build_basis
from tests.unit.rest.ledger_world import Caller

MISTYPED = "mo-health-labratory"

Build = Callable[[Law], dict[str, Any]]


def name_scope(law: Law) -> dict[str, Any]:
    basis = build_basis(law.dataset, law.purpose)
    return basis | {"scopes": [basis["scopes"][0] | {"recipient": MISTYPED}]}


@pytest.fixture
def callers(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> tuple[Caller, Caller, Caller]:
    return bureau, laboratory, supervisor


@pytest.mark.parametrize(
    ("path", "build", "fault"),
    [
        ("/bases", name_scope, ("agency_not_found", "scopes.0.recipient")),
        (
            "/bases",
            lambda law: build_basis(law.dataset, law.purpose, from_jurisdiction="MACAO"),
            ("jurisdiction_not_found", "from_jurisdiction"),
        ),
        (
            "/exchanges",
            lambda law: build_request(law, provider=MISTYPED),
            ("agency_not_found", "provider"),
        ),
        (
            "/consents",
            lambda law: build_record(law, recipient=MISTYPED),
            ("agency_not_found", "recipient"),
        ),
        (
            "/subjects",
            lambda _law: {"reference": "file-1", "counterparty": MISTYPED},
            ("agency_not_found", "counterparty"),
        ),
        (
            "/stops",
            lambda _law: {
                "pair": ["mo-health-bureau", MISTYPED],
                "until": LATER,
                "decision": {"text": "Decision 7/2026"},
            },
            ("agency_not_found", "pair.1"),
        ),
    ],
    ids=["scope", "jurisdiction", "exchange", "consent", "subject", "stop"],
)
async def test_party_that_nobody_admitted_is_named_and_nothing_is_promised(
    callers: tuple[Caller, Caller, Caller],
    path: str,
    build: Build,
    fault: tuple[str, str],
) -> None:
    bureau, laboratory, supervisor = callers
    law = await make_law(bureau, supervisor, laboratory)
    caller = supervisor if path in {"/bases", "/stops"} else laboratory
    before = (await caller.get("/operations"))["items"]
    refused = await caller.post(path, build(law), status=422)
    assert (refused["code"], refused["field"]) == fault
    assert "/v1/agencies" in refused["next_step"]
    assert (await caller.get("/operations"))["items"] == before
