"""The refusals of what needs a vault, where there is none, and of what only the own ledger has."""

from api.errors import UserFault


class NoVault(UserFault):
    """This node keeps no documents."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "this node has no vault, so it keeps no documents",
            code="no_vault",
            next_step="the operator sets api.vault_key_file; or attest a credential file",
        )


class ImportsOwnLedgerOnly(UserFault):
    """A file was sent to another ledger than the own one.

    The lines of an import wait in the vault, which all ledgers share, and one worker promises them
    with the accounts of the own ledger.
    """

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "imports go to this API's own ledger only",
            code="imports_own_ledger_only",
            field="ledger",
            next_step=(
                "send the file to /v1/imports if its records belong on the own ledger; else send "
                "each act to this ledger, or let an API import it whose own ledger this is"
            ),
        )
