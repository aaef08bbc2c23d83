"""One door for all ledgers: roles, limits and the record of reads are those of the caller."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from api.access.callers import Role
from api.access.limits import Limits, Quota
from api.access.tokens import create_token, save_tokens
from api.app import Services, build_app
from api.explorer.services import open_explorers
from api.explorer.surface import build_explorers
from api.rest.app import build_ledger_surfaces, build_rest_surface
from api.rest.routes import ROUTES
from api.server import serve
from api.settings import ApiSettings
from tests.unit.acts.law_world import publish_purpose
from tests.unit.ledgers.test_ledgers_publishing import PUBLISH, issue, wish
from tests.unit.ledgers.two_ledgers import TwoLedgers, agree
from tests.unit.rest.ledger_world import Caller
from tests.unit.rest.test_rest_roles import build_path

PLACES = ("/v1", "/v1/ledgers/macao", "/v1/ledgers/shared")
SMALL = Quota(amount=5, window_s=3600)


@dataclass(frozen=True, kw_only=True)
class Door:
    """The laboratory's API over both ledgers, with a token for each of some roles."""

    url: str
    session: aiohttp.ClientSession
    tokens: dict[str, str]

    async def ask(
        self, path: str, name: str | None, *, method: str = "GET", **headers: str
    ) -> tuple[int, Any]:
        """Return status and answer of a request with somebody's token, or with none."""
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        if name is not None:
            sent["Authorization"] = f"Bearer {self.tokens[name]}"
        async with self.session.request(method, self.url + path, headers=sent) as answer:
            is_json = "json" in answer.content_type
            return answer.status, await answer.json() if is_json else None


@pytest.fixture
async def door(world: TwoLedgers, laboratory: Caller, tmp_path: Path) -> AsyncIterator[Door]:
    made = {
        "reader": create_token("reader", [Role.READER]),
        "officer": create_token("officer", [Role.OFFICER]),
        "issuer": create_token("issuer", [Role.ISSUER]),
        "auditor": create_token("auditor", [Role.AUDITOR]),
        "hasty": create_token("hasty", [Role.READER], limits=Limits(reads=SMALL)),
    }
    save_tokens(tmp_path / "tokens.json", [record for _, record in made.values()])
    await world.settle()
    services = laboratory.agency.services
    surfaces = (
        *build_ledger_surfaces(services),
        build_rest_surface(services),
        *build_explorers(open_explorers(services, ledger_name=None)),
    )
    settings = ApiSettings(port=0, token_file=tmp_path / "tokens.json")
    app = build_app(Services(surfaces=surfaces), settings)
    async with serve(app, settings) as url, aiohttp.ClientSession() as session:
        tokens = {name: token for name, (token, _) in made.items()}
        yield Door(url=url, session=session, tokens=tokens)


@pytest.mark.parametrize("name", [None, "reader", "officer"])
async def test_role_opens_the_same_routes_on_every_ledger(door: Door, name: str | None) -> None:
    for route in ROUTES:
        path = build_path(route).removeprefix("/v1")
        codes = set()
        for place in PLACES:
            status, told = await door.ask(place + path, name, method=route.method)
            codes.add(told["code"] if status in (401, 403) else "let in")
        assert len(codes) == 1, (route.name, codes)
        roles = set() if name is None else {Role(name)}
        is_open = bool(roles & set(route.roles)) or (bool(roles) and Role.READER in route.roles)
        if not is_open:
            assert codes == {"unauthorized" if name is None else "forbidden"}, route.name


async def test_explorer_of_every_ledger_asks_for_a_token(door: Door) -> None:
    for root in ("/explorer", "/explorer/ledgers/shared", "/explorer/ledgers/shared/v1"):
        for path in ("/blocks", "/exchanges", "/validators"):
            status, _ = await door.ask(root + path, None)
            assert status == 401, root + path
    for root in ("/explorer", "/explorer/ledgers/shared"):
        assert (await door.ask(f"{root}/cases", "reader"))[0] == 403
        assert (await door.ask(f"{root}/v1/evidence", "reader"))[0] == 403


async def test_limit_is_of_the_caller_over_all_ledgers(door: Door) -> None:
    for number in range(SMALL.amount):
        status, _ = await door.ask(f"{PLACES[number % 3]}/ledgers", "hasty")
        assert status == 200
    for place in (*PLACES, "/explorer/ledgers/shared"):
        status, _ = await door.ask(f"{place}/ledgers", "hasty")
        assert status == 429, place
    assert (await door.ask("/v1/ledgers", "reader"))[0] == 200


async def test_reading_is_recorded_whichever_ledger_was_asked(
    world: TwoLedgers, laboratory: Caller, bureau: Caller, door: Door, key: Any
) -> None:
    await agree(world, laboratory, bureau)
    credential = await issue(world, laboratory, key)
    published = (await laboratory.post(PUBLISH, await wish(world, credential, key)))["uid"]
    await world.settle()
    on_shared = f"/v1/ledgers/shared/credentials/{published}"
    status, told = await door.ask(on_shared, "issuer")
    assert (status, told["code"]) == (422, "purpose_missing")
    assert (await door.ask(on_shared, "reader", Atesta_Purpose="rights"))[0] == 403
    assert (await door.ask(on_shared, "issuer", Atesta_Purpose="rights"))[0] == 200
    own = f"/v1/credentials/0x{credential.record.uid.hex()}"
    assert (await door.ask(own, "issuer", Atesta_Purpose="service"))[0] == 200
    # One record of reads, asked at any ledger.
    for place in PLACES:
        _, told = await door.ask(f"{place}/reads?caller=issuer", "auditor")
        found = [(one["uid"], one["purpose"], one["operation"]) for one in told["items"]]
        assert found == [
            ("0x" + credential.record.uid.hex(), "service", "get_credential"),
            (published, "rights", "get_credential"),
        ]


async def test_purpose_is_one_of_the_ledger_that_is_asked(
    world: TwoLedgers, laboratory: Caller, bureau: Caller, door: Door, key: Any
) -> None:
    await agree(world, laboratory, bureau)
    credential = await issue(world, laboratory, key)
    purpose = await publish_purpose(bureau)
    path = f"/credentials/0x{credential.record.uid.hex()}"
    status, _ = await door.ask(f"/v1{path}", "issuer", Atesta_Purpose=purpose)
    assert status == 200
    status, told = await door.ask(f"/v1/ledgers/shared{path}", "issuer", Atesta_Purpose=purpose)
    assert (status, told["field"]) == (422, "Atesta-Purpose")
