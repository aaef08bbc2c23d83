"""The signed parts of QBFT messages.

Every message carries at least one payload that its author signed:

    signed    = [payload, signature]       signature over keccak256(rlp([code, payload]))
    proposal    [height, round, block]
    prepare     [height, round, digest]
    commit      [height, round, digest, commitSeal]
    roundChange [height, targetRound, [] | [preparedRound, preparedDigest]]

The digest of a block is its commit hash in the round that the payload names. A payload holds no
chain id; the handshake of the transport and the sign state bind keys to one chain. The exact bytes
of a received payload are kept beside its decoded form, because signatures cover those bytes: newer
Besu nodes put a fourth item (a block access list) into proposals, which we read past.
Source: Besu, package consensus.qbft.core.payload.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

from eth_hash.auto import keccak

from consensus import rlp_codec
from consensus.block import Block, block_from_item, encode_block
from consensus.errors import MalformedEncoding
from consensus.header import compute_commit_hash, with_round
from consensus.rlp_codec import RlpItem, encode_scalar
from consensus.signatures import SIGNATURE_BYTES, ValidatorKey, recover_address
from consensus.types import Address, Hash32, Height, Round

MAX_ROUND = Round(1_000)
"""Highest round that a validator asks for or believes in."""

_ROUND_BYTES = 4


class MessageCode(IntEnum):
    """Which of the four messages; part of what is signed."""

    PROPOSAL = 0x12
    PREPARE = 0x13
    COMMIT = 0x14
    ROUND_CHANGE = 0x15


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalPayload:
    """Says: this block, for this height, in this round."""

    height: Height
    """Height of the block."""

    round: Round
    """Round in which it is proposed, also written in the block's extraData."""

    block: Block
    """The block, without seals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparePayload:
    """Says: I have checked the proposal with this digest."""

    height: Height
    """Height of the block."""

    round: Round
    """Round of the proposal."""

    digest: Hash32
    """Commit hash of the block in that round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitPayload:
    """Says: a quorum has checked it, here is my seal."""

    height: Height
    """Height of the block."""

    round: Round
    """Round of the proposal."""

    digest: Hash32
    """Commit hash of the block in that round."""

    commit_seal: bytes
    """65-byte signature over the digest itself; goes into the final header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedMetadata:
    """The latest round in which the author saw a quorum of prepares, and for what."""

    round: Round
    """The prepared round."""

    digest: Hash32
    """Digest of the prepared block in that round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundChangePayload:
    """Says: this height should go on in the target round."""

    height: Height
    """Height that is stuck."""

    round: Round
    """The target round."""

    prepared: PreparedMetadata | None
    """What the author has prepared before, if anything."""


Payload = ProposalPayload | PreparePayload | CommitPayload | RoundChangePayload
PayloadT = TypeVar("PayloadT", bound=Payload)
PayloadT_co = TypeVar("PayloadT_co", bound=Payload, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed(Generic[PayloadT_co]):
    """A payload with its signature and the author recovered from it."""

    payload: PayloadT_co
    """What was signed, decoded."""

    payload_rlp: bytes
    """What was signed, byte for byte."""

    signature: bytes
    """65 bytes, `r || s || v`."""

    author: Address
    """Recovered from the signature; whether it is a validator is for `justification` to say."""


def sign_payload(
    payload: PayloadT, key: ValidatorKey, payload_rlp: bytes | None = None
) -> Signed[PayloadT]:
    """Sign `payload`; the same payload and key always give the same bytes.

    Whoever has encoded it already hands in `payload_rlp`.
    """
    if payload_rlp is None:
        payload_rlp = encode_payload(payload)
    return Signed(
        payload=payload,
        payload_rlp=payload_rlp,
        signature=key.sign(compute_signing_hash(get_code(payload), payload_rlp)),
        author=key.address,
    )


def compute_signing_hash(code: MessageCode, payload_rlp: bytes) -> Hash32:
    """Return the hash that a message signature covers."""
    return Hash32(keccak(rlp_codec.encode_list([bytes([code]), payload_rlp])))


def compute_digest(block: Block, round_number: Round) -> Hash32:
    """Return the digest of `block` when proposed in `round_number`."""
    return compute_commit_hash(with_round(block.header, round_number))


def get_code(payload: Payload) -> MessageCode:
    """Return the code under which a payload is signed."""
    match payload:
        case ProposalPayload():
            return MessageCode.PROPOSAL
        case PreparePayload():
            return MessageCode.PREPARE
        case CommitPayload():
            return MessageCode.COMMIT
        case RoundChangePayload():
            return MessageCode.ROUND_CHANGE


def encode_payload(payload: Payload) -> bytes:
    """Return the RLP of an unsigned payload, in the short form that every version reads."""
    items = [
        rlp_codec.encode(encode_scalar(payload.height)),
        rlp_codec.encode(encode_scalar(payload.round)),
    ]
    match payload:
        case ProposalPayload():
            items.append(encode_block(payload.block))
        case PreparePayload():
            items.append(rlp_codec.encode(payload.digest))
        case CommitPayload():
            items.append(rlp_codec.encode(payload.digest))
            items.append(rlp_codec.encode(payload.commit_seal))
        case RoundChangePayload():
            items.append(_encode_prepared(payload.prepared))
    return rlp_codec.encode_list(items)


def encode_signed(signed: Signed[Payload]) -> bytes:
    """Return `[payload, signature]`, with the payload's bytes as they were signed."""
    return rlp_codec.encode_list([signed.payload_rlp, rlp_codec.encode(signed.signature)])


def signed_proposal_from_item(item: RlpItem) -> Signed[ProposalPayload]:
    """Read a signed proposal; raises MalformedEncoding or InvalidMessage (no author)."""
    payload, signature = _split_signed(item, "proposal")
    fields = rlp_codec.get_list(payload, "proposal payload", 3, 4)
    decoded = ProposalPayload(
        height=_get_height(fields[0]),
        round=_get_round(fields[1]),
        block=block_from_item(fields[2]),
    )
    return _recover(decoded, payload, signature)


def signed_prepare_from_item(item: RlpItem) -> Signed[PreparePayload]:
    """Read a signed prepare; raises MalformedEncoding or InvalidMessage (no author)."""
    payload, signature = _split_signed(item, "prepare")
    fields = rlp_codec.get_list(payload, "prepare payload", 3)
    decoded = PreparePayload(
        height=_get_height(fields[0]), round=_get_round(fields[1]), digest=_get_digest(fields[2])
    )
    return _recover(decoded, payload, signature)


def signed_commit_from_item(item: RlpItem) -> Signed[CommitPayload]:
    """Read a signed commit; raises MalformedEncoding or InvalidMessage (no author)."""
    payload, signature = _split_signed(item, "commit")
    fields = rlp_codec.get_list(payload, "commit payload", 4)
    decoded = CommitPayload(
        height=_get_height(fields[0]),
        round=_get_round(fields[1]),
        digest=_get_digest(fields[2]),
        commit_seal=rlp_codec.get_bytes(fields[3], "commit seal", SIGNATURE_BYTES),
    )
    return _recover(decoded, payload, signature)


def signed_round_change_from_item(item: RlpItem) -> Signed[RoundChangePayload]:
    """Read a signed round change; raises MalformedEncoding or InvalidMessage (no author)."""
    payload, signature = _split_signed(item, "round change")
    fields = rlp_codec.get_list(payload, "round change payload", 3)
    metadata = rlp_codec.get_list(fields[2], "prepared metadata", 0, 2)
    prepared = None
    if metadata:
        prepared = PreparedMetadata(round=_get_round(metadata[0]), digest=_get_digest(metadata[1]))
    decoded = RoundChangePayload(
        height=_get_height(fields[0]), round=_get_round(fields[1]), prepared=prepared
    )
    return _recover(decoded, payload, signature)


def _split_signed(item: RlpItem, what: str) -> tuple[RlpItem, bytes]:
    payload, signature = rlp_codec.get_list(item, f"signed {what}", 2)
    if isinstance(payload, bytes):
        raise MalformedEncoding(f"{what} payload: a list is expected, not a byte string")
    return payload, rlp_codec.get_bytes(signature, f"{what} signature", SIGNATURE_BYTES)


def _recover(payload: PayloadT, item: RlpItem, signature: bytes) -> Signed[PayloadT]:
    payload_rlp = rlp_codec.encode(item)
    signing_hash = compute_signing_hash(get_code(payload), payload_rlp)
    return Signed(
        payload=payload,
        payload_rlp=payload_rlp,
        signature=signature,
        author=recover_address(signing_hash, signature),
    )


def _encode_prepared(prepared: PreparedMetadata | None) -> bytes:
    if prepared is None:
        return rlp_codec.encode_list([])
    return rlp_codec.encode([encode_scalar(prepared.round), prepared.digest])


def _get_height(item: RlpItem) -> Height:
    return Height(rlp_codec.get_scalar(item, "height"))


def _get_round(item: RlpItem) -> Round:
    return Round(rlp_codec.get_scalar(item, "round", _ROUND_BYTES))


def _get_digest(item: RlpItem) -> Hash32:
    return Hash32(rlp_codec.get_bytes(item, "digest", 32))
