"""A peer with an agency's own keys that speaks the transport by hand, to real nodes.

The keys are right, so it is admitted like the agency's node; what it says then is up to the test.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from eth_typing import Hash32

from consensus.messages import encode_message
from consensus.payloads import MessageCode
from consensus.signatures import ValidatorKey
from contracts.testkeys import get_private_key
from node.chain.genesis import load_genesis
from node.cli.devnet import DevnetNode
from node.keys import TlsIdentity
from node.keys.signer import SigningKey
from node.network import NodeIdentity, TrustedPeer
from node.network.aborting import abort_connection
from node.network.admission import LocalSide, admit_outbound
from node.network.frames import (
    LENGTH_BYTES,
    PROTOCOL_VERSION,
    Consensus,
    Frame,
    Goodbye,
    Hello,
    Ping,
    Pong,
    decode_frame,
    encode_frame,
)
from node.network.preface import Refusal
from node.network.trust import TlsContexts
from tests.integration.linked_net import get_tls
from tests.simulation.forge import make_commit

WAIT_S = 90.0
HEIGHTS_AHEAD = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RoguePeer:
    """One admitted connection, for synchronous tests."""

    runner: asyncio.Runner
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    @contextmanager
    def join(
        cls, genuine: DevnetNode, victim: DevnetNode, tls: TlsIdentity | None = None
    ) -> Iterator[Self]:
        """Connect to a node as another one, with that one's keys (or another TLS key).

        Raises NotAdmitted with the victim's reason if it does not let this peer in.
        """
        with asyncio.Runner() as runner:
            reader, writer = runner.run(_admit(genuine, victim, tls or get_tls(genuine)))
            try:
                yield cls(runner=runner, reader=reader, writer=writer)
            finally:
                abort_connection(writer)

    def send(self, *frames: Frame) -> None:
        """Send frames."""
        self.send_bytes(b"".join(encode_frame(frame) for frame in frames))

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are; that the node closes meanwhile is no error."""

        async def write() -> None:
            with contextlib.suppress(OSError):
                self.writer.write(data)
                await self.writer.drain()

        self.runner.run(write())

    def read_to_end(self) -> str:
        """Answer pings until the node closes; return the reason it gives, or nothing."""

        async def read() -> str:
            reason = ""
            async with asyncio.timeout(WAIT_S):
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    while True:
                        length = int.from_bytes(await self.reader.readexactly(LENGTH_BYTES), "big")
                        frame = decode_frame(await self.reader.readexactly(length))
                        if isinstance(frame, Ping):
                            pong = Pong(token=frame.token, clock_ms=frame.clock_ms)
                            self.writer.write(encode_frame(pong))
                        elif isinstance(frame, Goodbye):
                            reason = frame.reason
            return reason

        return self.runner.run(read())


def sign_votes(genuine: DevnetNode, height: int, count: int) -> list[Frame]:
    """Sign valid commits to blocks that do not exist, for the next heights, each a new message."""
    key = ValidatorKey(get_private_key(genuine.number, "validator"))
    return [
        Consensus(
            stamp=os.urandom(8),
            code=int(MessageCode.COMMIT),
            payload=encode_message(
                make_commit(key, height + number % HEIGHTS_AHEAD, 0, Hash32(os.urandom(32)))
            ),
        )
        for number in range(count)
    ]


async def _admit(
    genuine: DevnetNode, victim: DevnetNode, tls: TlsIdentity
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    genesis = load_genesis(genuine.folder / "genesis.json")
    pin = get_tls(victim).pin

    def make_hello(nonce: bytes) -> Hello:
        return Hello(
            version=PROTOCOL_VERSION,
            chain_id=genesis.chain_id,
            genesis_hash=genesis.genesis_hash,
            nonce=nonce,
            instance=b"r" * 16,
            client="rogue",
            host="",
            port=0,
            head_number=0,
            head_hash=genesis.genesis_hash,
        )

    local = LocalSide(
        identity=NodeIdentity(
            tls=tls, signer=SigningKey(get_private_key(genuine.number, "validator"))
        ),
        chain_id=genesis.chain_id,
        genesis_hash=Hash32(genesis.genesis_hash),
        contexts=TlsContexts(tls),
        get_trusted=lambda: {pin: TrustedPeer(pin=pin, label=victim.name)},
        get_refusal=lambda _pin: Refusal.NONE,
        make_hello=make_hello,
        wall_clock=time.time,
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", victim.network_port)
    try:
        admitted = await admit_outbound(local, reader, writer)
    except BaseException:
        abort_connection(writer)
        raise
    return admitted.reader, admitted.writer
