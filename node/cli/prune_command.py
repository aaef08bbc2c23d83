"""`atesta vault prune`: erase what is kept no longer, with a report."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from node.cli.vault_commands import Config, DryRun, Yes, open_vault

if TYPE_CHECKING:
    from node.settings import Settings

_FORMAT: Final = "atesta-retention-report"
_DOMAIN: Final = b"atesta-retention-report-1"
"""Before what is signed: `keccak256(domain ‖ RFC 8785(report without "signature"))`."""


def prune(
    config: Config,
    classes: Annotated[
        Path | None, typer.Option(help="The agency's own classes of retention (TOML).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the signed report to this new file (JSON).")
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Erase what is kept no longer, in every copy; run it daily.

    Credentials are ordered to be erased: the running node marks them on the ledger first. All else
    is erased at once. What no class covers is kept, and counted.
    """
    import asyncio
    import time

    from api.retention.classes import load_plan
    from api.retention.pruning import find_due
    from api.retention.pruning import prune as prune_vault
    from node.cli.rest_calls import check_absent

    check_absent(out)
    plan = load_plan(classes)
    now_s = int(time.time())
    with open_vault(config) as (settings, keyring):
        if not dry_run and not yes:
            due = len(find_due(keyring, plan, now_s=now_s).due)
            typer.confirm(f"Erase {due:,} records? No backup brings them back.", abort=True)
        report = asyncio.run(prune_vault(keyring, plan, now_s=now_s, is_dry_run=dry_run))
        content = report.encode()
        for one in content["classes"]:
            unsure = "" if one["checked"] else " (not checked)"
            typer.echo(f"{one['name']}{unsure}: {one['due']:,} due; {one['legal_reference']}")
        for thing, count in content["uncovered"].items():
            typer.echo(f"no class: {count:,} of {thing}")
        if dry_run:
            typer.echo(
                f"would erase {len(report.findings.due):,} records, keep {content['kept']:,}"
            )
        else:
            typer.echo(
                f"ordered {report.ordered:,} credentials, erased {report.erased:,} other records,"
                f" kept {content['kept']:,}"
            )
        if out is not None:
            _write(out, settings, content)


def _write(out: Path, settings: "Settings", content: dict[str, Any]) -> None:
    from atesta_client.canonical import dump_canonical
    from eth_hash.auto import keccak
    from eth_typing import Hash32

    from node.daemon.opening import load_accounts
    from node.errors import UserFault

    accounts = load_accounts(settings)
    if not accounts:
        raise UserFault("is needed: the report is signed", field="api.account_key_files")
    signer = accounts[0]
    told = {"format": _FORMAT, "version": 1, "account": "0x" + signer.address.hex(), **content}
    digest = keccak(_DOMAIN + dump_canonical(told))
    signed = told | {"signature": "0x" + signer.sign_digest(Hash32(bytes(digest))).hex()}
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(json.dumps(signed, indent=1) + "\n")
    except OSError as error:
        raise UserFault(f"cannot be written: {error.strerror}", field=str(out)) from error
    typer.echo(f"{out}: signed by {told['account']}")
