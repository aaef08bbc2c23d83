"""What the door says to those whom it does not let in, and the header fields that belong to it.

RFC 6750 asks for a `WWW-Authenticate` field that says what went wrong: nothing of it where no
credentials came, `invalid_token` for one that is not accepted, `insufficient_scope` for a caller
without the role. None of it repeats what was sent.
"""

from typing import Final

from api.access.limits import Allowance
from api.errors import RPC_LIMIT_EXCEEDED, ApiError, Forbidden, Unauthorized, UserFault

REALM: Final = "atesta"


class TokenRefused(Unauthorized):
    """A bearer token that this server does not accept."""


class CredentialsUnasked(TokenRefused):
    """Credentials sent to a server that has no way to check any."""

    def __init__(self) -> None:
        super().__init__("this server has no tokens, so it cannot tell whether this one holds")
        self.next_step = (
            "leave out the Authorization header: whoever is on this machine is served; or ask the"
            " operator to set api.token_file"
        )


class AuthorityRemoved(TokenRefused):
    """A certificate that was checked before one of the authorities was taken out."""

    def __init__(self) -> None:
        super().__init__("the authorities of client certificates have changed since it connected")
        self.next_step = "open a new connection, whose certificate is checked again"


class CertificateRefused(Forbidden):
    """A certificate that its authority signed, but that nobody listed here."""

    def __init__(self, reason: str) -> None:
        ApiError.__init__(
            self,
            reason,
            code="certificate_not_listed",
            next_step="ask the operator to list this certificate, or send a bearer token",
        )


class TooManyRequests(UserFault):
    """The caller has asked too often."""

    status = 429
    rpc_code = RPC_LIMIT_EXCEEDED

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(
            f"this is more than {allowance.quota} of {allowance.operation}",
            code="rate_limited",
            next_step=f"wait {allowance.wait_s} s, then go on more slowly; or ask the operator",
            extra={"retry_after_s": allowance.wait_s},
        )
        self.allowance = allowance


def build_refusal_headers(error: ApiError) -> dict[str, str]:
    """Return the header fields that an error's answer carries."""
    if isinstance(error, TooManyRequests):
        return error.allowance.build_headers()
    challenge = f'Bearer realm="{REALM}"'
    if isinstance(error, TokenRefused):
        described = error.reason.replace("\\", "").replace('"', "'")
        return {
            "WWW-Authenticate": (
                f'{challenge}, error="invalid_token", error_description="{described}"'
            )
        }
    if isinstance(error, Unauthorized):
        return {"WWW-Authenticate": challenge}
    if isinstance(error, Forbidden) and (needed := error.extra.get("needed_roles")):
        scope = " ".join(needed)
        return {
            "WWW-Authenticate": f'{challenge}, error="insufficient_scope", scope="{scope}"',
        }
    return {}
