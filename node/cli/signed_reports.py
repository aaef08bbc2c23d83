"""Reports that a command signs with the agency's account, and what is told of such a signature."""

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from eth_typing import Address

    from api.signed_report import ReportFormat
    from node.keys import SigningKey
    from node.settings import Settings


class ReportSigner:
    """The first account of an agency, as it signs reports."""

    def __init__(self, settings: "Settings") -> None:
        """Open the account; raises UserFault if there is none, or it cannot be opened."""
        from node.daemon.opening import load_accounts
        from node.errors import UserFault

        accounts = load_accounts(settings)
        if not accounts:
            raise UserFault("is needed: the report is signed", field="api.account_key_files")
        self._key: SigningKey = accounts[0]

    def write(
        self, path: Path, kind: "ReportFormat", content: dict[str, Any], *, check: str
    ) -> None:
        """Sign a report and write it to a file that does not exist yet.

        `check` is the command with which its readers check it.
        """
        from node.cli.rest_calls import write_new

        address = self._key.address
        write_new(path, kind.sign(content, address, self._sign))
        typer.echo(f"{path}: signed by 0x{address.hex()}; check it with `{check}`")

    def _sign(self, data: bytes) -> bytes:
        from eth_typing import Hash32

        return self._key.sign_digest(Hash32(sha256(data).digest()))[:64]


def tell_signer(account: "Address") -> None:
    """Say that a report was found to be its signer's."""
    typer.echo(f"signed by 0x{account.hex()}, and not changed since")
