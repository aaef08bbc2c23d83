"""`atesta governance`: what the agencies decide together, and how this agency votes."""

import time
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from node.cli.code_commands import code

if TYPE_CHECKING:
    from node.cli.governing import ProposalView, Registry

_OWN_NODE: Final[ContextVar[tuple[str | None, Path | None]]] = ContextVar(
    "own_node", default=(None, None)
)


def choose_node(
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            envvar="ATESTA_URL",
            help="The own node's API, if it is not reached where the settings say that it listens. "
            "It stands before the command.",
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            envvar="ATESTA_TOKEN_FILE",
            help="File with a bearer token for it (role writer). It stands before the command.",
        ),
    ] = None,
) -> None:
    """Keep for `open_registry` how the agency's own node is reached."""
    _OWN_NODE.set((url, token_file))


app = typer.Typer(
    help="Propose, vote and read what the agencies decide.",
    no_args_is_help=True,
    callback=choose_node,
)
app.command("code")(code)

_DAY_S = 86_400
_DEFAULT_DAYS = 14
_LONGEST_DAYS = 365

Config = Annotated[
    Path, typer.Option("--config", help="The node's settings: its address and account key.")
]
Document = Annotated[
    Path | None, typer.Option(help="The document that gives the reasons; its hash goes on chain.")
]
Days = Annotated[
    int, typer.Option(help="Days until votes no longer count.", min=1, max=_LONGEST_DAYS)
]


@app.command("list")
def list_proposals(
    config: Config,
    every: Annotated[bool, typer.Option("--all", help="Decided and expired ones too.")] = False,
) -> None:
    """List the proposals that are open for votes, or wait for their time."""
    from node.cli.rest_calls import print_table

    rows = []
    for view in open_registry(config, signing=False).get_proposals():
        if every or view.status in {"open", "passed"}:
            about = next(iter(view.parameters.values()), "")
            row = (str(view.number), view.kind, about, view.status)
            rows.append((*row, str(view.approvals), str(view.rejections)))
    print_table(("number", "decision", "about", "state", "for", "against"), rows)


@app.command("show")
def show(number: Annotated[int, typer.Argument(help="The proposal.")], config: Config) -> None:
    """Show one proposal whole, and what would happen with it in this block."""
    from node.cli.foresight import foresee_proposal

    registry = open_registry(config, signing=False)
    view = registry.get_proposal(number)
    _print(view)
    if view.status in {"open", "passed"}:
        _print_lines(foresee_proposal(registry, number).list_lines())


@app.command("propose")
def propose(
    decision: Annotated[str, typer.Argument(help="Such as `add-validator`; see the manual.")],
    parameters: Annotated[list[str], typer.Argument(help="The decision's name=value words.")],
    config: Config,
    document: Document = None,
    days: Days = _DEFAULT_DAYS,
) -> None:
    """Put a decision to the vote of all agencies, after a dry run. Proposing is not yet voting."""
    from node.cli.foresight import foresee
    from node.cli.governing import parse_kind, parse_payload, read_document_hash

    kind = parse_kind(decision)
    payload = parse_payload(kind, parameters)
    registry = open_registry(config)
    foresight = foresee(registry, kind, payload)
    number = registry.propose(
        kind,
        payload,
        document_hash=read_document_hash(document),
        expires=int(time.time()) + days * _DAY_S,
    )
    _print(registry.get_proposal(number))
    _print_lines(foresight.list_lines())


@app.command("dry-run")
def dry_run(
    decision: Annotated[str, typer.Argument(help="Such as `add-validator`; see the manual.")],
    parameters: Annotated[list[str], typer.Argument(help="The decision's name=value words.")],
    config: Config,
) -> None:
    """Say what would happen if this were decided. Proposes nothing."""
    from node.cli.foresight import foresee
    from node.cli.governing import parse_kind, parse_payload

    kind = parse_kind(decision)
    registry = open_registry(config, signing=False)
    _print_lines(foresee(registry, kind, parse_payload(kind, parameters)).list_lines())


@app.command("admit")
def admit(
    agency: Annotated[Path, typer.Argument(help="The newcomer's agency.toml.")],
    config: Config,
    document: Document = None,
    days: Days = _DEFAULT_DAYS,
) -> None:
    """Propose to admit the agency that an agency.toml describes, with its first key and pin."""
    from contracts.decisions import DecisionKind
    from node.cli.genesis_file import read_agencies
    from node.cli.governing import make_admission, read_document_hash
    from node.errors import UserFault

    specs = read_agencies(agency)
    if len(specs) != 1:
        raise UserFault(f"describes {len(specs)} agencies, not one", field=str(agency))
    registry = open_registry(config)
    number = registry.propose(
        DecisionKind.ADMIT_AGENCY,
        make_admission(specs[0]),
        document_hash=read_document_hash(document),
        expires=int(time.time()) + days * _DAY_S,
    )
    _print(registry.get_proposal(number))


@app.command("vote")
def vote(
    number: Annotated[int, typer.Argument(help="The proposal.")],
    config: Config,
    approve: Annotated[bool, typer.Option("--approve/--reject", help="For or against.")],
) -> None:
    """Vote for this agency; the vote that reaches the threshold passes the decision.

    It is carried out at once, or after the time that decisions of its kind have to wait.
    """
    _print(open_registry(config).vote(number, approve=approve))


@app.command("carry-out")
def carry_out(number: Annotated[int, typer.Argument(help="The proposal.")], config: Config) -> None:
    """Carry out a decision that has passed and has waited for its time."""
    _print(open_registry(config).carry_out(number))


@app.command("rules")
def rules(config: Config) -> None:
    """Show the rules of deciding that are in force, and whether one side could seal alone."""
    from node.cli.foresight import warn_now

    registry = open_registry(config, signing=False)
    found = registry.ask("rules_in_force")
    lines = [
        f"in total:              more than {found['total_percent']} % of the active agencies",
        f"in each jurisdiction:  more than {found['jurisdiction_percent']} %",
        f"urgent decisions wait  {found['urgent_delay']} s",
        f"ordinary ones          {found['ordinary_delay']} s",
        f"grave ones             {found['grave_delay']} s",
        f"validators at least:   {found['minimum_validators']}",
    ]
    warning = warn_now(registry)
    _print_lines([*lines, *([] if warning is None else [f"warning: {warning}"])])


@app.command("withdraw")
def withdraw(number: Annotated[int, typer.Argument(help="The proposal.")], config: Config) -> None:
    """Withdraw a proposal of this agency."""
    _print(open_registry(config).withdraw(number))


def open_registry(config: Path, *, signing: bool = True) -> "Registry":
    """Open the registry of a settings file's ledger; `signing` opens the agency's key.

    It is asked through the running node, or, with `foreign.contracts_file`, on that network.
    """
    from node.cli.governing import Registry
    from node.cli.ledger_access import open_access
    from node.errors import UserFault
    from node.keys import KeyPurpose, load_key_file, read_passphrase_file
    from node.settings import load_settings

    settings = load_settings(config)
    url, token_file = _OWN_NODE.get()
    access = open_access(
        settings, url=url, token_file=token_file, tell=lambda line: typer.echo(line, err=True)
    )
    if not signing:
        return Registry(access)
    api = settings.api
    if not api.account_key_files or api.account_passphrase_file is None:
        raise UserFault("is needed to sign for the agency", field="api.account_key_files")
    passphrase = read_passphrase_file(api.account_passphrase_file)
    key = load_key_file(api.account_key_files[0], passphrase, purpose=KeyPurpose.ACCOUNT)
    return Registry(access, key.reveal_secret())


def _print_lines(lines: list[str]) -> None:
    for line in lines:
        typer.echo(line)


def _print(view: "ProposalView") -> None:
    import datetime as dt

    typer.echo(f"proposal:  {view.number}, {view.status}")
    typer.echo(f"decision:  {view.kind}")
    for name, value in view.parameters.items():
        typer.echo(f"  {name}: {value}")
    typer.echo(f"proposer:  {view.proposer}")
    typer.echo(f"document:  {view.document_hash if int(view.document_hash, 16) else 'none'}")
    typer.echo(f"votes:     {view.approvals} for, {view.rejections} against")
    typer.echo(f"expires:   {dt.datetime.fromtimestamp(view.expires, dt.UTC):%Y-%m-%d %H:%M} UTC")
    if view.ready:
        ready = dt.datetime.fromtimestamp(view.ready, dt.UTC)
        typer.echo(f"ready:     {ready:%Y-%m-%d %H:%M:%S} UTC, by `carry-out`")
