"""`atesta vault`: the keys of the agency's private store, its backups, and erasing from it.

All of them may run while the node serves: they hold the key folder against each other, and the
running API sees what they changed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.options import Config
from node.cli.progress import show_rows

if TYPE_CHECKING:
    from api.vault.checking import CheckReport
    from api.vault.keyring import Keyring
    from node.settings import Settings

app = typer.Typer(
    help="The vault's keys, backups and erasures; may run while the node serves.",
    no_args_is_help=True,
)

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before what cannot be undone.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]

EXIT_DAMAGED = 1


@app.command("status")
def status(config: Config) -> None:
    """Say what the vault holds and where its keys are."""
    from node.cli.rest_calls import print_members

    with open_vault(config) as (settings, keyring):
        state = keyring.get_status()
        print_members(
            {
                "vault": keyring.header.vault_id.hex(),
                "master key": keyring.master.id.hex(),
                "places of the keys": [str(p) for p in list_places(settings)],
                "epochs": state.epochs,
                "epoch for new records": state.current,
                "epochs still closing": state.closing,
                "records erased": state.erased,
            }
        )


@app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(help="File to write; it must not exist.")],
    config: Config,
    check: Annotated[
        bool, typer.Option(help="Restore the file beside itself and open everything in it.")
    ] = True,
) -> None:
    """Write the vault to one file, encrypted, and check it by restoring it.

    It needs the vault's key folder and master key to be restored, and is of no use without them.
    """
    from api.vault.backup import write_backup
    from api.vault.checking import check_backup

    with open_vault(config) as (_, keyring):
        with show_rows("writing rows") as progress:
            made = write_backup(keyring, file, progress)
        typer.echo(f"{file}: {made.rows:,} rows, {made.size_bytes:,} bytes")
        if not check:
            typer.echo(f"not checked; atesta vault check {file} --config {config} does so")
            return
        with show_rows("restoring and opening rows") as progress:
            restored, checked = check_backup(keyring, file, progress)
        typer.echo(f"restored beside it: {restored.rows:,} rows, {restored.lost:,} without a key")
        _tell(checked)


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    config: Config,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace what is in the vault's database.")
    ] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Fill the vault's database from a backup, without what was erased since.

    Either all of it is there afterwards, or what was there before.
    """
    from dataclasses import replace as replace_members

    from api.vault.checking import check_backup, check_vault
    from api.vault.restoring import count_present, restore_backup

    with open_vault(config) as (_, keyring):
        if dry_run:
            with show_rows("restoring beside the file") as progress:
                report, checked = check_backup(keyring, file, progress)
            present = count_present(keyring, file)
            report = replace_members(report, rows=report.rows - present, present=present)
        else:
            if replace:
                _confirm("Replace everything that is in the vault's database?", yes)
            with show_rows("restoring rows") as progress:
                report = restore_backup(keyring, file, replace=replace, progress=progress)
            with show_rows("opening rows") as progress:
                checked = check_vault(keyring, progress)
        typer.echo(f"{'would restore' if dry_run else 'restored'}: {report.rows:,} rows")
        typer.echo(f"in the record of reads already: {report.present:,} rows")
        typer.echo(f"erased since, and not restored: {report.erased:,} rows")
        typer.echo(f"under later epochs: {report.rewrapped:,} rows")
        typer.echo(f"without a key: {report.lost:,} rows")
        _tell(checked)


@app.command("check")
def check(
    config: Config,
    file: Annotated[
        Path | None, typer.Argument(help="A backup, to be restored beside itself; none: the vault.")
    ] = None,
) -> None:
    """Open everything in the vault, or in a backup, and hold it against its commitments."""
    from api.vault.checking import check_backup, check_vault

    with open_vault(config) as (_, keyring), show_rows("opening rows") as progress:
        if file is None:
            checked = check_vault(keyring, progress)
        else:
            _, checked = check_backup(keyring, file, progress)
    _tell(checked)


@app.command("rotate")
def rotate(
    config: Config,
    master_only: Annotated[
        bool, typer.Option("--master-only", help="Change the master key only; takes a second.")
    ] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Change the master key, and wrap all records anew; the node goes on serving.

    Shares of the old master key are void afterwards: make new ones.
    """
    from api.vault.epochs import count_rows
    from api.vault.rotation import change_master_key
    from api.vault.rotation import rotate as rotate_all
    from api.vault.sealed_tables import SEALED_TABLES

    with open_vault(config) as (settings, keyring):
        numbers = () if master_only else keyring.list_keys()
        rows = sum(
            keyring.database.read_now(
                lambda c, n=number: count_rows(c, SEALED_TABLES, n)  # type: ignore[misc]
            )
            for number in numbers
        )
        if dry_run:
            typer.echo(f"would make a new master key and wrap {rows:,} rows anew")
            return
        _confirm("Make a new master key? Shares of the present one will be void.", yes)
        key_file = get_key_file(settings)
        if master_only:
            change_master_key(keyring, key_file)
            typer.echo(f"master key: {keyring.master.id.hex()}")
        else:
            with show_rows("wrapping rows anew") as progress:
                report = rotate_all(keyring, key_file, progress)
            typer.echo(f"master key: {keyring.master.id.hex()}")
            typer.echo(f"{report.rewrapped:,} rows under {len(report.destroyed)} new epochs")
        typer.echo("Next: atesta vault shares, and destroy the old shares.")


@app.command("erase")
def erase(
    uids: Annotated[list[str], typer.Argument(help="Uids of records, 32 bytes in hex.")],
    config: Config,
    reason: Annotated[
        str,
        typer.Option(help="error, superseded, ended_by_law, holder_request or security."),
    ],
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Erase records with all that is kept for them, in every copy and backup, for ever.

    This is the vault's half only: what the ledger says of the records is said through the node.
    """
    import time

    from api.vault.erasure import ErasureReason, count_concerned, erase_records
    from node.errors import UserFault

    if reason not in list(ErasureReason):
        raise UserFault(f"is one of: {', '.join(ErasureReason)}", field="--reason")
    wanted = [_read_uid(uid) for uid in uids]
    with open_vault(config) as (_, keyring):
        concerned = count_concerned(keyring, wanted)
        typer.echo(
            f"{concerned.records:,} of {len(wanted):,} records are here, with {concerned.rows:,} "
            f"rows; {concerned.rewrapped:,} others are wrapped anew"
        )
        if dry_run:
            return
        _confirm("Erase them? No backup brings them back.", yes)
        with show_rows("wrapping the others anew") as progress:
            report = erase_records(
                keyring,
                wanted,
                reason=ErasureReason(reason),
                now_s=int(time.time()),
                progress=progress,
            )
    typer.echo(f"erased: {report.erased:,}; destroyed epoch keys: {len(report.destroyed)}")
    for note in report.notes:
        typer.echo(f"note: {note}")


@contextmanager
def open_vault(config: Path) -> "Iterator[tuple[Settings, Keyring]]":
    """Open the vault's database and keys as the node does."""
    from api.databases import open_database
    from api.migrations.migrating import VAULT_MIGRATIONS
    from api.vault.all_tables import VAULT_METADATA
    from api.vault.opening import VaultKeys, open_keyring
    from node.daemon.api_service import make_rest_settings
    from node.settings import load_settings

    settings = load_settings(config)
    rest = make_rest_settings(settings)
    keys = VaultKeys(
        key_file=get_key_file(settings), folders=rest.vault_keys_dirs, limits=rest.vault_limits
    )
    database = open_database(
        rest.vault, VAULT_METADATA, migrations=VAULT_MIGRATIONS, secure_delete=True, name="vault"
    )
    try:
        with show_rows("wrapping rows of the first version anew") as progress:
            keyring = open_keyring(database, keys, progress=progress)
        yield settings, keyring
    finally:
        database.close()


def get_key_file(settings: "Settings") -> Path:
    """Return where the master key is; raises `UserFault` for a node without a vault."""
    from node.errors import UserFault

    if settings.api.vault_key_file is None:
        raise UserFault("is not set, so this node has no vault", field="api.vault_key_file")
    return settings.api.vault_key_file


def list_places(settings: "Settings") -> tuple[Path, ...]:
    """Return the places of the keys that the settings name."""
    from node.daemon.api_service import make_key_places

    return make_key_places(settings)


def _read_uid(text: str) -> bytes:
    from node.errors import UserFault

    try:
        uid = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        uid = b""
    if len(uid) != 32:
        raise UserFault("is not 32 bytes in hex", field="UIDS")
    return uid


def _confirm(question: str, yes: bool) -> None:
    if not yes:
        typer.confirm(question, abort=True)


def _tell(checked: "CheckReport") -> None:
    """Say what a check found; the exit code is 1 if not everything opens."""
    typer.echo(f"opened and held against their commitments: {checked.rows:,} rows")
    for table, count in checked.damaged.items():
        typer.echo(f"DAMAGED: {count:,} rows of {table} do not open", err=True)
    if not checked.is_whole:
        raise typer.Exit(EXIT_DAMAGED)
