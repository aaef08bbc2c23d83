"""Which agencies a devnet has, and the folders that make nodes of them.

    DIR/devnet.json          what was made, so that later commands find it again
    DIR/genesis.json         the network's genesis, copied into every node's folder
    DIR/AGENCY/node.toml     settings of a node
    DIR/AGENCY/keys, secrets its keys; published test keys, worthless anywhere else
    DIR/AGENCY/data          its chain, sign state, mempool, index, outbox and vault
    DIR/AGENCY/log.jsonl     its log

The keys are the published ones (`contracts.testkeys`), which a node refuses to use on any address
but loopback, so a devnet cannot become a production network by accident.
"""

import json
import secrets
import socket
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from eth_typing import Hash32

from consensus.types import Height
from contracts.development import (
    CHAIN_ID,
    DevelopmentAgency,
    build_development_spec,
    list_development_agencies,
)
from contracts.genesis import build_genesis
from contracts.genesis_spec import GenesisSpec, QbftSpec
from contracts.testkeys import PURPOSES, Purpose, get_address, get_private_key, get_tls_scalar
from node.chain.genesis import load_genesis
from node.cli.founding import (
    ACCOUNT_FILE,
    DATA_FOLDER,
    PASSPHRASE_FILE,
    SETTINGS_FILE,
    TLS_CERTIFICATE_FILE,
    TLS_KEY_FILE,
    VALIDATOR_FILE,
    VAULT_KEY_FILE,
    format_settings,
    make_first_sign_state,
    write_settings,
)
from node.errors import UserFault
from node.keys import (
    ChainBinding,
    KdfStrength,
    KeyPurpose,
    create_tls_identity,
    import_key_file,
    load_tls_identity,
    write_secret_file,
)
from node.network import Checkpoint, PeerAddress
from node.network.invite import Invite, encode_invite

DEVNET_FILE = "devnet.json"
GENESIS_FILE = "genesis.json"
LOG_FILE = "log.jsonl"
MAX_AGENCIES = 10

_HOST = "127.0.0.1"
_PASSPHRASE = b"published test keys need no passphrase\n"
_VAULT_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class DevnetNode:
    """One agency's node."""

    number: int
    """From 1; names its published keys."""
    name: str
    """The agency's label."""
    folder: Path
    network_port: int
    api_port: int

    @property
    def settings_file(self) -> Path:
        """Return its settings file."""
        return self.folder / SETTINGS_FILE

    @property
    def data_dir(self) -> Path:
        """Return the folder of its stores."""
        return self.folder / DATA_FOLDER

    @property
    def url(self) -> str:
        """Return the address of its API."""
        return f"http://{_HOST}:{self.api_port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Devnet:
    """A network on this machine."""

    folder: Path
    nodes: tuple[DevnetNode, ...]

    @property
    def genesis_file(self) -> Path:
        """Return the network's genesis."""
        return self.folder / GENESIS_FILE

    def get_node(self, number: int) -> DevnetNode:
        """Return the node of an agency, counted from 1."""
        return next(node for node in self.nodes if node.number == number)


@dataclass(frozen=True, slots=True, kw_only=True)
class DevnetOptions:
    """What may differ between devnets."""

    agencies: int = 4
    """Founding agencies, 1 to 10, each with one validator."""
    parties: tuple[DevelopmentAgency, ...] = ()
    """Who they are, 1 to 10, in place of the development ledger's own list; `agencies` then says
    nothing."""
    qbft: QbftSpec | None = None
    """Rules of consensus; None for the development ledger's own."""
    is_header_vote: bool = False
    """Validators change by votes in headers instead of in the registry."""
    is_tapped: bool = False
    """Nodes write the traffic that they decrypt to `traffic.bin`, for the search for leaks."""
    chain_id: int = CHAIN_ID
    """Another one for each of several ledgers side by side."""
    first_key: int = 1
    """Number of the first agency's published keys, so that such ledgers need not share any."""


def make_devnet(folder: Path, options: DevnetOptions | None = None) -> Devnet:
    """Make the folders of a devnet; starts nothing. Raises UserFault if there is one already."""
    options = options or DevnetOptions()
    folder = folder.resolve()
    if (folder / DEVNET_FILE).exists():
        raise UserFault("there is a devnet in it already", field=str(folder))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserFault(
            "is not empty and holds no devnet",
            field=str(folder),
            next_step="Choose another folder; nothing in it is overwritten",
        )
    agencies = options.parties or list_development_agencies(options.agencies)
    spec = build_development_spec(
        options.agencies,
        parties=options.parties,
        is_header_vote=options.is_header_vote,
        qbft=options.qbft,
        chain_id=options.chain_id,
        first_key=options.first_key,
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / GENESIS_FILE).write_text(_render_genesis(spec), encoding="utf-8")
    ports = choose_free_ports(2 * len(agencies))
    nodes = tuple(
        DevnetNode(
            number=options.first_key + place,
            name=agency.label,
            folder=folder / agency.label,
            network_port=ports[2 * place],
            api_port=ports[2 * place + 1],
        )
        for place, agency in enumerate(agencies)
    )
    devnet = Devnet(folder=folder, nodes=nodes)
    for node in nodes:
        _make_keys(devnet, node)
    for node in nodes:
        _make_settings(devnet, node, is_tapped=options.is_tapped)
    _write(devnet)
    return devnet


def add_node(devnet: Devnet, *, is_validator: bool = True) -> tuple[Devnet, DevnetNode]:
    """Make the folder of one more agency's node, which the others have not admitted yet.

    It has the published keys of the next number and invites of all nodes; its disk is empty.
    """
    number = max(node.number for node in devnet.nodes) + 1
    if number > MAX_AGENCIES:
        raise UserFault(f"a devnet has at most {MAX_AGENCIES} nodes", field="agencies")
    agency: DevelopmentAgency = list_development_agencies(max(number, 4))[number - 1]
    network_port, api_port = choose_free_ports(2)
    node = DevnetNode(
        number=number,
        name=agency.label,
        folder=devnet.folder / agency.label,
        network_port=network_port,
        api_port=api_port,
    )
    larger = replace(devnet, nodes=(*devnet.nodes, node))
    _make_keys(larger, node)
    _make_settings(larger, node, is_validator=is_validator)
    _write(larger)
    return larger, node


def read_devnet(folder: Path) -> Devnet:
    """Read what `make_devnet` wrote; raises UserFault if there is no devnet in the folder."""
    folder = folder.resolve()
    try:
        document = json.loads((folder / DEVNET_FILE).read_text(encoding="utf-8"))
        nodes = tuple(
            DevnetNode(
                number=item["number"],
                name=item["name"],
                folder=folder / item["name"],
                network_port=item["network_port"],
                api_port=item["api_port"],
            )
            for item in document["nodes"]
        )
    except OSError:
        raise UserFault(
            "there is no devnet in it",
            field=str(folder),
            next_step="Make one with `atesta devnet up`",
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserFault(f"{DEVNET_FILE} is damaged: {error!r}", field=str(folder)) from error
    return Devnet(folder=folder, nodes=nodes)


def choose_free_ports(count: int) -> list[int]:
    """Return different TCP ports that nothing on this machine listens on now."""
    with ExitStack() as stack:
        ports = []
        for _ in range(count):
            listener = stack.enter_context(socket.socket())
            listener.bind((_HOST, 0))
            ports.append(int(listener.getsockname()[1]))
        return ports


@lru_cache(maxsize=8)
def _render_genesis(spec: GenesisSpec) -> str:
    """Return the genesis file's text; running the constructors takes a second, hence the cache."""
    return json.dumps(build_genesis(spec), indent=1) + "\n"


def _make_keys(devnet: Devnet, node: DevnetNode) -> None:
    node.folder.mkdir(parents=True)
    (node.folder / GENESIS_FILE).write_bytes(devnet.genesis_file.read_bytes())
    genesis = load_genesis(devnet.genesis_file)
    binding = ChainBinding(chain_id=genesis.chain_id, genesis_hash=genesis.genesis_hash)
    write_secret_file(node.folder / PASSPHRASE_FILE, _PASSPHRASE)
    write_secret_file(node.folder / VAULT_KEY_FILE, secrets.token_bytes(_VAULT_KEY_BYTES))
    for purpose in PURPOSES:
        is_validator = purpose == "validator"
        import_key_file(
            node.folder / _name_key_file(purpose),
            _PASSPHRASE.decode().strip(),
            get_private_key(node.number, purpose),
            purpose=KeyPurpose.VALIDATOR if is_validator else KeyPurpose.ACCOUNT,
            binding=binding if is_validator else None,
            strength=KdfStrength.DEVELOPMENT,
        )
    make_first_sign_state(node.data_dir, binding, get_address(node.number, "validator"))
    key = ec.derive_private_key(get_tls_scalar(node.number), ec.SECP256R1())
    create_tls_identity(node.folder / TLS_KEY_FILE, node.folder / TLS_CERTIFICATE_FILE, key=key)


def _make_settings(
    devnet: Devnet, node: DevnetNode, *, is_tapped: bool = False, is_validator: bool = True
) -> None:
    invites = [_write_invite(devnet, node, other) for other in devnet.nodes if other != node]
    lines = format_settings(
        name=node.name,
        network_port=node.network_port,
        api_port=node.api_port,
        invites=invites,
        is_validator=is_validator,
        log_file=LOG_FILE,
    )
    if is_tapped:
        lines.insert(lines.index("[network]") + 1, 'tap = "traffic.bin"')
    write_settings(node.folder, lines)


def _write_invite(devnet: Devnet, node: DevnetNode, other: DevnetNode) -> str:
    """Write into a node's folder the invite of another one; return its path from the settings."""
    genesis = load_genesis(devnet.genesis_file)
    certificate, pin = _get_certificate(other)
    invite = Invite(
        chain_id=genesis.chain_id,
        genesis_hash=genesis.genesis_hash,
        address=PeerAddress(host=_HOST, port=other.network_port),
        certificate=certificate,
        pin=pin,
        validator=get_address(other.number, "validator"),
        checkpoint=Checkpoint(number=Height(0), block_hash=genesis.genesis_hash),
    )
    path = Path("invites") / f"{other.name}.json"
    (node.folder / path).parent.mkdir(exist_ok=True)
    (node.folder / path).write_text(encode_invite(invite), encoding="utf-8")
    return str(path)


def _get_certificate(node: DevnetNode) -> tuple[bytes, Hash32]:
    identity = load_tls_identity(node.folder / TLS_KEY_FILE, node.folder / TLS_CERTIFICATE_FILE)
    return identity.certificate, identity.pin


def _name_key_file(purpose: Purpose) -> Path:
    if purpose == "validator":
        return VALIDATOR_FILE
    return ACCOUNT_FILE if purpose == "account" else Path(f"keys/{purpose}.json")


def _write(devnet: Devnet) -> None:
    nodes = [
        {
            "number": node.number,
            "name": node.name,
            "network_port": node.network_port,
            "api_port": node.api_port,
        }
        for node in devnet.nodes
    ]
    path = devnet.folder / DEVNET_FILE
    path.write_text(json.dumps({"nodes": nodes}, indent=1) + "\n", encoding="utf-8")
