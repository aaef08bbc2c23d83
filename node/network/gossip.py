"""How consensus messages and transactions reach every node, even when not all are connected.

**Consensus messages** are flooded: the author sends to all its peers, and each node that sees a
message for the first time, and finds it worth it, passes it on to those peers that are not known to
have it. Small ones (votes) are passed on whole; large ones (proposals with blocks) are offered by
key and sent only to a peer that asks, because in a full mesh everyone has them already. A message
is identified by its bytes and by the stamp of its broadcast: its copies are dropped, while its
author may broadcast it again. A peer that joins gets our latest messages at once, so that a
connection that was lost or replaced costs no round. How many messages are taken from a peer and
passed on for an author is limited (`rates.py`).

**Transactions** that were submitted here are pushed to all peers in batches. Those that came from a
peer are offered by hash to the others once the mempool has admitted them. Waiting transactions are
offered to every peer that joins, and to all of them now and then, so that none is stranded.

Everything remembered here is bounded. A peer cannot suppress a message by sending a different one
under its key, because the key covers all of it.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

import structlog
from eth_hash.auto import keccak
from eth_typing import Address

from consensus.errors import PeerFault as ConsensusPeerFault
from node.errors import PeerFault
from node.network.frames import (
    Consensus,
    Frame,
    Offer,
    Topic,
    Transactions,
    Want,
    encode_frame,
)
from node.network.metrics import NetworkMetrics
from node.network.offers import OpenOffers
from node.network.ports import NetworkHandlers
from node.network.queues import Priority
from node.network.rates import PeerBudget, RelayBudget
from node.network.score import Offence, TokenBucket
from node.network.seen import ByteCache, SeenSet
from node.network.settings import MIB, NetworkSettings

CONSENSUS_CODES: Final = range(0x12, 0x16)
"""Besu's message codes: PROPOSAL, PREPARE, COMMIT, ROUND_CHANGE."""

RELAY_WHOLE_BYTES: Final = 4096
"""Consensus messages up to this size are passed on whole."""

_RECENT_S: Final = 5.0
_RECENT_MESSAGES: Final = 16
_RECENT_BYTES: Final = MIB
_BATCH_BYTES: Final = 256 * 1024
_OFFER_KEYS: Final = 4096
_TRANSACTION_LIFETIME_S: Final = 20.0
_REOFFER_S: Final = 30.0
_REOFFER_KEYS: Final = 1000

log = structlog.get_logger("node.network")


class GossipPeer(Protocol):
    """What gossip needs of a peer."""

    peer_id: str
    signer: Address
    known: SeenSet
    vote_budget: PeerBudget
    search_budget: TokenBucket

    def charge(self, offence: Offence, reason: str) -> None:
        """Note an offence."""
        ...

    def send(self, frame: Frame, priority: Priority) -> bool:
        """Queue a frame; False if there is no room."""
        ...

    def send_encoded(self, frame: bytes, priority: Priority) -> bool:
        """Queue an encoded frame; False if there is no room."""
        ...


def compute_consensus_key(frame: Consensus) -> bytes:
    """Return the 32-byte key of a broadcast: of its stamp, code and bytes."""
    head = frame.stamp + frame.code.to_bytes(8, "big")
    return hashlib.blake2b(head + frame.payload, digest_size=32).digest()


class Gossip:
    """The gossip of one node. All methods run on the event loop."""

    def __init__(
        self,
        *,
        settings: NetworkSettings,
        handlers: NetworkHandlers,
        metrics: NetworkMetrics,
        clock: Callable[[], float],
        make_stamp: Callable[[], bytes],
        get_peers: Callable[[], Sequence[GossipPeer]],
    ) -> None:
        self._settings = settings
        self._handlers = handlers
        self._metrics = metrics
        self._clock = clock
        self._make_stamp = make_stamp
        self._get_peers = get_peers
        self._seen_consensus = SeenSet(settings.max_seen)
        self._seen_transactions = SeenSet(settings.max_seen, lifetime_s=_TRANSACTION_LIFETIME_S)
        self._cache = ByteCache(settings.max_cache_bytes)
        self._offers = OpenOffers(settings.announce_delay_s)
        self._outgoing: list[tuple[bytes, bytes, bool]] = []
        self._relays = RelayBudget()
        self._recent: deque[tuple[float, bytes, bytes]] = deque(maxlen=_RECENT_MESSAGES)
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Send batches and ask for offered things until cancelled."""
        reoffer_s = self._clock() + _REOFFER_S
        while True:
            if not self._outgoing and not len(self._offers):
                timeout_s = max(0.0, reoffer_s - self._clock())
                try:
                    async with asyncio.timeout(timeout_s):
                        await self._wake.wait()
                except TimeoutError:
                    pass
            self._wake.clear()
            await asyncio.sleep(self._settings.batch_delay_s)
            self.flush()
            self.ask()
            if self._clock() >= reoffer_s:
                reoffer_s = self._clock() + _REOFFER_S
                for peer in self._get_peers():
                    self._offer_pending(peer, _REOFFER_KEYS)

    def on_joined(self, peer: GossipPeer) -> None:
        """Bring a new peer up to date: our latest consensus messages, and what waits here."""
        now_s = self._clock()
        for sent_s, key, encoded in self._recent:
            if now_s - sent_s <= _RECENT_S:
                peer.send_encoded(encoded, Priority.URGENT)
                peer.known.add(key)
        self._offer_pending(peer, self._settings.max_seen // 4)

    # Consensus

    def broadcast_consensus(self, code: int, payload: bytes) -> None:
        """Send a message of this node to all peers."""
        frame = Consensus(stamp=self._make_stamp(), code=code, payload=payload)
        key = compute_consensus_key(frame)
        self._seen_consensus.add(key)
        if len(payload) <= _RECENT_BYTES:
            self._recent.append((self._clock(), key, encode_frame(frame)))
        self._spread(frame, key, whole=True)

    def process_consensus(self, peer: GossipPeer, frame: Consensus) -> None:
        """Take in a message. Raises PeerFault for what no consensus message is."""
        if frame.code not in CONSENSUS_CODES:
            raise PeerFault(f"unknown consensus code {frame.code}", field="code")
        key = compute_consensus_key(frame)
        peer.known.add(key)
        self._offers.settle(key)
        if self._seen_consensus.knows(key):
            self._metrics.count("consensus_repeated")
            return
        now_s = self._clock()
        if not peer.vote_budget.take(len(self._get_peers()), now_s):
            # Not noted as seen: others may bring it, and must not be ignored for this one's fault.
            self._metrics.count("consensus_refused")
            peer.charge(Offence.FLOOD, "it floods this node with consensus messages")
            return
        self._seen_consensus.add(key)
        self._metrics.count("consensus_new")
        try:
            author = self._handlers.on_consensus(frame.code, frame.payload, peer.peer_id)
        except ConsensusPeerFault as error:
            raise PeerFault(f"its consensus message is malformed: {error}") from error
        except PeerFault:
            raise
        except Exception:
            # Our bug. The message ends here: passed on, it would find the same bug everywhere.
            log.exception("a consensus message met a bug of this node", peer=peer.peer_id)
            self._metrics.count("handler_failures")
            return
        if author is None:
            return
        if self._relays.take(author, is_direct=author == peer.signer, now_s=now_s):
            self._metrics.count("consensus_relayed")
            self._spread(frame, key, whole=len(frame.payload) <= RELAY_WHOLE_BYTES)

    def _spread(self, frame: Consensus, key: bytes, *, whole: bool) -> None:
        encoded = encode_frame(frame)
        if len(frame.payload) > RELAY_WHOLE_BYTES:
            self._cache.put(key, encoded)
        sent = encoded if whole else encode_frame(Offer(topic=Topic.CONSENSUS, keys=(key,)))
        for peer in self._get_peers():
            if not peer.known.knows(key):
                peer.send_encoded(sent, Priority.URGENT)
                if whole:
                    peer.known.add(key)

    # Transactions

    def gossip_transactions(self, raws: Iterable[bytes]) -> None:
        """Pass on transactions that this node has admitted, in the order given."""
        now_s = self._clock()
        for raw in raws:
            key = keccak(raw)
            self._cache.put(key, raw)
            self._outgoing.append((key, raw, self._seen_transactions.add(key, now_s)))
        self._wake.set()

    def process_transactions(self, peer: GossipPeer, frame: Transactions) -> tuple[bytes, ...]:
        """Return those transactions that are new to this node, for the mempool."""
        now_s = self._clock()
        fresh = []
        for raw in frame.raws:
            key = keccak(raw)
            peer.known.add(key)
            self._offers.settle(key)
            if self._seen_transactions.add(key, now_s):
                fresh.append(raw)
        self._metrics.count("transactions_new", len(fresh))
        self._metrics.count("transactions_repeated", len(frame.raws) - len(fresh))
        return tuple(fresh)

    def flush(self) -> None:
        """Send what has been collected: pushed if it is ours, offered if it is passed on."""
        outgoing, self._outgoing = self._outgoing, []
        if not outgoing:
            return
        for peer in self._get_peers():
            wanted = [item for item in outgoing if not peer.known.knows(item[0])]
            self._push(peer, [(key, raw) for key, raw, ours in wanted if ours])
            self._offer(peer, [key for key, _, ours in wanted if not ours])

    def _push(self, peer: GossipPeer, items: list[tuple[bytes, bytes]]) -> None:
        for batch in _split(items):
            frame = Transactions(raws=tuple(raw for _, raw in batch))
            if peer.send(frame, Priority.TRANSACTIONS):
                self._metrics.count("transactions_sent", len(batch))
                for key, _ in batch:
                    peer.known.add(key)

    def _offer(self, peer: GossipPeer, keys: Sequence[bytes]) -> None:
        for start in range(0, len(keys), _OFFER_KEYS):
            frame = Offer(topic=Topic.TRANSACTION, keys=tuple(keys[start : start + _OFFER_KEYS]))
            peer.send(frame, Priority.TRANSACTIONS)

    def _offer_pending(self, peer: GossipPeer, limit: int) -> None:
        keys: list[bytes] = []
        for raw in self._handlers.get_pending_transactions():
            if len(keys) >= limit:
                break
            key = keccak(raw)
            self._cache.put(key, raw)
            keys.append(key)
        self._offer(peer, keys)

    # Offers

    def process_offer(self, peer: GossipPeer, frame: Offer) -> None:
        """Note what a peer has; it is asked for soon unless it arrives by itself."""
        self._metrics.count("offers", len(frame.keys))
        now_s = self._clock()
        for key in frame.keys:
            peer.known.add(key)
            if frame.topic is Topic.CONSENSUS:
                known = self._seen_consensus.knows(key)
            else:
                known = self._seen_transactions.knows(key, now_s)
            if not known:
                self._offers.add(frame.topic, key, peer.peer_id, now_s)
        if len(self._offers):
            self._wake.set()

    def process_want(self, peer: GossipPeer, frame: Want) -> None:
        """Send what a peer asks for, as far as it is still here."""
        self._metrics.count("wants", len(frame.keys))
        if frame.topic is Topic.CONSENSUS:
            for key in frame.keys:
                encoded = self._cache.get(key)
                if encoded is not None and peer.send_encoded(encoded, Priority.URGENT):
                    peer.known.add(key)
            return
        found = {key: raw for key in frame.keys if (raw := self._cache.get(key)) is not None}
        if len(found) < len(frame.keys) and peer.search_budget.take(1, self._clock()):
            missing = frozenset(frame.keys) - found.keys()
            for raw in self._handlers.get_pending_transactions():
                if (key := keccak(raw)) in missing:
                    found[key] = raw
        self._push(peer, list(found.items()))

    def ask(self) -> None:
        """Ask for offered things whose time has come."""
        peers = {peer.peer_id: peer for peer in self._get_peers()}
        for (peer_id, topic), keys in self._offers.take_due(self._clock(), peers).items():
            priority = Priority.URGENT if topic is Topic.CONSENSUS else Priority.TRANSACTIONS
            for start in range(0, len(keys), _OFFER_KEYS):
                wanted = Want(topic=topic, keys=tuple(keys[start : start + _OFFER_KEYS]))
                peers[peer_id].send(wanted, priority)


def _split(items: list[tuple[bytes, bytes]]) -> Iterable[list[tuple[bytes, bytes]]]:
    """Split into batches of at most `_BATCH_BYTES` (or one item)."""
    batch: list[tuple[bytes, bytes]] = []
    size = 0
    for item in items:
        if batch and (size + len(item[1]) > _BATCH_BYTES or len(batch) >= _OFFER_KEYS):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += len(item[1])
    if batch:
        yield batch
