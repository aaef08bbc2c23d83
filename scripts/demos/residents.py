"""Residents of the demonstration: each holds a certificate, its file and a key of their own."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from atesta_client import requests
from atesta_client.answers import Verification
from atesta_client.credentials import Credential
from atesta_client.holder_keys import HolderKey, KeyKind
from atesta_client.presentations import (
    Occasion,
    Presentation,
    format_presentation,
    present,
)
from atesta_client.rest import AsyncClient

from scripts.demos.documents import NEEDED, PURPOSES, Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """Somebody with a certificate."""

    document: Document
    """The certificate."""
    key: HolderKey
    """The key on the resident's device; it never leaves it."""
    credential: Credential
    """The file that the issuer handed over."""

    @property
    def uid(self) -> str:
        """The record's uid in hex."""
        return "0x" + self.credential.record.uid.hex()

    @property
    def needed(self) -> tuple[str, ...]:
        """The fields that the border's policy needs of this kind of certificate."""
        return NEEDED[self.document.kind]

    @property
    def purpose(self) -> str:
        """The purpose for which the border checks this kind of certificate."""
        return PURPOSES[self.document.kind]

    async def prepare(
        self,
        verifier: AsyncClient,
        *,
        pointers: Sequence[str] | None = None,
        key: HolderKey | None = None,
        purpose: str | None = None,
    ) -> Presentation:
        """Answer a fresh challenge of the verifier with the needed fields, signed."""
        challenge = await verifier.send(requests.create_challenge(purpose or self.purpose))
        occasion = Occasion(
            verifier=challenge.verifier, purpose=challenge.purpose, nonce=challenge.nonce
        )
        return present(
            self.credential,
            self.needed if pointers is None else pointers,
            occasion=occasion,
            now_s=int(time.time()),
            key=key or self.key,
        )


def make_key(number: int) -> HolderKey:
    """Make a resident's key; every fourth resident has a secp256k1 one."""
    return HolderKey.generate(KeyKind.SECP256K1 if number % 4 == 0 else KeyKind.P_256)


async def check(verifier: AsyncClient, presentation: Presentation) -> Verification:
    """Hand a presentation to the verifier's own node; its policy is that of the challenge."""
    return await verifier.send(requests.verify_presentation(format_presentation(presentation)))
