"""`atesta audit`: is anything of the vault where it should not be? A signed answer, and its check.

`privacy` opens the vault of the agency, so it needs the node's settings; what it searches may be
the agency's own stores and those of others. `verify` needs nothing but the report.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from api.firewall.audit.running import AuditSources, Tell
    from api.firewall.audit.values import VaultValues
    from node.settings import Settings

app = typer.Typer(
    help="Search chains, stores, logs and traffic for what is in the vault; check such a report.",
    no_args_is_help=True,
)

EXIT_FOUND = 1
_SHOWN = 20


@app.command("privacy")
def privacy(  # noqa: PLR0917 - options of a command are named
    config: Annotated[Path, typer.Option("--config", help="The node's settings: its vault.")],
    out: Annotated[Path, typer.Option("--out", help="Where to write the signed report (JSON).")],
    folder: Annotated[
        list[str] | None,
        typer.Option(
            "--folder",
            help="NAME=PATH of a folder or file to search, such as a copy of "
            "another node's data; may be given again.",
        ),
    ] = None,
    database: Annotated[
        list[str] | None,
        typer.Option(
            "--database",
            help="NAME=URL of a PostgreSQL database whose rows (and files, where this user may "
            "read them) are searched; may be given again. A password belongs in ~/.pgpass.",
        ),
    ] = None,
    rpc: Annotated[
        list[str] | None,
        typer.Option("--rpc", help="NAME=URL of a node whose chain is read; may be given again."),
    ] = None,
    own: Annotated[
        bool, typer.Option(help="Search this node's own data folder, databases and log too.")
    ] = True,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="Bearer token for the nodes of --rpc.")
    ] = None,
    pattern_limit: Annotated[
        int,
        typer.Option(min=0, help="Numbers of each pattern that are hashed in all fifteen ways."),
    ] = 100_000,
    sweep_limit: Annotated[
        int,
        typer.Option(
            min=0,
            help="Numbers of each space of Macao that are hashed with SHA-256 once: by default all "
            "mobile numbers, and a third of the identity numbers (30000000: all of them).",
        ),
    ] = 10_000_000,
) -> None:
    """Search for the vault's values in every encoding, and for hashes of what can be guessed.

    Works on copies and plants controls there; exit code 1 if anything was found or a control was
    missed. Stop a node before its folder is searched, or its copy may be torn.
    """
    from datetime import UTC, datetime

    from api.firewall.audit.report import AUDIT_REPORT
    from api.firewall.audit.running import run_audit
    from node.cli.rest_calls import check_absent
    from node.cli.signed_reports import ReportSigner
    from node.settings import load_settings

    check_absent(out)
    settings = load_settings(config)
    signer = ReportSigner(settings)
    ledger = _name_ledger(settings)
    sources = _find_sources(
        settings if own else None,
        folders=folder or [],
        databases=database or [],
        chains=rpc or [],
        token_file=token_file,
    )
    today = datetime.now(UTC).date()
    with _show_progress() as tell:
        values = _read_values(config, tell)
        content = run_audit(
            values,
            sources,
            tell=tell,
            today=today,
            pattern_limit=pattern_limit,
            sweep_limit=sweep_limit,
        )
    told = {"ledger": ledger, **content}
    signer.write(out, AUDIT_REPORT, told, check="atesta audit verify")
    _tell(told)
    if not content["is_clean"]:
        raise typer.Exit(EXIT_FOUND)


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="The report (JSON).")],
    url: Annotated[
        str | None, typer.Option("--url", help="A node that says whose key signed it.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File that holds a bearer token (reader).")
    ] = None,
    contracts: Annotated[
        Path | None,
        typer.Option("--contracts", help="Deployment file, if that node is of another network."),
    ] = None,
) -> None:
    """Check that a report is as it was signed, and say what it says; exit code 1 if not clean."""
    from api.firewall.audit.report import read_report
    from node.cli.rest_calls import read_bytes
    from node.cli.signed_reports import tell_signer

    report = read_report(read_bytes(file))
    tell_signer(report.account)
    if url is not None:
        typer.echo(_name_signer(report.account, url, token_file, contracts))
    _tell(report.content)
    if not report.is_clean:
        raise typer.Exit(EXIT_FOUND)


def _name_ledger(settings: "Settings") -> dict[str, Any]:
    """Return what tells the settings' ledger from any other."""
    from contracts.addresses import AGENCY_REGISTRY_NAME
    from node.chain.genesis import load_genesis
    from node.daemon.foreign_files import find_behind

    foreign = find_behind(settings).foreign
    if foreign is None:
        genesis = load_genesis(settings.node.genesis)
        return {"chain_id": genesis.chain_id, "genesis_hash": "0x" + genesis.genesis_hash.hex()}
    deployment = foreign.deployment
    return {
        "chain_id": deployment.chain_id,
        "genesis_hash": "0x" + deployment.genesis_hash.hex(),
        "registry": "0x" + deployment.book.get_address(AGENCY_REGISTRY_NAME).hex(),
    }


def _find_sources(
    settings: "Settings | None",
    *,
    folders: list[str],
    databases: list[str],
    chains: list[str],
    token_file: Path | None,
) -> "AuditSources":
    from functools import partial

    from api.database_addresses import check_setting
    from api.firewall.audit.running import AuditSources
    from node.cli.devnet.rpc import NodeRpc

    found: dict[str, Path] = {}
    if settings is not None:
        found["own data"] = settings.node.data_dir
        if settings.log.file is not None and settings.log.file.exists():
            found["own log"] = settings.log.file
        if settings.network.tap is not None and settings.network.tap.exists():
            found["own traffic"] = settings.network.tap
    found |= {name: _check_there(Path(path)) for name, path in map(_split, folders)}
    named = {name: check_setting(url, field="--database") for name, url in map(_split, databases)}
    return AuditSources(
        folders=found,
        databases=_find_own_databases(settings) | named,
        chains={
            name: partial(_call, NodeRpc(url.rstrip("/"), token_file=token_file))
            for name, url in map(_split, chains)
        },
    )


def _call(rpc: Any, method: str, *arguments: Any) -> Any:
    return rpc.call(method, *arguments)


def _split(text: str) -> tuple[str, str]:
    from node.errors import UserFault

    name, mark, rest = text.partition("=")
    if not mark or not name or not rest:
        raise UserFault("is not NAME=PATH or NAME=URL", field=text)
    return name, rest


def _find_own_databases(settings: "Settings | None") -> dict[str, str]:
    """Return those of an agency's databases that a server keeps, each address once."""
    from node.daemon.api_service import make_rest_settings

    if settings is None:
        return {}
    rest = make_rest_settings(settings)
    places = {"own vault": rest.vault, "own outbox": rest.outbox, "own index": rest.index}
    found: dict[str, str] = {}
    for name, place in places.items():
        if isinstance(place, str) and place not in found.values():
            found[name] = place
    return found


def _check_there(path: Path) -> Path:
    """Return a path that can be read; opening the vault, and hashing, come long before it is."""
    from node.errors import UserFault

    if not path.exists():
        raise UserFault("does not exist", field=f"--folder {path}")
    unreadable = not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0))
    if unreadable:
        raise UserFault("cannot be read by this user", field=f"--folder {path}")
    return path


def _read_values(config: Path, tell: "Tell") -> "VaultValues":
    from datetime import UTC, datetime

    from api.firewall.audit.public import read_public_texts, read_reference_pointers
    from api.firewall.audit.values import read_values
    from node.cli.vault_commands import open_vault
    from node.daemon.api_service import make_rest_settings

    with open_vault(config) as (settings, keyring):
        outbox = make_rest_settings(settings).outbox
        return read_values(
            keyring,
            today=datetime.now(UTC).date(),
            public=read_public_texts(outbox),
            references=read_reference_pointers(outbox),
            progress=lambda done, total: tell("opening the vault", done, total),
        )


def _name_signer(account: bytes, url: str, token_file: Path | None, contracts: Path | None) -> str:
    from contracts.address_book import GENESIS_BOOK
    from contracts.addresses import AGENCY_REGISTRY_NAME
    from contracts.codec import decode_output, encode_call
    from contracts.labels import format_identifier
    from node.cli.devnet.rpc import NodeRpc
    from node.daemon.foreign_files import read_deployment
    from node.errors import UserFault

    rpc = NodeRpc(url.rstrip("/"), token_file=token_file)
    deployment = None if contracts is None else read_deployment(contracts)
    if deployment is not None and int(rpc.call("eth_chainId"), 16) != deployment.chain_id:
        raise UserFault(f"is of chain {deployment.chain_id}; {url} is not", field="--contracts")
    book = GENESIS_BOOK if deployment is None else deployment.book
    request = {
        "to": "0x" + book.get_address(AGENCY_REGISTRY_NAME).hex(),
        "data": "0x" + encode_call(AGENCY_REGISTRY_NAME, "key", (account,)).hex(),
    }
    answer = bytes.fromhex(rpc.call("eth_call", request, "latest")[2:])
    if not answer:
        raise UserFault("has no ledger at the address where it must be", field="--url")
    key = decode_output(AGENCY_REGISTRY_NAME, "key", answer)
    if key["agency"] == bytes(32):
        return "the ledger knows no such key"
    return f"a key of {format_identifier(key['agency'])} on the ledger of {url}"


def _tell(report: Any) -> None:
    """Say what a report says, for people."""
    from rich.console import Console
    from rich.table import Table

    console = Console(soft_wrap=True, highlight=False)
    table = Table("store", "entries", "bytes", box=None)
    for row in report["stores"]:
        table.add_row(row["store"], f"{row['entries']:,}", f"{row['bytes']:,}")
    console.print(table)
    needles, guesses = report["needles"], report["guesses"]
    typer.echo(
        f"{needles['values']:,} values of {needles['rows']:,} rows in {needles['forms']:,} forms; "
        f"{guesses['digests']:,} digests of what can be guessed; {report['megabytes_per_s']} MB/s"
    )
    for reason, count in needles["left_out"].items():
        typer.echo(f"not looked for: {count:,} ({reason})")
    for space in guesses["spaces"]:
        share = space["tried"] / max(1, space["size"])
        typer.echo(
            f"guessed: {space['name']}, {space['tried']:,} of {space['size']:,} ({share:.2%})"
        )
    chance = report["chance"]
    typer.echo(
        f"by chance, {chance['expected_hits']} findings are expected; {chance['left_to_chance']:,} "
        f"matches inside random hexadecimal digits were left to chance, of which "
        f"{chance['expected_left']} are expected"
    )
    typer.echo(f"{report['controls']['planted']:,} controls, {len(report['missed'])} not found")
    for miss in report["missed"][:_SHOWN]:
        typer.echo(f"  not found: {miss['control']} in {miss['store']}")
    for hit in report["hits"][:_SHOWN]:
        typer.echo(
            f"  FOUND: {hit['label']} in {hit['store']}, {hit['place']}, as {hit['encoding']}"
        )
    typer.echo(
        "clean: nothing was found, and every control was"
        if report["is_clean"]
        else f"NOT CLEAN: {len(report['hits'])} found, {len(report['missed'])} controls missed"
    )


@contextmanager
def _show_progress() -> "Iterator[Tell]":
    """Show a bar for each step on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield tell
