"""The kept request of a holder: found by either credential, opened and checked at any time."""

from dataclasses import dataclass
from typing import Any, Final

from atesta_client.envelopes import EnvelopeKind

from api.acts.private import seal
from api.rest.services import RestServices
from api.vault.materials import Material

ROLE: Final = "publish_request"
"""Role of a holder's request among the materials of the published credential."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRequest:
    """A holder's request as it was accepted."""

    published: bytes
    """Uid of the credential that was made for it."""
    credential: bytes
    """Uid of the credential that it is about."""
    token: str
    """What the holder signed, a compact JWS."""
    nonce: str
    kept_s: int


async def keep_request(services: RestServices, request: KeptRequest) -> None:
    """Keep a request with the published credential; durable on return."""
    body: dict[str, Any] = {
        "credential": "0x" + request.credential.hex(),
        "request": request.token,
        "nonce": request.nonce,
        "kept": request.kept_s,
    }
    material = Material(
        uid=request.published,
        role=ROLE,
        envelope=seal(EnvelopeKind.FORM, body, field="request"),
        reference=request.credential.hex(),
    )
    await services.materials.put((material,), now_s=request.kept_s)


async def find_request(services: RestServices, published: bytes) -> KeptRequest | None:
    """Open the request behind a published credential; None for any other credential."""
    envelope = await services.materials.find(published, ROLE)
    if envelope is None:
        return None
    body: dict[str, Any] = dict(envelope.body)
    return KeptRequest(
        published=published,
        credential=bytes.fromhex(body["credential"][2:]),
        token=body["request"],
        nonce=body["nonce"],
        kept_s=body["kept"],
    )


async def list_published(services: RestServices, credential: bytes) -> tuple[bytes, ...]:
    """Return the uids of what was published of a credential; opens nothing."""
    return await services.materials.list_by_reference(ROLE, credential.hex())
