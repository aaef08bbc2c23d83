"""`atesta contracts`: the ledger's contracts on a network that ran before."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.options import RpcTokenFile

if TYPE_CHECKING:
    from api.networks.deploying import Progress
    from api.web3_provider import LedgerConnection
    from contracts.deployment import Deployment
    from contracts.genesis_spec import GenesisSpec

app = typer.Typer(
    help="Deploy the ledger's contracts on another EVM network, and check what stands there.",
    no_args_is_help=True,
)

Documents = Annotated[
    list[Path],
    typer.Argument(help="Founding documents (TOML), as `atesta genesis` takes them."),
]
Url = Annotated[str, typer.Option("--rpc-url", help="JSON-RPC of a node there, http or https.")]


@app.command("deploy")
def deploy(  # noqa: PLR0917 - options of a command are named
    documents: Documents,
    rpc_url: Url,
    key_file: Annotated[
        Path, typer.Option("--key-file", help="Keystore of the account that deploys and pays.")
    ],
    passphrase_file: Annotated[
        Path, typer.Option("--passphrase-file", help="File with the keystore's passphrase.")
    ],
    out: Annotated[Path, typer.Option(help="The deployment file to write, or to go on with.")] = (
        Path("contracts.json")
    ),
    rpc_token_file: RpcTokenFile = None,
    max_fee_gwei: Annotated[
        int, typer.Option("--max-fee-gwei", min=0, help="Most to offer for a unit of gas.")
    ] = 100,
    priority_fee_gwei: Annotated[
        int | None,
        typer.Option("--priority-fee-gwei", min=0, help="On top; absent: as the node suggests."),
    ] = None,
) -> None:
    """Deploy the contracts and found the ledger; the same command goes on where it stopped.

    The account sends one transaction after the other and must send nothing else meanwhile. It has
    no right on the ledger afterwards.
    """
    import asyncio

    from api.networks.deploying import Deployer, begin, take_up
    from api.networks.fees import GWEI, FeePolicy
    from api.outbox.account import build_account
    from node.cli.genesis_file import read_founding
    from node.daemon.foreign_files import read_deployment
    from node.keys import KeyPurpose, load_key_file, read_passphrase_file

    policy = FeePolicy(
        max_fee=max_fee_gwei * GWEI,
        priority_fee=None if priority_fee_gwei is None else priority_fee_gwei * GWEI,
    )
    spec = read_founding(documents)
    key = load_key_file(key_file, read_passphrase_file(passphrase_file), purpose=KeyPurpose.ACCOUNT)
    account = build_account(key.reveal_secret())
    begun = read_deployment(out) if out.exists() else None
    connection = _connect(rpc_url, rpc_token_file)

    async def run() -> "Deployment":
        try:
            if begun is None:
                plan, deployment = await begin(connection.raw, spec, account, policy)
                _save(out, deployment)
            else:
                plan, deployment = await take_up(connection.raw, spec, account, begun), begun
            with _show_progress(len(plan.steps)) as tell:
                deployer = Deployer(
                    raw=connection.raw,
                    account=account,
                    policy=policy,
                    save=lambda current: _save(out, current),
                    progress=tell,
                )
                return await deployer.carry_out(plan, deployment)
        finally:
            await connection.close()

    done = asyncio.run(run())
    typer.echo(f"{out}: {len(done.steps)} transactions, {done.gas_used:,} gas")
    for name, address in done.book.by_name.items():
        typer.echo(f"  {name:<16} 0x{address.hex()}")
    typer.echo(f"founded in block {done.last_block}; give {out} to every agency, which checks it:")
    typer.echo(f"  atesta contracts verify --rpc-url … --contracts {out.name} FOUNDING.toml …")


@app.command("verify")
def verify(
    rpc_url: Url,
    contracts: Annotated[Path, typer.Option("--contracts", help="The deployment file.")],
    documents: Annotated[
        list[Path] | None,
        typer.Argument(help="Founding documents; then the founding itself is checked as well."),
    ] = None,
    rpc_token_file: RpcTokenFile = None,
) -> None:
    """Check chain, code and, with the founding documents, every event of the founding.

    Ends with exit code 3 if anything differs.
    """
    import asyncio

    from contracts.deployment import compute_code_hashes
    from node.cli.genesis_file import read_founding
    from node.daemon.foreign_files import read_deployment

    deployment = read_deployment(contracts)
    spec = read_founding(documents) if documents else None
    upgraded = asyncio.run(_verify(rpc_url, rpc_token_file, deployment, spec))
    made = compute_code_hashes(deployment.placement, deployment.salt, deployment.late_after_s)
    typer.echo(f"chain {deployment.chain_id}, {len(deployment.code_hashes)} contracts: as deployed")
    if dict(deployment.code_hashes) != made:
        typer.echo("The deployment is of other contracts than this version of the program has.")
    if upgraded:
        typer.echo(f"replaced since by vote: {', '.join(upgraded)}")
    if spec is None:
        typer.echo("The founding was not checked: give the founding documents for that.")
    else:
        typer.echo(f"founding: every event of {len(deployment.steps)} steps is as it must be")


async def _verify(
    rpc_url: str,
    rpc_token_file: Path | None,
    deployment: "Deployment",
    spec: "GenesisSpec | None",
) -> tuple[str, ...]:
    from api.networks.deploying import check_founding
    from api.networks.guard import check_network

    connection = _connect(rpc_url, rpc_token_file)
    try:
        found = await check_network(connection.raw, deployment)
        if spec is not None:
            await check_founding(connection.raw, spec, deployment)
    finally:
        await connection.close()
    return found.upgraded


def _connect(rpc_url: str, rpc_token_file: Path | None) -> "LedgerConnection":
    from api.web3_provider import connect_http
    from node.daemon.foreign_files import read_token

    token = None if rpc_token_file is None else read_token(rpc_token_file)
    return connect_http(rpc_url, headers={"Authorization": f"Bearer {token}"} if token else None)


@contextmanager
def _show_progress(steps: int) -> "Iterator[Progress]":
    """Count steps and gas on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[gas]:,} gas"),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("deploying", total=steps, gas=0)

        def tell(done: int, deployment: "Deployment") -> None:
            title = deployment.steps[done - 1].title
            bar.update(task, completed=done, description=title, gas=deployment.gas_used)

        yield tell


def _save(path: Path, deployment: "Deployment") -> None:
    """Replace the file as a whole, and be sure that it is on disk."""
    from api.durable_files import PUBLIC, replace_file
    from contracts.deployment import encode_deployment

    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, encode_deployment(deployment).encode(), mode=PUBLIC)
