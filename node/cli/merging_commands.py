"""`atesta merges`: two records of persons that mean one; one officer proposes, another decides."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from node.cli.rest_calls import (
    DEFAULT_URL,
    Purpose,
    TokenFile,
    Url,
    open_client,
    print_members,
    print_table,
)

if TYPE_CHECKING:
    from atesta_client.answers import Merge

app = typer.Typer(
    help="Match two persons as one: proposed by one officer, decided by another, reversible.",
    no_args_is_help=True,
)

Uid = Annotated[str, typer.Argument(help="The merge's uid.")]
Reason = Annotated[str, typer.Option(help="Why, in words; it stays in the vault.")]

_WORK: Final = "correction"
"""What merging persons is for, unless the caller says otherwise."""


@app.command("list")
def list_merges(
    state: Annotated[
        str | None, typer.Option(help="Only proposed, refused, approved or applied ones.")
    ] = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """List the journal, newest first; it names officers and no person."""
    from atesta_client import requests

    with open_client(url, token_file) as client:
        found = list(client.list_all(requests.list_merges(state=state, limit=500)))
    print_table(
        ("merge", "state", "proposed (UTC)", "by", "decided (UTC)", "by"),
        [
            (
                entry.uid,
                entry.state,
                _write(entry.proposed),
                entry.proposer,
                _write(entry.decided),
                entry.decider or "",
            )
            for entry in found
        ],
    )


@app.command("show")
def show(
    uid: Uid, purpose: Purpose = _WORK, url: Url = DEFAULT_URL, token_file: TokenFile = None
) -> None:
    """Show a merge with what it says of persons; the look is recorded."""
    from atesta_client import requests

    with open_client(url, token_file, purpose=purpose) as client:
        _tell(client.send(requests.get_merge(uid)))


@app.command("propose")
def propose(
    *,
    handle: Annotated[str, typer.Argument(help="The other agency's handle.")],
    reference: Annotated[str, typer.Option(help="This agency's own identifier of the person.")],
    counterparty: Annotated[str, typer.Option(help="The other agency.")],
    reason: Reason,
    purpose: Purpose = _WORK,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Propose that a handle shall mean a person; another officer decides."""
    from atesta_client import requests

    wanted = requests.propose_merge(
        handle=handle, reference=reference, counterparty=counterparty, reason=reason
    )
    with open_client(url, token_file, purpose=purpose) as client:
        _tell(client.send(wanted))


@app.command("approve")
def approve(
    uid: Uid, purpose: Purpose = _WORK, url: Url = DEFAULT_URL, token_file: TokenFile = None
) -> None:
    """Approve a merge that another officer proposed, and carry it out."""
    from atesta_client import requests

    with open_client(url, token_file, purpose=purpose) as client:
        _tell(client.send(requests.decide_merge(uid, approve=True)))


@app.command("refuse")
def refuse(
    uid: Uid, purpose: Purpose = _WORK, url: Url = DEFAULT_URL, token_file: TokenFile = None
) -> None:
    """Refuse a merge that another officer proposed."""
    from atesta_client import requests

    with open_client(url, token_file, purpose=purpose) as client:
        _tell(client.send(requests.decide_merge(uid, approve=False)))


@app.command("reverse")
def reverse(
    *,
    uid: Uid,
    reason: Reason,
    purpose: Purpose = _WORK,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Propose to take a merge back; another officer decides."""
    from atesta_client import requests

    with open_client(url, token_file, purpose=purpose) as client:
        _tell(client.send(requests.reverse_merge(uid, reason=reason)))


def _tell(merge: "Merge") -> None:
    print_members(
        {
            "merge": merge.uid,
            "state": merge.state,
            "handle": merge.subject.handle,
            "counterparty": merge.subject.counterparty,
            "reference": merge.subject.reference,
            "reason": merge.reason,
            "proposed by": f"{merge.proposer}, {_write(merge.proposed)}",
            "decided by": f"{merge.decider}, {_write(merge.decided)}" if merge.decider else "",
            "takes back": merge.reverses or "",
            "stood before": [f"{one.handle}: {one.reference}" for one in merge.before or ()],
        }
    )


def _write(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
