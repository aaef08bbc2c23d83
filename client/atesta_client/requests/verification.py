"""Checking what a resident shows, at the node's own last settled block."""

from atesta_client.answers import Challenge, Verification
from atesta_client.requests.encoding import CredentialFile, PresentationFile
from atesta_client.requests.request import Request, send


def create_challenge(purpose: str) -> Request[Challenge]:
    """Ask for a nonce that a holder's presentation must sign.

    - ``purpose``: why the check is made; the holder signs it.
    """
    return send(Challenge, "POST", "/verify/challenges", {"purpose": purpose})


def verify_presentation(
    presentation: PresentationFile, *, purpose: str | None = None
) -> Request[Verification]:
    """Have a presentation checked on the node's last settled block.

    - ``purpose``: selects the recognition policy; the presentation's own when absent.
    """
    body = {"presentation": presentation, "purpose": purpose}
    return send(Verification, "POST", "/verify", body)


def verify_credential(
    credential: CredentialFile, *, purpose: str | None = None
) -> Request[Verification]:
    """Have a whole credential file checked on the node's last settled block."""
    body = {"credential": credential, "purpose": purpose}
    return send(Verification, "POST", "/verify", body)


def verify_token(token: str, *, purpose: str | None = None) -> Request[Verification]:
    """Have an SD-JWT VC or a ``vc+jwt`` of this ledger checked on the node's last settled block.

    - ``token``: an export, whole or with some fields shown and signed by the holder;
    - ``purpose``: selects the recognition policy; that of the holder's signature when absent.

    A token that names no record of a ledger is answered with the reason ``token_foreign``.
    """
    return send(Verification, "POST", "/verify", {"token": token, "purpose": purpose})
