"""`atesta list`, `show`, `mandate`, `case`, `events`: what the ledger and our own files say."""

import re
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from node.cli.rest_calls import (
    DEFAULT_URL,
    AsJson,
    Purpose,
    TokenFile,
    Url,
    find_label,
    open_client,
    print_json,
    print_members,
    print_table,
    read_pairs,
)

if TYPE_CHECKING:
    from datetime import datetime

COLLECTIONS: Final = {
    "dataset": "datasets",
    "notice": "notices",
    "purpose": "purposes",
    "basis": "bases",
    "instrument": "instruments",
    "stop": "stops",
    "consent": "consents",
    "key_binding": "key-bindings",
    "exchange": "exchanges",
    "period": "periods",
    "mandate": "mandates",
    "body": "bodies",
    "policy": "policies",
    "post": "posts",
    "schema": "schemas",
    "attestation": "attestations",
    "batch": "batches",
}
"""Where each kind of record is."""

_MORE: Final = ("agencies", "credentials", "operations", "proposals", "evidence", "imports")
_PAGING: Final = frozenset({"limit", "cursor"})
"""Parameters of REST's lists that choose no records: the command sets them page by page."""
_PARTIES: Final = ("owner", "issuer", "requester", "provider", "recipient")
_COLUMNS: Final = (
    "label",
    "jurisdiction",
    "status",
    "uid",
    "id",
    "title",
    "kind",
    *_PARTIES,
    "state",
    "event_time",
    "created",
    "block_time",
)


def list_records(
    collection: Annotated[str, typer.Argument(help="Such as `exchanges` or `consents`.")],
    filters: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=VALUE]...", help="Such as `state=requested` or `dataset=0x…`."
        ),
    ] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most records.")] = 50,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """List records, newest first, those that fit all filters (`agency`, `from`, `until`, …)."""
    from atesta_client.answers import read_object
    from atesta_client.requests import Request

    from api.near_names import ask_whether
    from node.errors import UserFault

    known = (*COLLECTIONS.values(), *_MORE)
    if collection not in known:
        # The kind of one record, `basis`, is not always near to where all of them are.
        meant = COLLECTIONS.get(collection.replace("-", "_"))
        then = f"; did you mean {meant}?" if meant else ask_whether(collection, known)
        raise UserFault(f"is none of: {', '.join(known)}{then}", field=collection)
    query = read_pairs(filters or (), "filter")
    for name in sorted(_PAGING & query.keys()):
        raise UserFault("is no filter; --limit says how many records are wanted", field=name)
    found: list[dict[str, Any]] = []
    with open_client(url, token_file) as client:
        while len(found) < limit:
            query["limit"] = str(min(limit - len(found), 100))
            page = client.send(
                Request(method="GET", path=f"/{collection}", query=query, read=read_object)
            )
            found += page["items"]
            if page["next"] is None:
                break
            query["cursor"] = page["next"]
    if as_json:
        for item in found:
            print_json(item)
        return
    if not found:
        typer.echo("nothing fits" if filters else "there are none yet")
        return
    if collection == "agencies":
        found = [_name_agency(agency) for agency in found]
    columns = [name for name in _COLUMNS if any(item.get(name) is not None for item in found)]
    print_table(columns, [[_fill(name, item.get(name)) for name in columns] for item in found])


def show(
    uid: Annotated[str, typer.Argument(help="A record's uid.")],
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Show a record whole, whatever its kind, and everything that happened to it."""
    from atesta_client import requests
    from atesta_client.answers import read_object

    with open_client(url, token_file) as client:
        told = client.send(requests.get_provenance(uid))
        entity = next((entity for entity in told.entities if entity.id == told.uid), None)
        kind = "exchange" if entity is None else entity.type
        record: dict[str, Any] = {"uid": told.uid, "type": kind}
        if kind in COLLECTIONS:
            path = f"/{COLLECTIONS[kind]}/{told.uid}"
            record |= client.send(requests.Request(method="GET", path=path, read=read_object))
    if as_json:
        print_json(record)
        return
    print_members(record)
    names = {agent.id: agent.name or _get_label(agent.id) for agent in told.agents}
    rows = [
        (
            f"{act.block_time:%Y-%m-%d %H:%M:%S}",
            act.type,
            names.get(act.agent) or _get_label(act.agent),
            act.state or "",
            act.reason or "",
            str(act.block),
        )
        for act in told.activities
    ]
    print_table(("time (UTC)", "what happened", "by", "state", "reason", "block"), rows)


def mandate(
    uid: Annotated[str, typer.Argument(help="The mandate's uid.")],
    acts: Annotated[
        list[str], typer.Argument(metavar="ACT...", help="Acts of its list, by their codes.")
    ],
    *,
    amount: Annotated[int, typer.Option(min=0, help="In the list's unit.")] = 0,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Then: a time (RFC 3339), or a date's beginning in UTC; now if absent.",
        ),
    ] = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Ask whether a mandate covers acts, now or on another date; exit code 0 only if it does."""
    from atesta_client import requests
    from atesta_client.answers import read_object

    from node.errors import UserFault

    try:
        moment = None if at is None else _read_moment(at)
        asked = requests.check_mandate(uid, acts=acts, amount=amount, at=moment)
    except ValueError as error:
        raise UserFault(
            "is no date such as 2026-11-22, nor a time such as 2026-11-22T08:00:00Z", field="--at"
        ) from error
    with open_client(url, token_file) as client:
        told = client.send(
            requests.Request(method="GET", path=asked.path, query=asked.query, read=read_object)
        )
    if as_json:
        print_json(told)
    else:
        print_members(told)
    if not told["covered"]:
        raise typer.Exit(1)


def case(
    number: Annotated[str, typer.Argument(help="The agency's case number.")],
    purpose: Purpose,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Show from a case number who asked whom for what, on which basis, and what is missing.

    Exit code 1 if something is missing or not in order.
    """
    from atesta_client import requests
    from atesta_client.answers import read_object

    path = requests.get_case(number).path
    with open_client(url, token_file, purpose=purpose) as client:
        told = client.send(requests.Request(method="GET", path=path, read=read_object))
    if as_json:
        print_json(told)
    else:
        print_members(told if told["missing"] else told | {"missing": "nothing"})
    if told["missing"]:
        raise typer.Exit(1)


def events(
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what comes.")] = False,
    kinds: Annotated[
        list[str] | None,
        typer.Option("--kind", help="Such as `consent` or `consent.withdrawn`; several times."),
    ] = None,
    agency: Annotated[str | None, typer.Option(help="Only what it is a party to.")] = None,
    uid: Annotated[str | None, typer.Option(help="Only events of this record.")] = None,
    after: Annotated[
        str | None, typer.Option(help="Only after the event with this cursor.")
    ] = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Tell what happened on the ledger, oldest first; each line ends with its cursor."""
    import contextlib

    from atesta_client import requests

    wanted: dict[str, Any] = {"kinds": kinds or (), "agency": agency, "uid": uid}
    with open_client(url, token_file) as client, contextlib.suppress(KeyboardInterrupt):
        if not follow or after is not None:
            for event in client.list_all(requests.list_events(**wanted, cursor=after, limit=200)):
                _print_event(event, as_json=as_json)
                after = event.cursor
        if follow:
            for event in client.stream(requests.stream_events(**wanted, cursor=after)):
                _print_event(event, as_json=as_json)


def _fill(column: str, value: object) -> str:
    """Write a cell: a party by its label where it has one."""
    label = find_label(value) if column in _PARTIES else None
    return label or ("" if value is None else str(value))


def _get_label(agency: str) -> str:
    """Return an agency's label where its id is one."""
    from contracts.labels import format_identifier

    return format_identifier(bytes.fromhex(agency.removeprefix("0x")))


def _read_moment(text: str) -> "datetime":
    """Return a time, or a date's beginning in UTC; raises `ValueError`."""
    from datetime import UTC, date, datetime, time

    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    return datetime.fromisoformat(text)


def _name_agency(agency: dict[str, Any]) -> dict[str, Any]:
    """Return an agency of the list with what people call it and its jurisdiction."""
    return agency | {
        "label": _get_label(agency["id"]),
        "jurisdiction": _get_label(agency["jurisdiction"]),
    }


def _print_event(event: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "cursor": event.cursor,
                "kind": event.kind,
                "uid": event.uid,
                "agency": event.agency,
                "state": event.state,
                "signed_by": _tell_actor(event.signed_by),
                "submitted_by": _tell_actor(event.submitted_by),
                "event_time": None if event.event_time is None else event.event_time.isoformat(),
                "block": event.block,
                "details": event.details,
            }
        )
        return
    time = f"{event.block_time:%Y-%m-%d %H:%M:%S}"
    state = event.state or "-"
    signer = _tell_actor(event.signed_by) or "-"
    typer.echo(f"{time}  {event.kind}  {state}  {event.uid}  {signer}  {event.cursor}")


def _tell_actor(actor: Any) -> str | None:
    """Return who signed or handed in: the agency, or `resident`."""
    return None if actor is None else actor.agency or actor.who
