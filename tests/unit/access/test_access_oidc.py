"""JSON Web Tokens of a provider: what opens the door, and all that must not."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.utils import der_to_raw_signature

from api.access.callers import Method, Role
from api.access.issuer_http import MAX_SIZE, IssuerHttp
from api.access.issuer_keys import FRESH_S, PAUSE_S, USABLE_S, FetchFailed, IssuerKeys
from api.access.oidc import MAX_TOKEN_SIZE, OidcAuthenticator, Provider
from api.access.refusals import TokenRefused, build_refusal_headers
from api.errors import InvalidField, UpstreamFault
from tests.unit.access.provider import (
    EC_KEY,
    OTHER_RSA_KEY,
    RSA_KEY,
    FakeProvider,
    encode_part,
    export_key,
    open_provider,
)


class Setting:
    """An authenticator in front of a provider, with a clock that the test moves."""

    def __init__(self, provider: FakeProvider, http: IssuerHttp) -> None:
        self.provider = provider
        self.clock_s = 1_000.0
        self.now_s: float | None = None
        self.settings = Provider(
            issuer=provider.issuer,
            audiences=("atesta", "https://api.agency.example"),
            roles={
                "atesta-officers": frozenset({Role.OFFICER}),
                "atesta-auditors": frozenset({Role.AUDITOR}),
            },
            roles_claim=("realm_access", "roles"),
            refused=frozenset({"gone"}),
            person_claim="employee_number",
        )
        keys = IssuerKeys(provider.issuer, http.build_fetch(None), lambda: self.clock_s)
        self.authenticator = OidcAuthenticator(
            {provider.issuer: (self.settings, keys)}, self._read_clock
        )

    def _read_clock(self) -> float:
        return time.time() if self.now_s is None else self.now_s

    async def refuse(self, token: str) -> str:
        with pytest.raises(TokenRefused) as refused:
            await self.authenticator.authenticate(token)
        headers = build_refusal_headers(refused.value)
        assert 'error="invalid_token"' in headers["WWW-Authenticate"]
        assert token not in str(refused.value)
        return refused.value.reason


@pytest.fixture
async def setting() -> AsyncIterator[Setting]:
    http = IssuerHttp()
    async with open_provider() as provider:
        yield Setting(provider, http)
    await http.close()


@pytest.mark.parametrize("kid", ["rsa-1", "ec-1", "ed-1"])
async def test_tokens_of_every_kind_of_key_name_their_caller(setting: Setting, kid: str) -> None:
    caller = await setting.authenticator.authenticate(setting.provider.sign(kid))
    assert (caller.name, caller.method) == ("7d1f", Method.OIDC)
    assert caller.roles == {Role.OFFICER}
    await setting.authenticator.authenticate(setting.provider.sign(kid))
    assert (setting.provider.discovery_asked, setting.provider.keys_asked) == (1, 1)


async def test_token_for_several_audiences_may_be_for_ours_too(setting: Setting) -> None:
    token = setting.provider.sign(aud=["mail", "https://api.agency.example"])
    assert (await setting.authenticator.authenticate(token)).name == "7d1f"


async def test_token_may_say_who_acts(setting: Setting) -> None:
    said: list[tuple[dict[str, Any], str | None]] = [
        ({"employee_number": "Staff-7"}, "staff-7"),
        ({}, None),
    ]
    for claims, person in said:
        caller = await setting.authenticator.authenticate(setting.provider.sign(**claims))
        assert (caller.name, caller.person) == ("7d1f", person)


async def test_token_without_a_mapped_role_is_known_and_may_nothing(setting: Setting) -> None:
    for claim in ({"roles": ["others"]}, {"roles": 7}, {}, None, "officer", {"roles": [["x"]]}):
        caller = await setting.authenticator.authenticate(setting.provider.sign(realm_access=claim))
        assert caller.roles == frozenset()
        assert not caller.has_any(Role.READER)


def write_unsigned(provider: FakeProvider, algorithm: str, signature: bytes = b"") -> str:
    header = json.dumps({"alg": algorithm, "typ": "JWT", "kid": "rsa-1"}).encode()
    claims = json.dumps(provider.build_claims()).encode()
    return f"{encode_part(header)}.{encode_part(claims)}.{encode_part(signature)}"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
async def test_unsigned_token_is_refused(setting: Setting, algorithm: str) -> None:
    reason = await setting.refuse(write_unsigned(setting.provider, algorithm))
    assert "algorithm" in reason


async def test_public_key_as_shared_secret_is_refused(setting: Setting) -> None:
    unsigned = write_unsigned(setting.provider, "HS256").rpartition(".")[0]
    public = RSA_KEY.public_key()
    for secret in (
        public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    ):
        mac = hmac.new(secret, unsigned.encode(), hashlib.sha256).digest()
        assert "algorithm" in await setting.refuse(f"{unsigned}.{encode_part(mac)}")


async def test_symmetric_keys_of_a_set_are_never_used(setting: Setting) -> None:
    secret = b"a shared secret of thirty-two b."
    setting.provider.keys = [
        {"kty": "oct", "kid": "rsa-1", "k": encode_part(secret), "alg": "RS256", "use": "sig"}
    ]
    assert "none of its issuer's" in await setting.refuse(setting.provider.sign())


async def test_token_of_another_kind_of_key_than_it_says_is_refused(setting: Setting) -> None:
    crossed = setting.provider.sign("ec-1", key=RSA_KEY, algorithm="RS256")
    assert "none of its issuer's" in await setting.refuse(crossed)
    swapped = setting.provider.sign("rsa-1", key=EC_KEY, algorithm="ES256")
    assert "none of its issuer's" in await setting.refuse(swapped)


async def test_token_signed_by_another_key_of_that_name_is_refused(setting: Setting) -> None:
    reason = await setting.refuse(setting.provider.sign("rsa-1", key=OTHER_RSA_KEY))
    assert "signature" in reason


async def test_weak_key_of_the_issuer_is_refused(setting: Setting) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    setting.provider.keys = [export_key("weak", "RS256", weak)]
    with pytest.warns(Warning, match="1024"):
        token = setting.provider.sign("weak", key=weak, algorithm="RS256")
    assert "weak" in await setting.refuse(token)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "mail"}, "another service"),
        ({"aud": ["mail", "files"]}, "another service"),
        ({"aud": None}, "aud"),
        ({"exp": None}, "exp"),
        ({"iat": None}, "iat"),
        ({"exp": "soon"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": float("nan")}, "exp"),
        ({"exp": float("inf")}, "exp"),
        ({"exp": 10**400}, "exp"),
        ({"iat": float("-inf")}, "iat"),
        ({"nbf": float("nan")}, "nbf"),
        ({"sub": None}, "name its holder"),
        ({"sub": "x" * 129}, "name its holder"),
        ({"sub": "two\nlines"}, "name its holder"),
        ({"sub": 7}, "cannot be accepted"),
        ({"sub": "gone"}, "let in no more"),
        ({"employee_number": 7}, "who acts"),
        ({"employee_number": ""}, "who acts"),
        ({"employee_number": "x" * 129}, "who acts"),
        ({"iss": "https://elsewhere.example"}, "issuer is not known"),
        ({"iss": None}, "issuer is not known"),
    ],
)
async def test_token_with_wrong_claims_is_refused(
    setting: Setting, changes: dict[str, Any], reason: str
) -> None:
    assert reason in await setting.refuse(setting.provider.sign(**changes))


async def test_times_hold_to_the_second_with_the_leeway(setting: Setting) -> None:
    leeway_s = setting.settings.leeway_s
    token = setting.provider.sign(iat=10_000, nbf=10_010, exp=10_600)
    for now_s in (10_010 - leeway_s, 10_599, 10_599 + leeway_s):
        setting.now_s = now_s
        await setting.authenticator.authenticate(token)
    setting.now_s = 10_600 + leeway_s
    assert "expired" in await setting.refuse(token)
    setting.now_s = 10_009 - leeway_s
    assert "not valid yet" in await setting.refuse(token)
    setting.now_s = 9_999 - leeway_s
    early = setting.provider.sign(iat=10_000, exp=10_600)
    assert "in the future" in await setting.refuse(early)


@pytest.mark.parametrize(
    "headers", [{"typ": "logout+jwt"}, {"crit": ["b64"], "b64": True}, {"kid": ["rsa-1"]}]
)
async def test_token_with_an_unfit_header_is_refused(
    setting: Setting, headers: dict[str, Any]
) -> None:
    token = setting.provider.sign()
    _, claims, signature = token.split(".")
    header = {"alg": "RS256", "kid": "rsa-1"} | headers
    await setting.refuse(f"{encode_part(json.dumps(header).encode())}.{claims}.{signature}")


@given(st.text(max_size=200) | st.lists(st.text(max_size=60), min_size=3, max_size=3).map(".".join))
async def test_garbage_is_refused_and_never_our_fault(token: str) -> None:
    with pytest.raises(TokenRefused):
        await OidcAuthenticator({}, time.time).authenticate(token)


async def test_token_without_end_is_not_even_read(setting: Setting) -> None:
    assert "too long" in await setting.refuse("a." * MAX_TOKEN_SIZE)


async def test_rotated_key_is_fetched_at_the_first_token_under_it(setting: Setting) -> None:
    provider = setting.provider
    await setting.authenticator.authenticate(provider.sign())
    provider.keys = [export_key("rsa-2", "RS256", OTHER_RSA_KEY)]
    setting.clock_s += PAUSE_S
    turned = provider.sign("rsa-2", key=OTHER_RSA_KEY)
    assert (await setting.authenticator.authenticate(turned)).name == "7d1f"
    assert provider.keys_asked == 2
    # The key that was taken out of the set opens nothing any more.
    assert "none of its issuer's" in await setting.refuse(provider.sign("rsa-1"))


async def test_flood_of_unknown_keys_asks_the_issuer_once_a_pause(setting: Setting) -> None:
    provider = setting.provider
    await setting.authenticator.authenticate(provider.sign())
    setting.clock_s += PAUSE_S
    for number in range(50):
        await setting.refuse(provider.sign(f"invented-{number}", key=OTHER_RSA_KEY))
    assert provider.keys_asked == 2
    setting.clock_s += PAUSE_S
    await setting.refuse(provider.sign("invented-again", key=OTHER_RSA_KEY))
    assert provider.keys_asked == 3
    await setting.authenticator.authenticate(provider.sign())


async def test_token_without_key_name_needs_one_key_that_fits(setting: Setting) -> None:
    assert (await setting.authenticator.authenticate(setting.provider.sign(None))).name == "7d1f"
    setting.provider.keys.append(export_key("rsa-2", "RS256", OTHER_RSA_KEY))
    setting.clock_s += FRESH_S
    assert "none of its issuer's" in await setting.refuse(setting.provider.sign(None))


async def test_outage_of_the_issuer_is_503_at_first_and_bridged_later(setting: Setting) -> None:
    provider, authenticator = setting.provider, setting.authenticator
    provider.status = 500
    for _ in range(3):
        with pytest.raises(UpstreamFault) as away:
            await authenticator.authenticate(provider.sign())
        assert (away.value.status, away.value.code) == (503, "issuer_unreachable")
        assert away.value.next_step is not None
    assert provider.discovery_asked == 1, "a failed try is not repeated at once"
    provider.status = 200
    setting.clock_s += PAUSE_S
    await authenticator.authenticate(provider.sign())
    provider.status = 500
    setting.clock_s += FRESH_S
    await authenticator.authenticate(provider.sign())
    # A key that this server does not know may be new: it cannot say that it is wrong.
    with pytest.raises(UpstreamFault):
        await authenticator.authenticate(provider.sign("rsa-2", key=OTHER_RSA_KEY))
    setting.clock_s += USABLE_S
    with pytest.raises(UpstreamFault):
        await authenticator.authenticate(provider.sign())


@pytest.mark.parametrize(
    ("claimed", "uri"),
    [
        ("https://other.example", None),
        (None, "http://keys.example/keys"),
        (None, "file:///etc/keys"),
        (None, "https://user@keys.example/keys"),
    ],
)
async def test_discovery_that_leads_elsewhere_is_not_followed(
    setting: Setting, claimed: str | None, uri: str | None
) -> None:
    setting.provider.claimed_issuer, setting.provider.jwks_uri = claimed, uri
    with pytest.raises(UpstreamFault):
        await setting.authenticator.authenticate(setting.provider.sign())
    assert setting.provider.keys_asked == 0


async def test_fetching_follows_no_redirection_and_reads_no_endless_answer() -> None:
    async def redirect(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/long")

    async def answer_long(_request: web.Request) -> web.Response:
        return web.Response(body=b" " * (MAX_SIZE + 1))

    app = web.Application()
    app.router.add_get("/redirect", redirect)
    app.router.add_get("/long", answer_long)
    http = IssuerHttp()
    fetch = http.build_fetch(None)
    async with TestServer(app) as server:
        for path, reason in (("/redirect", "302"), ("/long", "longer")):
            with pytest.raises(FetchFailed, match=reason):
                await fetch(str(server.make_url(path)))
        gone = str(server.make_url("/long"))
    with pytest.raises(FetchFailed, match="Connect"):
        await fetch(gone)
    await http.close()


def test_authority_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("no certificate")
    with pytest.raises(InvalidField) as refused:
        IssuerHttp().build_fetch(tmp_path / "none.pem")
    assert "authority" in str(refused.value.field)


async def test_key_on_another_curve_than_the_algorithms_is_not_used(setting: Setting) -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    exported = export_key("ec-384", "ES384", other)
    del exported["alg"]
    setting.provider.keys = [exported]
    unsigned = write_unsigned(setting.provider, "ES256").rpartition(".")[0]
    header = encode_part(json.dumps({"alg": "ES256", "kid": "ec-384"}).encode())
    unsigned = f"{header}.{unsigned.partition('.')[2]}"
    signature = other.sign(unsigned.encode(), ec.ECDSA(hashes.SHA256()))
    raw = der_to_raw_signature(signature, ec.SECP384R1())
    assert "none of its issuer's" in await setting.refuse(f"{unsigned}.{encode_part(raw)}")
