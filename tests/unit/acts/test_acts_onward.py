"""Data that are handed on: the exchange by which they came is named, and must allow it."""

from typing import Any

import pytest

from tests.unit.acts.exchange_world import (
    Law,
    build_request,
    do,
    look,
    make_law,
    release,
)
from tests.unit.acts.law_world import BUREAU, COMMISSION, PAST
from tests.unit.rest.ledger_world import Caller


@pytest.fixture
async def sources(bureau: Caller, commission: Caller, supervisor: Caller) -> Law:
    """What the commission, on the other side, gives to the bureau, on a statute."""
    return await make_law(commission, supervisor, bureau, recipient=BUREAU, kind="statute")


@pytest.fixture
async def law(bureau: Caller, laboratory: Caller, supervisor: Caller) -> Law:
    """What the bureau gives to the laboratory, on a statute."""
    return await make_law(bureau, supervisor, laboratory, kind="statute")


async def receive(
    bureau: Caller, commission: Caller, supervisor: Caller, law: Law, *, may_go_on: bool
) -> str:
    """Let data come over the border, under an instrument that lets them go on or not."""
    filed = {
        "kind": "contract",
        "filing": {"number": "GBA-2026-17"},
        "assessment": {"title": "Assessment 17"},
        "provider": COMMISSION,
        "recipient": BUREAU,
        "dataset": law.dataset,
        "valid_from": PAST,
        "onward": may_go_on,
    }
    instrument = (await do(supervisor, "/instruments", filed))["uid"]
    asked = build_request(law, provider=COMMISSION, instrument=instrument)
    accepted = await do(bureau, "/exchanges", asked)
    await release(commission, accepted)
    return str(accepted["uid"])


async def test_data_are_handed_on_with_the_exchange_by_which_they_came(  # noqa: PLR0917
    bureau: Caller,
    laboratory: Caller,
    commission: Caller,
    supervisor: Caller,
    sources: Law,
    law: Law,
) -> None:
    source = await receive(bureau, commission, supervisor, sources, may_go_on=True)
    body: dict[str, Any] = build_request(law, onward_of=source)
    asked = await do(laboratory, "/exchanges", body)
    shown = await look(laboratory, f"/exchanges/{asked['uid']}")
    assert (shown["state"], shown["onward_of"]) == ("approved", source)
    await release(bureau, asked)
    assert (await look(laboratory, f"/exchanges/{asked['uid']}"))["state"] == "released"
    told = await look(laboratory, f"/provenance/{asked['uid']}")
    assert source in str(told)
    # Who did not receive them hands nothing on.
    stranger = build_request(law, onward_of=asked["uid"])
    refused = await laboratory.post("/exchanges", stranger, status=422)
    assert refused["rule"] == "onward: received by another"


async def test_data_stay_where_their_instrument_keeps_them(  # noqa: PLR0917
    bureau: Caller,
    laboratory: Caller,
    commission: Caller,
    supervisor: Caller,
    sources: Law,
    law: Law,
) -> None:
    source = await receive(bureau, commission, supervisor, sources, may_go_on=False)
    body = build_request(law, onward_of=source)
    refused = await laboratory.post("/exchanges", body, status=422)
    assert refused["rule"] == "instrument: not to be handed on"
    # Without naming them the same request is one for the bureau's own data.
    await do(laboratory, "/exchanges", build_request(law))
