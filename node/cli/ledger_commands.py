"""`atesta ledgers`, and `atesta --ledger NAME`: the ledgers that a node's API serves."""

from typing import Annotated

import typer

from node.cli.rest_calls import (
    CHOSEN_LEDGER,
    DEFAULT_URL,
    AsJson,
    TokenFile,
    Url,
    open_client,
    print_json,
    print_table,
)


def choose_ledger(
    ledger: Annotated[
        str | None,
        typer.Option(
            "--ledger",
            metavar="NAME",
            envvar="ATESTA_LEDGER",
            help="Ledger of the API that the command is about, as `atesta ledgers` lists it; "
            "absent: the node's own. It stands before the command.",
        ),
    ] = None,
) -> None:
    """Keep the name for the commands that speak to a node's API (`rest_calls.open_client`)."""
    CHOSEN_LEDGER.set(ledger)


def ledgers(url: Url = DEFAULT_URL, token_file: TokenFile = None, as_json: AsJson = False) -> None:
    """List the ledgers that a node's API serves: who is on them, and how far they are."""
    from atesta_client.answers import read_object
    from atesta_client.requests import Request

    with open_client(url, token_file) as client:
        told = client.send(Request(method="GET", path="/ledgers", read=read_object))["items"]
    if as_json:
        for item in told:
            print_json(item)
        return
    rows = [
        (
            item["name"] + (" (own)" if item["own"] else ""),
            str(item["chain_id"] or ""),
            (item["genesis_hash"] or "")[:14],
            ", ".join(item["jurisdictions"]),
            str(len(item["members"])),
            "" if item["block"] is None else str(item["block"]),
            item["problem"] or item["finality"]["kind"],
        )
        for item in told
    ]
    headings = ("ledger", "chain id", "genesis", "jurisdictions", "members", "block", "state")
    print_table(headings, rows)
