"""`atesta init`, `genesis` and `invite`: from an empty machine to a node of a network."""

from pathlib import Path
from typing import Annotated

import typer


def init(  # noqa: PLR0917 - options of a command are named
    folder: Annotated[Path, typer.Argument(help="Folder for the node; may not hold one yet.")],
    label: Annotated[str, typer.Option(help="The agency's label, such as `mo-health-bureau`.")],
    jurisdiction: Annotated[str, typer.Option(help="Its jurisdiction, such as `MO`, `CN-GD`.")],
    network_port: Annotated[int, typer.Option(help="Port for other nodes.")] = 30400,
    api_port: Annotated[int, typer.Option(help="Port of the API.")] = 8545,
    observer: Annotated[
        bool, typer.Option("--observer", help="Follow the chain without voting on blocks.")
    ] = False,
    roles: Annotated[
        str, typer.Option(help="Roles that the agency asks the group for; docs/contracts.md.")
    ] = "ADMIN,GOVERN,ISSUE,SCHEMA",
) -> None:
    """Make a node's keys and settings, and `agency.toml`: what the other agencies need to know."""
    from contracts.codes import Role
    from contracts.labels import encode_label
    from node.cli.founding import AGENCY_FILE, format_settings, make_keys, write_settings
    from node.cli.genesis_file import format_agency
    from node.cli.governing import parse_roles

    encode_label(label)
    encode_label(jurisdiction)
    asked = Role(parse_roles("--roles", roles))
    folder.mkdir(parents=True, exist_ok=True)
    lines = format_settings(
        name=label,
        network_port=network_port,
        api_port=api_port,
        invites=[],
        is_validator=not observer,
        log_file="log.jsonl",
    )
    settings_file = write_settings(folder, lines)
    keys = make_keys(folder)
    block = format_agency(
        label=label,
        jurisdiction=jurisdiction,
        roles=asked,
        account=keys.account,
        validator=keys.validator,
        pin=keys.pin,
    )
    (folder / AGENCY_FILE).write_text(block, encoding="utf-8")
    typer.echo(f"settings:  {settings_file}")
    typer.echo(f"validator: 0x{keys.validator.hex()}")
    typer.echo(f"account:   0x{keys.account.hex()}")
    typer.echo(f"TLS pin:   0x{keys.pin.hex()}")
    typer.echo(
        f"Next: give {folder / AGENCY_FILE} to the group; put the group's genesis.json and an "
        f"invite into {folder} and name the invite in network.bootstrap_peers; then run\n"
        f"  atesta keys bind {folder / 'keys/validator.json'} "
        f"--passphrase-file {folder / 'secrets/passphrase'} --genesis {folder / 'genesis.json'}"
    )


def genesis(
    documents: Annotated[
        list[Path],
        typer.Argument(help="Founding documents (TOML): the group's rules and every agency.toml."),
    ],
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("genesis.json"),
) -> None:
    """Make a group's genesis from its agencies' `agency.toml` files and a chain id."""
    import json

    from rich.console import Console

    from consensus.resilience import describe_resilience
    from contracts.genesis import build_genesis
    from node.chain.genesis import load_genesis
    from node.cli.dominance import warn_of_dominance
    from node.cli.genesis_file import read_founding
    from node.errors import UserFault

    if out.exists():
        raise UserFault("already exists and is not overwritten", field=str(out))
    spec = read_founding(documents)
    with Console(stderr=True).status("running the contracts' constructors"):
        document = build_genesis(spec)
    out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    loaded = load_genesis(out)
    typer.echo(f"{out}: chain {spec.chain_id}, {len(spec.agencies)} agencies")
    typer.echo(f"genesis: 0x{loaded.genesis_hash.hex()}")
    validators = sum(len(agency.validators) for agency in spec.agencies)
    typer.echo(describe_resilience(validators))
    warning = warn_of_dominance(
        [agency.jurisdiction for agency in spec.agencies for _ in agency.validators],
        {agency.jurisdiction for agency in spec.agencies},
    )
    if warning is not None:
        typer.echo(f"warning: {warning}")
    typer.echo("Every agency compares this hash with the others' before it binds its key.")


def invite(
    config: Annotated[Path, typer.Option("--config", help="Settings of the inviting node.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("invite.json"),
    address: Annotated[
        str | None, typer.Option(help="host:port for others; else from the settings.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File that holds a bearer token.")
    ] = None,
) -> None:
    """Write an invite: with it and genesis.json a new node finds this network.

    The node must run, because the invite names a recent final block.
    """
    from eth_typing import Hash32

    from consensus.types import Height
    from node.chain.genesis import load_genesis
    from node.cli.devnet.rpc import NodeRpc
    from node.errors import UserFault
    from node.keys import load_tls_identity, read_key_file_info
    from node.network import Checkpoint
    from node.network.invite import Invite, encode_invite, parse_address
    from node.settings import load_settings

    if out.exists():
        raise UserFault("already exists and is not overwritten", field=str(out))
    settings = load_settings(config)
    network, api = settings.network, settings.api
    identity = load_tls_identity(network.tls_key_file, network.tls_certificate_file)
    signer_file = settings.validator.key_file or next(iter(api.account_key_files), None)
    if signer_file is None:
        raise UserFault("is needed, to say who signs handshakes", field="validator.key_file")
    loaded = load_genesis(settings.node.genesis)
    scheme = "http" if api.tls_certificate is None else "https"
    rpc = NodeRpc(f"{scheme}://{api.host}:{api.port}", token_file=token_file)
    head = rpc.call("eth_getBlockByNumber", "latest", False)
    here = address or network.advertised_address or f"{network.host}:{network.port}"
    made = Invite(
        chain_id=loaded.chain_id,
        genesis_hash=loaded.genesis_hash,
        address=parse_address(here, "--address"),
        certificate=identity.certificate,
        pin=identity.pin,
        validator=read_key_file_info(signer_file).address,
        checkpoint=Checkpoint(
            number=Height(int(head["number"], 16)),
            block_hash=Hash32(bytes.fromhex(head["hash"][2:])),
        ),
    )
    out.write_text(encode_invite(made), encoding="utf-8")
    typer.echo(f"{out}: {made.address}, pin {made.pin.hex()}, block {made.checkpoint.number}")
