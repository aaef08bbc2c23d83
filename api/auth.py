"""The names of `api.access` under which they were known before it was a package."""

from api.access.callers import CALLER, Caller, Handler, Role, check_roles, requires
from api.access.tokens import TokenStore, create_token, load_tokens, save_tokens

__all__ = [
    "CALLER",
    "Caller",
    "Handler",
    "Role",
    "TokenStore",
    "check_roles",
    "create_token",
    "load_tokens",
    "requires",
    "save_tokens",
]
