"""The four QBFT messages as they travel.

    PREPARE, COMMIT  signed payload
    PROPOSAL         [signedProposal, [ [signedRoundChange, ...], [signedPrepare, ...] ]]
    ROUND_CHANGE     [signedRoundChange, block | c0, [signedPrepare, ...]]

A proposal above round 0 brings the round changes that allow its round, and the prepares that
justify its block. A round change brings the block that its author has prepared, with the prepares.
Besu from 26.1 on writes one more slot for a block access list: the fourth item of a proposal
payload, and the third of four in a round change. Both lengths are read and the short one is
written. Source: Besu, package consensus.qbft.core.messagewrappers.

Decoding recovers every author, at some 50 microseconds each, so the number of signatures in one
message is bounded before any is looked at.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, assert_never

from consensus import rlp_codec
from consensus.block import Block, block_from_item, encode_block
from consensus.errors import MalformedEncoding
from consensus.payloads import (
    CommitPayload,
    MessageCode,
    PreparePayload,
    ProposalPayload,
    RoundChangePayload,
    Signed,
    encode_signed,
    signed_commit_from_item,
    signed_prepare_from_item,
    signed_proposal_from_item,
    signed_round_change_from_item,
)
from consensus.rlp_codec import RlpItem
from consensus.types import Address, Height, Round

MAX_CERTIFICATE_SIGNATURES = 64
"""Signatures of one kind in one message; a network has at most so many validators."""

_BLOCK_ACCESS_LIST_SLOT_ITEMS = 4

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The proposer's block for a round."""

    signed: Signed[ProposalPayload]
    """The proposal itself."""

    round_changes: tuple[Signed[RoundChangePayload], ...] = ()
    """A quorum that asks for this round; empty in round 0."""

    prepares: tuple[Signed[PreparePayload], ...] = ()
    """A quorum that prepared this block in an earlier round, if any did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """A validator found the proposal valid."""

    signed: Signed[PreparePayload]
    """The prepare itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A validator saw a quorum of prepares and seals the block."""

    signed: Signed[CommitPayload]
    """The commit itself, with the seal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundChange:
    """A validator wants to go on in a later round."""

    signed: Signed[RoundChangePayload]
    """The round change itself."""

    block: Block | None = None
    """The block that the author has prepared, with its prepared round in extraData."""

    prepares: tuple[Signed[PreparePayload], ...] = ()
    """The quorum of prepares for that block in that round."""


Message = Proposal | Prepare | Commit | RoundChange


def get_code(message: Message) -> MessageCode:
    """Return the code that goes before the message on the wire."""
    match message:
        case Proposal():
            return MessageCode.PROPOSAL
        case Prepare():
            return MessageCode.PREPARE
        case Commit():
            return MessageCode.COMMIT
        case RoundChange():
            return MessageCode.ROUND_CHANGE


def get_author(message: Message) -> Address:
    """Return who signed the message."""
    return message.signed.author


def get_height(message: Message) -> Height:
    """Return the height that the message is about."""
    return message.signed.payload.height


def get_round(message: Message) -> Round:
    """Return the round that the message is about; the target round of a round change."""
    return message.signed.payload.round


def encode_message(message: Message) -> bytes:
    """Return the payload bytes of the message; its code travels beside them."""
    match message:
        case Prepare() | Commit():
            return encode_signed(message.signed)
        case Proposal():
            certificate = rlp_codec.encode_list(
                [
                    rlp_codec.encode_list([encode_signed(s) for s in message.round_changes]),
                    rlp_codec.encode_list([encode_signed(s) for s in message.prepares]),
                ]
            )
            return rlp_codec.encode_list([encode_signed(message.signed), certificate])
        case RoundChange():
            block = rlp_codec.encode_list([])
            if message.block is not None:
                block = encode_block(message.block)
            prepares = rlp_codec.encode_list([encode_signed(s) for s in message.prepares])
            return rlp_codec.encode_list([encode_signed(message.signed), block, prepares])


def decode_message(code: int, payload: bytes) -> Message:
    """Decode one message and recover its authors.

    Raises MalformedEncoding for bytes that are no message of this code, InvalidMessage for a
    signature without an author. Whether the message may be believed is not judged here.
    """
    try:
        known_code = MessageCode(code)
    except ValueError:
        raise MalformedEncoding(f"message code 0x{code:02x} is not of QBFT") from None
    item = rlp_codec.decode(payload)
    match known_code:
        case MessageCode.PROPOSAL:
            return _decode_proposal(item)
        case MessageCode.PREPARE:
            return Prepare(signed=signed_prepare_from_item(item))
        case MessageCode.COMMIT:
            return Commit(signed=signed_commit_from_item(item))
        case MessageCode.ROUND_CHANGE:
            return _decode_round_change(item)
        case _:
            assert_never(known_code)


def _decode_proposal(item: RlpItem) -> Proposal:
    signed, certificate = rlp_codec.get_list(item, "proposal", 2)
    round_changes, prepares = rlp_codec.get_list(certificate, "proposal certificate", 2)
    return Proposal(
        signed=signed_proposal_from_item(signed),
        round_changes=_decode_all(round_changes, "round changes", signed_round_change_from_item),
        prepares=_decode_all(prepares, "prepares", signed_prepare_from_item),
    )


def _decode_round_change(item: RlpItem) -> RoundChange:
    fields = rlp_codec.get_list(item, "round change", 3, _BLOCK_ACCESS_LIST_SLOT_ITEMS)
    return RoundChange(
        signed=signed_round_change_from_item(fields[0]),
        block=_decode_optional_block(fields[1]),
        prepares=_decode_all(fields[-1], "prepares", signed_prepare_from_item),
    )


def _decode_optional_block(item: RlpItem) -> Block | None:
    if not rlp_codec.get_list(item, "prepared block", 0, 3, 4):
        return None
    return block_from_item(item)


def _decode_all(
    item: RlpItem, what: str, decode_one: Callable[[RlpItem], ItemT]
) -> tuple[ItemT, ...]:
    items: Sequence[RlpItem] = rlp_codec.get_list(item, what)
    if len(items) > MAX_CERTIFICATE_SIGNATURES:
        raise MalformedEncoding(f"{what}: more than {MAX_CERTIFICATE_SIGNATURES} signatures")
    return tuple(decode_one(one) for one in items)
