"""What the network needs from the rest of the node, and what it tells it.

The network moves bytes between admitted nodes; what those bytes mean is decided elsewhere. It
learns whom to trust from a `PeerDirectory`, reads and writes blocks through a `BlockSource`, and
reports what arrives through `NetworkHandlers`. Nothing here knows the registry contract, the
mempool or the consensus engine, so each of them can be replaced or simulated.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from eth_typing import Address, Hash32

from consensus.block import Block
from consensus.header import BlockHeader
from consensus.types import Height
from node.keys.signer import SigningKey
from node.keys.tls import TlsIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerAddress:
    """Where a node can be reached over TCP."""

    host: str
    """An IP address or a host name."""

    port: int
    """1 to 65535."""

    def __str__(self) -> str:
        """Return `host:port`, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeIdentity:
    """Who this node is to others."""

    tls: TlsIdentity
    """The key whose pin the registry lists."""

    signer: SigningKey
    """The validator key, or for an observer an account key of its agency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedPeer:
    """One TLS pin that may connect now, and what else is known of its owner."""

    pin: Hash32
    """SHA-256 of the certificate's SubjectPublicKeyInfo."""

    label: str
    """A short name for logs and the explorer: the agency's id or `invite`. Never personal."""

    signers: frozenset[Address] | None = None
    """Validator and account addresses that may sign this peer's handshake; None: any."""

    addresses: tuple[PeerAddress, ...] = ()
    """Addresses to call it on, best first; empty when only it can call us."""


class PeerDirectory(Protocol):
    """Whom this node trusts: the registry at its own head, plus the invites of its settings."""

    def get_trusted_peers(self) -> Mapping[Hash32, TrustedPeer]:
        """Return the peers trusted now, by pin.

        Called on the event loop at every head, so it must answer from memory; whoever implements
        it reads the registry once a head in the worker thread.
        """
        ...


class BlockSource(Protocol):
    """The final chain as the network sees it. `node.chain.blockchain.Blockchain` is one.

    Reads are safe from any thread. `import_block` is only called in the worker thread.
    """

    @property
    def head(self) -> BlockHeader:
        """Return the header of the last final block."""
        ...

    def get_block(self, number_or_hash: int | Hash32, /) -> Block | None:
        """Return a final block with its seals, or None if this node has no such block."""
        ...

    def import_block(self, block: Block, /) -> object:
        """Verify and store the next block: parent link, every rule, every seal, execution.

        Raises an error (not a NodeError of another branch than PeerFault) when the block breaks a
        rule, TooEarly when nothing is wrong but our clock is not there yet; importing a known block
        again does nothing.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A block that must be part of the history this node accepts."""

    number: Height
    """Its height."""

    block_hash: Hash32
    """Its block hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerInfo:
    """One connected peer, as the explorer, `net_peerCount` and the operator see it."""

    peer_id: str
    """The pin in hex, 64 digits: the peer's identity in every call of this package."""

    pin: Hash32
    """SHA-256 of its SubjectPublicKeyInfo."""

    label: str
    """The directory's name for it."""

    signer: Address
    """The validator or account address that signed its handshake."""

    address: PeerAddress
    """The remote end of the connection."""

    listens_on: PeerAddress | None
    """Where it says it can be called."""

    outbound: bool
    """Whether we called it."""

    client: str
    """Its program and version, at most 64 characters."""

    head_number: Height
    """The height that it last announced."""

    head_hash: Hash32
    """The block hash that it last announced."""

    round_trip_ms: float | None
    """Last measured round trip; None before the first keepalive answer."""

    clock_offset_ms: float | None
    """Its clock minus ours, give or take half a round trip; None before the first answer."""

    score: float
    """Penalty points now; at 100 the peer is dropped. An honest peer stays near 0."""

    connected_at_s: float
    """Wall-clock time at which the connection was admitted, seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncProgress:
    """How far block sync has come."""

    start: Height
    """The head when this run of sync began."""

    current: Height
    """The head now."""

    target: Height
    """The highest head that peers announce."""

    blocks_per_s: float
    """Average since the start of this run."""

    peers: int
    """Peers that blocks are being asked from."""


def _ignore_consensus(_code: int, _payload: bytes, _peer_id: str) -> Address | None:
    return None


async def _ignore_transactions(_raws: tuple[bytes, ...], _peer_id: str) -> None:
    return None


def _ignore(*_arguments: object) -> None:
    return None


def _nothing_pending() -> Iterable[bytes]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkHandlers:
    """What the network calls, always on the event loop. All have a default that does nothing."""

    on_consensus: Callable[[int, bytes, str], Address | None] = field(default=_ignore_consensus)
    """`(code, payload, peer_id)`: a consensus message, once per broadcast. Return its author if it
    is worth passing on to other peers (it decodes and its author is a validator), None if not;
    raise PeerFault if it cannot be decoded at all. It must only take the message in and not work on
    it."""

    on_transactions: Callable[[tuple[bytes, ...], str], Awaitable[None]] = field(
        default=_ignore_transactions
    )
    """`(raw transactions, peer_id)`: not seen before by this node. The admitted ones are passed on
    by calling `Network.gossip_transactions` with them. Raise PeerFault for undecodable bytes."""

    get_pending_transactions: Callable[[], Iterable[bytes]] = field(default=_nothing_pending)
    """The transactions that wait now, oldest first: announced to a peer that has just joined."""

    on_peer_joined: Callable[[PeerInfo], None] = field(default=_ignore)
    """A peer was admitted."""

    on_peer_left: Callable[[PeerInfo, str], None] = field(default=_ignore)
    """`(peer, reason)`: the connection to a peer ended."""

    on_sync_started: Callable[[SyncProgress], None] = field(default=_ignore)
    """This node is behind; consensus may pause until `on_synced`."""

    on_sync_progress: Callable[[SyncProgress], None] = field(default=_ignore)
    """Blocks were imported; called at most a few times a second."""

    on_synced: Callable[[BlockHeader], None] = field(default=_ignore)
    """The head has caught up with the peers': consensus restarts on this header."""

    on_fault: Callable[[Exception], None] = field(default=_ignore)
    """Something on our side failed while importing a block: the operator must see it."""
