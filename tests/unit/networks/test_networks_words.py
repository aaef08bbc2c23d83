"""In front of another network nothing is called final: answers, refusals, pages, lines at a shell.

The chain is one of ours, told to be another network's: all that is read is there, and every word
about it has to be the other one.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from api.errors import ApiError, NotFound, UserFault, as_problem
from api.explorer.texts import AS_REPORTED, LANGUAGES
from api.explorer.texts.reported import SEALED
from api.finality import QBFT, report
from api.networks.network import Network
from api.reading.catalogue import Notice
from api.rest.finality_words import restate, restate_problem
from api.rest.import_models import RejectedLine
from api.rest.routes import ROUTES
from node.cli.app import app
from tests.unit.client.served_world import serve_agencies
from tests.unit.explorer.conftest import BATCH, FIRST, SECOND, open_site
from tests.unit.explorer.conftest import SCHEMA as SITE_SCHEMA
from tests.unit.explorer.real_ledger import open_ledger
from tests.unit.rest.conftest import POINTERS, SCHEMA
from tests.unit.rest.ledger_world import Agency, Caller, FakeLedger, open_caller

ELSEWHERE = Network(finality=report("latest"))

WORD = re.compile(r"\bfinal(ity|ised|ized)?\b|definitiv|最終確認", re.IGNORECASE)
"""The word in the three languages of the pages."""

RULE = re.compile(r"state (is )?final")
"""A contract's word for a state that changes no more; it says nothing of blocks."""

UNKNOWN = "0x" + "11" * 32
TAG = re.compile(r"<[^>]+>")


def find_word(value: Any, path: str = "") -> Iterator[str]:
    """Yield the strings of an answer that say it, with their places; names of members may."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from find_word(inner, f"{path}/{name}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from find_word(inner, f"{path}/{place}")
    elif isinstance(value, str) and re.search(r"\bfinal\b", RULE.sub("", value), re.IGNORECASE):
        yield f"{path}: {value}"


def fill_path(path: str) -> str:
    """Return a path of REST with names in its places that nothing has."""
    return re.sub(r"\{[a-z_]+\}", UNKNOWN, path)


@pytest.fixture
async def callers(tmp_path: Path) -> AsyncIterator[tuple[Caller, Caller]]:
    """The issuer and the owner of its schema."""
    ledger = FakeLedger()
    opened = []
    for number in (1, 2):
        agency = Agency(ledger, tmp_path / f"{number}", number, network=ELSEWHERE)
        opened.append(await open_caller(agency))
    yield opened[0], opened[1]
    for caller in opened:
        await caller.client.close()
        caller.agency.services.close()


async def test_no_answer_and_no_refusal_of_rest_says_it(callers: tuple[Caller, Caller]) -> None:
    laboratory, bureau = callers
    heard: list[tuple[str, int, Any]] = []

    async def hear(caller: Caller, path: str) -> Any:
        async with caller.client.get(f"/v1{path}") as response:
            told = await response.json(content_type=None)
            heard.append((path, response.status, told))
            assert not list(find_word(told)), (path, told)
            return told

    text = {"title": "Test result", "pointers": POINTERS, "reference": ["/certificate"]}
    await bureau.post("/schemas", {"uid": SCHEMA, **text})
    step = (await hear(laboratory, f"/schemas/{SCHEMA}"))["next_step"]
    assert step == (
        "if it was accepted a moment ago, wait until its operation is reported by that network"
    )
    await bureau.agency.settle()
    issuer = await laboratory.agency.get_id()
    await bureau.post(f"/schemas/{SCHEMA}/accreditations", {"agency": issuer})
    await bureau.agency.settle()
    await laboratory.agency.services.index.catch_up()
    await laboratory.put(f"/schemas/{SCHEMA}/text", text)
    document = {pointer.removeprefix("/"): "a" for pointer in POINTERS if pointer != "/cnf"}
    made = await laboratory.post("/attestations", {"schema_uid": SCHEMA, "document": document})
    waits = await hear(laboratory, f"/attestations/{made['uid']}")
    assert waits["next_step"].startswith("it is accepted but not reported by that network yet")
    await laboratory.agency.settle()
    operation = await hear(laboratory, f"/operations/{made['operation']}")
    assert operation["state"] == "reported"
    assert (await hear(laboratory, f"/attestations/{made['uid']}"))["final"] is False
    for route in ROUTES:
        if route.method == "GET" and route.media_type == "application/json":
            await hear(laboratory, fill_path(route.path))
            for parameter in route.query:
                if "pattern" in parameter.schema or "anyOf" in parameter.schema:
                    await hear(laboratory, f"{fill_path(route.path)}?{parameter.name}={UNKNOWN}")
    assert {200, 404, 422} <= {status for _, status, _ in heard}
    assert sum("reported by that network" in json.dumps(told) for _, _, told in heard) > 10
    state = f"/attestations/{made['uid']}/state"
    await laboratory.post(state, {"state": "revoked", "reason": "error"})
    await laboratory.agency.settle()
    ended = await laboratory.post(state, {"state": "active", "reason": "error"}, status=409)
    assert (ended["code"], list(find_word(ended))) == ("state_final", [])


@pytest.mark.parametrize("language", list(LANGUAGES))
async def test_no_page_says_it_in_any_language(tmp_path: Path, language: str) -> None:
    async with open_ledger(tmp_path) as ledger:
        await ledger.open_schema(SITE_SCHEMA)
        attested = await ledger.attest(FIRST, SITE_SCHEMA)
        ledger.mine()
        waiting = await ledger.attest(SECOND, SITE_SCHEMA, previous=FIRST)
        opening = open_site(ledger, tmp_path, attested, waiting, network=ELSEWHERE)
        async with opening as site:
            headers = {"Accept-Language": language}
            for path in (
                "", "/blocks", "/blocks/0", "/blocks/3", "/attestations", "/batches", "/schemas",
                "/agencies", "/agencies/mo-health-laboratory", "/validators", "/governance",
                "/records", "/cases", "/search", "/search?q=MO", "/search?q=nothing+at+all",
                f"/attestations/0x{FIRST.hex()}", f"/schemas/0x{SITE_SCHEMA.hex()}",
                f"/transactions/{attested}", f"/transactions/{waiting}",
                "/accounts/0x" + "99" * 20,
            ):  # fmt: skip
                page = TAG.sub(" ", await site.read(path, headers=headers))
                assert not WORD.search(page), (path, WORD.search(page))
            for path in (f"/batches/0x{BATCH.hex()}", "/blocks/99", "/blocks/x"):
                status = 400 if path.endswith("x") else 404
                page = await site.read(path, headers=headers, status=status)
                assert not WORD.search(TAG.sub(" ", page)), path
                problem = await site.get(path, status=status)
                assert not list(find_word(problem)), problem
            assert "reported by that network" in json.dumps(
                await site.get("/blocks/99", status=404)
            )


@pytest.mark.parametrize("tag", list(LANGUAGES))
def test_every_text_without_a_seal_beside_it_has_other_words(tag: str) -> None:
    ours, elsewhere = LANGUAGES[tag].texts, AS_REPORTED[tag].texts
    assert ours.keys() == elsewhere.keys()
    saying = {key for key, text in elsewhere.items() if WORD.search(text)}
    assert saying <= SEALED
    for key, text in ours.items():
        # Both are filled in by the same page.
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", elsewhere[key]))


def test_no_line_at_the_shell_says_it(tmp_path: Path) -> None:
    lines = []

    def invoke(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, list(arguments))
        told = result.output + str(result.exception or "")
        lines.append(told)
        assert result.exit_code == code, told
        return told

    served = serve_agencies(tmp_path / "agencies", ("laboratory", "bureau"), network=ELSEWHERE)
    with served as urls:
        dataset = {
            "title": "Income bands",
            "fields": [{"pointer": "/income_band", "title": "Income band"}],
            "sharing": "unconditional",
        }
        file = tmp_path / "dataset.json"
        file.write_text(json.dumps(dataset), encoding="utf-8")
        at = ("--url", urls["bureau"])
        told = invoke("act", "dataset.register", str(file), *at)
        assert "as reported by that network" in told
        uid = told.split(":")[0][-66:]
        invoke("show", uid, *at)
        invoke("list", "datasets", *at)
        invoke("list", "operations", *at)
        rows = tmp_path / "rows.ndjson"
        rows.write_text(json.dumps(dataset) + "\n", encoding="utf-8")
        assert "1 of 1 lines are on the ledger" in invoke(
            "import", str(rows), "--act", "dataset.register", *at
        )
        invoke("show", UNKNOWN, *at, code=1)
        for command in ("act", "submit", "prepare", "attest", "verify", "import", "erase"):
            invoke(command, "--help")
    for told in lines:
        assert not re.search(r"\bfinal\b", told, re.IGNORECASE), told


def test_sentences_of_people_are_never_reworded() -> None:
    notice = cast("Any", Notice).model_construct(
        text="This decision is final.", title="A final word"
    )
    told = restate(notice, report("latest"))
    assert isinstance(told, Notice)
    assert (told.text, told.title) == (notice.text, notice.title)
    line = cast("Any", RejectedLine).model_construct(reason="wait until it is final", rule=None)
    reworded = restate(line, report("latest"))
    assert isinstance(reworded, RejectedLine)
    assert reworded.reason == "wait until it is reported by that network"


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (NotFound("this node has no such final block"), "no such block as reported by that net"),
        (UserFault("attestation: state is final", code="state_final"), "state is final"),
    ],
)
def test_problem_is_reworded_only_in_front_of_another_network(error: ApiError, detail: str) -> None:
    problem = as_problem(error)
    assert restate_problem(problem, QBFT) == problem
    told = restate_problem(problem, report("safe"))
    assert detail in told["detail"]
    assert told | {"detail": 0, "next_step": 0} == problem | {"detail": 0, "next_step": 0}
