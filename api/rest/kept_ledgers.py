"""On which ledger a credential of the vault stands: one vault holds those of all."""

from api.rest.ledger_rule import LedgerRefused
from api.rest.ledgers import build_prefix
from api.rest.services import RestServices
from api.vault.vault import StoredCredential


async def list_kept_ledgers(services: RestServices) -> tuple[bytes | None, ...] | None:
    """Return by what the vault names this ledger; None where it is the only one.

    What was kept before there were several names none, and stands on the own ledger.
    """
    if len(services.ledgers) == 1:
        return None
    here = await services.ledger.get_genesis_hash()
    is_own = services.ledger_name == services.ledgers.own.ledger_name
    return (here, None) if is_own else (here,)


async def check_kept(services: RestServices, stored: StoredCredential) -> None:
    """Raise `LedgerRefused` for a credential that was made for another ledger."""
    here = await list_kept_ledgers(services)
    if here is None or stored.ledger in here:
        return
    right = await services.ledgers.find_kept(stored.ledger)
    if right is None:
        raise LedgerRefused(
            "the credential was made for a ledger that this API does not serve",
            code="ledger_not_held",
            field="uid",
            next_step="the operator adds that ledger to `api.ledgers`",
        )
    raise LedgerRefused(
        f"the credential was made for {right.ledger_name}",
        code="ledger_wrong",
        field="uid",
        next_step=(
            f"send it to {build_prefix(right.ledger_name)}; to carry it to another ledger, its "
            "holder asks for it to be published there"
        ),
        extra={"ledger": right.ledger_name},
    )
