"""The door as a whole, over HTTP: challenges, limits, metrics, and who is served unasked."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from api.access.callers import CALLER, Role, requires
from api.access.limits import Limits, Operation, Quota
from api.access.token_usage import load_usage
from api.access.tokens import create_token, save_tokens
from api.app import Services, Surface, build_app, json_response
from api.errors import InvalidField
from api.jsonrpc.dispatcher import Dispatcher
from api.jsonrpc.http import build_rpc_surface
from api.server import serve
from api.settings import ApiSettings
from tests.unit.access.provider import open_provider
from tests.unit.jsonrpc.fake_ledger import FakeLedger


@requires(Role.READER)
async def read(request: web.Request) -> web.Response:
    return json_response({"name": request[CALLER].name})


@requires(Role.ISSUER)
async def write(_request: web.Request) -> web.Response:
    return json_response({})


@requires(Role.READER, operation=Operation.EXPORTS)
async def export(_request: web.Request) -> web.Response:
    return json_response({})


async def unmarked(_request: web.Request) -> web.Response:
    return json_response({})


class Door:
    """Speaks to a server."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def ask(
        self, path: str, token: str | None = None, *, method: str = "GET", json: Any = None
    ) -> tuple[int, Any, Mapping[str, str]]:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        async with self._session.request(
            method, self.url + path, headers=headers, json=json
        ) as response:
            told = await response.json() if "json" in response.content_type else {}
            return response.status, told, response.headers.copy()

    async def read_metrics(self, token: str | None = None) -> str:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        async with self._session.get(self.url + "/metrics", headers=headers) as response:
            return await response.text()


@asynccontextmanager
async def open_door(settings: ApiSettings) -> AsyncIterator[Door]:
    app = web.Application()
    app.router.add_get("/read", read)
    app.router.add_post("/write", write)
    app.router.add_get("/export", export)
    app.router.add_get("/unmarked", unmarked)
    surfaces = (
        Surface(name="x", prefix="/x", app=app),
        build_rpc_surface(Dispatcher(FakeLedger())),
    )
    settings = replace(settings, port=0)
    async with (
        serve(build_app(Services(surfaces=surfaces), settings), settings) as url,
        aiohttp.ClientSession() as session,
    ):
        yield Door(url, session)


def make_token(folder: Path, *roles: Role, limits: Limits | None = None) -> str:
    token, record = create_token("lab", roles, limits=limits)
    save_tokens(folder / "tokens.json", [record])
    return token


def write_limits(folder: Path, **limits: str) -> Path:
    path = folder / "access.toml"
    path.write_text("[limits]\n" + "".join(f'{n} = "{text}"\n' for n, text in limits.items()))
    return path


async def test_challenges_are_those_of_rfc_6750(tmp_path: Path) -> None:
    token = make_token(tmp_path, Role.READER)
    async with open_door(ApiSettings(token_file=tmp_path / "tokens.json")) as door:
        status, _, headers = await door.ask("/x/read")
        assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="atesta"')
        status, _, headers = await door.ask("/x/read", token + "x")
        assert status == 401
        assert 'error="invalid_token"' in headers["WWW-Authenticate"]
        status, _, headers = await door.ask("/x/write", token, method="POST")
        assert status == 403
        assert headers["WWW-Authenticate"] == (
            'Bearer realm="atesta", error="insufficient_scope", scope="issuer"'
        )
        status, _, headers = await door.ask("/x/unmarked", token)
        assert status == 403
        assert "WWW-Authenticate" not in headers
        status, told, headers = await door.ask("/", token + "x", method="POST", json={})
        assert (status, told["error"]["data"]["code"]) == (401, "unauthorized")
        assert 'error="invalid_token"' in headers["WWW-Authenticate"]


async def test_token_is_refused_where_none_can_be_checked(tmp_path: Path) -> None:
    async with open_door(ApiSettings()) as door:
        assert (await door.ask("/x/read"))[0] == 200
        status, told, headers = await door.ask("/x/read", "nonsense")
    assert status == 401, told
    assert "api.token_file" in told["next_step"]
    assert 'error="invalid_token"' in headers["WWW-Authenticate"]


async def test_use_of_a_token_is_noted_and_of_a_wrong_one_is_not(tmp_path: Path) -> None:
    token = make_token(tmp_path, Role.READER)
    async with open_door(ApiSettings(token_file=tmp_path / "tokens.json")) as door:
        await door.ask("/x/read", token + "x")
        assert load_usage(tmp_path / "tokens.json") == {}
        await door.ask("/x/read", token)
        assert len(load_usage(tmp_path / "tokens.json")) == 1
        metrics = await door.read_metrics(token)
    assert 'authentications_total{method="token",outcome="known"} 2' in metrics
    assert 'authentications_total{method="token",outcome="refused"} 1' in metrics


async def test_tokens_own_limits_hold_by_class(tmp_path: Path) -> None:
    limits = Limits(
        reads=Quota(amount=2, window_s=3600),
        writes=Quota(amount=1, window_s=3600),
        exports=Quota(amount=1, window_s=3600),
    )
    token = make_token(tmp_path, Role.READER, Role.ISSUER, limits=limits)
    async with open_door(ApiSettings(token_file=tmp_path / "tokens.json")) as door:
        status, _, headers = await door.ask("/x/read", token)
        assert (status, headers["RateLimit-Policy"]) == (200, '"reads";q=2;w=3600')
        assert headers["RateLimit"].startswith('"reads";r=1;t=')
        assert (await door.ask("/x/read", token))[0] == 200
        status, told, headers = await door.ask("/x/read", token)
        assert (status, told["code"]) == (429, "rate_limited")
        assert int(headers["Retry-After"]) == told["retry_after_s"] >= 1
        assert headers["RateLimit"].startswith('"reads";r=0;t=')
        assert (await door.ask("/x/write", token, method="POST"))[0] == 200
        assert (await door.ask("/x/write", token, method="POST"))[0] == 429
        assert (await door.ask("/x/export", token))[0] == 200
        assert (await door.ask("/x/export", token))[0] == 429


async def test_local_caller_and_strangers_are_counted_too(tmp_path: Path) -> None:
    access = write_limits(tmp_path, reads="3/h", strangers="2/h")
    async with open_door(ApiSettings(access_file=access)) as door:
        assert [(await door.ask("/x/read"))[0] for _ in range(4)] == [200, 200, 200, 429]
        assert (await door.ask("/x/write", method="POST"))[0] == 200
    token = make_token(tmp_path, Role.READER)
    settings = ApiSettings(access_file=access, token_file=tmp_path / "tokens.json")
    async with open_door(settings) as door:
        answers = [(await door.ask("/x/read", "atesta_wrong"))[0] for _ in range(3)]
        assert answers == [401, 401, 429]
        assert (await door.ask("/health"))[0] == 429
        # Who is known is not held up by strangers at the same address.
        assert (await door.ask("/x/read", token))[0] == 200
        metrics = await door.read_metrics(token)
    assert 'rate_limited_requests_total{operation="strangers"} 2' in metrics


async def test_each_call_of_json_rpc_counts(tmp_path: Path) -> None:
    access = write_limits(tmp_path, reads="5/h", writes="1/h")
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    send = call | {"method": "eth_sendRawTransaction", "params": ["0x"]}
    async with open_door(ApiSettings(access_file=access)) as door:
        status, told, _ = await door.ask("/", method="POST", json=[call] * 4)
        assert status == 200
        assert all("result" in answer for answer in told)
        assert (await door.ask("/", method="POST", json=call | {"method": "eth_none"}))[0] == 200
        status, told, headers = await door.ask("/", method="POST", json=call)
        assert (status, told["error"]["code"]) == (429, -32005)
        assert int(headers["Retry-After"]) >= 1
        status, told, _ = await door.ask("/", method="POST", json=[call, send, send])
        assert status == 200
        codes = [answer["error"]["data"]["code"] for answer in told]
        assert codes[0] == codes[2] == "rate_limited"
        assert codes[1] != "rate_limited"


async def test_provider_and_tokens_open_the_same_door(tmp_path: Path) -> None:
    token = make_token(tmp_path, Role.ISSUER)
    async with open_provider() as provider:
        (tmp_path / "access.toml").write_text(
            f'[[oidc]]\nissuer = "{provider.issuer}"\naudience = "atesta"\n'
            'roles_claim = ["realm_access", "roles"]\n[oidc.roles]\n"atesta-officers" = ["officer"]'
        )
        settings = ApiSettings(
            token_file=tmp_path / "tokens.json", access_file=tmp_path / "access.toml"
        )
        async with open_door(settings) as door:
            assert (await door.ask("/x/read", token))[1]["name"] == "lab"
            assert (await door.ask("/x/read", provider.sign()))[1]["name"] == "7d1f"
            assert (await door.ask("/x/write", provider.sign(), method="POST"))[0] == 403
            status, told, headers = await door.ask("/x/read", provider.sign(aud="mail"))
            assert (status, told["code"]) == (401, "unauthorized")
            assert "another service" in headers["WWW-Authenticate"]
            assert (await door.ask("/x/read"))[0] == 401, "nobody is local any more"
        provider.status = 500
        async with open_door(settings) as door:
            status, told, _ = await door.ask("/x/read", provider.sign())
            assert (status, told["code"]) == (503, "issuer_unreachable")
            assert (await door.ask("/x/read", token))[0] == 200


def test_other_address_needs_a_way_to_know_callers(tmp_path: Path) -> None:
    access = write_limits(tmp_path, reads="3/h")
    settings = ApiSettings(
        host="0.0.0.0",
        tls_certificate=tmp_path / "x",
        tls_key=tmp_path / "x",
        access_file=access,
    )
    with pytest.raises(InvalidField) as refused:
        build_app(Services(surfaces=()), settings)
    assert refused.value.field == "api.token_file"
