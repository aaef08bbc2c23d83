"""The commands, their groups, and the one place where an error becomes a line and an exit code."""

import sys
from typing import TYPE_CHECKING, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from node.cli import (
    act_commands,
    api_commands,
    audit_commands,
    contracts_commands,
    credential_commands,
    devnet_commands,
    erasing_commands,
    evidence_commands,
    governance_commands,
    house_commands,
    import_commands,
    index_commands,
    key_commands,
    ledger_commands,
    merging_commands,
    node_commands,
    outbox_commands,
    pause_commands,
    prune_command,
    reading_commands,
    reads_command,
    record_commands,
    schema_commands,
    setup_commands,
    snapshot_commands,
    token_commands,
    vault_commands,
    vault_key_commands,
)
from node.errors import LocalFault, NodeError, UserFault

if TYPE_CHECKING:
    from atesta_client.errors import RestProblem

EXIT_USER_FAULT = 2
EXIT_OPERATIONAL_FAULT = 3
EXIT_BUG = 70

app = typer.Typer(
    name="atesta",
    help="Run and use a node of an Atesta ledger: attestations between public agencies.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)
app.callback()(ledger_commands.choose_ledger)
app.command("init")(setup_commands.init)
app.command("genesis")(setup_commands.genesis)
app.command("invite")(setup_commands.invite)
app.command("run")(node_commands.run)
app.command("status")(node_commands.status)
app.command("attest")(record_commands.attest)
app.command("verify")(record_commands.verify)
app.command("erase")(erasing_commands.erase)
app.command("erase-person")(erasing_commands.erase_person)
app.add_typer(schema_commands.app, name="schema")
app.add_typer(credential_commands.app, name="credential")
app.command("acts")(act_commands.acts)
app.command("explain")(act_commands.explain)
app.command("act")(act_commands.act)
app.command("prepare")(act_commands.prepare)
app.command("submit")(act_commands.submit)
app.command("import")(import_commands.import_file)
app.command("list")(reading_commands.list_records)
app.command("show")(reading_commands.show)
app.command("mandate")(reading_commands.mandate)
app.command("case")(reading_commands.case)
app.command("events")(reading_commands.events)
app.command("reads")(reads_command.reads)
app.command("ledgers")(ledger_commands.ledgers)
app.command("api")(api_commands.api)
app.add_typer(token_commands.tokens, name="tokens")
app.add_typer(key_commands.app, name="keys")
app.add_typer(contracts_commands.app, name="contracts")
for pausing in (
    pause_commands.pause,
    pause_commands.resume,
    pause_commands.pause_agency,
    pause_commands.unpause_agency,
):
    governance_commands.app.command()(pausing)
app.add_typer(governance_commands.app, name="governance")
app.add_typer(house_commands.app, name="house")
app.add_typer(snapshot_commands.app, name="snapshot")
vault_commands.app.command("shares")(vault_key_commands.shares)
vault_commands.app.command("recover-key")(vault_key_commands.recover_key)
vault_commands.app.command("add-mirror")(vault_key_commands.add_mirror)
vault_commands.app.command("prune")(prune_command.prune)
vault_commands.app.command("verify-report")(prune_command.verify_report)
app.add_typer(vault_commands.app, name="vault")
app.add_typer(merging_commands.app, name="merges")
app.add_typer(index_commands.app, name="index")
app.add_typer(outbox_commands.app, name="outbox")
app.add_typer(evidence_commands.app, name="evidence")
app.add_typer(audit_commands.app, name="audit")
app.add_typer(devnet_commands.app, name="devnet")


def run(arguments: list[str] | None = None) -> NoReturn:
    """Run a command and exit; every expected error is one line on standard error."""
    try:
        app(args=arguments)
    except Exception as error:  # noqa: BLE001 - the last place that can explain it
        sys.exit(explain(error))
    sys.exit(0)


def explain(error: Exception) -> int:
    """Print an error as one line (a bug of ours with its trace) and return the exit code."""
    line, code = describe(error)
    line = " ".join(line.split())
    try:
        console = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)
        if code == EXIT_BUG:
            console.print_exception()
        console.print(f"[bold red]atesta:[/] {escape(line)}")
    except OSError:  # no file handle is left for what colours need
        sys.stderr.write(f"atesta: {line}\n")
    return code


def describe(error: Exception) -> tuple[str, int]:
    """Return what an error says, in one line, and its exit code."""
    from atesta_client.errors import ClientError, RestProblem, RestUnreachable

    from api.errors import ApiBug, ApiError
    from api.errors import UserFault as ApiUserFault
    from consensus.errors import OperatorFault
    from contracts.errors import GenesisSpecError
    from contracts.labels import LabelError

    match error:
        case LocalFault() | ApiBug():
            return f"bug: {error}", EXIT_BUG
        case RestProblem():
            return _describe_problem(error), EXIT_USER_FAULT
        case RestUnreachable():
            return str(error), EXIT_OPERATIONAL_FAULT
        case UserFault() | ClientError() | OperatorFault() | GenesisSpecError() | LabelError():
            return str(error), EXIT_USER_FAULT
        case NodeError():
            return str(error), EXIT_OPERATIONAL_FAULT
        case ApiError():
            is_user = isinstance(error, ApiUserFault)
            code = EXIT_USER_FAULT if is_user else EXIT_OPERATIONAL_FAULT
            return _join(error.field, error.reason, error.next_step), code
    return f"bug: {type(error).__name__}: {error}", EXIT_BUG


def _describe_problem(error: "RestProblem") -> str:
    """Say which field a node refused, why, by which rule, and what to do next."""
    rule = f" (rule: {error.rule})" if error.rule else ""
    return _join(error.field, f"{error.detail or error}{rule}", error.next_step)


def _join(field: str | None, reason: str, next_step: str | None) -> str:
    """Return one line of whole sentences, the field before them."""
    where = f"{field}: " if field else ""
    if not next_step:
        return f"{where}{reason}"
    return f"{where}{reason.removesuffix('.')}. {next_step[0].upper()}{next_step[1:]}"
