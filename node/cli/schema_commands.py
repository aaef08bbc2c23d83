"""`atesta schema`: which fields a kind of document has, and who may attest under it."""

from pathlib import Path
from typing import Annotated

import typer

from node.cli.predicate_words import PredicateOption, read_predicates
from node.cli.rest_calls import DEFAULT_URL, TokenFile, Url, open_client

app = typer.Typer(help="Register schemas and accredit issuers.", no_args_is_help=True)

Schema = Annotated[str, typer.Argument(help="The schema's uid.")]
Agency = Annotated[
    str, typer.Argument(help="The agency's label or id, as `atesta list agencies` shows them.")
]


@app.command("register")
def register(
    title: Annotated[str, typer.Argument(help="Its name for people; it stays off the chain.")],
    pointers: Annotated[
        list[str], typer.Argument(help="Its fields in order, such as /name /born /cnf.")
    ],
    *,
    reference: Annotated[
        list[str] | None,
        typer.Option(help="A field that, with others, names one certificate; several times."),
    ] = None,
    predicate: PredicateOption = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Register a schema of this node's agency, and print its uid."""
    from atesta_client import requests

    request = requests.create_schema(
        title=title,
        pointers=pointers,
        reference=reference or (),
        predicates=read_predicates(predicate),
    )
    with open_client(url, token_file) as client:
        made = client.complete(request)
    typer.echo(made.uid)


@app.command("accredit")
def accredit(
    schema: Schema, agency: Agency, url: Url = DEFAULT_URL, token_file: TokenFile = None
) -> None:
    """Let an agency attest under a schema of this node's agency."""
    from atesta_client import requests

    with open_client(url, token_file) as client:
        client.complete(requests.accredit(schema, agency))
    typer.echo(f"{agency} may attest under {schema}")


@app.command("withdraw")
def withdraw(
    schema: Schema, agency: Agency, url: Url = DEFAULT_URL, token_file: TokenFile = None
) -> None:
    """Withdraw an agency's accreditation; what it attested before keeps standing."""
    from atesta_client import requests

    with open_client(url, token_file) as client:
        client.complete(requests.withdraw_accreditation(schema, agency))
    typer.echo(f"{agency} attests no more under {schema}")


@app.command("text")
def text(
    schema: Schema,
    title: Annotated[str, typer.Argument(help="Its name for people.")],
    pointers: Annotated[list[str], typer.Argument(help="Its fields in order.")],
    *,
    reference: Annotated[
        list[str] | None, typer.Option(help="As it was registered; several times.")
    ] = None,
    predicate: PredicateOption = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Give this node the fields of a schema that another agency registered."""
    from atesta_client import requests

    with open_client(url, token_file) as client:
        held = client.send(
            requests.put_schema_text(
                schema,
                title=title,
                pointers=pointers,
                reference=reference or (),
                predicates=read_predicates(predicate),
            )
        )
    typer.echo(f"{held.uid}: {held.title}, {len(held.pointers or ())} fields")


@app.command("copy")
def copy(
    schema: Schema,
    source: Annotated[str, typer.Option("--from", help="The API of a node that has the text.")],
    *,
    source_token: Annotated[
        Path | None, typer.Option(help="File that holds a bearer token for that node.")
    ] = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Give this node the text of a schema from another node; the ledger's hashes must agree."""
    from atesta_client import requests

    from node.errors import UserFault

    with open_client(source, source_token) as client:
        found = client.send(requests.get_schema(schema))
    if found.title is None or found.pointers is None:
        raise UserFault("does not hold the text of this schema", field="--from")
    request = requests.put_schema_text(
        schema,
        title=found.title,
        pointers=found.pointers,
        reference=found.reference,
        predicates=[asked.predicate for asked in found.predicates],
    )
    with open_client(url, token_file) as client:
        held = client.send(request)
    typer.echo(f"{held.uid}: {held.title}, {len(held.pointers or ())} fields")
