"""The ways by which a caller is known, as OpenAPI lists them; any one of them is enough."""

from typing import Any, Final

SECURITY_SCHEMES: Final[dict[str, Any]] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "A token that the node's operator issued. A node that knows callers in none of these"
            " ways serves its own machine only and asks for nothing."
        ),
    },
    "oidc": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": (
            "An access token (RFC 9068) of an OpenID Connect provider that the operator named; its"
            " claims say which roles the caller has."
        ),
    },
    "certificate": {
        "type": "mutualTLS",
        "description": "The certificate of a machine that the operator listed.",
    },
}
"""By name, in the order of the documentation."""
