"""Saying which role a key lacks, and who can give it.

The registry refuses with one sentence for every act, because it does not know what the act is
called. Whoever tries the act does: here the refusal learns the role, and whether the agency has it
for its administrator to hand on, or must ask the others for it.
"""

from typing import Final

from api.errors import ApiError
from api.rest.services import RestServices
from api.rest.views import view_roles
from contracts.codes import ALL_ROLES, Role

_CODE: Final = "account_role_missing"


async def name_missing_role(
    services: RestServices, refusal: ApiError, role: Role, account: bytes | None
) -> None:
    """Add to a refusal for want of a role which one it is and who grants it; else leave it."""
    if refusal.code != _CODE or role == ALL_ROLES:
        return
    words = view_roles(role)
    told = f"the role `{words[0]}`" if len(words) == 1 else f"one of the roles {', '.join(words)}"
    by_agency = await _has_agency(services, role, account)
    refusal.reason = f"the signing key does not have {told} on the ledger"
    if by_agency:
        refusal.next_step = (
            f"let an administrator of the agency give {told} to a key of its own"
            " (POST /v1/posts/{uid}/keys), and sign with that key"
        )
    else:
        refusal.next_step = (
            f"the agency itself does not have {told}: let the agencies vote on it"
            " (POST /v1/proposals, decision set_roles); then its administrator gives it to a key"
        )
    refusal.extra = {
        **refusal.extra,
        "needed_key_roles": words,
        "granted_by": "administrator" if by_agency else "vote",
    }


async def _has_agency(services: RestServices, role: Role, account: bytes | None) -> bool:
    """Tell whether the key's agency has the role, so that its administrator can hand it on."""
    head = await services.ledger.get_head()
    key = None if account is None else await services.records.get_key(account, head.number)
    agency_id = await services.identity.find_agency() if key is None else key.agency
    if agency_id is None:
        return False
    agency = await services.records.get_agency(agency_id, head.number)
    return agency is not None and bool(agency.roles & role)
