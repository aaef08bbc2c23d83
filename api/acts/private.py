"""Private materials of acts: sealed under fresh salts, kept in the vault, committed to on chain.

An officer, a case number, a person, a filing: the ledger gets 32 bytes, the vault the envelope
(`atesta_client.envelopes`), and the other side the envelope too where it is entitled to it.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from atesta_client.envelopes import Envelope, EnvelopeKind, seal_envelope
from atesta_client.errors import MaterialRefused

from api.acts.calls import has_function
from api.acts.context import ActContext
from api.errors import InvalidField
from api.rest.lateness import Lateness
from api.rest.services import RestServices
from api.rest.words import encode_word
from api.vault.materials import Material, Materials
from contracts import codec

_ANSWERABLE = (EnvelopeKind.OFFICER, EnvelopeKind.CLERK)
"""Kinds that name who answers for an act, so that an empty one would hide them."""

LATE_ROLE = "late_officer"
"""Role of the second officer's envelope among the materials of a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What an act keeps in the vault before it is promised; the `keep` of a prepared act."""

    store: Materials
    materials: tuple[Material, ...]
    now_s: int

    async def __call__(self) -> None:
        """Keep it; durable on return."""
        await self.store.put(self.materials, now_s=self.now_s)


def seal(kind: EnvelopeKind, body: Mapping[str, Any], *, field: str) -> Envelope:
    """Put a body under a fresh salt; raises `InvalidField` for one that has no written form."""
    if not body and kind in _ANSWERABLE:
        raise InvalidField(field, "it says nothing", next_step="write down at least one member")
    envelope = seal_envelope(kind, body, secrets.token_bytes)
    try:
        _ = envelope.commitment
    except MaterialRefused as refused:
        raise InvalidField(field, f"it cannot be committed to: {refused.message}") from refused
    return envelope


def keep_materials(context: ActContext, materials: Sequence[Material]) -> Keeping:
    """Return the `keep` of a prepared act; raises `NoVault` at once where there is no vault."""
    return Keeping(
        store=context.services.materials, materials=tuple(materials), now_s=context.now_s
    )


def seal_lateness(
    services: RestServices, contract: str, uid: bytes, late: Lateness, now_s: int
) -> tuple[Callable[[bytes], bytes], Callable[[], Awaitable[None]]]:
    """Return how a late act's call is wrapped, and what keeps its second officer.

    Raises `InvalidField` or `NoVault`.
    """
    if not has_function(contract, "act_late"):
        raise InvalidField("late", "this act is decided on the ledger, so it is never late")
    officer = seal(EnvelopeKind.OFFICER, late.officer, field="late.officer")
    reason = encode_word(late.reason)

    def wrap(call: bytes) -> bytes:
        return codec.encode_call(contract, "act_late", (call, officer.commitment, reason))

    material = Material(uid=uid, role=LATE_ROLE, envelope=officer)
    return wrap, partial(services.materials.put, (material,), now_s=now_s)
