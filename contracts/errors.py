"""What can go wrong between Python and the contracts, by whose fault it is."""


class ContractError(Exception):
    """Root of this package's errors."""


class ArtifactMissing(ContractError):
    """A compiled contract is not where it belongs; our bug or a damaged installation."""


class CodecError(ContractError):
    """Call data, output or log does not fit the ABI; `reason` says how."""


class GenesisSpecError(ContractError):
    """A field of a genesis specification is unusable; the user's fault.

    `field` is the path of the field, such as ``agencies[2].validators[0]``.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class FoundingFailed(ContractError):
    """A constructor or a founding decision was refused by the contracts; our bug."""


class AddressBookInvalid(ContractError):
    """A list of the ledger's contracts is incomplete, or names something else."""


class DeploymentInvalid(ContractError):
    """A deployment file cannot be used; the user's fault."""
