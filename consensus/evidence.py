"""Proof that a validator contradicted itself.

Two messages of one kind, signed by one validator for one height and round, that say different
things: an honest validator never makes them, whatever crashes or delays it meets. The pair proves
itself, since anybody can recover the author of both, so it can be handed to a court or a
governance vote as a file.
"""

from collections.abc import Callable
from dataclasses import dataclass

from consensus import rlp_codec
from consensus.errors import InvalidMessage, MalformedEncoding
from consensus.messages import Message, get_author, get_code, get_height, get_round
from consensus.payloads import (
    CommitPayload,
    MessageCode,
    Payload,
    PreparePayload,
    ProposalPayload,
    RoundChangePayload,
    Signed,
    compute_digest,
    encode_signed,
    signed_commit_from_item,
    signed_prepare_from_item,
    signed_proposal_from_item,
    signed_round_change_from_item,
)
from consensus.rlp_codec import RlpItem, encode_scalar
from consensus.types import Address, Height, Round

_READERS: dict[MessageCode, Callable[[RlpItem], Signed[Payload]]] = {
    MessageCode.PROPOSAL: signed_proposal_from_item,
    MessageCode.PREPARE: signed_prepare_from_item,
    MessageCode.COMMIT: signed_commit_from_item,
    MessageCode.ROUND_CHANGE: signed_round_change_from_item,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Two contradicting signed payloads of one author."""

    author: Address
    """Who signed both."""

    height: Height
    """Height of both."""

    round: Round
    """Round of both."""

    code: MessageCode
    """Kind of both."""

    first: bytes
    """RLP `[payload, signature]` that arrived first."""

    second: bytes
    """RLP `[payload, signature]` that contradicts it."""


def find_conflict(first: Message, second: Message) -> Evidence | None:
    """Return evidence if two messages of one author and place differ in what they say."""
    place = (get_code(first), get_author(first), get_height(first), get_round(first))
    if place != (get_code(second), get_author(second), get_height(second), get_round(second)):
        return None
    if first.signed.payload_rlp == second.signed.payload_rlp:
        return None
    return Evidence(
        author=get_author(first),
        height=get_height(first),
        round=get_round(first),
        code=get_code(first),
        first=encode_signed(first.signed),
        second=encode_signed(second.signed),
    )


def validate_evidence(evidence: Evidence) -> None:
    """Check evidence as a third party would; raises a PeerFault if it proves nothing."""
    read_claims(evidence)


def read_claims(evidence: Evidence) -> tuple[str, str]:
    """Check evidence and return what each message says, in words; raises a PeerFault."""
    read = _READERS[evidence.code]
    first = read(rlp_codec.decode(evidence.first))
    second = read(rlp_codec.decode(evidence.second))
    for name, signed, raw in (
        ("first", first, evidence.first),
        ("second", second, evidence.second),
    ):
        if encode_signed(signed) != raw:
            raise MalformedEncoding(f"{name}: is not written in the one canonical way")
        if signed.author != evidence.author:
            raise InvalidMessage(f"{name}: is not signed by the accused")
        if (signed.payload.height, signed.payload.round) != (evidence.height, evidence.round):
            raise InvalidMessage(f"{name}: is for another height or round")
    if first.payload_rlp == second.payload_rlp:
        raise InvalidMessage("second: says the same as the first")
    return _describe(first.payload), _describe(second.payload)


def encode_evidence(evidence: Evidence) -> bytes:
    """Return `[code, author, height, round, first, second]`."""
    return rlp_codec.encode(
        [
            encode_scalar(evidence.code),
            evidence.author,
            encode_scalar(evidence.height),
            encode_scalar(evidence.round),
            evidence.first,
            evidence.second,
        ]
    )


def decode_evidence(data: bytes) -> Evidence:
    """Read evidence; raises MalformedEncoding. Use `validate_evidence` before believing it."""
    code, author, height, round_number, first, second = rlp_codec.get_list(
        rlp_codec.decode(data), "evidence", 6
    )
    try:
        known_code = MessageCode(rlp_codec.get_scalar(code, "code", 1))
    except ValueError as error:
        raise MalformedEncoding(f"evidence: {error}") from None
    return Evidence(
        author=Address(rlp_codec.get_bytes(author, "author", 20)),
        height=Height(rlp_codec.get_scalar(height, "height")),
        round=Round(rlp_codec.get_scalar(round_number, "round", 4)),
        code=known_code,
        first=rlp_codec.get_bytes(first, "first payload"),
        second=rlp_codec.get_bytes(second, "second payload"),
    )


def _describe(payload: Payload) -> str:
    match payload:
        case ProposalPayload():
            digest = compute_digest(payload.block, payload.round)
            return f"proposes the block 0x{digest.hex()}"
        case PreparePayload():
            return f"accepts the block 0x{payload.digest.hex()}"
        case CommitPayload():
            seal = payload.commit_seal.hex()
            return f"seals the block 0x{payload.digest.hex()} with 0x{seal}"
        case RoundChangePayload(prepared=None):
            return "asks for the round having prepared nothing"
        case RoundChangePayload(prepared=prepared):
            assert prepared is not None, "the case above is none"
            return (
                f"asks for the round having prepared 0x{prepared.digest.hex()} "
                f"in round {prepared.round}"
            )
