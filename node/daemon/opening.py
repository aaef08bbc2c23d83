"""What a node needs before it may speak to anybody, opened in the order of what costs least.

Settings and key files come first, because most mistakes are there and nothing has been touched
yet; then the genesis, which keys and invites must belong to; then the store, whose lock keeps a
second process with the same folder away from everything that lies beside it.
"""

from dataclasses import dataclass
from pathlib import Path

from eth_typing import Address

from consensus.types import Height
from node.chain.backends import assert_fast_backends
from node.chain.genesis import Genesis, load_genesis
from node.chain.registry import RegistryTables
from node.errors import OperationalFault, UserFault
from node.keys import (
    ChainBinding,
    KeyPurpose,
    SigningKey,
    TlsIdentity,
    load_key_file,
    load_tls_identity,
    read_passphrase_file,
    refuse_published_keys,
)
from node.mempool import MempoolLimits
from node.network import NetworkSettings, PeerAddress
from node.network.invite import Invite, load_invite, parse_address
from node.network.ports import NodeIdentity
from node.settings import Settings, is_loopback
from node.validator.sign_store import FOLDER_NAME
from node.version import CLIENT_VERSION

_CHAIN_FOLDER = "chain"
_MEMPOOL_FILE = "mempool.journal"
_ADDRESS_BOOK_FILE = "peers.json"
_SNAPSHOT_FOLDER = "snapshots"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFolder:
    """Where each part of a node keeps its files."""

    root: Path

    @property
    def chain(self) -> Path:
        """Return the folder of blocks and state (LevelDB)."""
        return self.root / _CHAIN_FOLDER

    @property
    def mempool(self) -> Path:
        """Return the journal of waiting transactions."""
        return self.root / _MEMPOOL_FILE

    @property
    def sign_state(self) -> Path:
        """Return the folder of the validator's two sign-state files."""
        return self.root / FOLDER_NAME

    @property
    def snapshots(self) -> Path:
        """Return the folder of the snapshot that was written last."""
        return self.root / _SNAPSHOT_FOLDER

    @property
    def address_book(self) -> Path:
        """Return the file of known peers' addresses."""
        return self.root / _ADDRESS_BOOK_FILE

    def make(self) -> None:
        """Make the folder; raises OperationalFault if it cannot be written."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise OperationalFault(
                f"{self.root} cannot be made: {error.strerror}", field="node.data_dir"
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this node is: its genesis and its keys, checked against each other."""

    genesis: Genesis
    binding: ChainBinding
    """The chain that keys and stores must belong to."""
    validator: SigningKey | None
    """The consensus key; None for an observer."""
    accounts: tuple[SigningKey, ...]
    """The agency's accounts, which the outbox signs with."""
    tls: TlsIdentity
    invites: tuple[Invite, ...]

    @property
    def as_peer(self) -> NodeIdentity:
        """Return the keys with which it meets other nodes."""
        signer = self.validator or next(iter(self.accounts), None)
        if signer is None:
            raise UserFault(
                "is needed: an observer signs its handshakes with an account of its agency",
                field="api.account_key_files",
            )
        return NodeIdentity(tls=self.tls, signer=signer)

    @property
    def validator_address(self) -> Address | None:
        """Return the address that seals blocks; None for an observer."""
        return None if self.validator is None else self.validator.address


def open_identity(settings: Settings) -> Identity:
    """Load genesis, keys and invites, and check that they belong together.

    Raises UserFault or OperationalFault naming file or setting.
    """
    assert_fast_backends()
    genesis = load_genesis(settings.node.genesis)
    binding = ChainBinding(chain_id=genesis.chain_id, genesis_hash=genesis.genesis_hash)
    network = settings.network
    identity = Identity(
        genesis=genesis,
        binding=binding,
        validator=_load_validator(settings, binding),
        accounts=load_accounts(settings),
        tls=load_tls_identity(network.tls_key_file, network.tls_certificate_file),
        invites=tuple(
            load_invite(path, chain_id=genesis.chain_id, genesis_hash=genesis.genesis_hash)
            for path in network.bootstrap_peers
        ),
    )
    _refuse_published(identity, find_exposed_host(settings))
    return identity


def make_network_settings(settings: Settings, invites: tuple[Invite, ...]) -> NetworkSettings:
    """Return the network's settings from the operator's and the newest checkpoint of an invite."""
    network = settings.network
    advertised: PeerAddress | None = None
    if network.advertised_address is not None:
        advertised = parse_address(network.advertised_address, "network.advertised_address")
    checkpoint = max(
        (invite.checkpoint for invite in invites if invite.checkpoint.number > Height(0)),
        key=lambda checkpoint: checkpoint.number,
        default=None,
    )
    return NetworkSettings(
        host=network.host,
        port=network.port,
        advertised=advertised,
        client=CLIENT_VERSION,
        checkpoint=checkpoint,
        address_book=DataFolder(root=settings.node.data_dir).address_book,
        tap=network.tap,
        max_frame_bytes=network.max_frame_bytes,
    )


def make_mempool_limits(settings: Settings) -> MempoolLimits:
    """Return the mempool's limits from the operator's settings."""
    limits = settings.mempool
    return MempoolLimits(
        max_transactions=limits.max_transactions,
        max_bytes=limits.max_bytes,
        max_sender_transactions=limits.max_sender_transactions,
        max_sender_bytes=limits.max_sender_bytes,
        max_nonce_gap=limits.max_nonce_gap,
        max_transaction_gas=limits.max_transaction_gas,
        max_transaction_bytes=limits.max_transaction_bytes,
    )


def _load_validator(settings: Settings, binding: ChainBinding) -> SigningKey | None:
    validator = settings.validator
    if validator.key_file is None:
        return None
    assert validator.passphrase_file is not None, "the settings were checked"
    return load_key_file(
        validator.key_file,
        read_passphrase_file(validator.passphrase_file),
        purpose=KeyPurpose.VALIDATOR,
        binding=binding,
    )


def load_accounts(settings: Settings) -> tuple[SigningKey, ...]:
    """Open the agency's accounts; raises UserFault for a wrong passphrase or another purpose."""
    api = settings.api
    if not api.account_key_files:
        return ()
    assert api.account_passphrase_file is not None, "the settings were checked"
    passphrase = read_passphrase_file(api.account_passphrase_file)
    return tuple(
        load_key_file(path, passphrase, purpose=KeyPurpose.ACCOUNT)
        for path in api.account_key_files
    )


def refuse_published_members(settings: Settings, tables: RegistryTables) -> None:
    """Raise UserFault outside loopback if the network is one of published test keys."""
    host = find_exposed_host(settings)
    if is_loopback(host):
        return
    from contracts.testkeys import is_published  # noqa: PLC0415 - rarely needed

    members = [*tables.validators, *(key for keys in tables.keys.values() for key in keys)]
    if any(is_published(member) for member in members):
        raise UserFault(
            f"founds a network of published test keys, which is refused on {host}",
            field="node.genesis",
            next_step="Make a genesis of your own with `atesta genesis`",
        )


def find_exposed_host(settings: Settings) -> str:
    """Return an address that others can reach, if the node listens on one."""
    hosts = [settings.network.host]
    if settings.api.enabled:
        hosts.append(settings.api.host)
    return next((host for host in hosts if not is_loopback(host)), hosts[0])


def _refuse_published(identity: Identity, host: str) -> None:
    keys: list[tuple[str, Address]] = []
    if identity.validator is not None:
        keys.append(("validator.key_file", identity.validator.address))
    keys += [("api.account_key_files", account.address) for account in identity.accounts]
    refuse_published_keys(keys, host)
    if is_loopback(host):
        return
    from contracts.testkeys import is_published_pin  # noqa: PLC0415 - rarely needed

    if is_published_pin(identity.tls.pin):
        raise UserFault(
            f"is a published test key and is refused on {host}", field="network.tls_key_file"
        )
