"""A few nodes on real sockets of 127.0.0.1, with a chain that checks links and seals only by name.

The chain of these tests is a list of headers whose `extra_data` must be `SEALED`: enough to see
whether the network asks for, orders, verifies and refuses blocks, without executing any.
"""

import asyncio
import contextlib
import itertools
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from eth_typing import Address, Hash32

from consensus.block import Block
from consensus.extra_data import ExtraData, encode_extra_data
from consensus.header import BlockHeader, compute_block_hash
from consensus.types import Height
from node.errors import PeerFault
from node.keys import SigningKey, TlsIdentity, create_tls_identity
from node.network import (
    Network,
    NetworkHandlers,
    NetworkSettings,
    NodeIdentity,
    PeerAddress,
    PeerInfo,
    SyncProgress,
    TrustedPeer,
)
from node.network.peer import close_writer

CHAIN_ID = 4242
GENESIS_HASH = Hash32(b"\x47" * 32)
WAIT_S = 90.0
SEALED = encode_extra_data(ExtraData(vanity=bytes(32), seals=(b"\x01" * 65,)))
UNSEALED = encode_extra_data(ExtraData(vanity=bytes(32)))

FAST = NetworkSettings(
    keepalive_s=0.2,
    silence_s=3.0,
    redial_base_s=0.05,
    redial_max_s=0.4,
    request_timeout_s=3.0,
    follow_grace_s=0.05,
    ban_s=30.0,
    admission_timeout_s=20.0,
)


def make_header(number: int, parent: Hash32, *, salt: int = 0) -> BlockHeader:
    return BlockHeader(
        parent_hash=parent,
        coinbase=Address(bytes(20)),
        state_root=Hash32(salt.to_bytes(32, "big")),
        transactions_root=Hash32(bytes(32)),
        receipts_root=Hash32(bytes(32)),
        number=Height(number),
        gas_limit=30_000_000,
        gas_used=0,
        timestamp=1_700_000_000 + number,
        extra_data=SEALED,
        base_fee_per_gas=0,
        withdrawals_root=Hash32(bytes(32)),
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=Hash32(bytes(32)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A chain made beforehand, shared by all nodes of a test."""

    blocks: tuple[Block, ...]

    def get_hash(self, number: int) -> Hash32:
        return compute_block_hash(self.blocks[number].header)


def make_history(length: int, *, fork_at: int | None = None) -> History:
    """Make `length` blocks after genesis; from `fork_at` on they differ from the usual ones."""
    blocks = [Block(header=make_header(0, Hash32(bytes(32))), withdrawals=())]
    for number in range(1, length + 1):
        salt = 1 if fork_at is not None and number >= fork_at else 0
        parent = compute_block_hash(blocks[-1].header)
        transaction = b"\x02" + bytes([number % 256]) * 200
        header = make_header(number, parent, salt=salt)
        blocks.append(Block(header=header, transactions=(transaction,), withdrawals=()))
    return History(blocks=tuple(blocks))


class FakeChain:
    """A `BlockSource`: final blocks in memory."""

    def __init__(self, history: History, height: int = 0) -> None:
        self.blocks = list(history.blocks[: height + 1])
        self.import_delay_s = 0.0
        self.threads: set[str] = set()
        self.fault: Exception | None = None

    @property
    def head(self) -> BlockHeader:
        return self.blocks[-1].header

    def get_block(self, number_or_hash: int | Hash32, /) -> Block | None:
        assert isinstance(number_or_hash, int)
        return self.blocks[number_or_hash] if number_or_hash < len(self.blocks) else None

    def import_block(self, block: Block, /) -> object:
        self.threads.add(threading.current_thread().name)
        time.sleep(self.import_delay_s)
        if self.fault is not None:
            raise self.fault
        if block.header.extra_data != SEALED:
            raise PeerFault("seals: fewer than a quorum")
        if block.header.number <= self.head.number:
            return None
        if block.header.parent_hash != compute_block_hash(self.head):
            raise PeerFault("parent: not our head")
        self.blocks.append(block)
        return None


AUTHOR = Address(b"author".rjust(20, b"\0"))


class FakeDirectory:
    """A `PeerDirectory` that a test changes."""

    def __init__(self) -> None:
        self.trusted: dict[Hash32, TrustedPeer] = {}

    def get_trusted_peers(self) -> Mapping[Hash32, TrustedPeer]:
        return dict(self.trusted)


@dataclass(slots=True)
class Node:
    """One node of a test and everything it was told."""

    name: str
    tls: TlsIdentity
    signer: SigningKey
    directory: FakeDirectory
    chain: FakeChain
    network: Network = field(init=False)
    consensus: list[tuple[int, bytes]] = field(default_factory=list)
    transactions: list[bytes] = field(default_factory=list)
    joined: list[PeerInfo] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    synced: list[BlockHeader] = field(default_factory=list)
    sync_started: list[SyncProgress] = field(default_factory=list)
    progress: list[SyncProgress] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    pending: list[bytes] = field(default_factory=list)
    relay: bool = True

    @property
    def address(self) -> PeerAddress:
        return self.network.listen_address

    def trust(self, other: "Node", *, with_address: bool = True) -> None:
        """Trust another node's pin and key."""
        self.directory.trusted[other.tls.pin] = TrustedPeer(
            pin=other.tls.pin,
            label=other.name,
            signers=frozenset((other.signer.address,)),
            addresses=(other.address,) if with_address else (),
        )
        self.network.refresh_directory()

    def distrust(self, other: "Node") -> None:
        del self.directory.trusted[other.tls.pin]
        self.network.refresh_directory()

    def is_connected(self, other: "Node") -> bool:
        return any(peer.pin == other.tls.pin for peer in self.network.peers())

    def get_peer(self, other: "Node") -> PeerInfo:
        return next(peer for peer in self.network.peers() if peer.pin == other.tls.pin)


class World:
    """Makes nodes and stops them all."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.rng = random.Random(seed)
        self.nodes: list[Node] = []
        self.workers: list[ThreadPoolExecutor] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def start(
        self,
        name: str,
        *,
        chain: FakeChain | None = None,
        settings: NetworkSettings = FAST,
        genesis_hash: Hash32 = GENESIS_HASH,
        chain_id: int = CHAIN_ID,
        like: Node | None = None,
        wall_clock: Callable[[], float] | None = None,
    ) -> Node:
        """Start a node; `like` gives it the keys of another (a restart, or a thief)."""
        if like is None:
            tls = create_tls_identity(self.folder / f"{name}.key", self.folder / f"{name}.crt")
            signer = SigningKey(self.rng.randbytes(32))
        else:
            tls, signer = like.tls, like.signer
        directory = like.directory if like is not None else FakeDirectory()
        chain = chain or FakeChain(make_history(0))
        worker = ThreadPoolExecutor(1, f"worker-{name}")
        self.workers.append(worker)
        node = Node(name=name, tls=tls, signer=signer, directory=directory, chain=chain)

        def on_consensus(code: int, payload: bytes, _peer: str) -> Address | None:
            node.consensus.append((code, payload))
            return AUTHOR if node.relay else None

        async def on_transactions(raws: tuple[bytes, ...], _peer: str) -> None:
            node.transactions.extend(raws)
            node.network.gossip_transactions(raws)

        node.network = Network(
            identity=NodeIdentity(tls=tls, signer=signer),
            genesis_hash=genesis_hash,
            chain_id=chain_id,
            directory=directory,
            chain=chain,
            handlers=NetworkHandlers(
                on_consensus=on_consensus,
                on_transactions=on_transactions,
                get_pending_transactions=lambda: list(node.pending),
                on_peer_joined=node.joined.append,
                on_peer_left=lambda _info, reason: node.left.append(reason),
                on_synced=node.synced.append,
                on_sync_started=node.sync_started.append,
                on_sync_progress=node.progress.append,
                on_fault=node.faults.append,
            ),
            settings=settings,
            worker=worker,
            rng=random.Random(self.rng.random()),
            wall_clock=wall_clock or time.time,
        )
        self.nodes.append(node)
        await node.network.start()
        return node

    async def start_connected(self, *names: str, settings: NetworkSettings = FAST) -> list[Node]:
        """Start nodes that trust each other and wait until all are connected."""
        nodes = [await self.start(name, settings=settings) for name in names]
        await connect(*nodes)
        return nodes

    async def stop(self) -> None:
        for writer in self.writers:
            await close_writer(writer)
        for node in self.nodes:
            await node.network.stop()
        for worker in self.workers:
            worker.shutdown()


async def connect(*nodes: Node) -> None:
    """Let nodes trust each other and wait until all are connected."""
    pairs = list(itertools.permutations(nodes, 2))
    for node, other in pairs:
        node.trust(other)
    # Two that called each other settle on one connection: one side called, the other was called.
    await until(
        lambda: all(
            node.is_connected(other)
            and other.is_connected(node)
            and node.get_peer(other).outbound != other.get_peer(node).outbound
            for node, other in pairs
        ),
        "all connect",
    )


async def until(condition: Callable[[], bool], what: str = "") -> None:
    """Wait for a condition; fail with its name."""
    try:
        async with asyncio.timeout(WAIT_S):
            while not condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"did not happen: {what or 'the awaited condition'}") from None


@contextlib.asynccontextmanager
async def make_world(folder: Path, seed: int) -> AsyncIterator[World]:
    world = World(folder, seed)
    try:
        yield world
    finally:
        await world.stop()


def change(block: Block, **changes: object) -> Block:
    """Return a block with another header."""
    return replace(block, header=replace(block.header, **changes))  # type: ignore[arg-type]
