"""`atesta vault prune` and `verify-report`: erase what is kept no longer, and check its reports."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from node.cli.options import Config
from node.cli.vault_commands import DryRun, Yes, open_vault


def prune(
    config: Config,
    classes: Annotated[
        Path | None,
        typer.Option(help="Classes of retention (TOML); else those of api.retention_file."),
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
    from api.retention.report import RETENTION_REPORT
    from node.cli.rest_calls import check_absent
    from node.cli.signed_reports import ReportSigner

    check_absent(out)
    now_s = int(time.time())
    with open_vault(config) as (settings, keyring):
        # What is erased stays erased, so a report that nobody could sign is refused before.
        signer = None if out is None else ReportSigner(settings)
        plan = load_plan(classes or settings.api.retention_file)
        if not dry_run and not yes:
            due = len(find_due(keyring, plan, now_s=now_s).due)
            typer.confirm(f"Erase {due:,} records? No backup brings them back.", abort=True)
        report = asyncio.run(prune_vault(keyring, plan, now_s=now_s, is_dry_run=dry_run))
        content = report.encode()
        _tell(content)
        if out is not None and signer is not None:
            signer.write(out, RETENTION_REPORT, content, check="atesta vault verify-report")


def verify_report(
    file: Annotated[Path, typer.Argument(help="The report (JSON).")],
) -> None:
    """Check that a report of pruning is as it was signed, offline, and say what it says.

    Whose key the account is, `atesta list agencies` or the explorer says.
    """
    import datetime as dt

    from api.retention.report import RETENTION_REPORT
    from node.cli.rest_calls import read_bytes
    from node.cli.signed_reports import tell_signer

    report = RETENTION_REPORT.read(read_bytes(file))
    content = report.content
    moment = dt.datetime.fromtimestamp(content["pruned"], dt.UTC)
    tell_signer(report.account)
    typer.echo(f"{'looked at' if content['is_dry_run'] else 'pruned'}: {moment:%Y-%m-%d %H:%M} UTC")
    _tell(content)


def _tell(content: Mapping[str, Any]) -> None:
    for one in content["classes"]:
        unsure = "" if one["checked"] else " (not checked)"
        typer.echo(f"{one['name']}{unsure}: {one['due']:,} due; {one['legal_reference']}")
    for thing, count in content["uncovered"].items():
        typer.echo(f"no class: {count:,} of {thing}")
    if content["restricted"]:
        typer.echo(f"for storage only from now on: {len(content['restricted']):,} records")
    if content["reads"]:
        typer.echo(f"lines of the record of reads: {content['reads']:,}")
    if content["is_dry_run"]:
        due = len(content["credentials"]) + len(content["records"])
        typer.echo(f"would erase {due:,} records, keep {content['kept']:,}")
    else:
        typer.echo(
            f"ordered {content['ordered']:,} credentials, erased {content['erased']:,} other"
            f" records, kept {content['kept']:,}"
        )
