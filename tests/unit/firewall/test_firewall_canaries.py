"""Whatever a caller puts into a request, none of it gets into logs, metrics, refusals or a chain.

Every REST operation is asked with canaries: in each text of its body, in members that there are
not, in bodies that are no JSON, in path, query and headers, as text and as text packed into 32
bytes. Then everything that is not the caller's own is searched for all of them in every form: the
log, the metrics, every refusal, the index, every transaction and every event of the chain, and the
folders of the other agencies.

All canaries begin with one of four stems, by what they stood for, so four values are searched for
and not thousands; the rest of each is its number. Every other value is an identity number. What any
operation could do wrong in a way of its own (a text of its path, a text of its body, its usual
request) is asked of every operation. What one place does for all of them (headers, tokens, queries,
members that there are not, bodies that are no JSON) is asked of a third of them in turn, and of all
with --long.
"""

import copy
import json
import random
import re
import string
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
import requests
import structlog

from api.firewall.search.folders import search_folder
from api.firewall.search.needles import Needle, NeedleSet
from api.firewall.search.report import SearchReport
from api.firewall.search.searcher import Searcher
from api.openapi.examples import build_example
from api.rest.route import Route
from api.rest.routes import ROUTES
from node.daemon.logs import configure_logs
from node.settings import LogSettings
from tests.unit.rest.conformance_world import ConformanceWorld, open_conformance_world

SEED: Final = 20261122
ACTOR: Final = "bureau"
"""Who is asked; the folders of all others must hold nothing."""
LEAVES: Final = 1
"""Texts of a body that are replaced, one at a time; all of them with --long."""

_HEX: Final = re.compile(r"0x[0-9a-f]{64}")
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"

pytestmark = pytest.mark.xdist_group("schemathesis")


VALUE: Final = "value"
NAME: Final = "name"
HEADER: Final = "header"
NUMBER: Final = "number"
STEMS: Final = {
    VALUE: "陳éWQVKXJZ",
    NAME: "陳éXKZJQWV",
    HEADER: "QXZVWKJYHG",
    NUMBER: "4401061974",
}
"""How canaries begin, by what they stand for; a refusal may name a field at fault to its caller."""
NEEDLES: Final = NeedleSet(Needle(label=label, value=stem) for label, stem in STEMS.items())
HEADERS: Final = (
    *("User-Agent", "X-Request-Id", "Accept-Language", "If-None-Match", "Atesta-Purpose"),
    *("Referer", "Cookie", "From", "Origin", "Forwarded", "X-Forwarded-For", "Traceparent"),
    *("Last-Event-ID", "X-Correlation-Id", "Baggage"),
)
TURNS: Final = 3
"""Of so many operations in a row, one is asked in each common way; every one with --long."""


@dataclass
class Canaries:
    """Makes texts that stand nowhere else, each another one."""

    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    made: int = 0

    def make_name(self) -> str:
        return self.make(NAME)

    def make(self, kind: str = VALUE) -> str:
        self.made += 1
        if kind == VALUE and self.made % 2 == 0:
            kind = NUMBER
        rest = string.digits if kind == NUMBER else _LETTERS
        return STEMS[kind] + "".join(self.chance.choice(rest) for _ in range(8))

    def make_packed(self) -> str:
        """Return 32 bytes that hold a canary, in hex as a uid is written."""
        return "0x" + self.make().encode().ljust(32, b"\0").hex()

    def make_header(self) -> str:
        return self.make(HEADER)


@dataclass
class Asked:
    """What came of all requests."""

    canaries: Canaries = field(default_factory=Canaries)
    refusals: list[tuple[str, bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    metrics: bytes = b""
    log: Path = Path()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConformanceWorld]:
    sys.stdout.write(f"seed {SEED}\n")
    with open_conformance_world(tmp_path_factory.mktemp("canaries")) as opened:
        yield opened


@pytest.fixture(scope="module")
def asked(world: ConformanceWorld, request: pytest.FixtureRequest) -> Iterator[Asked]:
    """Ask every operation with canaries; returns what became of it."""
    found = Asked(log=world.folder / "log.jsonl")
    before = structlog.get_config()
    configure_logs(LogSettings(level="debug", file=found.log, stderr=False), node="canary")
    take = world.ledger._eth_sendRawTransaction

    def record(text: str) -> str:
        found.sent.append(bytes.fromhex(text[2:]))
        return take(text)

    world.ledger._eth_sendRawTransaction = record  # type: ignore[method-assign]
    is_long = bool(request.config.getoption("--long"))
    try:
        with requests.Session() as session:
            for place, route in enumerate(ROUTES):
                if route.name != "stream_events":
                    turn = None if is_long else place % TURNS
                    ask(world, session, route, found, turn)
            found.metrics = session.get(
                f"{world.urls[ACTOR]}/metrics", headers=build_headers(world)
            ).content
        yield found
    finally:
        structlog.configure(**before)


def build_headers(world: ConformanceWorld) -> dict[str, str]:
    world.writes += 1
    return {
        "Authorization": f"Bearer {world.token}",
        "Idempotency-Key": f"canary-{world.writes}",
    }


def ask(
    world: ConformanceWorld,
    session: requests.Session,
    route: Route,
    found: Asked,
    turn: int | None,
) -> None:
    """Ask an operation; `turn` says which of the common ways are tried on it, None for all."""
    canaries = found.canaries
    leaves = 1_000 if turn is None else LEAVES
    url = f"{world.urls[ACTOR]}/v1"

    def send(path: str, *, body: bytes | None = None, **given: Any) -> None:
        headers = build_headers(world) | given.pop("headers", {})
        if body is not None:
            headers |= {"Content-Type": (route.upload or ("application/json",))[0]}
        response = session.request(
            route.method, url + path, data=body, headers=headers, timeout=60, **given
        )
        found.statuses.append(response.status_code)
        if response.status_code >= 400:
            found.refusals.append((f"{route.method} {route.path}", response.content))
        elif route.method != "GET":
            world.settle()

    usual = fill(world, route.path)
    body = None if route.request is None else build_example(route.request, is_request=True)
    encoded = None if body is None else json.dumps(body).encode()
    if route.upload:
        encoded = json.dumps({"uid": canaries.make(), canaries.make_name(): 1}).encode() + b"\n"
    if "{" in route.path:
        send(re.sub(r"{\w+}", lambda _: quote(canaries.make()), route.path), body=encoded)
        if turn in {None, 0}:
            send(re.sub(r"{\w+}", lambda _: canaries.make_packed(), route.path), body=encoded)
    if route.query:
        send(usual, params={query.name: canaries.make() for query in route.query}, body=encoded)
    if turn in {None, 1}:
        send(usual, params={canaries.make_name(): canaries.make()}, body=encoded)
        send(usual, headers={name: canaries.make_header() for name in HEADERS}, body=encoded)
    if turn in {None, 2}:
        for name, before in (
            ("Authorization", "Bearer "),
            ("Idempotency-Key", ""),
            ("Atesta-Ledger", ""),
            ("Range", "bytes="),
        ):
            send(usual, headers={name: before + canaries.make_header()}, body=encoded)
    if body is None:
        return
    send(usual, body=encoded)
    if turn in {None, 0}:
        send(usual, body=b'{"name": "' + canaries.make().encode())
    if turn in {None, 1}:
        send(usual, body=json.dumps(canaries.make()).encode("utf-16"))
    if turn in {None, 2}:
        send(usual, body=json.dumps(body | {"nobody": canaries.make()}).encode())
    for change in list(iterate_changes(body, canaries))[: 2 * leaves]:
        send(usual, body=json.dumps(change).encode())


def fill(world: ConformanceWorld, path: str) -> str:
    """Name an existing record in a path, where the story has one."""
    known = world.known.get(path.partition("/{")[0], ["0x" + "11" * 32])
    numbers = {"index": "0", "number": known[0], "period": "202611"}
    return re.sub(r"{(\w+)}", lambda match: numbers.get(match[1], known[0]), path)


def iterate_changes(body: dict[str, Any], canaries: Canaries) -> Iterator[Any]:
    """Yield the body with one of its texts replaced: by a text, and where bytes stand, by both."""
    for path, value in list_texts(body, ()):
        for make in (
            (canaries.make, canaries.make_packed) if _HEX.fullmatch(value) else (canaries.make,)
        ):
            yield replace(body, path, make)


def list_texts(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from list_texts(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from list_texts(inner, (*path, place))
    elif isinstance(value, str):
        yield path, value


def replace(body: Any, path: tuple[Any, ...], make: Callable[[], str]) -> Any:
    changed = copy.deepcopy(body)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = make()
    return changed


def search(*values: tuple[str, bytes]) -> SearchReport:
    report = SearchReport()
    searcher = Searcher(NEEDLES, report)
    for place, value in values:
        searcher.search(value, store="kept", place=place)
    searcher.flush()
    return report


@pytest.mark.timeout(900)
def test_canaries_are_fed_through_every_operation(asked: Asked) -> None:
    assert asked.canaries.made > 3 * len(ROUTES)
    assert min(asked.statuses) < 300, "some are taken"
    assert sum(400 <= status < 500 for status in asked.statuses) > len(ROUTES)
    assert not [status for status in asked.statuses if status >= 500 and status != 503]
    assert asked.sent, "acts are promised, and sent"


def test_no_refusal_repeats_what_was_sent(asked: Asked) -> None:
    hits = search(*asked.refusals).hits
    assert [hit for hit in hits if hit.label != NAME] == []


def test_no_canary_is_logged_or_measured(asked: Asked) -> None:
    lines = asked.log.read_bytes().splitlines()
    assert len(lines) > len(ROUTES)
    assert asked.metrics.startswith(b"# HELP")
    values = [("log", line) for line in lines]
    assert search(*values, ("metrics", asked.metrics)).hits == []


def test_no_canary_is_on_the_chain(asked: Asked, world: ConformanceWorld) -> None:
    events = [
        (f"block {block.number}", json.dumps(log).encode())
        for block in world.ledger.blocks
        for log in block.logs
    ]
    assert len(events) > 20
    assert search(*events, *(("transactions", raw) for raw in asked.sent)).hits == []


def test_no_canary_is_with_other_agencies_or_in_the_index(
    asked: Asked, world: ConformanceWorld
) -> None:
    assert asked.sent
    for name in world.agencies:
        skip = (lambda path: "index" not in path.name) if name == ACTOR else (lambda _: False)
        report = search_folder(world.folder / name, NEEDLES, skip=skip)
        assert any(store.endswith("SQLite") for store in report.stores)
        assert report.hits == [], name


@pytest.mark.parametrize("kind", STEMS)
def test_canaries_would_be_found(kind: str) -> None:
    canary = Canaries().make(kind)
    for data in (
        json.dumps({"event": "x", "reason": f"no such {canary}"}).encode(),
        canary.encode("utf-16-le"),
        b"\x01\x02\x03\x04" + canary.encode().ljust(32, b"\0"),
        quote(canary).encode(),
        canary.upper()[:-3].encode(),
        b"0x" + canary.encode().hex().encode(),
    ):
        assert {hit.label for hit in search(("log", data)).hits} == {kind}
