"""Signed messages of any content by any key, for tests of rules and Byzantine validators."""

from collections.abc import Iterable
from dataclasses import replace

from consensus.block import Block
from consensus.certificate import PreparedCertificate
from consensus.extra_data import ExtraData, encode_extra_data
from consensus.header import BlockHeader, compute_block_hash
from consensus.messages import Commit, Prepare, Proposal, RoundChange
from consensus.payloads import (
    CommitPayload,
    PreparedMetadata,
    PreparePayload,
    ProposalPayload,
    RoundChangePayload,
    Signed,
    compute_digest,
    sign_payload,
)
from consensus.signatures import ValidatorKey
from consensus.types import Hash32, Height, Round
from tests.simulation.model_chain import in_round


def make_block(parent: BlockHeader, *, coinbase: ValidatorKey, round_number: int = 0) -> Block:
    """Return an empty block on `parent` that the model chain accepts in contract mode."""
    header = replace(
        parent,
        parent_hash=compute_block_hash(parent),
        coinbase=coinbase.address,
        number=Height(parent.number + 1),
        timestamp=parent.timestamp + 1,
        extra_data=encode_extra_data(ExtraData(round=Round(round_number))),
    )
    return Block(header=header, withdrawals=())


def make_prepare(key: ValidatorKey, height: int, round_number: int, digest: Hash32) -> Prepare:
    payload = PreparePayload(height=Height(height), round=Round(round_number), digest=digest)
    return Prepare(signed=sign_payload(payload, key))


def make_commit(
    key: ValidatorKey,
    height: int,
    round_number: int,
    digest: Hash32,
    sealer: ValidatorKey | None = None,
) -> Commit:
    payload = CommitPayload(
        height=Height(height),
        round=Round(round_number),
        digest=digest,
        commit_seal=(sealer or key).sign(digest),
    )
    return Commit(signed=sign_payload(payload, key))


def make_certificate(
    keys: Iterable[ValidatorKey], block: Block, round_number: int
) -> PreparedCertificate:
    """Return a certificate for `block` in `round_number`, with one prepare per key."""
    proposed = in_round(block, Round(round_number))
    digest = compute_digest(proposed, Round(round_number))
    number = proposed.header.number
    return PreparedCertificate(
        round=Round(round_number),
        block=proposed,
        prepares=tuple(make_prepare(key, number, round_number, digest).signed for key in keys),
    )


def get_certificate(message: RoundChange) -> PreparedCertificate:
    """Return the certificate that a round change carries, believed or not."""
    prepared = message.signed.payload.prepared
    assert message.block is not None
    return PreparedCertificate(
        round=Round(0) if prepared is None else prepared.round,
        block=message.block,
        prepares=message.prepares,
    )


def make_round_change(
    key: ValidatorKey,
    height: int,
    target: int,
    certificate: PreparedCertificate | None = None,
) -> RoundChange:
    prepared: PreparedMetadata | None = None if certificate is None else certificate.metadata
    payload = RoundChangePayload(height=Height(height), round=Round(target), prepared=prepared)
    return RoundChange(
        signed=sign_payload(payload, key),
        block=None if certificate is None else certificate.block,
        prepares=() if certificate is None else certificate.prepares,
    )


def make_proposal(
    key: ValidatorKey,
    block: Block,
    round_number: int,
    round_changes: Iterable[RoundChange] = (),
    prepares: Iterable[Signed[PreparePayload]] = (),
) -> Proposal:
    """Return a proposal of `block` put into `round_number`, for the block's own height."""
    proposed = in_round(block, Round(round_number))
    payload = ProposalPayload(
        height=proposed.header.number, round=Round(round_number), block=proposed
    )
    return Proposal(
        signed=sign_payload(payload, key),
        round_changes=tuple(message.signed for message in round_changes),
        prepares=tuple(prepares),
    )
