"""What makes a message believable: the predicates of QBFT, as pure functions.

A prepare or commit stands for itself. A round change that claims a prepared block must prove it by
a quorum of prepares. A proposal above round 0 must show a quorum of round changes, and must repeat
the block that the highest prepared round among them names, because that block may already be
final somewhere. Everything that counts towards a quorum is by a different validator: two signatures
of one author are one vote, and a message that tries to pass them for two is refused whole.

Each function returns nothing and raises a PeerFault, mostly InvalidMessage, with the broken rule.
Source: QBFT formal specification, predicates over ProposalJustification and RoundChange messages.
"""

from collections.abc import Iterable, Sequence

from consensus.errors import InvalidMessage
from consensus.extra_data import decode_extra_data
from consensus.messages import Commit, Prepare, Proposal, RoundChange
from consensus.payloads import (
    MAX_ROUND,
    PreparedMetadata,
    PreparePayload,
    RoundChangePayload,
    Signed,
    compute_digest,
)
from consensus.proposer import select_proposer
from consensus.quorum import compute_quorum
from consensus.signatures import recover_address
from consensus.types import Address, Hash32, Height, Round


def validate_proposal(
    message: Proposal,
    *,
    height: Height,
    validators: Sequence[Address],
    parent_coinbase: Address | None,
) -> None:
    """Judge a proposal for `height` in its own round, all but the execution of its block."""
    payload = message.signed.payload
    header = payload.block.header
    if payload.height != height or header.number != height:
        raise InvalidMessage(f"proposal: is not for height {height}")
    if payload.round > MAX_ROUND:
        raise InvalidMessage(f"proposal: round {payload.round} is beyond {MAX_ROUND}")
    proposer = select_proposer(parent_coinbase, validators, payload.round)
    if message.signed.author != proposer:
        raise InvalidMessage("proposal: its author is not the proposer of the round")
    extra_data = decode_extra_data(header.extra_data)
    if extra_data.round != payload.round:
        raise InvalidMessage(f"proposal: its block names round {extra_data.round}")
    if extra_data.seals:
        raise InvalidMessage("proposal: its block is sealed already")
    if payload.round == 0:
        if message.round_changes or message.prepares:
            raise InvalidMessage("proposal: a certificate in round 0")
        best = None
    else:
        validate_round_changes(
            message.round_changes, height=height, target=payload.round, validators=validators
        )
        best = get_highest_prepared(message.round_changes)
    if best is None:
        if message.prepares:
            raise InvalidMessage("proposal: prepares although nothing was prepared")
        if header.coinbase != message.signed.author:
            raise InvalidMessage("proposal: a fresh block with another coinbase than its author")
        return
    if compute_digest(payload.block, best.round) != best.digest:
        raise InvalidMessage("proposal: not the block of the highest prepared round")
    validate_prepares(
        message.prepares,
        height=height,
        round_number=best.round,
        digest=best.digest,
        validators=validators,
    )


def validate_round_change(
    message: RoundChange, *, height: Height, validators: Sequence[Address]
) -> None:
    """Judge a round change with the block and the prepares that it claims."""
    validate_round_change_payload(message.signed, height=height, validators=validators)
    prepared = message.signed.payload.prepared
    if prepared is None:
        if message.block is not None or message.prepares:
            raise InvalidMessage("round change: a block or prepares without prepared metadata")
        return
    if message.block is None:
        raise InvalidMessage("round change: prepared metadata without the block")
    if message.block.header.number != height:
        raise InvalidMessage("round change: the prepared block has another height")
    if compute_digest(message.block, prepared.round) != prepared.digest:
        raise InvalidMessage("round change: the block is not the one that was prepared")
    validate_prepares(
        message.prepares,
        height=height,
        round_number=prepared.round,
        digest=prepared.digest,
        validators=validators,
    )


def validate_round_change_payload(
    signed: Signed[RoundChangePayload], *, height: Height, validators: Sequence[Address]
) -> None:
    """Judge the signed part of a round change alone, as proposals carry it."""
    payload = signed.payload
    _validate_author(signed.author, validators, "round change")
    if payload.height != height:
        raise InvalidMessage(f"round change: height {payload.height} is not {height}")
    if not 1 <= payload.round <= MAX_ROUND:
        raise InvalidMessage(f"round change: target round {payload.round} is not 1 to {MAX_ROUND}")
    if payload.prepared is not None and payload.prepared.round >= payload.round:
        raise InvalidMessage("round change: prepared in or after its target round")


def validate_round_changes(
    signed_payloads: Sequence[Signed[RoundChangePayload]],
    *,
    height: Height,
    target: Round,
    validators: Sequence[Address],
) -> None:
    """Check that a quorum of distinct validators asks for round `target`."""
    for signed in signed_payloads:
        validate_round_change_payload(signed, height=height, validators=validators)
        if signed.payload.round != target:
            raise InvalidMessage(f"round changes: one targets another round than {target}")
    _validate_quorum((signed.author for signed in signed_payloads), validators, "round changes")


def validate_prepares(
    signed_payloads: Sequence[Signed[PreparePayload]],
    *,
    height: Height,
    round_number: Round,
    digest: Hash32,
    validators: Sequence[Address],
) -> None:
    """Check that a quorum of distinct validators prepared `digest` in `round_number`."""
    for signed in signed_payloads:
        _validate_author(signed.author, validators, "prepares")
        payload = signed.payload
        if (payload.height, payload.round, payload.digest) != (height, round_number, digest):
            raise InvalidMessage("prepares: one is for another height, round or block")
    _validate_quorum((signed.author for signed in signed_payloads), validators, "prepares")


def validate_prepare(message: Prepare, *, validators: Sequence[Address]) -> None:
    """Judge a prepare by its author; height, round and digest are matched by the engine."""
    _validate_author(message.signed.author, validators, "prepare")


def validate_commit(message: Commit, *, validators: Sequence[Address]) -> None:
    """Judge a commit: its author is a validator, and the seal is by the same author."""
    _validate_author(message.signed.author, validators, "commit")
    payload = message.signed.payload
    if recover_address(payload.digest, payload.commit_seal) != message.signed.author:
        raise InvalidMessage("commit: the seal is not by the author of the message")


def get_highest_prepared(
    signed_payloads: Iterable[Signed[RoundChangePayload]],
) -> PreparedMetadata | None:
    """Return the prepared metadata with the highest round, or None if there is none."""
    prepared = [s.payload.prepared for s in signed_payloads if s.payload.prepared is not None]
    return max(prepared, key=lambda metadata: metadata.round, default=None)


def _validate_author(author: Address, validators: Sequence[Address], what: str) -> None:
    if author not in validators:
        raise InvalidMessage(f"{what}: the author 0x{author.hex()} is not a validator")


def _validate_quorum(authors: Iterable[Address], validators: Sequence[Address], what: str) -> None:
    listed = list(authors)
    distinct = len(set(listed))
    if distinct != len(listed):
        raise InvalidMessage(f"{what}: one author is listed twice")
    quorum = compute_quorum(len(validators))
    if distinct < quorum:
        raise InvalidMessage(f"{what}: {distinct} authors where {quorum} are needed")
