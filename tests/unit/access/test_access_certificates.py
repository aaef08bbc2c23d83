"""Mutual TLS on real sockets: listed machines, unlisted ones, strangers; renewed files."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import aiohttp
import orjson
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding
from structlog.testing import capture_logs

from api.access.callers import CALLER, Role, requires
from api.access.certificates import (
    CertificateAuthenticator,
    Machine,
    Machines,
    describe_certificate,
    read_fingerprint,
)
from api.access.refusals import CertificateRefused, TokenRefused
from api.access.server_tls import ServerTls, vouches_still
from api.access.tokens import create_token, save_tokens
from api.app import Services, Surface, build_app, json_response
from api.errors import InvalidField
from api.server import serve
from api.settings import ApiSettings
from tests.unit.access.authority import DAY, Authority, Holder


@requires(Role.READER)
async def say_who(request: web.Request) -> web.Response:
    caller = request[CALLER]
    return json_response({"name": caller.name, "method": caller.method})


@requires(Role.ADMIN)
async def administer(_request: web.Request) -> web.Response:
    return json_response({})


@asynccontextmanager
async def open_server(settings: ApiSettings) -> AsyncIterator[str]:
    surface = web.Application()
    surface.router.add_get("/who", say_who)
    surface.router.add_get("/admin", administer)
    app = build_app(Services(surfaces=(Surface(name="x", prefix="/x", app=surface),)), settings)
    async with serve(app, settings) as url:
        yield url


async def ask(
    url: str, trusted: Holder, holder: Holder | None, path: str = "/x/who", **headers: str
) -> tuple[int, dict[str, str]]:
    context = ssl.create_default_context(cafile=trusted.certificate_file)
    # The authority of the test has no key identifiers, which strict checking asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if holder is not None:
        context.load_cert_chain(holder.certificate_file, holder.key_file)
    async with (
        aiohttp.ClientSession() as session,
        session.get(url + path, ssl=context, headers=headers) as response,
    ):
        return response.status, await response.json()


def write_access(folder: Path, authorities: str, *machines: str) -> Path:
    path = folder / "access.toml"
    listed = "".join(f"[[certificates.machine]]\n{machine}\n" for machine in machines)
    path.write_text(f'[certificates]\nauthorities = "{authorities}"\n{listed}')
    return path


def list_machine(holder: Holder, name: str, *roles: str) -> str:
    written = orjson.dumps(roles).decode()
    return f'name = "{name}"\nfingerprint = "{holder.fingerprint}"\nroles = {written}'


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def build_settings(
    authority: Authority, access: Path, token_file: Path | None = None
) -> ApiSettings:
    server = authority.issue("server")
    return ApiSettings(
        port=0,
        tls_certificate=server.certificate_file,
        tls_key=server.key_file,
        access_file=access,
        token_file=token_file,
    )


async def test_listed_machines_come_in_and_others_do_not(
    tmp_path: Path, authority: Authority
) -> None:
    listed, by_subject, unlisted = (authority.issue(name) for name in ("one", "two", "three"))
    stranger = Authority(tmp_path, "Another CA").issue("one")
    access = write_access(
        tmp_path,
        authority.own.certificate_file.name,
        list_machine(listed, "tax-system", "reader", "issuer"),
        f'name = "registry"\nsubject = "{by_subject.subject}"\nroles = ["admin"]',
    )
    async with open_server(build_settings(authority, access)) as url:
        assert await ask(url, authority.own, listed) == (
            200,
            {"name": "tax-system", "method": "certificate"},
        )
        assert (await ask(url, authority.own, listed, "/x/admin"))[0] == 403
        assert (await ask(url, authority.own, by_subject, "/x/admin"))[0] == 200
        status, problem = await ask(url, authority.own, unlisted)
        assert (status, problem["code"]) == (403, "certificate_not_listed")
        status, problem = await ask(url, authority.own, None)
        assert (status, problem["code"]) == (401, "unauthorized")
        with pytest.raises((aiohttp.ClientError, ssl.SSLError, ConnectionError)):
            await ask(url, authority.own, stranger)
        expired = authority.issue("one", ends=-DAY)
        with pytest.raises((aiohttp.ClientError, ssl.SSLError, ConnectionError)):
            await ask(url, authority.own, expired)


async def test_machine_that_is_struck_off_is_refused_on_its_open_connection(
    tmp_path: Path, authority: Authority
) -> None:
    machine = authority.issue("one")
    access = write_access(
        tmp_path, authority.own.certificate_file.name, list_machine(machine, "tax", "reader")
    )
    context = ssl.create_default_context(cafile=authority.own.certificate_file)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.load_cert_chain(machine.certificate_file, machine.key_file)
    settings = build_settings(authority, access)
    async with (
        open_server(settings) as url,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session,
    ):
        async with session.get(url + "/x/who", ssl=context) as response:
            assert response.status == 200
        write_access(tmp_path, authority.own.certificate_file.name)
        async with session.get(url + "/x/who", ssl=context) as response:
            assert response.status == 403
        access.write_text("[[[")
        async with session.get(url + "/x/who", ssl=context) as response:
            assert response.status == 503
            assert (await response.json())["code"] == "access_unreadable"
        # Nothing listed any more, and no other way: that must not open the door to everybody.
        access.write_text("")
        async with session.get(url + "/x/who", ssl=context) as response:
            assert response.status == 401


async def test_self_signed_certificate_vouches_for_itself_alone(
    tmp_path: Path, authority: Authority
) -> None:
    machine = authority.make_self_signed("pinned")
    other = authority.make_self_signed("pinned")
    access = write_access(
        tmp_path, machine.certificate_file.name, list_machine(machine, "press", "reader")
    )
    async with open_server(build_settings(authority, access)) as url:
        assert (await ask(url, authority.own, machine))[0] == 200
        with pytest.raises((aiohttp.ClientError, ssl.SSLError, ConnectionError)):
            await ask(url, authority.own, other)


async def test_token_decides_where_both_are_sent(tmp_path: Path, authority: Authority) -> None:
    machine = authority.issue("one")
    token, record = create_token("auditor", [Role.AUDITOR])
    save_tokens(tmp_path / "tokens.json", [record])
    access = write_access(
        tmp_path, authority.own.certificate_file.name, list_machine(machine, "tax", "reader")
    )
    settings = build_settings(authority, access, tmp_path / "tokens.json")
    async with open_server(settings) as url:
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await ask(url, authority.own, machine, **bearer))[1]["name"] == "auditor"
        wrong = {"Authorization": f"Bearer {token}x"}
        assert (await ask(url, authority.own, machine, **wrong))[0] == 401
        assert (await ask(url, authority.own, None, **bearer))[1]["name"] == "auditor"


async def test_server_certificate_is_renewed_without_restart(
    tmp_path: Path, authority: Authority
) -> None:
    first, second = authority.issue("first"), authority.issue("second")
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    certificate.write_bytes(first.certificate_file.read_bytes())
    key.write_bytes(first.key_file.read_bytes())
    tls = ServerTls(certificate, key, None)

    def find_subject() -> object:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = tls.context.wrap_bio(incoming, outgoing, server_side=True)
        context = ssl.create_default_context(cafile=authority.own.certificate_file)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        client = context.wrap_bio(outgoing, incoming, server_hostname="127.0.0.1")
        for _ in range(4):
            for side in (client, server):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue
        told = client.getpeercert()
        assert told is not None
        return dict(part[0] for part in told["subject"])["commonName"]  # type: ignore[misc]

    assert find_subject() == "first"
    assert not tls.refresh()
    certificate.write_bytes(second.certificate_file.read_bytes())
    with capture_logs() as logs:
        assert not tls.refresh(), "the key does not fit yet"
    assert [entry["event"] for entry in logs] == ["tls_files_unusable"]
    assert find_subject() == "first"
    key.write_bytes(second.key_file.read_bytes())
    assert tls.refresh()
    assert find_subject() == "second"


def test_certificates_without_tls_are_refused_at_start(
    tmp_path: Path, authority: Authority
) -> None:
    access = write_access(tmp_path, authority.own.certificate_file.name)
    settings = ApiSettings(port=0, access_file=access)

    async def start() -> None:
        async with open_server(settings):
            pass

    with pytest.raises(InvalidField) as refused:
        asyncio.run(start())
    assert refused.value.field == "api.tls_certificate"


def test_certificate_that_went_out_of_date_opens_nothing(
    tmp_path: Path, authority: Authority
) -> None:
    machine = authority.issue("one")
    moment = [time.time()]
    listed = Machines(
        authorities=tmp_path,
        machines=(
            Machine(name="tax", roles=frozenset({Role.READER}), fingerprint=machine.fingerprint),
        ),
    )
    authenticator = CertificateAuthenticator(listed, lambda: moment[0])
    der = machine.certificate.public_bytes(Encoding.DER)
    assert authenticator.authenticate(der).name == "tax"
    moment[0] += timedelta(days=2).total_seconds()
    with pytest.raises(TokenRefused, match="out of date"):
        authenticator.authenticate(der)
    with pytest.raises(CertificateRefused):
        authenticator.authenticate(b"no certificate")


def test_fingerprints_are_read_in_every_usual_form(authority: Authority) -> None:
    plain = authority.own.fingerprint
    colons = ":".join(plain[i : i + 2].upper() for i in range(0, 64, 2))
    assert {read_fingerprint(text) for text in (plain, colons, f"SHA256:{plain}")} == {plain}
    assert read_fingerprint(plain[:-1]) is None
    told = describe_certificate(authority.own.certificate_file.read_bytes())
    assert told["fingerprint"] == plain
    assert told["subject"] == "CN=Agency CA,O=Agency"


def shake(
    tls: ServerTls,
    client: ssl.SSLContext,
    session: ssl.SSLSession | None = None,
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Connect in memory; returns the server's side and the client's."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = tls.context.wrap_bio(incoming, outgoing, server_side=True)
    side = client.wrap_bio(outgoing, incoming, server_hostname="127.0.0.1", session=session)
    for _ in range(6):
        for one in (side, server):
            with suppress(ssl.SSLWantReadError):
                one.do_handshake()
    server.write(b"x")
    assert side.read(1) == b"x"
    return server, side


def trust(authority: Authority, holder: Holder) -> ssl.SSLContext:
    """Return the context of a client that shows a certificate."""
    context = ssl.create_default_context(cafile=authority.own.certificate_file)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.load_cert_chain(holder.certificate_file, holder.key_file)
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_authority_that_is_taken_out_vouches_for_nothing_more(
    tmp_path: Path, authority: Authority, version: ssl.TLSVersion
) -> None:
    server, machine = authority.issue("server"), authority.issue("one")
    other = Authority(tmp_path, "Another CA")
    stranger = other.issue("one")
    authorities = tmp_path / "clients.pem"
    ours = authority.own.certificate_file.read_bytes()
    authorities.write_bytes(ours)
    tls = ServerTls(server.certificate_file, server.key_file, authorities)
    client, elsewhere = trust(authority, machine), trust(authority, stranger)
    for context in (client, elsewhere):
        context.maximum_version = version
    with pytest.raises(ssl.SSLError):
        shake(tls, elsewhere)
    # One more authority: nobody has to connect anew.
    authorities.write_bytes(ours + other.own.certificate_file.read_bytes())
    before, told = shake(tls, client)
    assert tls.refresh()
    assert vouches_still(before)
    after, _ = shake(tls, elsewhere)
    assert vouches_still(after)
    # And one less: neither connections, nor new ones, nor sessions that are taken up again.
    authorities.write_bytes(other.own.certificate_file.read_bytes())
    assert tls.refresh()
    assert not vouches_still(before)
    with pytest.raises(ssl.SSLError):
        shake(tls, client)
    if version is ssl.TLSVersion.TLSv1_2:
        resumed, _ = shake(tls, client, told.session)
        assert resumed.session_reused
        assert resumed.getpeercert(binary_form=True) is not None
        assert not vouches_still(resumed)
    else:
        with pytest.raises(ssl.SSLError):
            shake(tls, client, told.session)
    anew, _ = shake(tls, elsewhere)
    assert vouches_still(anew)


def test_session_that_began_after_the_change_is_taken_up_again(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, machine = authority.issue("server"), authority.issue("one")
    other = Authority(tmp_path, "Another CA")
    authorities = tmp_path / "clients.pem"
    ours = authority.own.certificate_file.read_bytes()
    authorities.write_bytes(ours + other.own.certificate_file.read_bytes())
    tls = ServerTls(server.certificate_file, server.key_file, authorities)
    authorities.write_bytes(ours)
    long_ago = time.time() - 60
    monkeypatch.setattr("api.access.server_tls.time.time", lambda: long_ago)
    assert tls.refresh()
    client = trust(authority, machine)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    _, told = shake(tls, client)
    resumed, _ = shake(tls, client, told.session)
    assert resumed.session_reused
    assert vouches_still(resumed)


async def test_connection_of_an_authority_that_is_taken_out_is_refused(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.access.server_tls.LOOK_S", 0.01)
    other = Authority(tmp_path, "Another CA")
    machine, staying = authority.issue("one"), other.issue("two")
    authorities = tmp_path / "clients.pem"
    kept = other.own.certificate_file.read_bytes()
    authorities.write_bytes(authority.own.certificate_file.read_bytes() + kept)
    access = write_access(
        tmp_path,
        authorities.name,
        f'name = "tax"\nsubject = "{machine.subject}"\nroles = ["reader"]',
        f'name = "registry"\nsubject = "{staying.subject}"\nroles = ["reader"]',
    )
    context = trust(authority, machine)
    async with (
        open_server(build_settings(authority, access)) as url,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session,
    ):
        async with session.get(url + "/x/who", ssl=context) as response:
            assert (await response.json())["name"] == "tax"
        authorities.write_bytes(kept)
        for _ in range(1_000):
            async with session.get(url + "/x/who", ssl=context) as response:
                status, problem = response.status, await response.json()
            if status != 200:
                break
            await asyncio.sleep(0.01)
        assert (status, problem["code"]) == (401, "unauthorized")
        assert "open a new connection" in problem["next_step"]
        with pytest.raises((aiohttp.ClientError, ssl.SSLError, ConnectionError)):
            await ask(url, authority.own, machine)
        assert (await ask(url, authority.own, staying))[1]["name"] == "registry"
