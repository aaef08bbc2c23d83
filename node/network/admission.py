"""From a TCP connection to an admitted peer, in one procedure with one time limit.

    1. prefaces      both certificates in the clear; unknown pin, other chain: ends here, explained
    2. TLS 1.3       each side authenticated against exactly the certificate it has accepted
    3. pins again    what TLS proved is compared with the directory, which may have changed
    4. Hello, Proof  version, chain, and the validator or account key's signature

No frame is processed before step 4 has succeeded. A refusal is always an exception whose text is
fit for the operator's log on this side; the other side gets a reason code, or a `Goodbye`.
"""

import asyncio
import contextlib
import datetime as dt
import secrets
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from eth_typing import Address, Hash32

from node.errors import NodeError, PeerFault, UserFault
from node.keys.tls import compute_pin, validate_certificate
from node.network.frames import (
    LENGTH_BYTES,
    MAX_TEXT,
    PROTOCOL_VERSION,
    Goodbye,
    Hello,
    Proof,
    decode_frame,
    encode_frame,
)
from node.network.handshake import (
    HandshakeContext,
    NotAdmitted,
    OtherChain,
    make_proof,
    validate_hello,
    validate_proof,
)
from node.network.ports import NodeIdentity, PeerAddress, TrustedPeer
from node.network.preface import Preface, Refusal, encode_preface, read_preface
from node.network.trust import TlsContexts

MAX_HANDSHAKE_FRAME_BYTES = 4096

_F = TypeVar("_F", Hello, Proof)

_CONNECTION_ENDS: Final = (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError, OSError)
_REFUSAL_TEXTS: Final = {
    Refusal.OTHER_CHAIN: "it serves another chain",
    Refusal.UNKNOWN_PIN: "it does not know this node's pin {pin}",
    Refusal.CERTIFICATE: "it does not accept this node's certificate (expired?)",
    Refusal.BANNED: "it has dropped this node for misbehaviour and lets it wait",
    Refusal.BUSY: "it has no free connection",
}
_ADMIT_US = (
    "Until the agencies have admitted this pin by vote, and the other node has that block, it "
    "cannot connect; it goes on trying"
)


class AdmissionRefused(PeerFault):
    """This side refuses the connection; `refusal` is what the other side is told."""

    def __init__(self, refusal: Refusal, error: NodeError) -> None:
        super().__init__(error.message, field=error.field, next_step=error.next_step)
        self.refusal = refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A connection that may carry frames."""

    reader: asyncio.StreamReader
    """Positioned behind the handshake."""
    writer: asyncio.StreamWriter
    """Encrypted."""
    trusted: TrustedPeer
    """The directory's entry."""
    signer: Address
    """Who signed the peer's handshake."""
    hello: Hello
    """What the peer said of itself."""
    outbound: bool
    """Whether we called."""
    address: PeerAddress
    """The remote end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSide:
    """What this node brings into every admission."""

    identity: NodeIdentity
    """Its keys."""
    chain_id: int
    """Its chain."""
    genesis_hash: Hash32
    """Its genesis."""
    contexts: TlsContexts
    """Its TLS contexts."""
    get_trusted: Callable[[], Mapping[Hash32, TrustedPeer]]
    """Whom it trusts now."""
    get_refusal: Callable[[Hash32], Refusal]
    """Whether a trusted pin must wait (BANNED, BUSY); NONE: welcome."""
    make_hello: Callable[[bytes], Hello]
    """Its Hello with the given nonce."""
    wall_clock: Callable[[], float]
    """Seconds since 1970."""


async def admit_outbound(
    local: LocalSide, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Admitted:
    """Run the caller's side. The caller of this function bounds the time and closes on failure.

    Raises OtherChain, NotAdmitted (it refuses us), AdmissionRefused (we refuse it), PeerFault.
    """
    writer.write(encode_preface(_make_preface(local)))
    try:
        preface = await read_preface(reader)
    except _CONNECTION_ENDS as error:
        raise NotAdmitted(
            "it closed the connection without a word", next_step="Is it a node of this network?"
        ) from error
    _validate_chain(local, preface)
    if preface.refusal is not Refusal.NONE:
        pin = local.identity.tls.pin.hex()
        raise NotAdmitted(
            "it refuses: " + _REFUSAL_TEXTS[preface.refusal].format(pin=pin),
            field="pin",
            next_step=_ADMIT_US if preface.refusal is Refusal.UNKNOWN_PIN else None,
        )
    trusted = _judge(local, preface.certificate)
    try:
        await writer.start_tls(local.contexts.get(preface.certificate, server=False))
    except ssl.SSLCertVerificationError as error:
        raise _explain_impostor(trusted, error) from error
    except _CONNECTION_ENDS as error:
        raise _explain_early_end(local) from error
    return await _shake_hands(local, reader, writer, preface.certificate, outbound=True)


async def admit_inbound(
    local: LocalSide, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Admitted:
    """Run the called side, as `admit_outbound`."""
    try:
        preface = await read_preface(reader)
    except _CONNECTION_ENDS as error:
        raise PeerFault("it ended the connection before its preface") from error
    try:
        _validate_chain(local, preface)
        trusted = _judge(local, preface.certificate)
    except OtherChain:
        writer.write(encode_preface(_make_preface(local, Refusal.OTHER_CHAIN)))
        raise
    except AdmissionRefused as refused:
        writer.write(encode_preface(_make_preface(local, refused.refusal)))
        raise
    writer.write(encode_preface(_make_preface(local)))
    # Nothing may be awaited between this write and TLS: the answer to it is already TLS.
    try:
        await writer.start_tls(local.contexts.get(preface.certificate, server=True))
    except ssl.SSLCertVerificationError as error:
        raise _explain_impostor(trusted, error) from error
    except _CONNECTION_ENDS as error:
        raise PeerFault(
            f"it ended TLS: {error!s}. Perhaps it does not trust this node's pin "
            f"{local.identity.tls.pin.hex()}"
        ) from error
    return await _shake_hands(local, reader, writer, preface.certificate, outbound=False)


def get_remote_address(writer: asyncio.StreamWriter) -> PeerAddress:
    """Return the other end of a connection; port 0 if it is already gone."""
    name = writer.get_extra_info("peername")
    return PeerAddress(host=str(name[0]), port=int(name[1])) if name else _NOWHERE


async def _shake_hands(
    local: LocalSide,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    certificate: bytes,
    *,
    outbound: bool,
) -> Admitted:
    trusted = _judge(local, _get_proved_certificate(writer, certificate))
    context = HandshakeContext(
        outbound=outbound,
        chain_id=local.chain_id,
        genesis_hash=local.genesis_hash,
        own_pin=local.identity.tls.pin,
        peer_pin=trusted.pin,
    )
    nonce = secrets.token_bytes(32)
    ours = local.make_hello(nonce)
    assert ours.version == PROTOCOL_VERSION
    writer.write(encode_frame(ours))
    try:
        hello = await _read_frame(reader, Hello)
    except _CONNECTION_ENDS as error:
        if outbound:
            raise _explain_early_end(local) from error
        raise PeerFault("it ended the connection before its first frame") from error
    try:
        validate_hello(hello, context)
        key = local.identity.signer
        proof = make_proof(key, context, own_nonce=nonce, peer_nonce=hello.nonce)
        writer.write(encode_frame(proof))
        signer = validate_proof(
            await _read_frame(reader, Proof),
            context,
            trusted,
            own_nonce=nonce,
            peer_nonce=hello.nonce,
        )
    except NodeError as error:
        _say_goodbye(writer, str(error))
        raise
    except _CONNECTION_ENDS as error:
        raise PeerFault("it ended the connection during the handshake") from error
    return Admitted(
        reader=reader,
        writer=writer,
        trusted=trusted,
        signer=signer,
        hello=hello,
        outbound=outbound,
        address=get_remote_address(writer),
    )


async def _read_frame(reader: asyncio.StreamReader, kind: type[_F]) -> _F:
    length = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
    if length > MAX_HANDSHAKE_FRAME_BYTES:
        raise PeerFault(f"its handshake frame of {length} bytes is too large")
    frame = decode_frame(await reader.readexactly(length))
    if isinstance(frame, Goodbye):
        raise NotAdmitted(f"it refuses the connection: {frame.reason}")
    if not isinstance(frame, kind):
        raise PeerFault(f"it sent {type(frame).__name__} where {kind.__name__} belongs")
    return frame


def _make_preface(local: LocalSide, refusal: Refusal = Refusal.NONE) -> Preface:
    return Preface(
        chain_id=local.chain_id,
        genesis_hash=local.genesis_hash,
        certificate=local.identity.tls.certificate,
        refusal=refusal,
    )


def _validate_chain(local: LocalSide, preface: Preface) -> None:
    if (preface.chain_id, preface.genesis_hash) != (local.chain_id, local.genesis_hash):
        raise OtherChain(
            chain_id=preface.chain_id,
            genesis_hash=preface.genesis_hash,
            our_chain_id=local.chain_id,
            our_genesis_hash=local.genesis_hash,
        )


def _judge(local: LocalSide, certificate: bytes) -> TrustedPeer:
    """Look up who shows this certificate. Raises AdmissionRefused."""
    now = dt.datetime.fromtimestamp(local.wall_clock(), dt.UTC)
    try:
        pin = validate_certificate(certificate, now=now)
    except UserFault as error:
        with contextlib.suppress(UserFault):
            pin_text = f" (pin {compute_pin(certificate).hex()})"
            error = UserFault(
                error.message + pin_text, field=error.field, next_step=error.next_step
            )
        raise AdmissionRefused(Refusal.CERTIFICATE, error) from None
    if pin == local.identity.tls.pin:
        raise AdmissionRefused(
            Refusal.UNKNOWN_PIN,
            PeerFault("it is this node itself, or a node with a copy of its TLS key"),
        )
    trusted = local.get_trusted().get(pin)
    if trusted is None:
        raise AdmissionRefused(
            Refusal.UNKNOWN_PIN,
            PeerFault(
                f"its pin {pin.hex()} is not admitted at this node's head",
                field="pin",
                next_step="If it should be, the agencies admit the pin by vote, or its invite is "
                "added to network.bootstrap_peers",
            ),
        )
    refusal = local.get_refusal(pin)
    if refusal is not Refusal.NONE:
        raise AdmissionRefused(
            refusal, PeerFault(f"{trusted.label} must wait: {refusal.name.lower()}", field="pin")
        )
    return trusted


def _get_proved_certificate(writer: asyncio.StreamWriter, shown: bytes) -> bytes:
    """Return the certificate that TLS has proved; it must be the one shown before."""
    tls = writer.get_extra_info("ssl_object")
    assert isinstance(tls, ssl.SSLObject) or hasattr(tls, "getpeercert")
    proved = tls.getpeercert(binary_form=True)
    if proved != shown:
        raise AdmissionRefused(
            Refusal.UNKNOWN_PIN, PeerFault("TLS proved another certificate than the one shown")
        )
    return bytes(proved)


def _explain_impostor(trusted: TrustedPeer, error: ssl.SSLError) -> AdmissionRefused:
    return AdmissionRefused(
        Refusal.UNKNOWN_PIN,
        PeerFault(
            f"it showed the certificate of {trusted.label} (pin {trusted.pin.hex()}) but TLS did "
            f"not prove it: {error}",
            field="certificate",
        ),
    )


def _explain_early_end(local: LocalSide) -> NotAdmitted:
    # A refused TLS client sees its own handshake succeed and then the end of the connection.
    return NotAdmitted(
        "it closed the connection before its first frame; probably it has not admitted this "
        f"node's pin {local.identity.tls.pin.hex()}",
        field="pin",
        next_step=_ADMIT_US,
    )


def _say_goodbye(writer: asyncio.StreamWriter, reason: str) -> None:
    with contextlib.suppress(OSError):
        writer.write(encode_frame(Goodbye(reason=reason[:MAX_TEXT])))


_NOWHERE: Final = PeerAddress(host="unknown", port=0)
