"""Whose challenge a holder answered: what the signature must have been made for.

The nonce is read out of a signature that nobody has checked yet, only to find the challenge. What
the holder must have signed is then taken from the challenge, never from the signature.
"""

import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable

from atesta_client.canonical import load_json
from atesta_client.errors import MaterialRefused, PresentationRefused, ReasonCode
from atesta_client.presentations import Occasion

from api.verification.challenges import Challenges
from api.verification.check import Check


class Occasions:
    """The occasions for which one agency asks holders to sign."""

    def __init__(
        self, *, challenges: Challenges, find_agency: Callable[[], Awaitable[bytes | None]]
    ) -> None:
        """Know the nonces in `challenges`; `find_agency` tells whom a holder signs for."""
        self._challenges = challenges
        self._find_agency = find_agency

    async def find(self, check: Check, signature: str | None) -> Occasion | None:
        """Return what the holder should have signed; None if it is no challenge of ours.

        Adds to the check what is wrong with the challenge, and the challenge if it is still good.
        """
        nonce = _read_nonce(signature)
        if nonce is None:
            # Unsigned, or not readable as a signature: the library says which is allowed. What is
            # signed over no nonce of ours must never pass, so it is compared with a fresh one.
            return Occasion(verifier="", purpose="", nonce=secrets.token_hex(32))
        challenge = await self._challenges.find(nonce)
        if challenge is None:
            check.refuse("challenge_unknown")
            return None
        if challenge.used_s is not None:
            check.refuse("challenge_replayed")
        elif check.now_s >= challenge.expires_s:
            check.refuse("challenge_expired")
        else:
            check.challenge = challenge
        if check.purpose is None:
            check.purpose = challenge.purpose
        elif check.purpose != challenge.purpose:
            check.refuse_material(
                PresentationRefused(
                    ReasonCode.WRONG_PURPOSE, "the challenge was made for another purpose"
                )
            )
        return Occasion(
            verifier="0x" + (await self._find_agency() or b"").hex(),
            purpose=challenge.purpose,
            nonce="0x" + challenge.nonce.hex(),
        )


def _read_nonce(signature: str | None) -> bytes | None:
    """Read the nonce out of a signature not yet checked, to find the challenge it answers."""
    try:
        part = (signature or "").split(".")[1]
        claims = load_json(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        nonce = claims["nonce"]
        return bytes.fromhex(nonce.removeprefix("0x")) if len(nonce) == 66 else None
    except (MaterialRefused, LookupError, TypeError, AttributeError, ValueError, binascii.Error):
        return None
