"""The kept request of a holder: found by either credential, opened and checked at any time.

It is kept with the published credential and stands or falls with it. What the holder signed names
the credential that it is about by uid, commitment, issuer and ledger; these stand beside it, so
that it can be checked when that credential has come to its own end and is no longer in the vault.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from atesta_client.credentials import LedgerReference, RecordReference
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
    issuer: bytes | None = None
    """Agency that issued the credential; None where it was kept before this stood beside it."""
    commitment: bytes | None = None
    """The credential's commitment; None likewise."""
    origin: LedgerReference | None = None
    """The ledger on which the credential stood; None likewise."""

    def find_record(self, published: RecordReference) -> RecordReference | None:
        """Return what the request names, as a checker takes it; None if it stands in the vault."""
        if self.issuer is None or self.commitment is None or self.origin is None:
            return None
        return replace(
            published,
            uid=self.credential,
            issuer=self.issuer,
            commitment=self.commitment,
            ledger=self.origin,
            batch=None,
        )


async def keep_request(services: RestServices, request: KeptRequest) -> None:
    """Keep a request with the published credential; durable on return."""
    body: dict[str, Any] = {
        "credential": "0x" + request.credential.hex(),
        "request": request.token,
        "nonce": request.nonce,
        "kept": request.kept_s,
    }
    if request.issuer is not None and request.commitment is not None and request.origin is not None:
        body["about"] = {
            "issuer": "0x" + request.issuer.hex(),
            "commitment": "0x" + request.commitment.hex(),
            "chain_id": request.origin.chain_id,
            "genesis_hash": "0x" + request.origin.genesis_hash.hex(),
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
    about: dict[str, Any] | None = body.get("about")
    return KeptRequest(
        published=published,
        credential=bytes.fromhex(body["credential"][2:]),
        token=body["request"],
        nonce=body["nonce"],
        kept_s=body["kept"],
        issuer=None if about is None else bytes.fromhex(about["issuer"][2:]),
        commitment=None if about is None else bytes.fromhex(about["commitment"][2:]),
        origin=None
        if about is None
        else LedgerReference(
            chain_id=about["chain_id"], genesis_hash=bytes.fromhex(about["genesis_hash"][2:])
        ),
    )


async def list_published(services: RestServices, credential: bytes) -> tuple[bytes, ...]:
    """Return the uids of what was published of a credential; opens nothing."""
    return await services.materials.list_by_reference(ROLE, credential.hex())
