"""The extraData field of a QBFT header: who validates, who voted, which round, who sealed.

    extraData = RLP [ vanity, [validator, ...], vote, round, [seal, ...] ]

The vanity is free text of the client, 32 bytes by habit. The validators are those of this block,
ascending (in contract mode the list and the vote are empty, as the contract is the source). The
vote is `c0` for none, else `[recipient, type]` with ff for ADD and the empty string for DROP. The
seals are 65 bytes each, `r || s || v`, and are left out of every hash, so two honest nodes may hold
different seals for one block. Source: Besu's QbftExtraDataCodec.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from consensus import rlp_codec
from consensus.errors import MalformedEncoding
from consensus.rlp_codec import RlpItem
from consensus.types import Address, Round

SEAL_BYTES = 65
VANITY_BYTES = 32

_REMEMBERED = 512
"""Decoded extraData of recent headers, which every rule looks into."""

_ADD = b"\xff"
_DROP = b""
_DROP_ALTERNATIVE = b"\x00"
_ROUND_BYTES = 4
_FIRST_ROUND = Round(0)


class VoteType(Enum):
    """What a header vote asks for."""

    ADD = "add"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One proposer's wish about one address, carried by the block that it proposed."""

    recipient: Address
    """The address to be added to or dropped from the validators."""

    vote_type: VoteType
    """Add or drop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraData:
    """The decoded extraData of one header."""

    vanity: bytes = bytes(VANITY_BYTES)
    """Text of the proposing client, left-padded with zeros; its length is not a rule."""

    validators: tuple[Address, ...] = ()
    """The validators of this block, ascending; empty in contract mode."""

    vote: Vote | None = None
    """The proposer's vote, or none."""

    round: Round = _FIRST_ROUND
    """The round in which the block was proposed or sealed."""

    seals: tuple[bytes, ...] = ()
    """Commit seals, 65 bytes each, `r || s || v` with v 0 or 1."""


def encode_extra_data(extra_data: ExtraData) -> bytes:
    """Return the canonical bytes of `extra_data`."""
    return encode_parts(extra_data, round_number=extra_data.round, seals=extra_data.seals)


def encode_parts(
    extra_data: ExtraData, *, round_number: Round, seals: Sequence[bytes] = ()
) -> bytes:
    """Encode with another round and other seals; both hashes of a block are made this way."""
    vote: RlpItem = []
    if extra_data.vote is not None:
        code = _ADD if extra_data.vote.vote_type is VoteType.ADD else _DROP
        vote = [bytes(extra_data.vote.recipient), code]
    return rlp_codec.encode(
        [
            extra_data.vanity,
            list(extra_data.validators),
            vote,
            rlp_codec.encode_scalar(round_number),
            list(seals),
        ]
    )


@lru_cache(maxsize=_REMEMBERED)
def decode_extra_data(data: bytes) -> ExtraData:
    """Decode extraData; raises MalformedEncoding for anything Besu would refuse as well."""
    vanity, validators, vote, round_number, seals = rlp_codec.get_list(
        rlp_codec.decode(data), "extraData", 5
    )
    return ExtraData(
        vanity=rlp_codec.get_bytes(vanity, "vanity"),
        validators=tuple(
            Address(rlp_codec.get_bytes(item, "validator", 20))
            for item in rlp_codec.get_list(validators, "validators")
        ),
        vote=_decode_vote(vote),
        round=Round(rlp_codec.get_scalar(round_number, "round", _ROUND_BYTES)),
        seals=tuple(
            rlp_codec.get_bytes(item, "seal", SEAL_BYTES)
            for item in rlp_codec.get_list(seals, "seals")
        ),
    )


def _decode_vote(item: RlpItem) -> Vote | None:
    fields = rlp_codec.get_list(item, "vote", 0, 2)
    if not fields:
        return None
    recipient = Address(rlp_codec.get_bytes(fields[0], "vote recipient", 20))
    code = rlp_codec.get_bytes(fields[1], "vote type")
    if code == _ADD:
        return Vote(recipient=recipient, vote_type=VoteType.ADD)
    if code in (_DROP, _DROP_ALTERNATIVE):
        return Vote(recipient=recipient, vote_type=VoteType.DROP)
    raise MalformedEncoding(f"vote type {code.hex()} is neither ADD nor DROP")
