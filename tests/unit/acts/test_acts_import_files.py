"""Files of imports: headers and cells that are wrong, and who works them off."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.imports.worker import run_imports
from api.leadership import ASK_S, Leadership
from tests.unit.acts.law_world import ACT_LIST, PAST
from tests.unit.acts.test_acts_imports import CSV, upload, work_off, write_lines
from tests.unit.acts.test_acts_mandates import build_office
from tests.unit.rest.ledger_world import Caller


@pytest.fixture
async def act_list(bureau: Caller) -> str:
    return str((await bureau.put("/texts", ACT_LIST))["hash"])


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (
            "kind,grantee.name,act_list,akts,valid_from",
            {"column": 4, "detail": "column 4 is none that this act takes; did you mean acts?"},
        ),
        ("kind,grantee.name,act_list,acts", {"detail": "there is no column valid_from"}),
        ("kind,act_list", {"detail": "there is no column grantee, acts, valid_from"}),
        ("kind,,act_list", {"column": 2, "detail": "column 2 needs a name of its own"}),
        ("kind,kind", {"column": 2, "detail": "column 2 needs a name of its own"}),
        ("note.of,acts", {"column": 1, "detail": "column 1 is none that this act takes"}),
        ("body,acts", {"column": 1, "detail": "column 1 is none that this act takes"}),
        (
            "Chan Tai Man,1990-01-01",
            {"column": 1, "detail": "column 1 is none that this act takes"},
        ),
    ],
)
async def test_import_header_is_refused_with_the_place_and_the_known_columns(
    bureau: Caller, header: str, told: dict[str, Any]
) -> None:
    refused = await upload(bureau, f"{header}\npower,1\n", type=CSV, status=400)
    assert refused["detail"].removeprefix("line 1, the header: ") == told["detail"]
    assert (refused["line"], refused.get("column")) == (1, told.get("column"))
    assert {"kind", "body.number", "grantee.…", "valid_from"} <= set(refused["known"])
    assert "grantee.…" in refused["next_step"]
    assert "Chan" not in json.dumps(refused)
    assert (await bureau.get("/imports"))["items"] == []


async def test_import_of_objects_in_lists_is_left_to_ndjson(bureau: Caller) -> None:
    header = "kind,law.law,law.article,valid_from"
    refused = await upload(bureau, f"{header}\n", type=CSV, act="basis.enter", status=400)
    assert "scopes is a list of objects" in refused["detail"]


async def test_import_names_line_and_column_of_a_wrong_cell(bureau: Caller, act_list: str) -> None:
    text = (
        "kind,grantee.name,grantor.name,act_list,acts,valid_from\n"
        f"power,X,Y,{act_list},sign-contract,2026-11-22\n"
        f"powr,X,Y,{act_list},sign-contract,{PAST}\n"
        f"power,X,Y,{act_list}\n"
    )
    started = await upload(bureau, text, type=CSV)
    page = (await bureau.get(f"/imports/{started['id']}/rejects"))["items"]
    assert [(item["line"], item["field"]) for item in page] == [
        (2, "valid_from"),
        (3, "kind"),
        (4, None),
    ]
    assert page[1]["reason"].endswith("did you mean power?")
    assert page[2]["reason"] == "the line has 4 cells, and the header 6 columns"


async def test_import_of_a_process_that_is_gone_goes_on_at_once(
    bureau: Caller, act_list: str
) -> None:
    started = await upload(bureau, write_lines(build_office(act_list)))
    store = bureau.agency.services.imports
    now_s = int(bureau.agency.services.now())
    assert await store.take("a process that was killed", now_s=now_s) == started["id"]
    assert (await work_off(bureau.agency, started)).done == 1


async def test_imports_are_worked_off_by_one_process_and_then_by_the_next(
    bureau: Caller, act_list: str
) -> None:
    """The second has the same database; it begins when the first has ended."""
    services, agency = bureau.agency.services, bureau.agency
    rival = Leadership(services.imports.database, "imports")

    @contextlib.asynccontextmanager
    async def note() -> AsyncIterator[None]:
        began.set()
        yield

    began = asyncio.Event()
    async with contextlib.AsyncExitStack() as first:
        await first.enter_async_context(run_imports(services))
        started = await upload(bureau, write_lines(build_office(act_list)))
        while (stored := await services.imports.find(started["id"])) is None or (
            stored.state != "done"
        ):
            await asyncio.sleep(0.05)
            await agency.settle()
        async with rival.run(note):
            await asyncio.sleep(3 * ASK_S)
            assert not began.is_set()
            await first.aclose()
            await asyncio.wait_for(began.wait(), 60)
