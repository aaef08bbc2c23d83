"""Who gets in, who does not, and what both operators read about it."""

import asyncio
import datetime as dt
import time

import pytest
from eth_typing import Hash32
from structlog.testing import capture_logs

from node.errors import OperationalFault, PeerFault
from node.keys import SigningKey, create_tls_identity
from node.network import Network, NetworkHandlers, NetworkSettings, NodeIdentity, TrustedPeer
from node.network.aborting import abort_connection
from node.network.frames import Proof
from node.network.handshake import HandshakeContext, make_proof, validate_proof
from node.network.preface import MAGIC, Preface, Refusal, decode_preface, encode_preface
from tests.unit.network.network_world import (
    CHAIN_ID,
    FAST,
    GENESIS_HASH,
    FakeChain,
    FakeDirectory,
    World,
    connect,
    make_history,
    until,
)


def reasons(logs: object) -> str:
    """Return all reasons that were logged, one a line."""
    assert isinstance(logs, list)
    return "\n".join(str(entry.get("reason", "")) for entry in logs)


async def test_trusted_nodes_connect_and_know_each_other(world: World) -> None:
    a, b = await world.start_connected("a", "b")
    info = a.get_peer(b)
    assert info.peer_id == b.tls.pin.hex()
    assert info.signer == b.signer.address
    assert info.listens_on == b.address
    assert info.label == "b"
    assert a.get_peer(b).outbound != b.get_peer(a).outbound
    assert len(a.network.peers()) == 1


async def test_two_nodes_that_call_each_other_keep_one_connection(world: World) -> None:
    a, b = await world.start_connected("a", "b")
    await asyncio.sleep(0.3)
    assert a.is_connected(b)
    assert b.is_connected(a)
    # Whichever call won, the rule keeps the one that the lower pin began when both came through.
    if len(a.joined) > 1 or a.network.metrics.get("admitted") > 1:
        assert a.get_peer(b).outbound == (a.tls.pin < b.tls.pin)
    a.network.broadcast_consensus(0x13, b"once")
    await until(lambda: b.consensus == [(0x13, b"once")])


async def test_unknown_pin_is_refused_and_explained_on_both_sides(world: World) -> None:
    server, stranger = await world.start("server"), await world.start("stranger")
    with capture_logs() as logs:
        stranger.trust(server)
        await until(lambda: stranger.network.metrics.get("dial_failures") > 0)
        await until(lambda: server.network.metrics.get("refused_AdmissionRefused") > 0)
    pin = stranger.tls.pin.hex()
    assert f"its pin {pin} is not admitted at this node's head" in reasons(logs)
    assert f"it refuses: it does not know this node's pin {pin}" in reasons(logs)
    assert "admitted this pin by vote" in reasons(logs)
    assert not server.network.peers()
    assert not stranger.network.peers()


async def test_client_does_not_talk_to_a_server_it_does_not_trust(world: World) -> None:
    real, impostor, client = [await world.start(name) for name in ("real", "impostor", "client")]
    impostor.trust(client, with_address=False)
    with capture_logs() as logs:
        client.directory.trusted[real.tls.pin] = TrustedPeer(
            pin=real.tls.pin, label="real", addresses=(impostor.address,)
        )
        client.network.refresh_directory()
        await until(lambda: client.network.metrics.get("dial_failures") > 0)
    assert f"its pin {impostor.tls.pin.hex()} is not admitted" in reasons(logs)
    assert not client.network.peers()


async def test_other_genesis_is_refused_and_named_on_both_sides(world: World) -> None:
    other = Hash32(b"\x99" * 32)
    a, b = await world.start("a"), await world.start("b", genesis_hash=other)
    with capture_logs() as logs:
        a.trust(b)
        b.trust(a, with_address=False)
        await until(lambda: b.network.metrics.get("refused_OtherChain") > 0)
        await until(lambda: a.network.metrics.get("dial_failures") > 0)
    ours, theirs = GENESIS_HASH.hex(), other.hex()
    assert f"it serves chain {CHAIN_ID} with genesis 0x{theirs}, this node chain" in reasons(logs)
    assert f"it serves chain {CHAIN_ID} with genesis 0x{ours}, this node chain" in reasons(logs)
    assert not a.network.peers()


async def test_other_chain_id_is_refused(world: World) -> None:
    a, b = await world.start("a"), await world.start("b", chain_id=CHAIN_ID + 1)
    a.trust(b)
    b.trust(a, with_address=False)
    await until(lambda: b.network.metrics.get("refused_OtherChain") > 0)
    assert not a.network.peers()


async def test_stolen_certificate_without_its_key_is_refused(world: World) -> None:
    victim, server = await world.start("victim"), await world.start("server")
    thief_tls = create_tls_identity(world.folder / "thief.key", world.folder / "thief.crt")
    server.trust(victim, with_address=False)
    with capture_logs() as logs:
        reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
        stolen = Preface(
            chain_id=CHAIN_ID, genesis_hash=GENESIS_HASH, certificate=victim.tls.certificate
        )
        writer.write(encode_preface(stolen))
        answer = await reader.readexactly(len(MAGIC) + 2)
        await reader.readexactly(int.from_bytes(answer[-2:], "big"))
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(cadata=server.tls.certificate)
        context.load_cert_chain(thief_tls.certificate_file, thief_tls.key_file)
        try:
            await writer.start_tls(context)
            assert await reader.read(1) == b"", "the server speaks to the thief"
        except OSError:
            pass
        await until(lambda: server.network.metrics.get("refused_AdmissionRefused") > 0)
        abort_connection(writer)
    assert "showed the certificate of victim" in reasons(logs)
    assert not server.network.peers()


async def test_handshake_signed_by_a_foreign_key_is_refused(world: World) -> None:
    a, b = await world.start("a"), await world.start("b")
    b.trust(a, with_address=False)
    b.directory.trusted[a.tls.pin] = TrustedPeer(
        pin=a.tls.pin, label="a", signers=frozenset((b.signer.address,))
    )
    b.network.refresh_directory()
    with capture_logs() as logs:
        a.trust(b)
        await until(lambda: b.network.metrics.get("refused_PeerFault") > 0)
        await until(lambda: a.network.metrics.get("dial_failures") + len(a.left) > 0)
    assert f"signed by 0x{a.signer.address.hex()}, which is no key of a" in reasons(logs)
    assert not b.network.peers()


async def test_expired_certificate_is_refused_with_the_way_out(world: World) -> None:
    later = time.time() + dt.timedelta(days=5000).total_seconds()
    a, b = await world.start("a"), await world.start("b", wall_clock=lambda: later)
    b.trust(a, with_address=False)
    with capture_logs() as logs:
        a.trust(b)
        await until(lambda: b.network.metrics.get("refused_AdmissionRefused") > 0)
        await until(lambda: a.network.metrics.get("dial_failures") > 0)
    assert "expired at" in reasons(logs)
    assert a.tls.pin.hex() in reasons(logs)
    assert "the pin stays the same" in reasons(logs)


async def test_withdrawn_pin_closes_the_connection(world: World) -> None:
    a, b = await world.start_connected("a", "b")
    a.distrust(b)
    await until(lambda: not a.is_connected(b) and not b.is_connected(a))
    assert "its pin was withdrawn" in a.left[-1]
    await until(lambda: b.network.metrics.get("dial_failures") > 0, "b is refused from now on")
    assert not a.network.peers()
    a.trust(b)
    await until(lambda: a.is_connected(b), "admitted again")


async def test_withdrawn_signing_key_closes_the_connection(world: World) -> None:
    a, b = await world.start_connected("a", "b")
    a.directory.trusted[b.tls.pin] = TrustedPeer(
        pin=b.tls.pin, label="b", signers=frozenset((a.signer.address,))
    )
    a.network.refresh_directory()
    await until(lambda: bool(a.left))
    assert "signed its handshake was withdrawn" in a.left[-1]


async def test_newly_admitted_pin_gets_in_without_a_restart(world: World) -> None:
    server, newcomer = await world.start("server"), await world.start("newcomer")
    newcomer.trust(server)
    await until(lambda: newcomer.network.metrics.get("dial_failures") > 0)
    server.trust(newcomer, with_address=False)
    await until(lambda: server.is_connected(newcomer) and newcomer.is_connected(server))


async def test_address_of_a_third_node_is_learned_from_a_trusted_peer(world: World) -> None:
    hub, a, b = [await world.start(name) for name in ("hub", "a", "b")]
    for node in (a, b):
        hub.trust(node, with_address=False)
        node.trust(hub)
    a.trust(b, with_address=False)
    b.trust(a, with_address=False)
    await until(lambda: a.is_connected(b) and b.is_connected(a))


async def test_occupied_port_is_named(world: World) -> None:
    a = await world.start("a")
    taken = NetworkSettings(port=a.address.port)
    with pytest.raises(OperationalFault, match=rf"network\.port: cannot listen on .*{taken.port}"):
        await world.start("b", settings=taken)


@pytest.mark.parametrize(
    "wire",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00" + bytes(512),
        MAGIC + b"\xff\xff",
        MAGIC + b"\x00\x03\xc1\xc1\xc1",
        MAGIC[:4],
        b"",
    ],
)
async def test_garbage_before_the_handshake_is_refused(world: World, wire: bytes) -> None:
    server = await world.start("server")
    reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
    writer.write(wire)
    if writer.can_write_eof():
        writer.write_eof()
    assert await reader.read() == b"", "nothing is said to a stranger who speaks no preface"
    writer.close()
    await until(lambda: server.network.metrics.get("refused_PeerFault") == 1)


async def test_silent_connection_is_closed_and_the_number_of_them_bounded(world: World) -> None:
    from dataclasses import replace

    settings = replace(FAST, admission_timeout_s=0.3, max_pending_per_host=4)
    server = await world.start("server", settings=settings)
    streams = [
        await asyncio.open_connection(server.address.host, server.address.port) for _ in range(7)
    ]
    await asyncio.gather(
        *(reader.read() for reader, _ in streams), return_exceptions=True
    )  # returns only because the server closes them
    for _, writer in streams:
        abort_connection(writer)
    assert server.network.metrics.get("refused_pending") == 3
    assert server.network.metrics.get("refused_PeerFault") == 4


def test_preface_survives_the_wire_and_other_bytes_are_a_fault() -> None:
    preface = Preface(
        chain_id=1, genesis_hash=b"\1" * 32, certificate=b"cert", refusal=Refusal.BUSY
    )
    assert decode_preface(encode_preface(preface)[len(MAGIC) + 2 :]) == preface
    for body in (b"", b"\xc0", b"\x94\x01\xa0\xa0\x01", b"\x91" * 5000):
        with pytest.raises(PeerFault):
            decode_preface(body)


def test_proof_holds_for_one_connection_only() -> None:
    key = SigningKey(b"\x05" * 32)
    pins = Hash32(b"\xaa" * 32), Hash32(b"\xbb" * 32)
    trusted = TrustedPeer(pin=pins[0], label="p", signers=frozenset((key.address,)))
    nonces = b"\x01" * 32, b"\x02" * 32

    def side(
        outbound: bool, chain: int = 1, genesis: bytes = b"\x07", peer: Hash32 = pins[0]
    ) -> HandshakeContext:
        return HandshakeContext(
            outbound=outbound,
            chain_id=chain,
            genesis_hash=Hash32(genesis * 32),
            own_pin=pins[1],
            peer_pin=peer,
        )

    signer_side = HandshakeContext(
        outbound=True,
        chain_id=1,
        genesis_hash=Hash32(b"\x07" * 32),
        own_pin=pins[0],
        peer_pin=pins[1],
    )
    proof = make_proof(key, signer_side, own_nonce=nonces[0], peer_nonce=nonces[1])

    def check(context: HandshakeContext, own: bytes = nonces[1], peer: bytes = nonces[0]) -> None:
        validate_proof(proof, context, trusted, own_nonce=own, peer_nonce=peer)

    check(side(outbound=False))
    for wrong in (
        side(outbound=True),
        side(outbound=False, chain=2),
        side(outbound=False, genesis=b"\x08"),
        side(outbound=False, peer=pins[1]),
    ):
        with pytest.raises(PeerFault):
            check(wrong)
    with pytest.raises(PeerFault):
        check(side(outbound=False), own=b"\x09" * 32)
    with pytest.raises(PeerFault):
        check(side(outbound=False), peer=b"\x09" * 32)
    with pytest.raises(PeerFault, match="not a valid signature"):
        validate_proof(
            Proof(signature=bytes(65)),
            side(outbound=False),
            trusted,
            own_nonce=nonces[1],
            peer_nonce=nonces[0],
        )


async def test_network_makes_its_own_worker_when_none_is_given(world: World) -> None:
    node = await world.start("node")
    network = Network(
        identity=NodeIdentity(tls=node.tls, signer=node.signer),
        genesis_hash=GENESIS_HASH,
        chain_id=CHAIN_ID,
        directory=FakeDirectory(),
        chain=FakeChain(make_history(0)),
        handlers=NetworkHandlers(),
        settings=NetworkSettings(),
    )
    await network.start()
    assert network.best_height == 0
    await network.stop()


async def test_connected_world_helper_connects_everyone(world: World) -> None:
    nodes = [await world.start(name) for name in "abc"]
    await connect(*nodes)
    assert all(len(node.network.peers()) == 2 for node in nodes)
