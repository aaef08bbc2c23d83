"""The handshake inside TLS: which validator or account key stands behind this connection.

TLS has proved who owns the two TLS keys. Now each side proves with its validator (or account) key
that this connection, between these two pins, is its own, on this chain, now:

    caller → Hello         called → Hello
    caller → Proof         called → Proof

    digest = keccak256( "atesta-handshake-1" ‖ role ‖ own pin ‖ peer's pin
                        ‖ own nonce ‖ peer's nonce ‖ chain id (32 bytes) ‖ genesis hash )

`role` is 1 for the caller and 2 for the called side, so that a proof cannot be mirrored. The nonces
make it fresh; the pins tie it to this pair, so that nobody can pass a proof on. The domain text
cannot be the beginning of an RLP list, so the digest is never one that QBFT or a transaction signs.

This module has no input or output: it makes and checks frames.
"""

from dataclasses import dataclass

from eth_hash.auto import keccak
from eth_typing import Address, Hash32

from node.errors import OperationalFault, PeerFault
from node.keys.signer import SigningKey, recover_signer
from node.network.frames import PROTOCOL_VERSION, Hello, Proof
from node.network.ports import TrustedPeer

_DOMAIN = b"atesta-handshake-1"
_CALLER = b"\x01"
_CALLED = b"\x02"


class OtherChain(PeerFault):
    """The peer serves another chain."""

    def __init__(
        self, *, chain_id: int, genesis_hash: bytes, our_chain_id: int, our_genesis_hash: bytes
    ) -> None:
        super().__init__(
            f"it serves chain {chain_id} with genesis 0x{genesis_hash.hex()}, this node chain "
            f"{our_chain_id} with genesis 0x{our_genesis_hash.hex()}",
            field="genesis",
            next_step="Give both nodes the same genesis.json",
        )


class NotAdmitted(OperationalFault):
    """The other node does not let this one in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeContext:
    """What both proofs of one connection are about, seen from our side."""

    outbound: bool
    """Whether we called."""

    chain_id: int
    """Our chain."""

    genesis_hash: Hash32
    """Our genesis."""

    own_pin: Hash32
    """SHA-256 of our public TLS key."""

    peer_pin: Hash32
    """SHA-256 of the peer's, as TLS has proved it."""


def validate_hello(hello: Hello, context: HandshakeContext) -> None:
    """Check version and chain of the peer's first frame. Raises OtherChain, PeerFault."""
    if hello.version != PROTOCOL_VERSION:
        raise PeerFault(
            f"it speaks version {hello.version} of the protocol, this node {PROTOCOL_VERSION}",
            field="version",
            next_step="Update the older of the two nodes",
        )
    if (hello.chain_id, hello.genesis_hash) != (context.chain_id, context.genesis_hash):
        raise OtherChain(
            chain_id=hello.chain_id,
            genesis_hash=hello.genesis_hash,
            our_chain_id=context.chain_id,
            our_genesis_hash=context.genesis_hash,
        )


def make_proof(
    key: SigningKey, context: HandshakeContext, *, own_nonce: bytes, peer_nonce: bytes
) -> Proof:
    """Sign this connection."""
    role = _CALLER if context.outbound else _CALLED
    digest = _hash(role, context, context.own_pin + context.peer_pin, own_nonce + peer_nonce)
    return Proof(signature=key.sign_digest(digest))


def validate_proof(
    proof: Proof,
    context: HandshakeContext,
    trusted: TrustedPeer,
    *,
    own_nonce: bytes,
    peer_nonce: bytes,
) -> Address:
    """Return the address that signed the connection on the peer's side.

    Raises PeerFault if the signature is not valid or its key does not belong to the pin's owner.
    """
    role = _CALLED if context.outbound else _CALLER
    digest = _hash(role, context, context.peer_pin + context.own_pin, peer_nonce + own_nonce)
    signer = recover_signer(digest, proof.signature)
    if signer is None:
        raise PeerFault("its proof is not a valid signature", field="signature")
    if trusted.signers is not None and signer not in trusted.signers:
        # A signature over other data recovers to a random address, so this covers both.
        raise PeerFault(
            f"its handshake is signed by 0x{signer.hex()}, which is no key of {trusted.label} "
            "for this connection",
            field="signature",
            next_step="Its operator checks which validator or account key the node uses",
        )
    return signer


def _hash(role: bytes, context: HandshakeContext, pins: bytes, nonces: bytes) -> Hash32:
    """Hash the parts, each of fixed length; pins and nonces are the signer's, then the other's."""
    chain = context.chain_id.to_bytes(32, "big") + context.genesis_hash
    return Hash32(keccak(_DOMAIN + role + pins + nonces + chain))
