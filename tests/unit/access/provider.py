"""An OpenID Connect provider on 127.0.0.1 with real keys, for tests."""

import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

AUDIENCE = "atesta"

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()

KEYS: dict[str, tuple[str, Any]] = {
    "rsa-1": ("RS256", RSA_KEY),
    "ec-1": ("ES256", EC_KEY),
    "ed-1": ("EdDSA", ED_KEY),
}


class FakeProvider:
    """Publishes keys and signs tokens; counts what it is asked."""

    def __init__(self) -> None:
        self.issuer = ""
        self.keys: list[dict[str, Any]] = [
            export_key(kid, algorithm, key) for kid, (algorithm, key) in KEYS.items()
        ]
        self.discovery_asked = 0
        self.keys_asked = 0
        self.status = 200
        self.claimed_issuer: str | None = None
        self.jwks_uri: str | None = None

    def build_app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/staff/.well-known/openid-configuration", self._discover)
        app.router.add_get("/staff/keys", self._list_keys)
        return app

    def build_claims(self, **changes: Any) -> dict[str, Any]:
        """Return the claims of a good token; None takes one out."""
        now_s = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "7d1f",
            "iat": now_s,
            "exp": now_s + 300,
            "realm_access": {"roles": ["atesta-officers", "offline_access"]},
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def sign(
        self,
        kid: str | None = "rsa-1",
        *,
        key: Any = None,
        algorithm: str | None = None,
        headers: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """Return a token; `changes` are of its claims."""
        known = KEYS.get(kid or "rsa-1", KEYS["rsa-1"])
        extra = {} if kid is None else {"kid": kid}
        return jwt.encode(
            self.build_claims(**changes),
            known[1] if key is None else key,
            algorithm or known[0],
            headers=extra | (headers or {}),
        )

    async def _discover(self, _request: web.Request) -> web.Response:
        self.discovery_asked += 1
        return web.json_response(
            {
                "issuer": self.claimed_issuer or self.issuer,
                "jwks_uri": self.jwks_uri or f"{self.issuer}/keys",
            },
            status=self.status,
        )

    async def _list_keys(self, _request: web.Request) -> web.Response:
        self.keys_asked += 1
        return web.json_response({"keys": self.keys}, status=self.status)


def export_key(kid: str, algorithm: str, key: Any) -> dict[str, Any]:
    """Return a private key's public half as an entry of a key set."""
    family: Any = {"RS": RSAAlgorithm, "ES": ECAlgorithm, "Ed": OKPAlgorithm}[algorithm[:2]]
    exported: dict[str, Any] = family.to_jwk(key.public_key(), as_dict=True)
    return exported | {"kid": kid, "alg": algorithm, "use": "sig"}


def encode_part(content: bytes) -> str:
    """Return bytes as a part of a JWT."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@asynccontextmanager
async def open_provider() -> AsyncIterator[FakeProvider]:
    """Serve a provider until the block is left."""
    provider = FakeProvider()
    async with TestServer(provider.build_app()) as server:
        provider.issuer = str(server.make_url("/staff"))
        yield provider
