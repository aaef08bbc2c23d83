"""The predicates of QBFT written a second time, plainly, as the formal specification words them.

Nothing here uses the code under test beyond the decoded messages: quorum, proposer, digests, hashes
and authors are computed anew with other means (sets, the rlp library, eth_keys). Speed and helpful
reasons do not matter; being obviously the specification does. Where the specification speaks of
sets of signed payloads, a message that lists an author twice is not a set, and not valid.
Source: qbft-formal-spec-and-verification, dafny/spec/L1 (predicates isValidProposalJustification,
validRoundChange, isHighestPrepared and the like).
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from eth_hash.auto import keccak
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from rlp import codec

from consensus.block import Block
from consensus.header import BlockHeader
from consensus.messages import Commit, Prepare, Proposal, RoundChange
from consensus.payloads import Payload, PreparePayload, RoundChangePayload, Signed

Addresses = Sequence[bytes]
_decode: Callable[[bytes], Any] = codec.decode
_encode: Callable[[Any], bytes] = codec.encode
MAX_ROUND = 1_000


def quorum(n: int) -> int:
    return math.ceil(2 * n / 3)


def proposer(validators: Addresses, parent_coinbase: bytes, round_number: int) -> bytes:
    """Count on from the parent's proposer, one for the next block and one for every round.

    If the parent's proposer is not among the validators, the count begins just before the first
    validator above it.
    """
    ordered = sorted(validators)
    candidates = [v for v in ordered if v > parent_coinbase] or ordered
    return ordered[(ordered.index(candidates[0]) + round_number) % len(ordered)]


def digest(block: Block, round_number: int) -> bytes:
    """Hash of the header with that round and no seals in its extraData."""
    header = block.header
    vanity, validators, vote, _, _ = _decode(header.extra_data)
    extra = _encode([vanity, validators, vote, _number(round_number), []])
    return keccak(_encode(_header_items(header, extra)))


def is_valid_prepare(message: Prepare, validators: Addresses) -> bool:
    return author(0x13, message.signed) in validators


def is_valid_commit(message: Commit, validators: Addresses) -> bool:
    payload = message.signed.payload
    signer = author(0x14, message.signed)
    return signer in validators and recover(payload.digest, payload.commit_seal) == signer


def is_valid_round_change(message: RoundChange, height: int, validators: Addresses) -> bool:
    payload = message.signed.payload
    if not is_valid_round_change_payload(message.signed, height, validators):
        return False
    if payload.prepared is None:
        return message.block is None and len(message.prepares) == 0
    return (
        message.block is not None
        and message.block.header.number == height
        and digest(message.block, payload.prepared.round) == payload.prepared.digest
        and is_quorum_of_prepares(
            message.prepares, height, payload.prepared.round, payload.prepared.digest, validators
        )
    )


def is_valid_round_change_payload(
    signed: Signed[RoundChangePayload], height: int, validators: Addresses
) -> bool:
    payload = signed.payload
    return (
        author(0x15, signed) in validators
        and payload.height == height
        and 1 <= payload.round <= MAX_ROUND
        and (payload.prepared is None or payload.prepared.round < payload.round)
    )


def is_quorum_of_prepares(
    prepares: Sequence[Signed[PreparePayload]],
    height: int,
    round_number: int,
    wanted: bytes,
    validators: Addresses,
) -> bool:
    return all(
        p.payload.height == height
        and p.payload.round == round_number
        and p.payload.digest == wanted
        for p in prepares
    ) and is_quorum_of_distinct([author(0x13, p) for p in prepares], validators)


def is_valid_proposal(
    message: Proposal, height: int, validators: Addresses, parent_coinbase: bytes
) -> bool:
    payload = message.signed.payload
    block, round_number = payload.block, payload.round
    _, _, _, written_round, seals = _decode(block.header.extra_data)
    signer = author(0x12, message.signed)
    is_well_formed = (
        payload.height == height
        and block.header.number == height
        and round_number <= MAX_ROUND
        and signer == proposer(validators, parent_coinbase, round_number)
        and int.from_bytes(written_round, "big") == round_number
        and not seals
    )
    if not is_well_formed:
        return False
    if round_number == 0:
        is_justified = not message.round_changes and not message.prepares
        return is_justified and block.header.coinbase == signer
    is_asked_for = all(
        is_valid_round_change_payload(r, height, validators) and r.payload.round == round_number
        for r in message.round_changes
    ) and is_quorum_of_distinct([author(0x15, r) for r in message.round_changes], validators)
    if not is_asked_for:
        return False
    prepared = [r.payload.prepared for r in message.round_changes if r.payload.prepared]
    if not prepared:
        return not message.prepares and block.header.coinbase == signer
    highest_round = max(p.round for p in prepared)
    # With at most f faulty validators all that name the highest round name one digest.
    highest = next(p for p in prepared if p.round == highest_round)
    return digest(block, highest.round) == highest.digest and is_quorum_of_prepares(
        message.prepares, height, highest.round, highest.digest, validators
    )


def is_quorum_of_distinct(authors: Iterable[bytes], validators: Addresses) -> bool:
    listed = list(authors)
    return (
        len(set(listed)) == len(listed)
        and set(listed) <= set(validators)
        and len(listed) >= quorum(len(validators))
    )


def author(code: int, signed: Signed[Payload]) -> bytes:
    """Recover who signed `[code, payload]`."""
    payload = _decode(signed.payload_rlp)
    return recover(keccak(_encode([bytes([code]), payload])), signed.signature)


@lru_cache(maxsize=50_000)
def recover(message_hash: bytes, signature: bytes) -> bytes:
    try:
        recovered = Signature(signature).recover_public_key_from_msg_hash(message_hash)
    except (BadSignature, ValidationError):
        return b"nobody"
    address: bytes = recovered.to_canonical_address()
    return address


def _header_items(header: BlockHeader, extra: bytes) -> list[bytes]:
    items = [
        header.parent_hash,
        header.ommers_hash,
        header.coinbase,
        header.state_root,
        header.transactions_root,
        header.receipts_root,
        header.logs_bloom,
        _number(header.difficulty),
        _number(header.number),
        _number(header.gas_limit),
        _number(header.gas_used),
        _number(header.timestamp),
        extra,
        header.mix_hash,
        header.nonce,
    ]
    later = (
        header.base_fee_per_gas,
        header.withdrawals_root,
        header.blob_gas_used,
        header.excess_blob_gas,
        header.parent_beacon_block_root,
    )
    present = [value for value in later if value is not None]
    return items + [value if isinstance(value, bytes) else _number(value) for value in present]


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
