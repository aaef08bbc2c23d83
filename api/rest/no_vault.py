"""The refusal of what needs a vault, where there is none."""

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
