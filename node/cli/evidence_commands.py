"""`atesta evidence`: what a node can prove against others, as files that need no node to check."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="List and export what a node can prove against others; verify such a file without a node.",
    no_args_is_help=True,
)

Url = Annotated[str, typer.Option("--url", help="The node's API.")]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", help="File that holds a bearer token (auditor).")
]
_DEFAULT_URL = "http://127.0.0.1:8545"
_EXPORT_TIMEOUT_S = 120.0


@app.command("list")
def show(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000, help="At most so many.")] = 100,
    url: Url = _DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """List the acts that a node keeps proof of, newest first."""
    from rich.console import Console
    from rich.table import Table

    from node.cli.devnet.rpc import NodeRpc

    found = NodeRpc(url.rstrip("/"), token_file=token_file).call("atesta_evidence", limit)
    if not found:
        typer.echo("This node holds no evidence against anybody.")
        return
    table = Table("id", "kind", "height", "round", "validator", box=None)
    for item in found:
        round_text = "" if item["round"] is None else str(int(item["round"], 16))
        height = str(int(item["height"], 16))
        table.add_row(item["id"], item["kind"], height, round_text, item["offender"])
    Console(soft_wrap=True, highlight=False).print(table)


@app.command("export")
def export(
    evidence_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write the file; absent: to the screen.")
    ] = None,
    url: Url = _DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Write the file that proves one act to whoever has the genesis file."""
    import json

    from node.cli.devnet.rpc import NodeRpc
    from node.errors import UserFault

    if out is not None and out.exists():
        raise UserFault("already exists and is not overwritten", field=str(out))
    rpc = NodeRpc(url.rstrip("/"), token_file=token_file, timeout_s=_EXPORT_TIMEOUT_S)
    text = json.dumps(rpc.call("atesta_exportEvidence", evidence_id), indent=1) + "\n"
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserFault(f"cannot be written: {error.strerror}", field=str(out)) from error
    typer.echo(f"{out}: check it with `atesta evidence verify --genesis genesis.json {out}`")


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="The evidence file (JSON).")],
    genesis: Annotated[
        Path, typer.Option("--genesis", help="The ledger's genesis.json, from a source you trust.")
    ] = Path("genesis.json"),
) -> None:
    """Check an evidence file offline; exit code 0 only if it proves the act.

    Asks no node and no network: the genesis file is all that must be trusted.
    """
    from node.chain.genesis import load_genesis
    from node.errors import UserFault
    from node.evidence.document import MAX_FILE_BYTES, parse_document
    from node.evidence.verifier import verify_evidence
    from node.evidence.wording import describe_finding

    trusted = load_genesis(genesis)
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise UserFault(f"is larger than {MAX_FILE_BYTES} bytes", field=str(file))
        content = file.read_bytes()
    except OSError as error:
        raise UserFault(f"cannot be read: {error.strerror}", field=str(file)) from error
    finding = verify_evidence(parse_document(content), trusted)
    typer.echo("The evidence holds.")
    for sentence in describe_finding(finding):
        typer.echo(sentence)
