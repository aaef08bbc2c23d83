"""The bounds and times of the network, each with a default that suits a few dozen agencies.

There is a bound on everything that another node can make us hold or do: bytes of a frame, frames
that wait, messages a second, connections before admission. Times are in seconds.
"""

from dataclasses import dataclass
from pathlib import Path

from node.errors import UserFault
from node.network.ports import Checkpoint, PeerAddress
from node.settings import is_loopback

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """How this node takes part in the network. Validated on construction."""

    host: str = "127.0.0.1"
    """Address to listen on."""

    port: int = 0
    """Port to listen on; 0 chooses a free one (see `Network.listen_address`)."""

    advertised: PeerAddress | None = None
    """What peers are told to call; None: the address listened on."""

    client: str = "atesta"
    """Program and version told to peers, at most 64 characters."""

    checkpoint: Checkpoint | None = None
    """A block that history must contain (from an invite)."""

    address_book: Path | None = None
    """File that remembers peers' addresses between runs; None: forgotten."""

    tap: Path | None = None
    """Development only, refused outside loopback: every decrypted frame is appended here."""

    max_peers: int = 100
    """Admitted connections."""

    max_pending: int = 64
    """Connections that have not been admitted yet."""

    max_pending_per_host: int = 16
    """Of those, from one remote address."""

    max_frame_bytes: int = 8 * MIB
    """Largest frame, either way."""

    max_queue_bytes: int = 16 * MIB
    """Bytes that may wait for one peer, per priority."""

    max_queue_frames: int = 10_000
    """Frames that may wait for one peer, per priority."""

    max_seen: int = 65_536
    """Message and transaction hashes remembered, against repetition; per peer a quarter of it."""

    max_cache_bytes: int = 32 * MIB
    """Recent large messages and transactions kept for peers that ask for them."""

    max_blocks_per_request: int = 64
    """Blocks asked for at once in sync."""

    max_blocks_bytes: int = MIB
    """A block answer ends after this many bytes (but holds at least one block)."""

    sync_window: int = 256
    """Blocks asked for ahead of the one being imported."""

    admission_timeout_s: float = 6.0
    """From TCP connection to admitted peer."""

    dial_timeout_s: float = 5.0
    """For the TCP connection itself."""

    redial_base_s: float = 0.25
    """First wait before calling a peer again; doubled each time, with jitter."""

    redial_max_s: float = 10.0
    """Longest wait before calling again."""

    keepalive_s: float = 5.0
    """Interval of keepalive frames."""

    silence_s: float = 16.0
    """A connection on which nothing arrives for so long is half-open and is closed."""

    request_timeout_s: float = 10.0
    """For one answer with blocks."""

    announce_delay_s: float = 0.05
    """How long a message that was only announced may still arrive by itself before it is asked."""

    batch_delay_s: float = 0.01
    """How long transactions are collected before they are sent together."""

    follow_grace_s: float = 0.4
    """How long an announced next block may arrive through consensus before it is fetched.
    Observers, which take no part in consensus, set 0."""

    ban_s: float = 30.0
    """First time-out of a peer dropped for misbehaviour; doubled at each repetition."""

    def __post_init__(self) -> None:
        """Refuse a combination that would be unsafe or could not work."""
        if self.tap is not None and not is_loopback(self.host):
            raise UserFault(
                f"a frame tap writes decrypted traffic and is refused while listening on "
                f"{self.host}",
                field="network.tap",
                next_step="Remove the tap, or listen on 127.0.0.1",
            )
        if not 0 <= self.port <= 65_535:
            raise UserFault("must be between 0 and 65535", field="network.port")
        if self.silence_s < 2 * self.keepalive_s:
            raise UserFault("must be at least two keepalive intervals", field="network.silence_s")
        if len(self.client) > 64:
            raise UserFault("must be at most 64 characters", field="network.client")
