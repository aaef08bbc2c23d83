"""The transport between agencies: who may connect, what they exchange, in which order.

    trust.py, handshake.py   mutual TLS with pinned keys; then proof of the validator key
    frames.py, queue.py      msgpack frames with bounds; consensus ahead of all else
    rates.py                 how much of it is taken and passed on
    gossip.py                what was seen, what is passed on, what is only announced
    sync.py                  blocks for a node that was away, is new or only follows
    network.py               `Network`: connections, calls, keepalive, scores

The network moves bytes between nodes that the registry admits. It imposes bounds on everything a
peer can send and drops peers that break the protocol; it never judges a block or a transaction.
"""

from node.network.metrics import NetworkMetrics
from node.network.network import Network
from node.network.ports import (
    BlockSource,
    Checkpoint,
    NetworkHandlers,
    NodeIdentity,
    PeerAddress,
    PeerDirectory,
    PeerInfo,
    SyncProgress,
    TrustedPeer,
)
from node.network.settings import NetworkSettings

__all__ = [
    "BlockSource",
    "Checkpoint",
    "Network",
    "NetworkHandlers",
    "NetworkMetrics",
    "NetworkSettings",
    "NodeIdentity",
    "PeerAddress",
    "PeerDirectory",
    "PeerInfo",
    "SyncProgress",
    "TrustedPeer",
]
