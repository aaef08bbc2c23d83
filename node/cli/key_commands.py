"""`atesta keys`: the three kinds of keys that a node has, each in its own file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from node.keys import ChainBinding

app = typer.Typer(help="Make, list and repair a node's keys.", no_args_is_help=True)

PassphraseFile = Annotated[
    Path, typer.Option("--passphrase-file", help="File that holds the passphrase (mode 600).")
]


@app.command("new")
def new(
    file: Annotated[Path, typer.Argument(help="Key file to write; never overwritten.")],
    passphrase_file: PassphraseFile,
    purpose: Annotated[
        str, typer.Option(help="`account` signs transactions, `validator` signs blocks.")
    ] = "account",
    genesis: Annotated[
        Path | None,
        typer.Option(help="The network's genesis file; a validator key serves one network."),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="The node's data folder; a validator key is remembered there."),
    ] = None,
) -> None:
    """Make a secp256k1 key in an encrypted file and print its address."""
    from node.errors import UserFault
    from node.keys import KeyPurpose, create_key_file, read_passphrase_file

    try:
        kind = KeyPurpose(purpose)
    except ValueError:
        raise UserFault("is account or validator", field="--purpose") from None
    if kind is KeyPurpose.VALIDATOR and genesis is None:
        raise UserFault(
            "is needed for a validator key",
            field="--genesis",
            next_step="Before the network exists, use `atesta init`; it makes a founding key",
        )
    binding = _read_binding(genesis) if genesis is not None else None
    key = create_key_file(
        file, read_passphrase_file(passphrase_file), purpose=kind, binding=binding
    )
    if kind is KeyPurpose.VALIDATOR:
        from node.cli.founding import make_first_sign_state

        assert binding is not None
        make_first_sign_state(data_dir or _guess_data_dir(file), binding, key.address)
    typer.echo(f"0x{key.address.hex()}")


@app.command("list")
def list_keys(
    folder: Annotated[Path, typer.Argument(help="Folder with key files.")] = Path("keys"),
) -> None:
    """List key files with purpose, address and network; no passphrase is needed."""
    from node.cli.rest_calls import print_table
    from node.errors import NodeError, UserFault
    from node.keys import load_tls_identity, read_key_file_info

    if not folder.is_dir():
        raise UserFault("is not a folder", field=str(folder))
    rows = []
    for path in sorted(folder.iterdir()):
        if path.suffix == ".json":
            try:
                info = read_key_file_info(path)
            except NodeError as error:
                rows.append((path.name, "unreadable", error.message, ""))
                continue
            network = str(info.binding) if info.binding else ""
            rows.append((path.name, info.purpose.value, f"0x{info.address.hex()}", network))
        elif path.suffix == ".crt":
            identity = load_tls_identity(path.with_suffix(".key"), path)
            rows.append((path.name, "tls", f"0x{identity.pin.hex()}", ""))
    print_table(("file", "purpose", "address or pin", "network"), rows)


@app.command("show")
def show(file: Annotated[Path, typer.Argument(help="A key file.")]) -> None:
    """Show what a key file says of itself."""
    from node.keys import read_key_file_info

    info = read_key_file_info(file)
    typer.echo(f"purpose: {info.purpose.value}")
    typer.echo(f"address: 0x{info.address.hex()}")
    if info.binding is not None:
        typer.echo(f"chain id: {info.binding.chain_id}")
        typer.echo(f"genesis: 0x{info.binding.genesis_hash.hex()}")


@app.command("bind")
def bind(
    file: Annotated[Path, typer.Argument(help="A founding validator key made by `atesta init`.")],
    passphrase_file: PassphraseFile,
    genesis: Annotated[Path, typer.Option(help="The genesis file that names this key.")],
    data_dir: Annotated[Path | None, typer.Option(help="The node's data folder.")] = None,
) -> None:
    """Bind a founding key to its network, for good: from then on it signs blocks of no other."""
    from node.cli.founding import bind_founding_key
    from node.keys import read_passphrase_file

    address = bind_founding_key(
        file,
        read_passphrase_file(passphrase_file),
        genesis,
        data_dir=data_dir or _guess_data_dir(file),
    )
    typer.echo(f"0x{address.hex()} is now a validator key of {_read_binding(genesis)}")


@app.command("tls")
def tls(
    key_file: Annotated[Path, typer.Argument(help="Private key (PEM).")] = Path("keys/tls.key"),
    certificate_file: Annotated[Path, typer.Argument(help="Certificate (PEM).")] = Path(
        "keys/tls.crt"
    ),
    renew: Annotated[
        bool, typer.Option("--renew", help="A fresh certificate for the same key and pin.")
    ] = False,
) -> None:
    """Make a TLS identity, or renew its certificate, and print its pin for the registry."""
    from node.keys import create_tls_identity, renew_tls_certificate

    make = renew_tls_certificate if renew else create_tls_identity
    identity = make(key_file, certificate_file)
    typer.echo(f"pin: 0x{identity.pin.hex()}")
    typer.echo(f"certificate expires: {identity.expires:%Y-%m-%d}")


@app.command("resume")
def resume(
    config: Annotated[Path, typer.Option("--config", help="The node's settings file.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask; I know that no copy of this key signs.")
    ] = False,
) -> None:
    """Let a validator sign again after its sign state was lost or damaged.

    The node must be stopped. At its next start it waits until a quorum of other validators report
    heights, and signs only above the highest of them, so that it contradicts nothing it may have
    signed before.
    """
    from node.daemon.resume import request_resume
    from node.settings import load_settings

    settings = load_settings(config)
    if not yes:
        typer.confirm("Is it certain that no other node runs with this validator key?", abort=True)
    typer.echo(request_resume(settings))


def _guess_data_dir(key_file: Path) -> Path:
    """Return the data folder of a node that `atesta init` made, from its keys' place."""
    return key_file.resolve().parent.parent / "data"


def _read_binding(genesis: Path) -> "ChainBinding":
    from node.chain.genesis import load_genesis
    from node.keys import ChainBinding

    loaded = load_genesis(genesis)
    return ChainBinding(chain_id=loaded.chain_id, genesis_hash=loaded.genesis_hash)
