"""`atesta erase`, `erase-person`: erase on the ledger's side and in the vault, through a node."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from node.cli.rest_calls import (
    DEFAULT_URL,
    AsJson,
    Purpose,
    TokenFile,
    Url,
    open_client,
    print_json,
    print_table,
    read_json,
)

if TYPE_CHECKING:
    from atesta_client.answers import Erasure, PersonErasure, PersonRecord
    from atesta_client.rest import Client

REASONS: Final = ("error", "superseded", "ended_by_law", "holder_request", "security")
"""The neutral codes that may stand on the chain."""

_PAUSE_S: Final = 0.5


def erase(
    *,
    uid: Annotated[str, typer.Argument(help="The record's uid, 32 bytes in hex.")],
    reason: Annotated[str, typer.Option(help=f"One of: {', '.join(REASONS)}.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it is done.")] = False,
    wait_s: Annotated[
        float, typer.Option("--wait", min=0, help="Most seconds to wait until it is erased.")
    ] = 60.0,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Erase a record: what is attested says so on the ledger, then no copy of it opens again.

    A credential, or what the vault has of an exchange, a consent, a case file. Needs the role
    officer; for credentials, issuer does. Once it is ordered it is carried out, also if this
    command ends first.
    """
    from dataclasses import asdict

    from rich.console import Console

    _check_reason(reason)
    if not yes:
        typer.confirm("Erase it? No backup brings it back.", abort=True)
    with open_client(url, token_file) as client:
        answer = _order(client, uid, reason)
        with Console(stderr=True).status("waiting for the ledger's tombstone"):
            answer = _follow(client, answer, wait_s)
    if as_json:
        times = {
            name: None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
            for name, moment in (
                ("ordered", answer.ordered),
                ("block_time", answer.block_time),
                ("erased", answer.erased),
            )
        }
        print_json(asdict(answer) | times)
    elif answer.state != "erased":
        typer.echo(f"{uid}: ordered; {answer.problem or 'the tombstone is not on the ledger yet'}")
        typer.echo(f"next: atesta erase {uid} again, which only asks how far it has come")
    elif answer.block is None:
        typer.echo(f"{uid}: erased; the ledger has no attestation of it to mark")
    else:
        typer.echo(f"{uid}: erased; the ledger says so since block {answer.block}")


def erase_person(
    *,
    reference: Annotated[
        str | None, typer.Option(help="This agency's own reference of the person.")
    ] = None,
    handle: Annotated[
        list[str] | None, typer.Option(help="A handle with another agency; may be repeated.")
    ] = None,
    record: Annotated[
        list[str] | None, typer.Option(help="A further record, by uid; may be repeated.")
    ] = None,
    certificates: Annotated[
        Path | None,
        typer.Option(
            help="JSON file: a list of {schema_uid, document} with the fields that name each"
            " certificate of the person."
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help=f"One of: {', '.join(REASONS)}.")] = "holder_request",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it is done.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would go and what a law keeps.")
    ] = False,
    wait_s: Annotated[
        float, typer.Option("--wait", min=0, help="Most seconds to wait until all is erased.")
    ] = 60.0,
    as_json: AsJson = False,
    purpose: Purpose = "rights",
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Erase everything of a person; what a law asks to keep is kept for storage only.

    Needs the role officer. It is one act: ordered as a whole, and carried out, also if this command
    ends first.
    """
    from dataclasses import asdict

    from atesta_client import requests
    from rich.console import Console

    _check_reason(reason)
    named: dict[str, Any] = {
        "reference": reference,
        "handles": handle or [],
        "records": record or [],
        "certificates": [] if certificates is None else read_json(certificates),
        "reason": reason,
    }
    with open_client(url, token_file, purpose=purpose) as client:
        plan = client.send(requests.foresee_person_erasure(**named))
        if not as_json:
            _print_records(plan.records)
            typer.echo(f"to erase: {plan.erase}, kept for storage only: {plan.keep}")
        if dry_run:
            if as_json:
                print_json(asdict(plan) | {"records": list(map(_encode, plan.records))})
            return
        if not yes:
            typer.confirm("Erase it? No backup brings it back.", abort=True)
        done = client.send(requests.erase_person(**named))
        with Console(stderr=True).status("waiting for the ledger's tombstones"):
            done = _follow_person(client, done, wait_s)
    if as_json:
        print_json({"id": done.id, "state": done.state, "erase": done.erase, "left": done.left})
        return
    problem = f" ({'; '.join(done.problems)})" if done.problems else ""
    typer.echo(f"erased: {done.erase - done.left} of {done.erase}{problem}; act {done.id}")


def _follow_person(client: "Client", done: "PersonErasure", wait_s: float) -> "PersonErasure":
    from atesta_client import requests

    until = time.monotonic() + wait_s
    while done.left and time.monotonic() < until:
        time.sleep(_PAUSE_S)
        done = client.send(requests.get_person_erasure(done.id))
    return done


def _print_records(records: "tuple[PersonRecord, ...]") -> None:
    print_table(
        ("record", "kind", "what becomes of it", "until", "law"),
        [
            (
                one.uid,
                one.kind,
                "erased" if one.outcome == "erase" else "kept for storage only",
                "" if one.until is None else f"{one.until:%Y-%m-%d}",
                ""
                if one.legal_reference is None
                else one.legal_reference + ("" if one.checked else " (not checked)"),
            )
            for one in records
        ],
    )


def _encode(record: "PersonRecord") -> dict[str, Any]:
    from dataclasses import asdict

    until = None if record.until is None else f"{record.until:%Y-%m-%dT%H:%M:%SZ}"
    return asdict(record) | {"until": until}


def _check_reason(reason: str) -> None:
    from node.errors import UserFault

    if reason not in REASONS:
        raise UserFault(f"is one of: {', '.join(REASONS)}", field="--reason")


def _order(client: "Client", uid: str, reason: str) -> "Erasure":
    """Order it as an officer; an issuer, who may only erase credentials, is let in as one."""
    from atesta_client import requests
    from atesta_client.errors import RestProblem

    try:
        return client.send(requests.erase_record(uid, reason=reason))
    except RestProblem as problem:
        if problem.code != "forbidden":
            raise
    return client.send(requests.erase_credential(uid, reason=reason))


def _follow(client: "Client", answer: "Erasure", wait_s: float) -> "Erasure":
    from atesta_client import requests

    until = time.monotonic() + wait_s
    while answer.state != "erased" and time.monotonic() < until:
        time.sleep(_PAUSE_S)
        answer = client.send(requests.get_record_erasure(answer.uid))
    return answer
