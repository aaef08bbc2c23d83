"""`atesta governance pause` and its like: stopping the writes of one agency, and going on."""

import time
from typing import Annotated

import typer

from node.cli.governance_commands import Config, Document, open_registry

_DAY_S = 86_400
_LONGEST_DAYS = 30

Agency = Annotated[str, typer.Argument(help="The agency's label, or 0x and 64 digits.")]


def pause(
    config: Config,
    days: Annotated[
        int, typer.Option(help="Days until it works again by itself; 0 for until `resume`.", min=0)
    ] = 0,
) -> None:
    """Stop all writes of this agency at once; it still votes and rules its keys."""
    open_registry(config).act("pause_own", int(time.time()) + days * _DAY_S if days else 0)
    typer.echo("paused: this agency writes nothing; it still votes and rules its keys")


def resume(config: Config) -> None:
    """End the pause that this agency has put on itself."""
    open_registry(config).act("resume_own")
    typer.echo("this agency's own pause is over")


def pause_agency(
    agency: Agency,
    config: Config,
    document: Document,
    days: Annotated[
        int, typer.Option(help="Days until it works again by itself.", min=1, max=_LONGEST_DAYS)
    ],
) -> None:
    """Stop an agency's writes by a supervisor's decision, in its own jurisdiction."""
    from node.cli.governing import parse_agency, read_document_hash
    from node.errors import UserFault

    if document is None:
        raise UserFault("is needed: a supervisor pauses by a decision", field="--document")
    until = int(time.time()) + days * _DAY_S
    identifier = parse_agency(agency)
    open_registry(config).act("pause_agency", identifier, until, read_document_hash(document))
    typer.echo(f"{agency} is paused for {days} days")


def unpause_agency(agency: Agency, config: Config) -> None:
    """Lift a pause that this supervisor has made."""
    from node.cli.governing import parse_agency

    open_registry(config).act("lift_pause", parse_agency(agency))
    typer.echo(f"the pause of {agency} is lifted")
